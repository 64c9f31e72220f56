//! Options of the operations that have no others: limits, attempts, cancellation.

use std::ptr;
use std::time::Duration;

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::guard::guard;
use super::limits::{deadline, retry_policy};
use super::options::Options;
use super::pointers::{free, make};
use crate::{OperationOptions, Result};

/// Options of an operation other than an upload: limits and attempts in place of the client's, and a
/// cancellation. All are optional. The first error of a setter is kept and reported by the operation. May
/// be used for any number of operations, from many threads at once while no thread changes them.
pub struct oss_callback_operation_options {
    options: Options<OperationOptions>,
}

/// What these options say.
///
/// # Safety
///
/// The pointer is NULL, which means none, or leads to live options that nobody changes meanwhile.
pub(super) unsafe fn operation_options(
    options: *const oss_callback_operation_options,
) -> Result<OperationOptions> {
    // SAFETY: as promised by the caller.
    match unsafe { options.as_ref() } {
        Some(options) => options.options.values().cloned(),
        None => Ok(OperationOptions::new()),
    }
}

/// Runs a setter.
///
/// # Safety
///
/// The pointer is NULL or leads to live options that nobody else uses meanwhile.
unsafe fn set(
    options: *mut oss_callback_operation_options,
    setter: impl FnOnce(OperationOptions) -> Result<OperationOptions>,
) {
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.options.replace(setter);
    }
}

/// Makes empty options. Free them with oss_callback_operation_options_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_new(
    options: *mut *mut oss_callback_operation_options,
) -> oss_callback_code {
    guard(ptr::null_mut(), || {
        let new = || {
            Ok(oss_callback_operation_options {
                options: Options::new(),
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(options, "options", new) }
    })
}

/// Limits the time to find the server's address, and the time to connect, TLS included. Default: the
/// client's. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_connect_timeout_ms(
    options: *mut oss_callback_operation_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |limits| {
            Ok(limits.connect_timeout(Duration::from_millis(timeout_ms)))
        })
    }
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body unless
/// that is an object's contents. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_answer_timeout_ms(
    options: *mut oss_callback_operation_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |limits| {
            Ok(limits.answer_timeout(Duration::from_millis(timeout_ms)))
        })
    }
}

/// Limits the time without progress while a body is sent or received. Less than 1 KiB in that time counts
/// as no progress. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_progress_timeout_ms(
    options: *mut oss_callback_operation_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |limits| {
            Ok(limits.progress_timeout(Duration::from_millis(timeout_ms)))
        })
    }
}

/// Limits the time for the operation with all its attempts. Time in the caller's hooks counts, but the
/// limit takes effect only when they return. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_timeout_ms(
    options: *mut oss_callback_operation_options,
    timeout_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(options, |limits| {
            Ok(limits.timeout(Duration::from_millis(timeout_ms)))
        })
    }
}

/// Sets a deadline, `deadline_ms` milliseconds from now, that all operations with these options share. If
/// oss_callback_operation_options_set_timeout_ms is set too, whichever comes first applies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_deadline_ms(
    options: *mut oss_callback_operation_options,
    deadline_ms: u64,
) {
    // SAFETY: NULL or live options.
    unsafe {
        set(
            options,
            |limits| Ok(limits.deadline(deadline(deadline_ms)?)),
        )
    }
}

/// Lets another thread end the operations with these options. NULL removes an earlier cancellation. The
/// options keep their own reference, so the handle may be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_cancellation(
    options: *mut oss_callback_operation_options,
    cancellation: *const oss_callback_cancellation,
) {
    // SAFETY: NULL or live options; NULL or a live cancellation.
    unsafe {
        let cancellation = cancellation.as_ref().map(|handle| &handle.cancellation);
        set(options, |limits| Ok(limits.cancellation(cancellation)));
    }
}

/// When the operation is tried again: the numbers are those of oss_callback_put_options_set_retry_policy. A
/// download is tried again only until its hook has got a byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_set_retry_policy(
    options: *mut oss_callback_operation_options,
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) {
    let policy = retry_policy(max_attempts, base_delay_ms, max_delay_ms);
    // SAFETY: NULL or live options.
    unsafe { set(options, |limits| Ok(limits.retry_policy(policy))) }
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_operation_options_free(
    options: *mut oss_callback_operation_options,
) {
    // SAFETY: NULL or options that were given out and not freed yet.
    unsafe { free(options) };
}
