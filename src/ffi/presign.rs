//! URLs signed for others: permissions for one request.

use std::mem::MaybeUninit;
use std::time::Duration;

use libc::c_char;

use super::client::{of_object, oss_callback_client};
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::multipart::oss_callback_multipart_upload;
use super::pointers::{make, required};
use super::presigned_url::oss_callback_presigned_url;
use super::put::put_object;
use super::put_options::{oss_callback_put_options, rust_options};
use super::spec::{callback_of, oss_callback_spec};
use crate::PresignOptions;

/// Signs a URL that lets others upload `object` into `bucket`. Sends nothing. The URL is valid for
/// `expires_in_s` seconds, 1 to 604800 (7 days), or until the client's credentials expire, if that is
/// sooner. They begin now, by OSS's clock if an answer to the client has told of it, otherwise by this
/// machine's.
///
/// `options` may be NULL. The object's headers in them apply: they are signed, and the uploader must send
/// them with the URL. A Content-Type is signed only if you set one; do so for browsers, which always send
/// one. `spec` must not be NULL (see oss_callback_spec_none). Its callback is in the URL, where the
/// uploader can neither change nor drop it, or, with `callback_in_headers`, in headers, which must then be
/// sent. Free `*presigned_url` with oss_callback_presigned_url_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_presign_put_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    expires_in_s: u64,
    callback_in_headers: bool,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let put = unsafe { put_object(client, bucket, object, spec, options) }?;
        let presign = expires_in(expires_in_s).callback_in_headers(callback_in_headers);
        let new = || Ok(oss_callback_presigned_url::new(put.presign(&presign)?));
        make(presigned_url, "presigned_url", new)
    })
}

/// Signs a URL that lets others download an object. Sends nothing. `expires_in_s` is as for
/// oss_callback_client_presign_put_object. Free `*presigned_url` with oss_callback_presigned_url_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_presign_get_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    expires_in_s: u64,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let get = client.get_object(bucket, object);
        let presign = expires_in(expires_in_s);
        let new = || Ok(oss_callback_presigned_url::new(get.presign(&presign)?));
        make(presigned_url, "presigned_url", new)
    })
}

/// Like oss_callback_client_presign_get_object, but lets others read an object's metadata, to check whether
/// what they uploaded is there.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_client_presign_head_object(
    client: Option<&oss_callback_client>,
    bucket: *const c_char,
    object: *const c_char,
    expires_in_s: u64,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: each pointer is NULL or what its type and the header say.
        let (client, bucket, object) = unsafe { of_object(client, bucket, object) }?;
        let head = client.head_object(bucket, object);
        let presign = expires_in(expires_in_s);
        let new = || Ok(oss_callback_presigned_url::new(head.presign(&presign)?));
        make(presigned_url, "presigned_url", new)
    })
}

/// Signs a URL that lets others send a part of an upload. Sends nothing. `part_number` is from 1 to 10000;
/// `expires_in_s` is as for oss_callback_client_presign_put_object. Free `*presigned_url` with
/// oss_callback_presigned_url_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_presign_part(
    upload: Option<&oss_callback_multipart_upload>,
    part_number: u32,
    expires_in_s: u64,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let part = required(upload, "upload")?
            .upload()?
            .upload_part(part_number);
        let presign = expires_in(expires_in_s);
        let new = || Ok(oss_callback_presigned_url::new(part.presign(&presign)?));
        make(presigned_url, "presigned_url", new)
    })
}

/// Signs a URL that lets others complete an upload. Sends nothing.
///
/// With `all_parts`, OSS makes the object from all parts that it has, and the request must have an empty
/// body. Otherwise the body must be the list of parts in OSS's format. `spec`, `expires_in_s` and
/// `callback_in_headers` are as for oss_callback_client_presign_put_object, `options` as for
/// oss_complete_multipart_upload_with_callback. Free `*presigned_url` with oss_callback_presigned_url_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_multipart_upload_presign_complete(
    upload: Option<&oss_callback_multipart_upload>,
    all_parts: bool,
    spec: Option<&oss_callback_spec>,
    options: Option<&oss_callback_put_options>,
    expires_in_s: u64,
    callback_in_headers: bool,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let complete = required(upload, "upload")?.upload()?.complete();
        let options = rust_options(options)?;
        let mut complete = complete.options(&options).callback(callback_of(spec)?);
        if all_parts {
            complete = complete.header("x-oss-complete-all", "yes");
        }
        let presign = expires_in(expires_in_s).callback_in_headers(callback_in_headers);
        let new = || Ok(oss_callback_presigned_url::new(complete.presign(&presign)?));
        make(presigned_url, "presigned_url", new)
    })
}

fn expires_in(seconds: u64) -> PresignOptions {
    PresignOptions::expires_in(Duration::from_secs(seconds))
}
