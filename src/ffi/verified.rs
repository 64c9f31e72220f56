//! A verified callback, and what its body says.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::object::oss_callback_object_metadata;
use super::pointers::{free, give, give_number, lend, of, required};
use super::text::{borrowed, c_string};
use crate::callback::{CallbackBody, VerifiedCallback};

/// A callback that OSS sent. It has no headers, because OSS does not sign them. Immutable: any thread may
/// read it; one thread frees it.
///
/// A string is NULL if the body does not give it, gives null, or cannot be read: see
/// oss_callback_verified_check_body. An empty value is NULL too, except from oss_callback_verified_member
/// and oss_callback_verified_variable.
pub struct oss_callback_verified {
    pub(super) verified: VerifiedCallback,
    signed_target: CString,
    key_url: CString,
    body: Option<CallbackBody>,
    /// The members of the body with their texts for C.
    members: Vec<(String, Option<CString>)>,
    facts: Facts,
}

#[derive(Default)]
struct Facts {
    bucket: Option<CString>,
    object: Option<CString>,
    etag: Option<CString>,
    mime_type: Option<CString>,
    image_format: Option<CString>,
    content_md5: Option<CString>,
    request_id: Option<CString>,
    client_ip: Option<CString>,
    vpc_id: Option<CString>,
    operation: Option<CString>,
}

impl Facts {
    fn of(body: &CallbackBody) -> Facts {
        Facts {
            bucket: body.bucket().map(c_string),
            object: body.object().map(c_string),
            etag: body.etag().map(c_string),
            mime_type: body.mime_type().map(c_string),
            image_format: body.image_format().map(c_string),
            content_md5: body.content_md5().map(c_string),
            request_id: body.request_id().map(c_string),
            client_ip: body.client_ip().map(c_string),
            vpc_id: body.vpc_id().map(c_string),
            operation: body.operation().map(c_string),
        }
    }
}

impl oss_callback_verified {
    pub(super) fn new(verified: VerifiedCallback) -> Self {
        let body = verified.parse().ok();
        let members = body.iter().flat_map(CallbackBody::members);
        oss_callback_verified {
            signed_target: c_string(verified.signed_target()),
            key_url: c_string(verified.key_url()),
            members: members
                .map(|(name, value)| (name.to_owned(), value.map(c_string)))
                .collect(),
            facts: body.as_ref().map(Facts::of).unwrap_or_default(),
            body,
            verified,
        }
    }

    fn member(&self, name: &str) -> *const c_char {
        let found = self.members.iter().find(|(known, _)| known == name);
        borrowed(found.and_then(|(_, value)| value.as_ref()))
    }
}

/// The path and query that OSS signed: those of the callback URL, whatever a proxy made of them. Use them
/// for logs only: /cb?id=1 and /cb%3Fid=1 have the same signature, and any customer of OSS can choose them.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_signed_target(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| v.signed_target.as_ptr())
}

/// The URL of the key, as the callback named it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_key_url(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| v.key_url.as_ptr())
}

/// The body, byte for byte: `*body_len` bytes. `body_len` may be NULL. An empty body is not NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_body(
    verified: Option<&oss_callback_verified>,
    body_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let body = of(verified, None, |v| Some(v.verified.body()));
    lend(body, body_len)
}

/// Checks that the body can be read, as a form or as JSON according to Content-Type. Fails with
/// OSS_CALLBACK_CODE_BAD_BODY if it is neither, is not UTF-8, has more than 2000 members or a NUL in one,
/// or has a member twice.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_check_body(
    verified: Option<&oss_callback_verified>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let verified = required(verified, "verified")?;
        verified.verified.parse().map(drop)
    })
}

/// A member of the body by its exact name. A number is its JSON text. The members of a JSON object
/// imageInfo are "imageInfo.height" and so on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verified_member(
    verified: Option<&oss_callback_verified>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe {
        of(verified, ptr::null(), |v| {
            name_of(name).map_or(ptr::null(), |name| v.member(name))
        })
    }
}

