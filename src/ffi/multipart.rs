//! The handle of a multipart upload, and how one begins and ends.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::{guard, guard_upload};
use super::options::Options;
use super::parts::oss_callback_parts;
use super::pointers::{free, make, of, required, text};
use super::put_options::{oss_callback_put_options, rust_options, values};
use super::receipt::{give_receipt, oss_callback_receipt};
use super::spec::{callback_of, oss_callback_spec, wants_callback};
use super::text::{borrowed, c_string};
use crate::{MultipartUpload, OperationOptions, Result};

/// A multipart upload that was begun: client, bucket, object and OSS's upload id. The object exists once
/// the upload is completed; until then OSS keeps the parts and bills for them.
///
/// Many machines can upload one object together. One machine begins the upload with
/// oss_callback_client_initiate_multipart_upload and gives the others its oss_callback_multipart_upload_id.
/// Each of them resumes the upload with oss_callback_client_resume_multipart_upload, sends its part with
/// oss_callback_multipart_upload_upload_part, and returns the line that oss_callback_parts_json gives. One
/// machine adds all the lines to a list with oss_callback_parts_add_json and calls
/// oss_complete_multipart_upload_with_callback. The application server gets one callback.
///
/// Many threads may use the handle at once while no thread changes it; one thread frees it. Its client may
/// be freed first.
pub struct oss_callback_multipart_upload {
    upload: Options<MultipartUpload>,
    bucket: CString,
    object: CString,
    upload_id: CString,
    notes: Vec<CString>,
}

impl oss_callback_multipart_upload {
    fn new(upload: MultipartUpload) -> Self {
        oss_callback_multipart_upload {
            bucket: c_string(upload.bucket()),
            object: c_string(upload.object()),
            upload_id: c_string(upload.upload_id()),
            notes: upload.notes().iter().map(c_string).collect(),
            upload: Options::of(upload),
        }
    }

    /// The upload, unless a setter found a fault.
    pub(super) fn upload(&self) -> Result<&MultipartUpload> {
        self.upload.values()
    }

    /// The upload and the limits of a request about it that has neither headers nor body.
    fn with(
        &self,
        options: Option<&oss_callback_put_options>,
    ) -> Result<(MultipartUpload, OperationOptions)> {
        let upload = self.upload()?.clone();
        Ok(match values(options)? {
            Some(values) if values.put.pays() => {
                (upload.requester_pays(true), values.put.limits().clone())
            }
            Some(values) => (upload, values.put.limits().clone()),
            None => (upload, OperationOptions::new()),
        })
    }
}

/// Begins a multipart upload of `object` into `bucket`.
///
/// `options` may be NULL. You may pass the same options to every function that takes the upload: each uses
/// those that apply to it, and all refuse those that are only for oss_upload_file_with_callback. This
/// function sends the object's headers, metadata and tags. The handle remembers the rest for later
/// requests: the traffic limit for parts, the ACL, whether the requester pays, and whether an existing
/// object is kept, which is checked both here and on completion. On another machine, pass them again.
///
/// Free `*upload` with oss_callback_multipart_upload_free, which aborts nothing. If an answer is lost, OSS
/// may have begun an upload whose id nobody knows. Then oss_callback_error_note says so, or
/// oss_callback_multipart_upload_note if a later attempt succeeded;
/// oss_callback_client_list_uploads_begun_since finds that upload.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_initiate_multipart_upload(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    options: Option<&oss_callback_put_options>,
    upload: Option<&mut MaybeUninit<*mut oss_callback_multipart_upload>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let initiate = client.initiate_multipart_upload(bucket, object);
        let initiate = initiate.options(&rust_options(options)?);
        let new = || Ok(oss_callback_multipart_upload::new(initiate.send()?));
        make(upload, "upload", new)
    })
}

/// Makes a handle for a multipart upload that was begun earlier, here or on another machine. Sends nothing.
/// Free `*upload` with oss_callback_multipart_upload_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_resume_multipart_upload(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    upload_id: *const c_char,
    upload: Option<&mut MaybeUninit<*mut oss_callback_multipart_upload>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let upload_id = unsafe { text(upload_id, "upload_id") }?;
        let begun = client.multipart_upload(bucket, object, upload_id);
        let new = || Ok(oss_callback_multipart_upload::new(begun));
        make(upload, "upload", new)
    })
}

/// The bucket.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_bucket(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| borrowed(Some(&upload.bucket)))
}

/// The object's name.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_object(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| borrowed(Some(&upload.object)))
}

