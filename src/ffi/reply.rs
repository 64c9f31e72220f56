//! What the application server answers.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::pointers::{free, lend, make, of, text};
use super::text::c_string;
use crate::callback::{Reply, reply_ok, reply_refused};
use crate::{Error, ErrorKind};

/// An answer to a callback. Immutable: any thread may read it; one thread frees it.
pub struct oss_callback_reply {
    reply: Reply,
    content_type: CString,
    http: Vec<u8>,
}

impl oss_callback_reply {
    fn new(reply: Reply) -> Self {
        oss_callback_reply {
            content_type: c_string(reply.content_type()),
            http: reply.to_http(),
            reply,
        }
    }
}

/// Makes an answer that OSS accepts and passes on to the uploader: status 200 with the JSON text `json`.
/// Free `*reply` with oss_callback_reply_free. Fails with OSS_CALLBACK_CODE_INVALID_ARGUMENT if `json` is
/// not JSON, begins with a byte order mark or is longer than 1 MB.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_reply_new_ok(
    json: *const c_char,
    reply: Option<&mut MaybeUninit<*mut oss_callback_reply>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let json = unsafe { text(json, "json") }?;
        let new = || Ok(oss_callback_reply::new(reply_ok(json)?));
        make(reply, "reply", new)
    })
}

/// Makes an answer that refuses a request after verifying or sealing failed with `error`. The answer does
/// not give the reason. Its status is 405 for a method other than POST, 413 for a body over the limit, 400
/// for a body that cannot be read, 403 for what is not OSS's or not permitted, and 503 if that is unknown
/// or `error` is NULL. Free `*reply` with oss_callback_reply_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_new_refused(
    error: Option<&oss_callback_error>,
    reply: Option<&mut MaybeUninit<*mut oss_callback_reply>>,
) -> oss_callback_code {
    guard(None, || {
        let unknown = Error::new(ErrorKind::Internal, "");
        let refused = reply_refused(error.map_or(&unknown, oss_callback_error::error));
        let new = || Ok(oss_callback_reply::new(refused));
        make(reply, "reply", new)
    })
}

/// The HTTP status.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_status(reply: Option<&oss_callback_reply>) -> u32 {
    of(reply, 0, |reply| reply.reply.status().into())
}

/// The value for Content-Type: application/json.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_content_type(
    reply: Option<&oss_callback_reply>,
) -> *const c_char {
    of(reply, ptr::null(), |reply| reply.content_type.as_ptr())
}

/// The body: `*body_len` bytes, which is also the value for Content-Length. `body_len` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_body(
    reply: Option<&oss_callback_reply>,
    body_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let body = of(reply, None, |reply| Some(reply.reply.body()));
    lend(body, body_len)
}

/// The whole answer as HTTP/1.1, `*http_len` bytes, for servers that write to a socket. Close the
/// connection after it. `http_len` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_http(
    reply: Option<&oss_callback_reply>,
    http_len: Option<&mut MaybeUninit<size_t>>,
) -> *const u8 {
    let http = of(reply, None, |reply| Some(reply.http.as_slice()));
    lend(http, http_len)
}

/// Frees a reply.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_reply_free(reply: Option<Box<oss_callback_reply>>) {
    free(reply);
}