/// One of the application's own variables by its name, with or without "x:": the member x:name or, if there
/// is none, the member name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verified_variable(
    verified: Option<&oss_callback_verified>,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: NULL or a NUL-terminated name.
    unsafe {
        of(verified, ptr::null(), |v| {
            let Some(name) = name_of(name) else {
                return ptr::null();
            };
            let name = name.strip_prefix("x:").unwrap_or(name);
            let with_x = v.member(&format!("x:{name}"));
            if with_x.is_null() {
                v.member(name)
            } else {
                with_x
            }
        })
    }
}

/// A name that C gives; `None` for NULL and for what is not UTF-8.
///
/// # Safety
///
/// The name is NULL or a NUL-terminated string.
pub(super) unsafe fn name_of<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not NULL, and NUL-terminated as promised by the caller.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// The bucket, ${bucket}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_bucket(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| borrowed(v.facts.bucket.as_ref()))
}

/// The object's name, ${object}, from the member object or filename.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_object(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| borrowed(v.facts.object.as_ref()))
}

/// The ETag without its quotes, ${etag}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_etag(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| borrowed(v.facts.etag.as_ref()))
}

/// The object's Content-Type, ${mimeType}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_mime_type(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.mime_type.as_ref())
    })
}

/// The image's format, ${imageInfo.format}, such as "jpg", from the member imageInfo.format or format.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_image_format(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.image_format.as_ref())
    })
}

/// The MD5 in Base64, ${contentMd5}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_content_md5(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.content_md5.as_ref())
    })
}

/// The id of the upload request, ${reqId}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_request_id(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.request_id.as_ref())
    })
}

/// The uploader's address, ${clientIp}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_client_ip(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.client_ip.as_ref())
    })
}

/// The uploader's VPC, ${vpcId}.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_vpc_id(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| borrowed(v.facts.vpc_id.as_ref()))
}

/// The operation, ${operation}: PutObject, PostObject or CompleteMultipartUpload.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_operation(
    verified: Option<&oss_callback_verified>,
) -> *const c_char {
    of(verified, ptr::null(), |v| {
        borrowed(v.facts.operation.as_ref())
    })
}

/// Writes the object's size in bytes, ${size}, to `*size`; returns false if the body does not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_size(
    verified: Option<&oss_callback_verified>,
    size: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let number = of(verified, None, |v| v.body.as_ref()?.size());
    give_number(number, size)
}

/// Writes the object's CRC-64, ${crc64}, to `*crc64`; returns false if the body does not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_crc64(
    verified: Option<&oss_callback_verified>,
    crc64: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let number = of(verified, None, |v| v.body.as_ref()?.crc64());
    give_number(number, crc64)
}

/// Writes the image's height in pixels, ${imageInfo.height}, from the member imageInfo.height or height, to
/// `*image_height`; returns false if the body does not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_image_height(
    verified: Option<&oss_callback_verified>,
    image_height: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let number = of(verified, None, |v| v.body.as_ref()?.image_height());
    give_number(number, image_height)
}

/// Writes the image's width in pixels, ${imageInfo.width}, from the member imageInfo.width or width, to
/// `*image_width`; returns false if the body does not give it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_image_width(
    verified: Option<&oss_callback_verified>,
    image_width: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let number = of(verified, None, |v| v.body.as_ref()?.image_width());
    give_number(number, image_width)
}

/// Looks up the object that the body names (HeadObject), and compares its ETag, size and CRC-64 with those
/// in the body. Call this before you do anything of value: neither OSS's signature nor a seal proves that
/// the upload took place. An object that was there before also passes, and without a seal the bucket may be
/// anyone's.
///
/// Blocks for at most the client's time limits. `metadata` may be NULL; free `*metadata` with
/// oss_callback_object_metadata_free. Fails with OSS_CALLBACK_CODE_NOT_CONFIRMED if there is no such
/// object, if it differs, or if the body names none. Any other code means that nothing is known.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_confirm(
    verified: Option<&oss_callback_verified>,
    client: Option<&oss_callback_client>,
    metadata: Option<&mut MaybeUninit<*mut oss_callback_object_metadata>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let verified = required(verified, "verified")?;
        let client = required(client, "client")?;
        let confirmed = verified.verified.confirm(&client.client)?;
        give(metadata, oss_callback_object_metadata::new(confirmed));
        Ok(())
    })
}

/// Frees a verified callback.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verified_free(verified: Option<Box<oss_callback_verified>>) {
    free(verified);
}
