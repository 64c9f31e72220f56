//! Options of an upload.

use std::mem::MaybeUninit;
use std::time::{Duration, UNIX_EPOCH};

use libc::{c_char, c_void};

use super::cancellation::oss_callback_cancellation;
use super::code::oss_callback_code;
use super::guard::guard;
use super::hooks::{ProgressHook, oss_callback_progress_hook};
use super::limits::{deadline, milliseconds};
use super::options::Options;
use super::pointers::{free, make, optional_text, text};
use super::put_values::{TakesOptions, Values};
use crate::{Error, PutOptions, Result, RetryPolicy, UploadFile};

/// Options of an upload, in one request or in parts. All are optional. Setters copy what they get and
/// return nothing: the first error is kept and reported by the upload. May be used for any number of
/// uploads, from many threads at once while no thread changes them. Each of these threads then calls the
/// progress hook, perhaps at the same time, with the numbers of its own upload: to tell uploads apart, give
/// each its own options.
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
fn set(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(PutOptions) -> Result<PutOptions>,
) {
    set_value(options, |values| {
        values.put = setter(std::mem::take(&mut values.put))?;
        Ok(())
    });
}

/// Runs a setter.
fn change(
    options: Option<&mut oss_callback_put_options>,
    setter: impl FnOnce(PutOptions) -> PutOptions,
) {
    set(options, |put| Ok(setter(put)));
}

/// Changes one thing of the retry policy.
fn retry(
    options: Option<&mut oss_callback_put_options>,
    change: impl FnOnce(RetryPolicy) -> RetryPolicy,
) {
    set_value(options, |values| {
        values.retry = change(values.retry);
        values.put = std::mem::take(&mut values.put).retry_policy(values.retry);
        Ok(())
    });
}

/// Sets a header of the object, or takes it away for NULL.
///
/// # Safety
///
/// The value is NULL or a NUL-terminated string.
unsafe fn set_text(
    options: Option<&mut oss_callback_put_options>,
    value: *const c_char,
    name: &str,
    header: &str,
    setter: impl FnOnce(PutOptions, &str) -> Result<PutOptions>,
) {
    set(options, |put| {
        // SAFETY: as promised by the caller.
        match unsafe { optional_text(value, name) }? {
            Some(text) => setter(put, text),
            None => Ok(put.without_header(header)),
        }
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

/// Sets the object's Content-Type. Default: guessed from the extension of the file, else of the object's
/// name, else application/octet-stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_type(
    options: Option<&mut oss_callback_put_options>,
    content_type: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_type,
            "content_type",
            "Content-Type",
            |put, text| Ok(put.content_type(text)),
        )
    }
}

/// Sets user metadata, stored with the object as x-oss-meta-name. Names consist of letters, digits and
/// hyphens. All metadata together has at most 8 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_metadata(
    options: Option<&mut oss_callback_put_options>,
    name: *const c_char,
    value: *const c_char,
) {
    set(options, |put| {
        // SAFETY: NULL or NUL-terminated strings.
        let (name, value) = unsafe { (text(name, "name")?, optional_text(value, "value")?) };
        Ok(match value {
            Some(value) => put.metadata(name, value),
            None => put.without_header(&format!("x-oss-meta-{name}")),
        })
    });
}

/// Sets who may read and write the object, in OSS's words: "default" (as for the bucket), "private",
/// "public-read" or "public-read-write".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_object_acl(
    options: Option<&mut oss_callback_put_options>,
    object_acl: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            object_acl,
            "object_acl",
            "x-oss-object-acl",
            |put, text| Ok(put.object_acl(text.parse()?)),
        )
    }
}

/// Sets an id of your choice that no other upload has. It is stored with the object as the user metadata
/// "idempotency-id" and lets oss_callback_client_reconcile tell whether this upload stored the object. Use
/// the same id when you send the same upload again. 1 to 128 ASCII characters without spaces. Default:
/// none, and nothing is added to the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_idempotency_id(
    options: Option<&mut oss_callback_put_options>,
    idempotency_id: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            idempotency_id,
            "idempotency_id",
            "x-oss-meta-idempotency-id",
            |put, text| Ok(put.idempotency_id(text)),
        )
    }
}

/// Sets the storage class, in OSS's words: "Standard", "IA", "Archive", "ColdArchive" or "DeepColdArchive".
/// Default: the bucket's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_storage_class(
    options: Option<&mut oss_callback_put_options>,
    storage_class: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            storage_class,
            "storage_class",
            "x-oss-storage-class",
            |put, text| Ok(put.storage_class(text.parse()?)),
        )
    }
}

