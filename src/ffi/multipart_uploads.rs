//! ListMultipartUploads.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::limits::time;
use super::operation_options::{operation_options, oss_callback_operation_options};
use super::pointers::{free, make, of, optional_text, required, text};
use super::text::{borrowed, c_string};
use crate::{ListedUpload, MultipartUploadList};

/// A list of open multipart uploads, neither completed nor aborted, sorted by object and then by upload id.
/// Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_multipart_uploads {
    uploads: Vec<Listed>,
    common_prefixes: Vec<CString>,
}

struct Listed {
    object: CString,
    upload_id: CString,
    initiated: CString,
}

impl oss_callback_multipart_uploads {
    fn new(list: MultipartUploadList) -> Self {
        let listed = |upload: &ListedUpload| Listed {
            object: c_string(&upload.object),
            upload_id: c_string(&upload.upload_id),
            initiated: c_string(&upload.initiated),
        };
        oss_callback_multipart_uploads {
            uploads: list.uploads.iter().map(listed).collect(),
            common_prefixes: list.common_prefixes.iter().map(c_string).collect(),
        }
    }
}

/// Lends a text of an upload in a list that may be NULL.
fn at(
    uploads: Option<&oss_callback_multipart_uploads>,
    index: size_t,
    text: impl FnOnce(&Listed) -> &CString,
) -> *const c_char {
    of(uploads, ptr::null(), |list| {
        borrowed(list.uploads.get(index).map(text))
    })
}

/// Lists the open multipart uploads of a bucket, with one request per 1000 uploads.
///
/// `prefix`, unless NULL, limits the list to objects whose names begin with it. `delimiter`, unless NULL,
/// groups uploads: if an object's name contains the delimiter after the prefix, its upload appears only as
/// a common prefix, the name up to and including the delimiter. "/" gives something like folders. `options`
/// may be NULL. Free `*uploads` with oss_callback_multipart_uploads_free. Fails if there are more than
/// 100000 uploads.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_list_multipart_uploads(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    prefix: *const c_char,
    delimiter: *const c_char,
    options: Option<&oss_callback_operation_options>,
    uploads: Option<&mut MaybeUninit<*mut oss_callback_multipart_uploads>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let client = required(client, "client")?;
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let bucket = unsafe { text(bucket, "bucket") }?;
        let mut list = client.client.list_multipart_uploads(bucket);
        // SAFETY: NULL or a NUL-terminated string.
        if let Some(prefix) = unsafe { optional_text(prefix, "prefix") }? {
            list = list.prefix(prefix);
        }
        // SAFETY: NULL or a NUL-terminated string.
        if let Some(delimiter) = unsafe { optional_text(delimiter, "delimiter") }? {
            list = list.delimiter(delimiter);
        }
        let list = list.options(&operation_options(options)?);
        let new = || Ok(oss_callback_multipart_uploads::new(list.send()?));
        make(uploads, "uploads", new)
    })
}

/// Lists the open multipart uploads of `object` that were begun at `since_at_s` by the local clock or
/// later. Use it to find uploads whose answer was lost: see oss_callback_client_initiate_multipart_upload.
///
/// OSS's clock may differ; the library corrects for that, to the second, and lists an upload when in doubt.
/// Another program may have begun one of these uploads, so check before you abort it. `options` may be
/// NULL. Free `*uploads` with oss_callback_multipart_uploads_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_list_uploads_begun_since(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    since_at_s: u64,
    options: Option<&oss_callback_operation_options>,
    uploads: Option<&mut MaybeUninit<*mut oss_callback_multipart_uploads>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let since = time(since_at_s, "since_at_s")?;
        let list = client.list_multipart_uploads(bucket);
        let list = list
            .object(object)
            .begun_since(since)
            .options(&operation_options(options)?);
        let new = || Ok(oss_callback_multipart_uploads::new(list.send()?));
        make(uploads, "uploads", new)
    })
}

/// The number of uploads.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_len(
    uploads: Option<&oss_callback_multipart_uploads>,
) -> size_t {
    of(uploads, 0, |list| list.uploads.len())
}

/// The name of the object that an upload is for. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_object(
    uploads: Option<&oss_callback_multipart_uploads>,
    index: size_t,
) -> *const c_char {
    at(uploads, index, |upload| &upload.object)
}

/// An upload id, for oss_callback_client_resume_multipart_upload. `index` starts at 0; NULL if it is out of
/// range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_id(
    uploads: Option<&oss_callback_multipart_uploads>,
    index: size_t,
) -> *const c_char {
    at(uploads, index, |upload| &upload.upload_id)
}

/// When an upload was begun, in OSS's format: "2012-02-23T04:18:23.000Z". `index` starts at 0; NULL if it
/// is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_initiated(
    uploads: Option<&oss_callback_multipart_uploads>,
    index: size_t,
) -> *const c_char {
    at(uploads, index, |upload| &upload.initiated)
}

/// The number of common prefixes; 0 without a delimiter.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_common_prefixes_len(
    uploads: Option<&oss_callback_multipart_uploads>,
) -> size_t {
    of(uploads, 0, |list| list.common_prefixes.len())
}

/// A common prefix, which stands for the uploads that were grouped. `index` starts at 0; NULL if it is out
/// of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_common_prefix(
    uploads: Option<&oss_callback_multipart_uploads>,
    index: size_t,
) -> *const c_char {
    of(uploads, ptr::null(), |list| {
        borrowed(list.common_prefixes.get(index))
    })
}

/// Frees a list of uploads and aborts nothing.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_uploads_free(
    uploads: Option<Box<oss_callback_multipart_uploads>>,
) {
    free(uploads);
}
