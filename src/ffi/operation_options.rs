//! Options of the operations that have no others: limits, attempts, cancellation.

use std::mem::MaybeUninit;
use std::time::Duration;

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::guard::guard;
use super::limits::{deadline, retry_policy};
use super::options::Options;
use super::pointers::{free, make};
use crate::{OperationOptions, Result};

/// Options of an operation other than an upload, all optional: limits, attempts and a cancellation of its own,
/// in place of the client's. May be used for any number of operations, from many threads at once while nobody
/// changes them.
pub struct oss_callback_operation_options {
    options: Options<OperationOptions>,
}

/// What these options say.
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
    setter: impl FnOnce(OperationOptions) -> Result<OperationOptions>,
) {
    if let Some(options) = options {
        options.options.replace(setter);
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

/// Time for finding the server's address, and time for connecting, TLS included. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        Ok(limits.connect_timeout(Duration::from_millis(timeout_ms)))
    })
}

/// Time from the last byte sent until OSS answers, and then again for the answer's body unless that is an
/// object's contents. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        Ok(limits.answer_timeout(Duration::from_millis(timeout_ms)))
    })
}

/// The longest time without progress while a body is sent or received; less than 1 KiB in that time is none.
/// 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        Ok(limits.progress_timeout(Duration::from_millis(timeout_ms)))
    })
}

/// Time for the operation with all its attempts. Time in hooks of the caller's counts, but the limit takes
/// effect only when they return. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_timeout_ms(
    options: Option<&mut oss_callback_operation_options>,
    timeout_ms: u64,
) {
    set(options, |limits| {
        Ok(limits.timeout(Duration::from_millis(timeout_ms)))
    })
}

/// Sets a deadline, `deadline_ms` milliseconds from now, that all operations with these options share. If
/// oss_callback_operation_options_set_timeout_ms is set too, whichever comes first applies.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_deadline_ms(
    options: Option<&mut oss_callback_operation_options>,
    deadline_ms: u64,
) {
    set(
        options,
        |limits| Ok(limits.deadline(deadline(deadline_ms)?)),
    )
}

/// Lets another thread end the operations with these options; NULL takes an earlier one away. The options keep
/// a reference of their own, so the handle may be freed.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_cancellation(
    options: Option<&mut oss_callback_operation_options>,
    cancellation: Option<&oss_callback_cancellation>,
) {
    let cancellation = cancellation.as_ref().map(|handle| &handle.cancellation);
    set(options, |limits| Ok(limits.cancellation(cancellation)));
}

/// When the operation is tried again: the numbers are those of oss_callback_put_options_set_retry_policy. A
/// download is tried again only until its hook has got a byte.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_set_retry_policy(
    options: Option<&mut oss_callback_operation_options>,
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) {
    let policy = retry_policy(max_attempts, base_delay_ms, max_delay_ms);
    set(options, |limits| Ok(limits.retry_policy(policy)))
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_operation_options_free(
    options: Option<Box<oss_callback_operation_options>>,
) {
    free(options);
}