/// Adds a tag. At most 10, each with a different key. Keys have 1 to 128 bytes, values at most 256, any
/// UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_tag(
    options: Option<&mut oss_callback_put_options>,
    key: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        set(options, |put| {
            Ok(put.tag(text(key, "key")?, text(value, "value")?))
        });
    }
}

/// Sets how OSS encrypts the object, in OSS's words: "AES256" or "SM4" with keys of OSS, or "KMS" with a
/// key of the Key Management Service. Default: the bucket's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption(
    options: Option<&mut oss_callback_put_options>,
    server_side_encryption: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_encryption,
            "server_side_encryption",
            "x-oss-server-side-encryption",
            |put, text| Ok(put.server_side_encryption(text.parse()?)),
        )
    }
}

/// Sets the id of the key for "KMS". Default: the service's default key. Refused without "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_encryption_key_id(
    options: Option<&mut oss_callback_put_options>,
    server_side_encryption_key_id: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_encryption_key_id,
            "server_side_encryption_key_id",
            "x-oss-server-side-encryption-key-id",
            |put, text| Ok(put.server_side_encryption_key_id(text)),
        )
    }
}

/// Sets the algorithm that encrypts the data itself with "KMS": "SM4". Default: AES-256. Refused without
/// "KMS".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_server_side_data_encryption(
    options: Option<&mut oss_callback_put_options>,
    server_side_data_encryption: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            server_side_data_encryption,
            "server_side_data_encryption",
            "x-oss-server-side-data-encryption",
            |put, text| Ok(put.server_side_data_encryption(text.parse()?)),
        )
    }
}

/// Asks OSS to limit each connection that sends a body to this many BITS per second, 819200 to 838860800.
/// For a limit that this library enforces, see oss_callback_put_options_set_bandwidth_bytes_per_s.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_traffic_limit_bits_per_s(
    options: Option<&mut oss_callback_put_options>,
    bits_per_second: u64,
) {
    change(options, |put| put.traffic_limit(bits_per_second));
}

/// Sets whether the upload fails with OSS_CALLBACK_CODE_CONFLICT if an object of this name exists. Default:
/// false, and that object is replaced. Has no effect in a bucket with versioning.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_forbid_overwrite(
    options: Option<&mut oss_callback_put_options>,
    forbid_overwrite: bool,
) {
    change(options, |put| put.forbid_overwrite(forbid_overwrite));
}

/// Sets the object's Cache-Control, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_cache_control(
    options: Option<&mut oss_callback_put_options>,
    cache_control: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            cache_control,
            "cache_control",
            "Cache-Control",
            |put, text| Ok(put.cache_control(text)),
        )
    }
}

/// Sets the object's Content-Disposition, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_disposition(
    options: Option<&mut oss_callback_put_options>,
    content_disposition: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_disposition,
            "content_disposition",
            "Content-Disposition",
            |put, text| Ok(put.content_disposition(text)),
        )
    }
}

/// Sets the object's Content-Encoding, which downloads carry. The body is sent as it is given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_encoding(
    options: Option<&mut oss_callback_put_options>,
    content_encoding: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_encoding,
            "content_encoding",
            "Content-Encoding",
            |put, text| Ok(put.content_encoding(text)),
        )
    }
}

/// Sets the object's Content-Language, which downloads carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_language(
    options: Option<&mut oss_callback_put_options>,
    content_language: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_text(
            options,
            content_language,
            "content_language",
            "Content-Language",
            |put, text| Ok(put.content_language(text)),
        )
    }
}

/// Sets when copies of the object become stale: its Expires, which downloads carry, in seconds since
/// 1970-01-01 00:00 UTC, up to the end of the year 9999.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_expires_at_s(
    options: Option<&mut oss_callback_put_options>,
    expires: u64,
) {
    set(options, |put| {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(expires));
        let time = time.ok_or_else(|| Error::argument("`expires` is too far away"))?;
        Ok(put.expires(time))
    });
}

/// Sets whether the requester pays, as another account's bucket may require. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_requester_pays(
    options: Option<&mut oss_callback_put_options>,
    requester_pays: bool,
) {
    set_value(options, |values| {
        values.put = std::mem::take(&mut values.put).requester_pays(requester_pays);
        values.requester_pays = requester_pays;
        Ok(())
    });
}

/// Sets whether the body's MD5 is sent (Content-MD5), so that OSS refuses a body damaged in transit and
/// stores nothing. The body is read once more for it before anything is sent. One that can be read only
/// once, from a read hook or a pipe, is refused. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_content_md5(
    options: Option<&mut oss_callback_put_options>,
    content_md5: bool,
) {
    change(options, |put| put.content_md5(content_md5));
}

