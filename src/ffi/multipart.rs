//! The handle of a multipart upload, and how one begins and ends.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
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

/// An upload in parts that was begun: client, bucket, object and OSS's name for it, the upload id. The object
/// comes into being when it is completed; until then OSS keeps, and bills, the parts.
///
/// One object from many machines: the upload id and what is known of each part are plain values. One machine
/// begins the upload with oss_callback_client_initiate_multipart_upload and tells the others its
/// oss_callback_multipart_upload_id. Each of them goes on with it by oss_callback_client_resume_multipart_upload, sends
/// its part with oss_callback_multipart_upload_upload_part, and hands back the line that oss_callback_parts_json
/// gives. Whoever has all the lines adds them to a list with oss_callback_parts_add_json and calls
/// oss_complete_multipart_upload_with_callback: the application server hears of the object once.
///
/// May be used from many threads at once while nobody changes it; one of them frees it. It keeps what it needs
/// of its client, which may be freed before it.
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
            Some(values) if values.requester_pays => {
                (upload.requester_pays(true), values.put.limits().clone())
            }
            Some(values) => (upload, values.put.limits().clone()),
            None => (upload, OperationOptions::new()),
        })
    }
}

/// Begins an upload in parts of what is to become `object` in `bucket`.
///
/// `options` NULL means none. You may pass the same options to each function that takes the upload: each uses what applies
/// to it, and all of them refuse what is only for oss_upload_file_with_callback. This one sends the headers, metadata and
/// tags of the object. The handle remembers the rest for later requests: the traffic limit of parts, the ACL, and whether an
/// existing object is kept, which is checked now and again on completion. On another machine, pass them again.
///
/// On success `*upload` is a new handle: free it with oss_callback_multipart_upload_free, which aborts
/// nothing. When an answer is lost, OSS may have begun an upload whose id nobody knows. oss_callback_error_note says so
/// then, or oss_callback_multipart_upload_note if a later attempt succeeded;
/// oss_callback_client_list_uploads_begun_since finds it. May be called from several threads with the same client.
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
        let client = required(client, "client")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let bucket = unsafe { text(bucket, "bucket") }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let object = unsafe { text(object, "object") }?;
        let initiate = client.client.initiate_multipart_upload(bucket, object);
        let initiate = initiate.options(&rust_options(options)?);
        let new = || Ok(oss_callback_multipart_upload::new(initiate.send()?));
        make(upload, "upload", new)
    })
}

/// Goes on with an upload in parts that was begun before, here or on another machine. Nothing is sent. On
/// success `*upload` is a new handle: free it with oss_callback_multipart_upload_free.
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
        let client = required(client, "client")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let bucket = unsafe { text(bucket, "bucket") }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let object = unsafe { text(object, "object") }?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let upload_id = unsafe { text(upload_id, "upload_id") }?;
        let begun = client.client.multipart_upload(bucket, object, upload_id);
        let new = || Ok(oss_callback_multipart_upload::new(begun));
        make(upload, "upload", new)
    })
}

/// The bucket of the object; NULL for NULL. Borrowed from `upload`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_bucket(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| borrowed(Some(&upload.bucket)))
}

/// The name of the object; NULL for NULL. Borrowed from `upload`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_object(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| borrowed(Some(&upload.object)))
}

/// OSS's name for the upload; NULL for NULL. Together with bucket and object it is all that another machine
/// needs. Borrowed from `upload`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_id(
    upload: Option<&oss_callback_multipart_upload>,
) -> *const c_char {
    of(upload, ptr::null(), |upload| {
        borrowed(Some(&upload.upload_id))
    })
}

/// How many notes there are; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_notes_len(
    upload: Option<&oss_callback_multipart_upload>,
) -> size_t {
    of(upload, 0, |upload| upload.notes.len())
}

/// What else is worth knowing of the beginning of an upload, a sentence each: that the answer to an earlier attempt was
/// lost, so that OSS may have begun an upload that nobody knows. `index` is 0 for the first; NULL when there are not so
/// many. Borrowed from `upload`.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_note(
    upload: Option<&oss_callback_multipart_upload>,
    index: size_t,
) -> *const c_char {
    of(upload, ptr::null(), |upload| {
        borrowed(upload.notes.get(index))
    })
}

/// Whether who sends the requests of this upload pays for them, as a bucket of somebody else's may ask.
/// Default: as the options said with which it was begun; false for one that was begun elsewhere.
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

/// Asks which parts OSS has, with one request for each 1000. `options` NULL means none. On success `*parts` is
/// a new list: free it with oss_callback_parts_free. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the
/// upload (any more).
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

/// Makes the object of its parts and waits for the application server's answer.
///
/// `parts` NULL means all that OSS has; they are listed first, unless the CRC-64 is not to be compared. `spec` NULL means no
/// callback; `receipt` or `error` NULL means that it is not wanted. `options` NULL means none. The options that apply are the
/// ACL, whether an existing object is kept, whether the CRC-64 is compared, whether the requester pays, and the limits. ACL
/// and keeping default to what was given when this handle began the upload.
///
/// Receipt, error and OSS_CALLBACK_CODE_CALLBACK_FAILED, with which the object IS STORED, are those of
/// oss_put_object_with_callback. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload (any more);
/// OSS_CALLBACK_CODE_REFUSED with OSS's code "InvalidPart" when it has no such part, and "EntityTooSmall" when one that is
/// not the last has fewer than 102400 bytes. The upload stays open, and may be completed later or aborted, as long as
/// oss_callback_error_stored says OSS_CALLBACK_STORED_NO and the code is not OSS_CALLBACK_CODE_NOT_FOUND.
///
/// OSS completes an upload once, so the request is sent again, as the retry policy says, without delivering
/// the callback twice. When the answer is lost the upload and the object are looked up, which needs size and
/// CRC-64 of every part: if the object is the one that the parts add up to, it is stored, and only the answer
/// remains unknown.
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

/// Gives the upload up, and deletes its parts. `options` NULL means none; an expired deadline in them ends this call too, so
/// pass other options then. Do not abort after the upload may have been completed. Parts that are being sent meanwhile may
/// survive: abort again when they have ended. OSS_CALLBACK_CODE_NOT_FOUND when OSS does not know the upload, because it was
/// completed or aborted before; after a lost answer that may have been this call. The handle is freed as always.
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

/// Frees the handle of an upload, and aborts nothing. NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_free(
    upload: Option<Box<oss_callback_multipart_upload>>,
) {
    free(upload);
}
