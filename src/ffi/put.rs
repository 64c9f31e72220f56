//! PutObject.

use std::ffi::CStr;
use std::path::PathBuf;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::{bytes, give, guard_upload, required, text};
use super::put_options::oss_callback_put_options;
use super::receipt::oss_callback_receipt;
use super::spec::oss_callback_spec;
use crate::{Error, PutObject, Receipt, Result};

/// Uploads `body_len` bytes as `object` into `bucket` and waits for the application server's answer.
///
/// `spec` NULL means a plain upload, `options` NULL no options, `receipt` or `error` NULL that they are not
/// wanted. At most 5 GiB. Blocks for as long as the client's limits allow. On success `*receipt` is a new
/// handle: free it with oss_callback_receipt_free. On failure `*error` is a new handle: free it with
/// oss_callback_error_free; without it the ETag and the request id of a stored object are lost.
///
/// OSS_CALLBACK_CODE_CALLBACK_FAILED means that the object IS STORED, and the application server was not
/// reached or did not agree: do not upload again. For every other code oss_callback_error_stored says
/// whether the object is stored. A failed upload is tried up to three times where that may help, but with a
/// spec only while it is certain that nothing was stored: no callback is delivered twice.
///
/// May be called from several threads with the same client, spec and options.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_with_callback(
    client: *const oss_callback_client,
    bucket: *const c_char,
    object: *const c_char,
    body: *const u8,
    body_len: size_t,
    spec: *const oss_callback_spec,
    options: *const oss_callback_put_options,
    receipt: *mut *mut oss_callback_receipt,
    error: *mut *mut oss_callback_error,
) -> oss_callback_code {
    guard_upload(error, !spec.is_null(), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        let body = unsafe { bytes(body, body_len, "body") }?;
        let done = put.send_bytes(body)?;
        // SAFETY: NULL means "not wanted"; otherwise valid for a write.
        unsafe { give_receipt(receipt, done) };
        Ok(())
    })
}

/// Uploads a file as `object` into `bucket` and waits for the application server's answer.
///
/// As oss_put_object_with_callback. The file is read while it is sent, 128 KiB at a time; it must be a
/// regular file. OSS_CALLBACK_CODE_BODY_UNREADABLE and OSS_CALLBACK_CODE_BODY_CHANGED, when it turns out
/// shorter or longer than it was when the upload began, mean that nothing is stored.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_file_with_callback(
    client: *const oss_callback_client,
    bucket: *const c_char,
    object: *const c_char,
    path: *const c_char,
    spec: *const oss_callback_spec,
    options: *const oss_callback_put_options,
    receipt: *mut *mut oss_callback_receipt,
    error: *mut *mut oss_callback_error,
) -> oss_callback_code {
    guard_upload(error, !spec.is_null(), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let done = put.send_file(unsafe { file_path(path) }?)?;
        // SAFETY: NULL means "not wanted"; otherwise valid for a write.
        unsafe { give_receipt(receipt, done) };
        Ok(())
    })
}

/// An upload with everything but its body.
///
/// # Safety
///
/// Each pointer is NULL or leads to a live handle or a NUL-terminated string.
unsafe fn put_object(
    client: *const oss_callback_client,
    bucket: *const c_char,
    object: *const c_char,
    spec: *const oss_callback_spec,
    options: *const oss_callback_put_options,
) -> Result<PutObject<'static>> {
    // SAFETY: NULL is refused; otherwise as promised by the caller.
    let (client, bucket, object) = unsafe {
        (
            required(client, "client")?,
            text(bucket, "bucket")?,
            text(object, "object")?,
        )
    };
    let mut put = client.client.put_object(bucket, object);
    // SAFETY: NULL means none; otherwise as promised by the caller.
    if let Some(spec) = unsafe { spec.as_ref() } {
        put = put.callback(&spec.spec);
    }
    // SAFETY: NULL means none; otherwise as promised by the caller.
    if let Some(options) = unsafe { options.as_ref() } {
        put = options.apply(put)?;
    }
    Ok(put)
}

/// Gives a receipt out unless it is not wanted; then the copies for C are not made either.
///
/// # Safety
///
/// NULL, or valid for a write.
unsafe fn give_receipt(out: *mut *mut oss_callback_receipt, receipt: Receipt) {
    if !out.is_null() {
        // SAFETY: valid for a write, as promised by the caller.
        unsafe { give(out, oss_callback_receipt::new(receipt)) };
    }
}

/// A path as the system has it: any bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
///
/// NULL, or a NUL-terminated string.
unsafe fn file_path(path: *const c_char) -> Result<PathBuf> {
    if path.is_null() {
        return Err(Error::argument("`path` is NULL"));
    }
    // SAFETY: not NULL, and NUL-terminated as promised by the caller.
    let path = unsafe { CStr::from_ptr(path) };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(std::ffi::OsStr::from_bytes(path.to_bytes()).into())
    }
    #[cfg(not(unix))]
    {
        path.to_str()
            .map(Into::into)
            .map_err(|_| Error::argument("`path` is not UTF-8"))
    }
}
