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

/// Sets the size of the parts in bytes, 102400 to 5368709120. A file that is no larger is sent in one
/// request. Default: 8 MiB, or more if the file would need more than 10000 such parts. For
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

/// Sets the path of a checkpoint, a file that records which parts were sent. NULL removes an earlier one.
/// Default: none, and a failed upload is aborted. For oss_upload_file_with_callback only; other uploads
/// refuse it.
///
/// If the upload fails or its process dies, the same call resumes it later, in this or another process. The
/// file (size, modification time, samples of its contents; see oss_callback_put_options_set_verify_parts),
/// object, headers, endpoint and part size must be the same. If the file changed, or the checkpoint is
/// damaged or belongs to another upload, the upload starts over, and oss_callback_receipt_note says so. The
/// checkpoint is removed once the object is stored. A file that is sent in one request has none.
///
/// One upload at a time may use a checkpoint: see OSS_CALLBACK_CODE_CHECKPOINT_IN_USE. For a while, files
/// with ".oss-callback-lock" and ".oss-callback-new" added to its name stand beside it. A file that the
/// library did not write is never replaced or removed; in the checkpoint's place it causes
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

/// Sets whether a resumed upload reads every part that OSS has from the file again, compares it, and sends
/// what differs. Default: false. It then does so only if the file may have been touched: if its change time
/// (st_ctime), which no program can set, is different, or if the system has none. For
/// oss_upload_file_with_callback only; other uploads refuse it.
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

/// Uploads a file of any size up to 48.8 TiB as `object` into `bucket` and waits for the application
/// server's answer: one object, one callback, one receipt.
///
/// Like oss_put_object_from_file_with_callback, but a file larger than a part (see
/// oss_callback_put_options_set_part_size) is sent in parts, several at once. Memory does not grow with the
/// file: each connection has a buffer of 160 KiB. A progress hook runs on the calling thread only, after
/// each part and every 20 ms. It gets the bytes of all connections added up; sending a part again does not
/// lower the number. The bandwidth limit is for all connections together. The time limit for an operation
/// is for the upload as a whole, the other limits are for each request.
///
/// An upload in parts is completed, and its callback delivered, once. If the answer to the completing
/// request is lost, the library looks the object up. If that is the file, oss_callback_error_stored says
/// OSS_CALLBACK_STORED_YES, and only the application server's answer remains unknown.
///
/// An upload in parts that fails earlier is aborted. With a checkpoint it is left for the next call
/// instead, and oss_callback_error_upload_id names it. If it cannot be aborted, or if OSS may have begun
/// one whose id was lost with the answer, oss_callback_error_note or oss_callback_receipt_note says so.
///
/// OSS_CALLBACK_CODE_BODY_CHANGED means that the file changed meanwhile; nothing is stored then.
/// OSS_CALLBACK_CODE_CHECKPOINT_IN_USE means that another upload is using the checkpoint,
/// OSS_CALLBACK_CODE_CHECKPOINT_FAILED that it cannot be read or written.
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
