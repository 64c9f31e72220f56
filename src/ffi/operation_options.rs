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
/// cancellation. All are optional. The first error of a setter is kept and reported by the operation. May
/// be used for any number of operations, from many threads at once while no thread changes them.
pub struct oss_callback_operation_options {
    options: Options<Limits>,
}

#[derive(Default)]
struct Limits {
    limits: OperationOptions,
    retry: RetryPolicy,
}

/// What these options say; NULL means none.
pub(super) fn operation_options(
    options: Option<&oss_callback_operation_options>,
) -> Result<OperationOptions> {
    match options {
        Some(options) => Ok(options.options.values()?.limits.clone()),
        None => Ok(OperationOptions::new()),
    }
}

/// Runs a setter.
fn set(
    options: Option<&mut oss_callback_operation_options>,
    setter: impl FnOnce(OperationOptions) -> OperationOptions,
) {
    if let Some(options) = options {
        options.options.set(|values| {
            values.limits = setter(std::mem::take(&mut values.limits));
            Ok(())
        });
    }
}

/// Changes one thing of the retry policy.
fn retry(
    options: Option<&mut oss_callback_operation_options>,
    change: impl FnOnce(RetryPolicy) -> RetryPolicy,
) {
    if let Some(options) = options {
        options.options.set(|values| {
            values.retry = change(values.retry);
            let limits = std::mem::take(&mut values.limits);
            values.limits = limits.retry_policy(values.retry);
            Ok(())
        });
    }
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

/// Limits the time to find the server's address, and the time to connect, TLS included. Default: the
/// client's. 0 is refused.
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

/// Limits the time without progress while a body is sent or received. Less than 1 KiB in that time counts
/// as no progress. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        limits.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time for the operation with all its attempts. Time in the caller's hooks counts, but the
/// limit takes effect only when they return. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| limits.timeout(milliseconds(timeout_ms)));
}

/// Sets a deadline, `deadline_ms` milliseconds from now, that all operations with these options share. If
/// oss_callback_operation_options_set_timeout_ms is set too, whichever comes first applies.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_deadline_ms(
    options: Option<&mut oss_callback_operation_options>,
    deadline_ms: u64,
) {
    set(options, |limits| limits.deadline(deadline(deadline_ms)));
}

/// Lets another thread end the operations with these options. NULL removes an earlier cancellation. The
/// options keep their own reference, so the handle may be freed.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_cancellation(
    options: Option<&mut oss_callback_operation_options>,
    cancellation: Option<&oss_callback_cancellation>,
) {
    let cancellation = cancellation.as_ref().map(|handle| &handle.cancellation);
    set(options, |limits| limits.cancellation(cancellation));
}

/// Sets how often the operation is tried, the first attempt included: 1 means once. Default: as the
/// client's options say. A download is tried again only until its hook has received a byte.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_max_attempts(
    options: Option<&mut oss_callback_operation_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Sets the longest delay before the second attempt; it doubles with each further one. The actual delays
/// are random, so that many clients do not come back at once. Default: as the client's options say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_operation_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Sets the longest delay between two attempts. When OSS asks for a longer one (Retry-After), there is no
/// further attempt. Default: as the client's options say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_operation_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_free(
    options: Option<Box<oss_callback_operation_options>>,
) {
    free(options);
}
