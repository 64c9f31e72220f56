//! Presigned URLs, signed here or elsewhere, and uploads with them.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;
use std::time::UNIX_EPOCH;

use libc::{c_char, size_t};

use super::client::oss_callback_client;
use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::{guard, guard_upload};
use super::pointers::{bytes, file_path, free, give_number, make, of, required, text};
use super::put_options::{oss_callback_put_options, with_options};
use super::receipt::{give_receipt, oss_callback_receipt};
use super::text::{borrowed, c_string};
use crate::{PresignedUrl, PutObject, Receipt, Result};

/// A URL that lets anyone who has it send one particular request, until it expires. Treat it like a
/// password. Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_presigned_url {
    url: PresignedUrl,
    method: CString,
    text: CString,
    json: CString,
    /// Names and values.
    headers: Vec<(CString, CString)>,
}

impl oss_callback_presigned_url {
    pub(super) fn new(url: PresignedUrl) -> Self {
        let headers = url.headers().iter();
        oss_callback_presigned_url {
            method: c_string(url.method()),
            text: c_string(url.url()),
            json: c_string(url.to_json()),
            headers: headers
                .map(|(name, value)| (c_string(name), c_string(value)))
                .collect(),
            url,
        }
    }
}

/// Makes a presigned URL from the JSON that oss_callback_presigned_url_json gave, on any machine, or that
/// another program wrote: {"method":"PUT","url":"…","headers":{"Content-Type":"…"}}. Free `*presigned_url`
/// with oss_callback_presigned_url_free.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_presigned_url_new_from_json(
    json: *const c_char,
    presigned_url: Option<&mut MaybeUninit<*mut oss_callback_presigned_url>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let json = unsafe { text(json, "json") }?;
        let new = || {
            Ok(oss_callback_presigned_url::new(PresignedUrl::from_json(
                json,
            )?))
        };
        make(presigned_url, "presigned_url", new)
    })
}

/// The HTTP method that the URL permits, for example "PUT".
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_method(
    presigned_url: Option<&oss_callback_presigned_url>,
) -> *const c_char {
    of(presigned_url, ptr::null(), |url| url.method.as_ptr())
}

/// The URL, percent-encoded.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_url(
    presigned_url: Option<&oss_callback_presigned_url>,
) -> *const c_char {
    of(presigned_url, ptr::null(), |url| url.text.as_ptr())
}

/// The URL with its method, headers and expiry as JSON, for a web page or another machine.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_json(
    presigned_url: Option<&oss_callback_presigned_url>,
) -> *const c_char {
    of(presigned_url, ptr::null(), |url| url.json.as_ptr())
}

/// Writes to `*expires` when the URL expires; returns false if the URL does not say.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_expires_at_s(
    presigned_url: Option<&oss_callback_presigned_url>,
    expires: Option<&mut MaybeUninit<u64>>,
) -> bool {
    let seconds = of(presigned_url, None, |url| {
        let since = url.url.expires()?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    });
    give_number(seconds, expires)
}

/// The number of headers that must be sent with the URL, exactly as they are. No other Content-Type,
/// Content-MD5 or header that begins with "x-oss-" may be sent.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_headers_len(
    presigned_url: Option<&oss_callback_presigned_url>,
) -> size_t {
    of(presigned_url, 0, |url| url.headers.len())
}

/// The name of a header that must be sent. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_header_name(
    presigned_url: Option<&oss_callback_presigned_url>,
    index: size_t,
) -> *const c_char {
    of(presigned_url, ptr::null(), |url| {
        borrowed(url.headers.get(index).map(|(name, _)| name))
    })
}

/// The value of a header that must be sent. `index` starts at 0; NULL if it is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_header_value(
    presigned_url: Option<&oss_callback_presigned_url>,
    index: size_t,
) -> *const c_char {
    of(presigned_url, ptr::null(), |url| {
        borrowed(url.headers.get(index).map(|(_, value)| value))
    })
}

/// Frees a URL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_presigned_url_free(
    presigned_url: Option<Box<oss_callback_presigned_url>>,
) {
    free(presigned_url);
}

/// Like oss_put_object_with_callback, but uploads with a presigned URL. A callback in it counts like
/// one in a spec.
///
/// The client's endpoint and credentials are not used. For an https URL, the client's endpoint must be
/// https as well. `options` may be NULL. The limits and the progress hook in them apply. Headers that were
/// not signed are refused.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_with_url(
    client: Option<&oss_callback_client>,
    presigned_url: Option<&oss_callback_presigned_url>,
    body: *const u8,
    body_len: size_t,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    let send = |put: PutObject<'_>| {
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        put.send_bytes(unsafe { bytes(body, body_len, "body") }?)
    };
    with_url(client, presigned_url, options, receipt, error, send)
}

/// Like oss_put_object_with_url, but uploads a file.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_put_object_from_file_with_url(
    client: Option<&oss_callback_client>,
    presigned_url: Option<&oss_callback_presigned_url>,
    path: *const c_char,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    let send = |put: PutObject<'_>| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        put.send_file(unsafe { file_path(path, "path") }?)
    };
    with_url(client, presigned_url, options, receipt, error, send)
}

fn with_url(
    client: Option<&oss_callback_client>,
    presigned_url: Option<&oss_callback_presigned_url>,
    options: Option<&oss_callback_put_options>,
    receipt: Option<&mut MaybeUninit<*mut oss_callback_receipt>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
    send: impl FnOnce(PutObject<'static>) -> Result<Receipt>,
) -> oss_callback_code {
    guard_upload(error, false, || {
        let client = required(client, "client")?;
        let url = required(presigned_url, "presigned_url")?;
        let put = client.client.put_object_with_url(&url.url);
        let done = send(with_options(put, options)?)?;
        give_receipt(receipt, done);
        Ok(())
    })
}
