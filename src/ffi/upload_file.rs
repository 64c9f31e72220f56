//! UploadFile, and the options that only it has.

use std::mem::MaybeUninit;

use libc::c_char;

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard_upload;
use super::pointers::{file_path, required, text};
use super::put_options::{file_with_options, oss_callback_put_options, set_value};
use super::receipt::{give_receipt, oss_callback_receipt};
use super::spec::{callback_of, oss_callback_spec, wants_callback};

/// The size of the parts in bytes, 102400 to 5368709120; a file that is no larger goes in one request. For
/// oss_upload_file_with_callback only: other uploads refuse it. Default: 8 MiB, or as much more as it takes
/// for 10000 parts to hold the file.
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

/// How many parts are sent at once, each over a connection of its own: 1 to 256. For
/// oss_upload_file_with_callback only: other uploads refuse it. Default: 4.
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

/// The path of a file that remembers the parts that were sent; NULL takes an earlier one away.
/// When the upload fails or its process dies, the same call later, by this or another process, resumes it:
/// with the same file (size, time of change, samples of its contents; see
/// oss_callback_put_options_set_verify_parts), object, headers, endpoint and part size.
/// A file that changed, or a checkpoint that is damaged or of another upload, starts over, and
/// oss_callback_receipt_note says so. It is removed once the object is stored. One upload uses it at a time: see
/// OSS_CALLBACK_CODE_CHECKPOINT_IN_USE. Beside it stand, for a while, files with ".oss-callback-lock" and
/// ".oss-callback-new" added to its name. A file that the library did not write is never replaced or removed: in the
/// checkpoint's place it means OSS_CALLBACK_CODE_CHECKPOINT_FAILED. A file that goes in one request has none. For oss_upload_file_with_callback only: other uploads
/// refuse it. Default: none; a failed upload is aborted.
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

/// Whether an upload that is resumed reads every part that OSS has from the file again and compares it, and sends what
/// differs. Without it that is done only when the file may have been touched: when the time of change that no program can
/// set (st_ctime) is another, or the system has none. For oss_upload_file_with_callback only: other uploads refuse it.
/// Default: false.
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

/// Uploads a file of any size, up to 48.8 TiB, as `object` into `bucket` and waits for the application server's
/// answer: one object, one callback, one receipt.
///
/// As oss_put_object_from_file_with_callback, but a file that is larger than a part (see
/// oss_callback_put_options_set_part_size) goes in parts, several at once. Memory does not grow with the file:
/// each connection has a buffer of 160 KiB. A progress hook runs on the calling thread only, after each part and every
/// 20 ms, and sees the bytes of all connections added up; a part that is sent again takes nothing back. The bandwidth is that of all
/// connections together. The time limit is for the upload as a whole, the others are for each request.
///
/// An upload in parts is completed, and its callback delivered, once. When the answer to that is lost the
/// object is looked up: if it is the file, oss_callback_error_stored says OSS_CALLBACK_STORED_YES, and only the
/// answer remains unknown. When an upload in parts fails before, it is aborted; with a checkpoint it is left for
/// the next call, and oss_callback_error_upload_id names it. If it cannot be aborted, or if OSS may have begun one whose
/// id was lost with the answer, oss_callback_error_note or oss_callback_receipt_note says so. OSS_CALLBACK_CODE_BODY_CHANGED when the file changes meanwhile: nothing is stored then.
/// OSS_CALLBACK_CODE_CHECKPOINT_IN_USE when another upload uses the checkpoint,
/// OSS_CALLBACK_CODE_CHECKPOINT_FAILED when it cannot be read or written.
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
        // SAFETY: NULL is refused; otherwise the caller promises what its type and the header say.
        let (client, bucket, object) = unsafe {
            (
                required(client, "client")?,
                text(bucket, "bucket")?,
                text(object, "object")?,
            )
        };
        let upload = client.client.upload_file(bucket, object);
        let upload = file_with_options(upload, options)?.callback(callback_of(spec)?);
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let done = upload.send(unsafe { file_path(path, "path") }?)?;
        give_receipt(receipt, done);
        Ok(())
    })
}
