//! UploadPart.

use std::mem::MaybeUninit;

use libc::{c_char, c_void, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::hooks::{ReadHook, oss_callback_read_hook};
use super::multipart::oss_callback_multipart_upload;
use super::parts::oss_callback_parts;
use super::pointers::{bytes, file_path, required};
use super::put_options::{oss_callback_put_options, with_options};
use crate::{Part, Result, UploadPart};

/// Sends `body_len` bytes as a part of the object.
///
/// `part_number`, from 1 to 10000, decides where the part goes in the object. A part replaces an earlier
/// one with the same number. Every part but the last needs at least 102400 bytes, which OSS checks when the
/// upload is completed. A part may have up to 5 GiB. `options` may be NULL. The options that apply are how
/// the body is sent, the progress hook, the traffic limit, whether the requester pays, and the limits. On
/// success the part is added to `parts`, unless that is NULL, with its size and its CRC-64, which was
/// compared with OSS's.
///
/// The library retries a failed part where that may help. You may always send a part again. Fails with
/// OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the upload (any longer), and with
/// OSS_CALLBACK_CODE_CHECKSUM_MISMATCH if what OSS has differs from what was sent. Whatever the code,
/// oss_callback_error_stored returns OSS_CALLBACK_STORED_NO: there is no object before the upload is
/// completed.
///
/// Many threads may use the same upload, options and list at once.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_multipart_upload_upload_part(
    upload: Option<&oss_callback_multipart_upload>,
    part_number: u32,
    body: *const u8,
    body_len: size_t,
    options: Option<&oss_callback_put_options>,
    parts: *mut oss_callback_parts,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let part = part(upload, part_number, options)?;
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        let done = part.send_bytes(unsafe { bytes(body, body_len, "body") }?)?;
        // SAFETY: NULL means "not wanted"; otherwise the caller promises a live list.
        add(unsafe { parts.as_ref() }, done);
        Ok(())
    })
}

/// Like oss_callback_multipart_upload_upload_part, but sends `len` bytes of a file, starting at `offset`.
/// Also fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if the file ends before the range does,
/// OSS_CALLBACK_CODE_BODY_UNREADABLE if it cannot be read or is not a regular file, and
/// OSS_CALLBACK_CODE_BODY_CHANGED if it changes meanwhile.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_multipart_upload_upload_part_from_file(
    upload: Option<&oss_callback_multipart_upload>,
    part_number: u32,
    path: *const c_char,
    offset: u64,
    len: u64,
    options: Option<&oss_callback_put_options>,
    parts: *mut oss_callback_parts,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let part = part(upload, part_number, options)?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let path = unsafe { file_path(path, "path") }?;
        let done = part.send_file_range(path, offset, len)?;
        // SAFETY: NULL means "not wanted"; otherwise the caller promises a live list.
        add(unsafe { parts.as_ref() }, done);
        Ok(())
    })
}

/// Like oss_callback_multipart_upload_upload_part, but sends exactly `len` bytes that `read_hook` gives.
/// The hook is then called once more and must report the end. The body is read once, so the part is retried
/// only if nothing was read yet. Also fails with OSS_CALLBACK_CODE_BODY_UNREADABLE if the hook fails or
/// returns an impossible number, and with OSS_CALLBACK_CODE_BODY_CHANGED if it gives fewer or more bytes.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_multipart_upload_upload_part_from_reader(
    upload: Option<&oss_callback_multipart_upload>,
    part_number: u32,
    read_hook: oss_callback_read_hook,
    userdata: *mut c_void,
    len: u64,
    options: Option<&oss_callback_put_options>,
    parts: *mut oss_callback_parts,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let part = part(upload, part_number, options)?;
        // SAFETY: NULL is refused; otherwise the caller promises a hook for this userdata.
        let reader = unsafe { ReadHook::new(read_hook, userdata) }?;
        let done = part.send_reader(reader, len)?;
        // SAFETY: NULL means "not wanted"; otherwise the caller promises a live list.
        add(unsafe { parts.as_ref() }, done);
        Ok(())
    })
}

/// A part with everything but its body.
fn part(
    upload: Option<&oss_callback_multipart_upload>,
    part_number: u32,
    options: Option<&oss_callback_put_options>,
) -> Result<UploadPart<'static>> {
    let upload = required(upload, "upload")?.upload()?;
    with_options(upload.upload_part(part_number), options)
}

/// Adds a part to a list, if it is wanted.
fn add(parts: Option<&oss_callback_parts>, part: Part) {
    if let Some(parts) = parts {
        parts.add(part);
    }
}
