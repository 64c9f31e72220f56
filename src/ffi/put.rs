//! PutObject.

use std::mem::MaybeUninit;

use libc::{c_char, c_int, c_void, size_t};

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard_upload;
use super::hooks::{OSS_CALLBACK_LEN_UNKNOWN, ReadHook, oss_callback_read_hook};
use super::pointers::{bytes, file_path};
use super::put_options::{oss_callback_put_options, with_options};
use super::receipt::{give_receipt, oss_callback_receipt};
use super::spec::{callback_of, oss_callback_spec, wants_callback};
use crate::{PutObject, Receipt, Result};

/// Uploads `body_len` bytes as `object` into `bucket` and waits for the application server's answer.
///
/// For an upload without a callback, pass oss_callback_spec_none(): a NULL `spec` is refused. `options` may
/// be NULL, and so may `receipt`. The body may have up to 5 GiB. Blocks for as long as the client's limits
/// allow. Free `*receipt` with oss_callback_receipt_free and, after a failure, `*error` with
/// oss_callback_error_free. If `error` is NULL and the upload fails, the ETag and the request id of a
/// stored object are lost.
///
/// OSS_CALLBACK_CODE_CALLBACK_FAILED means that the object IS STORED, but the application server was not
/// reached or did not agree: do not upload again. For every other code, oss_callback_error_stored says
/// whether the object is stored. By default a failed upload is retried where that may help, up to three
/// attempts in all. With a callback it is retried only while it is certain that nothing was stored, so no
/// callback is delivered twice, unless oss_callback_put_options_set_callback_is_idempotent allows it.
///
/// Many threads may use the same client, spec and options at once.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_with_callback(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    body: *const u8,
    body_len: size_t,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        let body = unsafe { bytes(body, body_len, "body") }?;
        let done = put.send_bytes(body)?;
        give_receipt(receipt, done);
        Ok(())
    })
}

/// Like oss_put_object_with_callback, but uploads a regular file, which is read while it is sent, 128 KiB
/// at a time.
///
/// Stores what the file held when the upload began. Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the
/// file cannot be read, and with OSS_CALLBACK_CODE_BODY_CHANGED if it changes meanwhile; nothing is stored
/// then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_file_with_callback(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    path: *const c_char,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let done = put.send_file(unsafe { file_path(path, "path") }?)?;
        give_receipt(receipt, done);
        Ok(())
    })
}

/// Like oss_put_object_from_file_with_callback, but uploads `len` bytes of the file, starting at `offset`.
/// Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the file ends before the range does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_file_range_with_callback(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    path: *const c_char,
    offset: u64,
    len: u64,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let done = put.send_file_range(unsafe { file_path(path, "path") }?, offset, len)?;
        give_receipt(receipt, done);
        Ok(())
    })
}

/// Like oss_put_object_with_callback, but uploads `len` bytes from a file descriptor, starting at its
/// current position. Unix only.
///
/// The descriptor is not closed, and not used after the call returns. A regular file keeps its position, so
/// several threads may upload from one descriptor. Anything else, such as a pipe, is read only once, never
/// beyond `len` bytes, and the upload is retried only if nothing was read yet. While a pipe has no data,
/// the upload's cancellation and time limit still take effect.
///
/// OSS_CALLBACK_LEN_UNKNOWN means everything up to the end; a pipe is then sent as by
/// oss_put_object_from_reader_with_callback. Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the descriptor
/// cannot be read, and with OSS_CALLBACK_CODE_BODY_CHANGED if there are fewer than `len` bytes or a regular
/// file changes; nothing is stored then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_fd_with_callback(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    fd: c_int,
    len: u64,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        let done = send_descriptor(put, fd, known(len))?;
        give_receipt(receipt, done);
        Ok(())
    })
}

/// Like oss_put_object_with_callback, but uploads what `read_hook` gives.
///
/// The hook must give exactly `len` bytes. It is then called once more and must report the end of the body.
/// With OSS_CALLBACK_LEN_UNKNOWN it may give any number of bytes; they are sent in chunks
/// (Transfer-Encoding: chunked), which is slower, and not every proxy lets them through. The body is read
/// once, so the upload is retried only if nothing was read yet. While the hook runs, neither a cancellation
/// nor a time limit takes effect.
///
/// Fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the hook fails or returns an impossible number, and with
/// OSS_CALLBACK_CODE_BODY_CHANGED if it gives fewer or more bytes; nothing is stored then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_reader_with_callback(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    read_hook: oss_callback_read_hook,
    userdata: *mut c_void,
    len: u64,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        // SAFETY: NULL is refused; otherwise the caller promises a hook for this userdata.
        let reader = unsafe { ReadHook::new(read_hook, userdata) }?;
        let done = match known(len) {
            Some(len) => put.send_reader(reader, len),
            None => put.send_reader_chunked(reader),
        }?;
        give_receipt(receipt, done);
        Ok(())
    })
}

fn known(len: u64) -> Option<u64> {
    Some(len).filter(|len| *len != OSS_CALLBACK_LEN_UNKNOWN)
}

#[cfg(unix)]
fn send_descriptor(put: PutObject<'_>, fd: c_int, len: Option<u64>) -> Result<Receipt> {
    use super::descriptor::{Descriptor, len_of};
    use std::io::Read;

    match (Descriptor::new(fd)?, len) {
        (Descriptor::Regular(file), Some(len)) => put.send_open_range(file, len, "the file"),
        (Descriptor::Regular(file), None) => {
            let len = len_of(&file)?;
            put.send_open_range(file, len, "the file")
        }
        // What follows the bytes is somebody else's.
        (Descriptor::Stream(file), Some(len)) => put.send_reader(file.take(len), len),
        (Descriptor::Stream(file), None) => put.send_reader_chunked(file),
    }
}

#[cfg(not(unix))]
fn send_descriptor(_: PutObject<'_>, _: c_int, _: Option<u64>) -> Result<Receipt> {
    Err(crate::Error::argument(
        "`fd`: descriptors are for Unix only",
    ))
}

/// An upload with everything but its body.
///
/// # Safety
///
/// The texts are NULL or NUL-terminated strings.
pub(super) unsafe fn put_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
) -> Result<PutObject<'static>> {
    // SAFETY: as promised by the caller.
    let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
    let put = client.put_object(bucket, object);
    Ok(with_options(put, options)?.callback(callback_of(spec)?))
}
