//! UploadFile, and the options that only it has.

use std::mem::MaybeUninit;

use libc::c_char;

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard_upload;
use super::pointers::file_path;
use super::put_options::{file_with_options, oss_callback_put_options, set_value};
use super::receipt::{give_receipt, oss_callback_receipt};
use super::spec::{callback_of, oss_callback_spec, wants_callback};

/// Sets the size of the parts in bytes, 102400 to 5368709120. A file no larger than that is sent in one
/// request. Default: 8 MiB, or more if the file would otherwise need more than 10000 parts. For
/// oss_upload_file_with_callback only; other uploads refuse it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_part_size(
    options: Option<&mut oss_callback_put_options>,
    part_size: u64,
) {
    set_value(options, |values| {
        values.of_file.part_size = Some(part_size);
        Ok(())
    });
}

/// Sets how many parts are sent at once, each over its own connection: 1 to 256. Default: 4. For
/// oss_upload_file_with_callback only; other uploads refuse it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_parallel(
    options: Option<&mut oss_callback_put_options>,
    parallel: u32,
) {
    set_value(options, |values| {
        values.of_file.parallel = Some(parallel);
        Ok(())
    });
}

/// Sets the path of a checkpoint, a file that records which parts were sent. Default: none, and a failed
/// upload is aborted. For oss_upload_file_with_callback only; other uploads refuse it.
///
/// If the upload fails or its process dies, the same call resumes it later, in this or another process. The
/// file (size, modification time, samples of its contents; see oss_callback_put_options_set_verify_parts),
/// object, headers, endpoint and part size must be the same. If the file changed, or the checkpoint is
/// damaged or belongs to another upload, the upload starts over, and oss_callback_receipt_note says so. The
/// checkpoint is removed once the object is stored. A file that is sent in one request has none.
///
/// One upload at a time may use a checkpoint: see OSS_CALLBACK_CODE_CHECKPOINT_IN_USE. During the upload
/// there may be files beside it with ".oss-callback-lock" and ".oss-callback-new" added to its name. A file
/// that the library did not write is never replaced or removed; in place of a checkpoint it causes
/// OSS_CALLBACK_CODE_CHECKPOINT_FAILED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_put_options_set_checkpoint(
    options: Option<&mut oss_callback_put_options>,
    path: *const c_char,
) {
    // SAFETY: NULL or a NUL-terminated string.
    unsafe {
        set_value(options, |values| {
            values.of_file.checkpoint = match path.is_null() {
                true => None,
                false => Some(file_path(path, "path")?),
            };
            Ok(())
        });
    }
}

/// Sets whether a resumed upload always reads the file again, compares it with the parts that OSS has, and
/// sends the parts that differ. Default: false; it then does so only if the file may have been touched,
/// that is, if its change time (st_ctime), which no program can set, is different, or if the system has
/// none. For oss_upload_file_with_callback only; other uploads refuse it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_put_options_set_verify_parts(
    options: Option<&mut oss_callback_put_options>,
    verify_parts: bool,
) {
    set_value(options, |values| {
        values.of_file.verify_parts = verify_parts;
        Ok(())
    });
}

/// Like oss_put_object_from_file_with_callback, but for a file of any size up to 48.8 TiB: one object, one
/// callback, one receipt.
///
/// A file larger than a part (see oss_callback_put_options_set_part_size) is sent as a multipart upload,
/// several parts at once. Memory does not grow with the file: each connection has a buffer of 160 KiB. A
/// progress hook runs on the calling thread only, after each part and every 20 ms. It gets the total of all
/// connections, which does not fall when a part is sent again. The bandwidth limit is for all connections
/// together. The time limit for an operation is for the whole upload; the other limits are for each
/// request.
///
/// A multipart upload is completed, and its callback delivered, once. If the answer to the completing
/// request is lost, the library looks the object up. If the object is this file, oss_callback_error_stored
/// returns OSS_CALLBACK_STORED_YES, and only the application server's answer remains unknown.
///
/// A multipart upload that fails earlier is aborted. With a checkpoint it is kept for the next call
/// instead, and oss_callback_error_upload_id names it. If it cannot be aborted, or if OSS may have begun
/// one whose id was lost with the answer, oss_callback_error_note or oss_callback_receipt_note says so.
///
/// Fails with OSS_CALLBACK_CODE_BODY_CHANGED if the file changes meanwhile; nothing is stored then. Fails
/// with OSS_CALLBACK_CODE_CHECKPOINT_IN_USE if another upload is using the checkpoint, and with
/// OSS_CALLBACK_CODE_CHECKPOINT_FAILED if it cannot be read or written.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_upload_file_with_callback(
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
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let upload = client.upload_file(bucket, object);
        let upload = file_with_options(upload, options)?.callback(callback_of(spec)?);
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let done = upload.send(unsafe { file_path(path, "path") }?)?;
        give_receipt(receipt, done);
        Ok(())
    })
}
