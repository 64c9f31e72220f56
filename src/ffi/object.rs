//! HeadObject, GetObject, DeleteObject.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::UNIX_EPOCH;

use libc::{c_char, c_void};

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::hooks::{WriteHook, oss_callback_write_hook};
use super::operation_options::{operation_options, oss_callback_operation_options};
use super::pointers::{free, give, give_number, make, of};
use super::text::{Texts, borrowed, c_string};
use crate::ObjectMetadata;

/// What OSS says about an object. Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_object_metadata {
    metadata: ObjectMetadata,
    etag: Option<CString>,
    headers: Texts,
}

impl oss_callback_object_metadata {
    pub(super) fn new(metadata: ObjectMetadata) -> Self {
        oss_callback_object_metadata {
            etag: metadata.etag().map(c_string),
            headers: Texts::of_headers(metadata.headers()),
            metadata,
        }
    }
}

/// Reads an object's metadata. `options` may be NULL. Free `*metadata` with
/// oss_callback_object_metadata_free. Fails with OSS_CALLBACK_CODE_NOT_FOUND if there is no such object.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_head_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    options: Option<&oss_callback_operation_options>,
    metadata: Option<&mut MaybeUninit<*mut oss_callback_object_metadata>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let head = client.head_object(bucket, object);
        let head = head.options(&operation_options(options)?);
        let new = || Ok(oss_callback_object_metadata::new(head.send()?));
        make(metadata, "metadata", new)
    })
}

/// Downloads an object: passes its contents to `write_hook`, block by block, and compares their CRC-64
/// with OSS's.
///
/// `options` and `metadata` may be NULL. Free `*metadata` with oss_callback_object_metadata_free. Fails
/// with OSS_CALLBACK_CODE_NOT_FOUND if there is no such object, OSS_CALLBACK_CODE_WRITE_FAILED if the hook
/// returns non-zero, OSS_CALLBACK_CODE_CONNECTION_LOST if the contents end early, and
/// OSS_CALLBACK_CODE_CHECKSUM_MISMATCH if they are not what OSS stored. After any failure, discard what the
/// hook received.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_get_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    write_hook: oss_callback_write_hook,
    userdata: *mut c_void,
    options: Option<&oss_callback_operation_options>,
    metadata: Option<&mut MaybeUninit<*mut oss_callback_object_metadata>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        // SAFETY: NULL is refused; otherwise the caller promises a hook for this userdata.
        let mut writer = unsafe { WriteHook::new(write_hook, userdata) }?;
        let get = client.get_object(bucket, object);
        let done = get
            .options(&operation_options(options)?)
            .write_to(&mut writer)?;
        give(metadata, oss_callback_object_metadata::new(done));
        Ok(())
    })
}

/// Deletes an object. `options` may be NULL. As in OSS itself, deleting an object that does not exist
/// succeeds. If the answer is lost, delete it again.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_delete_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    options: Option<&oss_callback_operation_options>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL or NUL-terminated strings.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let delete = client.delete_object(bucket, object);
        delete.options(&operation_options(options)?).send()
    })
}

/// Writes the object's size in bytes to `*content_length`; returns false if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_metadata_content_length(
    metadata: Option<&oss_callback_object_metadata>,
    content_length: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(
        of(metadata, None, |object| object.metadata.content_length()),
        content_length,
    )
}

/// Writes the object's CRC-64 to `*crc64`; returns false if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_metadata_crc64(
    metadata: Option<&oss_callback_object_metadata>,
    crc64: Option<&mut MaybeUninit<u64>>,
) -> bool {
    give_number(of(metadata, None, |object| object.metadata.crc64()), crc64)
}

/// Writes to `*last_modified` when the object was stored; returns false if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_metadata_last_modified_at_s(
    metadata: Option<&oss_callback_object_metadata>,
    last_modified: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let seconds = of(metadata, None, |object| {
        let since = object
            .metadata
            .last_modified()?
            .duration_since(UNIX_EPOCH)
            .ok()?;
        Some(since.as_secs())
    });
    give_number(seconds, last_modified)
}

/// The object's ETag without its quotes; NULL if OSS did not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_metadata_etag(
    metadata: Option<&oss_callback_object_metadata>,
) -> *const c_char {
    of(metadata, ptr::null(), |object| {
        borrowed(object.etag.as_ref())
    })
}

/// A header of OSS's answer by its name, in any letter case, for example "Content-Type" or
/// "x-oss-meta-author"; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_object_metadata_header(
    metadata: Option<&oss_callback_object_metadata>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe { of(metadata, ptr::null(), |object| object.headers.find(name)) }
}

/// Frees metadata.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_object_metadata_free(
    metadata: Option<Box<oss_callback_object_metadata>>,
) {
    free(metadata);
}