/// Sets any other header of the object by its name. A later value replaces an earlier one. Headers that the
/// library sets itself are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_header(
    options: Option<&mut oss_callback_put_options>,
    name: *const c_char,
    value: *const c_char,
) {
    set(options, |put| {
        // SAFETY: NULL or NUL-terminated strings.
        let (name, value) = unsafe { (text(name, "name")?, optional_text(value, "value")?) };
        Ok(match value {
            Some(value) => put.header(name, value),
            None => put.without_header(name),
        })
    });
}

/// Limits the time to find the server's address, and the time to connect, TLS included. Default: the
/// client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_connect_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.connect_timeout(milliseconds(timeout_ms)));
}

/// Limits the time from the last byte sent until OSS answers, and the time for the answer's body. Default:
/// the client's. 0 is refused. Callbacks add to it, as they do to the client's.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_answer_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.answer_timeout(milliseconds(timeout_ms)));
}

/// Limits the time without progress while the body is sent. Less than 1 KiB in that time counts as no
/// progress. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_progress_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| {
        put.progress_timeout(milliseconds(timeout_ms))
    });
}

/// Limits the time for the upload with all its attempts. Time in the caller's hooks counts, but the limit
/// takes effect only when they return. Default: the client's. 0 is refused.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_timeout_ms(
    options: Option<&mut oss_callback_put_options>,
    timeout_ms: u64,
) {
    change(options, |put| put.timeout(milliseconds(timeout_ms)));
}

/// Sets a deadline, `deadline_ms` milliseconds from now, that all uploads with these options share,
/// including the steps of an upload in parts. If oss_callback_put_options_set_timeout_ms is set too,
/// whichever comes first applies.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_deadline_ms(
    options: Option<&mut oss_callback_put_options>,
    deadline_ms: u64,
) {
    change(options, |put| put.deadline(deadline(deadline_ms)));
}

/// Sets how often a request of the upload is tried, the first attempt included: 1 means once. Default: as the client's options say.
///
/// Only a failure that may end differently is retried, only with a body that can be read again, and an upload with
/// a callback only while it is certain that nothing was stored: see
/// oss_callback_put_options_set_callback_is_idempotent.
///
/// Each part of a file is a request of its own, and so is each look at the upload that follows a lost answer to its
/// completion. If OSS refuses a request because the clocks differ, or because a hook's credentials have expired, the
/// next attempt uses OSS's time or new credentials; without another attempt, the next request does. Replacing a kept
/// connection that turns out to be closed before the first byte of a request is not an attempt.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_max_attempts(
    options: Option<&mut oss_callback_put_options>,
    max_attempts: u32,
) {
    retry(options, |policy| policy.max_attempts(max_attempts));
}

/// Sets the longest delay before the second attempt; it doubles with each further one. The actual delays are
/// random, so that many clients do not come back at once. Default: as the client's options say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_retry_base_delay_ms(
    options: Option<&mut oss_callback_put_options>,
    base_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.base_delay(milliseconds(base_delay_ms))
    });
}

/// Sets the longest delay between two attempts. When OSS asks for a longer one (Retry-After), there is no further
/// attempt. Default: as the client's options say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_retry_max_delay_ms(
    options: Option<&mut oss_callback_put_options>,
    max_delay_ms: u64,
) {
    retry(options, |policy| {
        policy.max_delay(milliseconds(max_delay_ms))
    });
}

/// Sets whether the application server does the right thing when the same callback reaches it twice. Unless
/// it does, an upload with a spec is not sent again after its answer was lost. Default: false.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_callback_is_idempotent(
    options: Option<&mut oss_callback_put_options>,
    callback_is_idempotent: bool,
) {
    change(options, |put| {
        put.callback_is_idempotent(callback_is_idempotent)
    });
}

/// Sets whether the CRC-64 that OSS computed is compared with that of what was sent. Default: true.
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

/// Lets another thread end the uploads with these options. NULL removes an earlier cancellation. The
/// options keep their own reference, so the handle may be freed.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_cancellation(
    options: Option<&mut oss_callback_put_options>,
    cancellation: Option<&oss_callback_cancellation>,
) {
    let cancellation = cancellation.as_ref().map(|handle| &handle.cancellation);
    set_value(options, |values| {
        values.put = std::mem::take(&mut values.put).cancellation(cancellation);
        values.cancellation = cancellation.cloned();
        Ok(())
    });
}

/// Sets a hook that is called with `userdata` after each block of up to 128 KiB. NULL removes an earlier
/// hook. It runs only on the thread that uploads, and only during the call. `userdata` is passed to it and
/// not looked at. Each further attempt counts from zero. The hook may not be called at all for an empty
/// body. At the end of a body of unknown length it gets the last number once more.
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

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_free(options: Option<Box<oss_callback_put_options>>) {
    free(options);
}
