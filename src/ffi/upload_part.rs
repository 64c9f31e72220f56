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
/// `part_number` is in 1 to 10000 and decides where in the object the part stands; a part with the same number
/// is replaced. All but the last need at least 102400 bytes, which is found out when the upload is completed,
/// and none may have more than 5 GiB. `options` NULL means none; those that apply are how the body is
/// sent, the progress hook, the traffic limit, whether the requester pays, and the limits. On success the part is added to `parts`
/// unless that is NULL, with its size and its CRC-64, which was compared with OSS's.
///
/// A failed part is tried again where that may help, and may always be sent again: it replaces itself.
/// OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload (any more),
/// OSS_CALLBACK_CODE_CHECKSUM_MISMATCH when OSS has other contents than were sent. Whatever the code,
/// oss_callback_error_stored says OSS_CALLBACK_STORED_NO: no object comes into being before the upload is
/// completed.
///
/// May be called from several threads with the same upload, options and list.
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

/// Sends `len` bytes of a file from `offset` on as a part of the object.
///
/// As oss_callback_multipart_upload_upload_part. OSS_CALLBACK_CODE_INVALID_ARGUMENT when the file ends before the
/// range does, OSS_CALLBACK_CODE_BODY_UNREADABLE when it cannot be read or is no regular file, and
/// OSS_CALLBACK_CODE_BODY_CHANGED when it changes meanwhile.
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

/// Sends what `read_hook` gives, exactly `len` bytes, as a part of the object.
///
/// As oss_callback_multipart_upload_upload_part. The hook gets `userdata` and is asked once more after `len` bytes:
/// it then says that there are no more. It is read once, so there is another attempt only if nothing was read
/// yet. OSS_CALLBACK_CODE_BODY_UNREADABLE when the hook fails or returns an impossible number,
/// OSS_CALLBACK_CODE_BODY_CHANGED when it gives fewer or more bytes.
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
