//! Options of the operations that have no others: limits, attempts, cancellation.

use std::mem::MaybeUninit;

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::guard::guard;
use super::limits::{deadline, milliseconds};
use super::options::Options;
use super::pointers::{free, make};
use crate::{OperationOptions, Result, RetryPolicy};

/// Options of an operation other than an upload: limits and attempts in place of the client's, and a
/// cancellation. All are optional. The first error is reported by the operation. Many threads may use them
/// at once, for any number of operations, while no thread changes them.
pub struct oss_callback_operation_options {
    options: Options<OperationOptions>,
}

/// What these options say; NULL means none.
pub(super) fn operation_options(
    options: Option<&oss_callback_operation_options>,
) -> Result<OperationOptions> {
    match options {
        Some(options) => options.options.values().cloned(),
        None => Ok(OperationOptions::new()),
    }
}

/// Runs a setter.
fn set(
    options: Option<&mut oss_callback_operation_options>,
    setter: impl FnOnce(OperationOptions) -> OperationOptions,
) {
    if let Some(options) = options {
        options.options.replace(|limits| Ok(setter(limits)));
    }
}

/// Changes one thing of the retry policy.
fn retry(
    options: Option<&mut oss_callback_operation_options>,
    setter: impl FnOnce(RetryPolicy) -> RetryPolicy,
) {
    set(options, |limits| {
        let policy = limits.retry_policy;
        limits.retry_policy(setter(policy))
    });
}

/// Makes empty options. Free them with oss_callback_operation_options_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_new(
    options: Option<&mut MaybeUninit<*mut oss_callback_operation_options>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_operation_options {
                options: Options::new(),
            })
        };
        make(options, "options", new)
    })
}

/// Like oss_callback_put_options_set_connect_timeout_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        limits.connect_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body unless
/// that is an object's contents. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        limits.answer_timeout(milliseconds(timeout_ms))
    });
}

/// Like oss_callback_put_options_set_progress_timeout_ms, but also while a body is received.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        limits.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Like oss_callback_put_options_set_timeout_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| limits.timeout(milliseconds(timeout_ms)));
}

/// Like oss_callback_put_options_set_deadline_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_deadline_ms(
    options: Option<&mut oss_callback_operation_options>,
    deadline_ms: u64,
) {
    if let Some(options) = options {
        let set = |limits: OperationOptions| Ok(limits.deadline(deadline(deadline_ms)?));
        options.options.replace(set);
    }
}

/// Like oss_callback_put_options_set_cancellation.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_cancellation(
    options: Option<&mut oss_callback_operation_options>,
    cancellation: Option<&oss_callback_cancellation>,
) {
    let cancellation = cancellation.map(|handle| &handle.cancellation);
    set(options, |limits| limits.cancellation(cancellation));
}

/// Sets how many times the operation is tried, the first attempt included. Default: the client's. A
/// download is retried only until its hook has received a byte.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_max_attempts(
    options: Option<&mut oss_callback_operation_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Like oss_callback_put_options_set_retry_base_delay_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_operation_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Like oss_callback_put_options_set_retry_max_delay_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_operation_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_free(
    options: Option<Box<oss_callback_operation_options>>,
) {
    free(options);
}
