//! PutObject and its options.

use std::ffi::CStr;
use std::path::PathBuf;
use std::ptr;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::{bytes, free, give, guard, guard_upload, make, required, text};
use super::options::Options;
use super::receipt::oss_callback_receipt;
use super::spec::oss_callback_spec;
use crate::{Error, PutObject, Receipt, Result};

/// Options of an upload, all optional. Setters copy what they get and return nothing: the first fault is
/// kept and reported by the upload. May be used for any number of uploads, from many threads at once while
/// nobody changes them.
pub struct oss_callback_put_options {
    options: Options<Vec<PutOption>>,
}

enum PutOption {
    Metadata(String, String),
    Header(String, String),
}

/// Makes empty options. Free them with oss_callback_put_options_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_new(
    options: *mut *mut oss_callback_put_options,
) -> oss_callback_code {
    guard(ptr::null_mut(), || {
        let new = || {
            Ok(oss_callback_put_options {
                options: Options::new(),
            })
        };
        // SAFETY: NULL is refused; otherwise valid for a write.
        unsafe { make(options, "options", new) }
    })
}

/// Runs a setter.
///
/// # Safety
///
/// The pointer is NULL or leads to live options that nobody else uses meanwhile.
unsafe fn add(options: *mut oss_callback_put_options, option: impl FnOnce() -> Result<PutOption>) {
    // SAFETY: as promised by the caller.
    if let Some(options) = unsafe { options.as_mut() } {
        options.options.set(|list| {
            list.push(option()?);
            Ok(())
        });
    }
}

/// The object's Content-Type. Default: guessed from the extension of the file, else of the object's name,
/// else application/octet-stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_content_type(
    options: *mut oss_callback_put_options,
    content_type: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or a NUL-terminated string.
    unsafe {
        add(options, || {
            let content_type = text(content_type, "content_type")?.to_owned();
            Ok(PutOption::Header("Content-Type".to_owned(), content_type))
        });
    }
}

/// Adds user metadata, stored with the object as x-oss-meta-name. Names are letters, digits and hyphens;
/// all together at most 8 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_metadata(
    options: *mut oss_callback_put_options,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        add(options, || {
            let (name, value) = (text(name, "name")?, text(value, "value")?);
            Ok(PutOption::Metadata(name.to_owned(), value.to_owned()))
        });
    }
}

/// Adds any other header of PutObject, for example x-oss-forbid-overwrite or Cache-Control. A later value
/// replaces an earlier one. Headers that the library sets itself are refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_add_header(
    options: *mut oss_callback_put_options,
    name: *const c_char,
    value: *const c_char,
) {
    // SAFETY: NULL or live options; NULL or NUL-terminated strings.
    unsafe {
        add(options, || {
            let (name, value) = (text(name, "name")?, text(value, "value")?);
            Ok(PutOption::Header(name.to_owned(), value.to_owned()))
        });
    }
}

/// Frees options. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_free(options: *mut oss_callback_put_options) {
    // SAFETY: NULL or options that were given out and not freed yet.
    unsafe { free(options) };
}

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
        for option in options.options.values()? {
            put = match option {
                PutOption::Metadata(name, value) => put.metadata(name, value),
                PutOption::Header(name, value) => put.header(name, value),
            };
        }
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
