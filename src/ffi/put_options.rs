//! Options of an upload.

use libc::c_void;
use std::mem::MaybeUninit;

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::guard::guard;
use super::hooks::{ProgressHook, oss_callback_progress_hook};
use super::limits::{deadline, milliseconds};
use super::options::Options;
use super::pointers::{free, make};
use super::put_values::{TakesOptions, Values};
use crate::{PutOptions, Result, RetryPolicy, UploadFile};

/// Options of an upload. All are optional. The first error is reported by the upload. Many threads may use
/// them at once, for any number of uploads, while no thread changes them. Each of these threads then calls
/// the progress hook, perhaps at the same time, with the numbers of its own upload: to tell uploads apart,
/// give each its own options.
pub struct oss_callback_put_options {
    options: Options<Values>,
}

/// What options hold, for anything but the upload of a file; `None` for none.
pub(super) fn values(options: Option<&oss_callback_put_options>) -> Result<Option<&Values>> {
    let Some(options) = options else {
        return Ok(None);
    };
    let values = options.options.values()?;
    values.of_file.refuse().map(|()| Some(values))
}

/// An upload, or a step of one, with these options.
pub(super) fn with_options<U: TakesOptions>(
    upload: U,
    options: Option<&oss_callback_put_options>,
) -> Result<U> {
    Ok(match values(options)? {
        Some(values) => values.apply(upload),
        None => upload,
    })
}

/// The upload of a file with these options.
pub(super) fn file_with_options(
    upload: UploadFile<'static>,
    options: Option<&oss_callback_put_options>,
) -> Result<UploadFile<'static>> {
    let Some(options) = options else {
        return Ok(upload);
    };
    let values = options.options.values()?;
    Ok(values.of_file.apply(values.apply(upload)))
}

/// The same options for what has no body.
pub(super) fn rust_options(options: Option<&oss_callback_put_options>) -> Result<PutOptions> {
    Ok(values(options)?.map_or_else(PutOptions::new, |values| values.put.clone()))
}

/// Makes empty options. Free them with oss_callback_put_options_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_new(
    options: Option<&mut MaybeUninit<*mut oss_callback_put_options>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_put_options {
                options: Options::new(),
            })
        };
        make(options, "options", new)
    })
}

/// Runs a setter that can fail.
pub(super) fn set(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(PutOptions) -> Result<PutOptions>,
) {
    set_value(options, |values| {
        values.put = setter(std::mem::take(&mut values.put))?;
        Ok(())
    });
}

/// Runs a setter.
pub(super) fn change(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(PutOptions) -> PutOptions,
) {
    set(options, |put| Ok(setter(put)));
}

/// Changes one thing of the retry policy.
fn retry(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(RetryPolicy) -> RetryPolicy,
) {
    change(options, |put| {
        let policy = put.limits.retry_policy;
        put.retry_policy(setter(policy))
    });
}

/// Runs a setter of what Rust's options do not have.
pub(super) fn set_value(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(&mut Values) -> Result<()>,
) {
    if let Some(options) = options {
        options.options.set(setter);
    }
}

/// Limits the time to resolve the server's name, and the time to connect, TLS included. Default: the
/// client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.connect_timeout(milliseconds(timeout_ms)));
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
/// the client's. 0 is refused. Callbacks add to it: see oss_callback_client_options_set_answer_timeout_ms.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.answer_timeout(milliseconds(timeout_ms)));
}

/// Limits the time without progress while the body leaves this machine. Less than 1 KiB in that time counts
/// as no progress. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| {
        put.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time for the upload with all its attempts. Time spent in hooks counts, but the limit takes
/// effect only when they return. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.timeout(milliseconds(timeout_ms)));
}

/// Sets a deadline, `deadline_ms` milliseconds from now, for all uploads with these options, including the
/// steps of a multipart upload. If oss_callback_put_options_set_timeout_ms is set too, whichever comes
/// first applies.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_deadline_ms(
    options: Option<&mut oss_callback_put_options>,
    deadline_ms: u64,
) {
    set(options, |put| Ok(put.deadline(deadline(deadline_ms)?)));
}

/// Sets how many times a request of the upload is tried, the first attempt included. Default: the client's.
///
/// Only a failure that may end differently is retried, and only with a body that can be read again. An
/// upload with a callback is retried only while it is certain that nothing was stored: see
/// oss_callback_put_options_set_callback_is_idempotent.
///
/// In a multipart upload, each part is a request of its own, and so is each lookup after a lost answer to
/// its completion. If OSS refuses a request because the clocks differ, or because a hook's credentials have
/// expired, the next attempt uses OSS's time or new credentials; without another attempt, the client's next
/// request does. If a kept connection turns out to be closed before the first byte of a request, replacing
/// it is not an attempt.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_max_attempts(
    options: Option<&mut oss_callback_put_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Sets the longest delay before the second attempt; it doubles with each further one. The actual delays
/// are random, so that many clients do not retry at once. Default: the client's.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_put_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Sets the longest delay between two attempts. If OSS asks for a longer one (Retry-After), there is no
/// further attempt. Default: the client's.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_put_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// Sets whether the application server can safely receive the same callback twice. If not, an upload with a
/// callback is not retried after a lost answer. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_callback_is_idempotent(
    options: Option<&mut oss_callback_put_options>,
    callback_is_idempotent: bool,
) {
    change(options, |put| {
        put.callback_is_idempotent(callback_is_idempotent)
    });
}

/// Sets whether OSS's CRC-64 is compared with that of what was sent. Default: true.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_compare_crc64(
    options: Option<&mut oss_callback_put_options>,
    compare_crc64: bool,
) {
    change(options, |put| put.compare_crc64(compare_crc64));
}

/// Limits how many BYTES per second this library sends. Default: no limit. 0 is refused. For a limit that
/// OSS enforces, see oss_callback_put_options_set_traffic_limit_bits_per_s.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_bandwidth_bytes_per_s(
    options: Option<&mut oss_callback_put_options>,
    bytes_per_second: u64,
) {
    change(options, |put| put.bandwidth(bytes_per_second));
}

/// Lets another thread end the uploads with these options. The cancellation may be freed afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_cancellation(
    options: Option<&mut oss_callback_put_options>,
    cancellation: Option<&oss_callback_cancellation>,
) {
    let cancellation = cancellation.map(|handle| &handle.cancellation);
    set_value(options, |values| {
        values.put = std::mem::take(&mut values.put).cancellation(cancellation);
        values.cancellation = cancellation.cloned();
        Ok(())
    });
}

/// Sets a hook that is called as bytes leave: after each block of up to 128 KiB, and on a slow line every
/// 20 ms while some leave. It also follows the last bytes, while the answer is awaited. Each call has a
/// larger number than the one before; the last number is the length of the body. Each further attempt
/// counts from zero. For an empty body it might not be called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_progress_hook(
    options: Option<&mut oss_callback_put_options>,
    hook: oss_callback_progress_hook,
    userdata: *mut c_void,
) {
    // SAFETY: a hook that is not NULL is fit for this userdata while uploads use it.
    unsafe {
        let hook = ProgressHook::new(hook, userdata);
        set_value(options, |values| {
            values.progress = hook;
            Ok(())
        });
    }
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_free(options: Option<Box<oss_callback_put_options>>) {
    free(options);
}