/// The upload id. With the bucket and the object's name, it is all that another machine needs.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_id(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| {
        borrowed(Some(&upload.upload_id))
    })
}

/// The number of notes.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_notes_len(
    upload: Option<&oss_callback_multipart_upload>,
) -> size_t {
    of(upload, 0, |upload| upload.notes.len())
}

/// A note in one sentence: the answer to an earlier attempt was lost, so OSS may have begun another upload
/// whose id nobody knows. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_note(
    upload: Option<&oss_callback_multipart_upload>,
    index: size_t,
) -> *const c_char {
    of(upload, ptr::null(), |upload| {
        borrowed(upload.notes.get(index))
    })
}

/// Sets whether the requester pays for the requests of this upload, as another account's bucket may
/// require. Default: what the options said when this handle began the upload; false for a resumed upload.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_set_requester_pays(
    upload: Option<&mut oss_callback_multipart_upload>,
    requester_pays: bool,
) {
    if let Some(upload) = upload {
        upload
            .upload
            .replace(|upload| Ok(upload.requester_pays(requester_pays)));
    }
}

/// Lists the parts that OSS has, with one request per 1000 parts. `options` may be NULL. Free `*parts` with
/// oss_callback_parts_free. Fails with OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the upload (any
/// longer).
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_list_parts(
    upload: Option<&oss_callback_multipart_upload>,
    options: Option<&oss_callback_put_options>,
    parts: Option<&mut MaybeUninit<*mut oss_callback_parts>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let upload = required(upload, "upload")?;
        let (upload, limits) = upload.with(options)?;
        let list = upload.list_parts().options(&limits);
        let new = || Ok(oss_callback_parts::new(list.send()?));
        make(parts, "parts", new)
    })
}

/// Makes the object from its parts and waits for the application server's answer.
///
/// A NULL `parts` means all parts that OSS has; the library lists them first, unless the CRC-64 is not to
/// be compared. `options` may be NULL. The options that apply are the ACL, whether an existing object is
/// kept, whether the CRC-64 is compared, whether the requester pays, and the limits. The first two default
/// to what was given when this handle began the upload.
///
/// `spec`, `receipt`, `error` and OSS_CALLBACK_CODE_CALLBACK_FAILED (the object IS STORED) are
/// as for oss_put_object_with_callback. Fails with OSS_CALLBACK_CODE_NOT_FOUND if OSS does not know the
/// upload (any longer). Fails with OSS_CALLBACK_CODE_REFUSED and OSS's code "InvalidPart" if OSS has
/// no such part, or "EntityTooSmall" if a part other than the last has fewer than 102400 bytes. If
/// oss_callback_error_stored returns OSS_CALLBACK_STORED_NO and the code is not
/// OSS_CALLBACK_CODE_NOT_FOUND, the upload is still open: complete it later or abort it.
///
/// OSS completes an upload only once, so the library can retry without a second callback. If the answer is
/// lost, the library looks up the upload and the object; this needs the size and the CRC-64 of every part.
/// If the object matches the parts, it is stored, and only the application server's answer remains unknown.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_complete_multipart_upload_with_callback(
    upload: Option<&oss_callback_multipart_upload>,
    parts: Option<&oss_callback_parts>,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard_upload(error, wants_callback(spec), || {
        let complete = required(upload, "upload")?.upload()?.complete();
        let options = rust_options(options)?;
        let complete = complete.options(&options).callback(callback_of(spec)?);
        let done = match parts {
            Some(parts) => complete.send(&parts.all()),
            None => complete.send_all(),
        }?;
        give_receipt(receipt, done);
        Ok(())
    })
}

/// Aborts the upload and deletes its parts. Do not abort an upload that may have been completed. Parts that
/// are being sent meanwhile may survive: abort again once they have been sent.
///
/// `options` may be NULL. A deadline in them applies to this call too: if it has expired, pass other
/// options. Fails with OSS_CALLBACK_CODE_NOT_FOUND if the upload was completed or aborted before; if an
/// answer was lost, this call itself may have aborted it. The handle must still be freed.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_abort(
    upload: Option<&oss_callback_multipart_upload>,
    options: Option<&oss_callback_put_options>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let upload = required(upload, "upload")?;
        let (upload, limits) = upload.with(options)?;
        upload.abort().options(&limits).send()
    })
}

/// Frees the handle of an upload and aborts nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_free(
    upload: Option<Box<oss_callback_multipart_upload>>,
) {
    free(upload);
}
