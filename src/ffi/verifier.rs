//! The application server's side: is this request from OSS?

use std::ffi::CStr;
use std::mem::MaybeUninit;

use libc::{c_char, size_t};

use super::code::oss_callback_code;
use super::error::oss_callback_error;
use super::guard::guard;
use super::options::Options;
use super::pointers::{bytes, free, make, required, text};
use super::verified::oss_callback_verified;
use crate::callback::{CallbackRequest, KnownKeys, Verifier};
use crate::{Error, Result};

/// How callbacks are verified. The first error is reported by oss_callback_verifier_new. Not safe to share
/// between threads while it changes.
pub struct oss_callback_verifier_options {
    options: Options<Settings>,
}

#[derive(Default)]
struct Settings {
    keys: KnownKeys,
    fetch_keys: bool,
    test_keys: Vec<(String, String)>,
    max_body_len: Option<usize>,
    prepend: Vec<String>,
    strip: Vec<String>,
    headers: Vec<String>,
}

impl Settings {
    fn verifier(&self) -> Result<Verifier> {
        let mut verifier = if self.fetch_keys {
            fetching(self.keys.clone())?
        } else {
            Verifier::with_keys(self.keys.clone())
        };
        for (url, pem) in &self.test_keys {
            verifier = verifier.trust_key_url_for_tests(url, pem)?;
        }
        if let Some(bytes) = self.max_body_len {
            verifier = verifier.max_body_len(bytes);
        }
        let add = |verifier, texts: &[String], add: fn(Verifier, &str) -> Verifier| {
            texts.iter().fold(verifier, |v, text| add(v, text))
        };
        verifier = add(verifier, &self.prepend, Verifier::prepend_prefix);
        verifier = add(verifier, &self.strip, Verifier::strip_prefix);
        Ok(add(verifier, &self.headers, Verifier::trust_target_header))
    }
}

#[cfg(feature = "tls")]
fn fetching(keys: KnownKeys) -> Result<Verifier> {
    let keys = crate::callback::FetchingKeys::builder().known_keys(keys);
    Ok(Verifier::with_keys(keys.build()?))
}

#[cfg(not(feature = "tls"))]
fn fetching(_: KnownKeys) -> Result<Verifier> {
    Err(Error::argument(
        "`fetch_keys` needs https, but this build of the library has no TLS (feature `tls`)",
    ))
}

/// Decides whether requests come from OSS. Immutable: many threads may use it at once; one thread frees it.
///
/// A signature proves that OSS sent the request, and no more. Any customer of OSS can have such a request
/// sent to any URL, with any body, and it never expires. To prove that the upload was permitted, use an
/// oss_callback_sealer.
pub struct oss_callback_verifier {
    verifier: Verifier,
}

/// Runs a setter.
fn set(
    options: Option<&mut oss_callback_verifier_options>,
    body: impl FnOnce(&mut Settings) -> Result<()>,
) {
    if let Some(options) = options {
        options.options.set(body);
    }
}

/// Makes options with OSS's production key. Free them with oss_callback_verifier_options_free; verifiers
/// keep a copy.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_options_new(
    options: Option<&mut MaybeUninit<*mut oss_callback_verifier_options>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_verifier_options {
                options: Options::new(),
            })
        };
        make(options, "options", new)
    })
}

/// Adds a key that OSS publishes: its URL below https://gosspublic.alicdn.com/ and its text in PEM. It
/// replaces a key with the same URL. The production key is already there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_options_add_key(
    options: Option<&mut oss_callback_verifier_options>,
    url: *const c_char,
    pem: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        set(options, |settings| {
            let (url, pem) = (text(url, "url")?, text(pem, "pem")?);
            settings.keys = settings.keys.clone().add(url, pem)?;
            Ok(())
        });
    }
}

/// Sets whether unknown keys are fetched from OSS's key host. Default: false. The library fetches only URLs
/// of the form https://gosspublic.alicdn.com/callback_pub_key_v1.pem, at most 8 keys, each at most once a
/// minute and within 3 seconds. Verification waits meanwhile.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_options_set_fetch_keys(
    options: Option<&mut oss_callback_verifier_options>,
    fetch_keys: bool,
) {
    set(options, |settings| {
        settings.fetch_keys = fetch_keys;
        Ok(())
    });
}

/// FOR TESTS ONLY: accepts exactly this key URL, which is not OSS's, with this key (PEM). Anyone who has
/// the private key can forge callbacks. It is meant for local-oss, which prints the URL when it starts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_options_trust_key_url_for_tests(
    options: Option<&mut oss_callback_verifier_options>,
    exact_url: *const c_char,
    pem: *const c_char,
) {
    // SAFETY: NULL or NUL-terminated strings.
    unsafe {
        set(options, |settings| {
            let (url, pem) = (text(exact_url, "exact_url")?, text(pem, "pem")?);
            settings.test_keys.push((url.to_owned(), pem.to_owned()));
            Ok(())
        });
    }
}

/// Sets the longest body, in bytes. Default: 1 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_options_set_max_body_len(
    options: Option<&mut oss_callback_verifier_options>,
    max_body_len: size_t,
) {
    set(options, |settings| {
        settings.max_body_len = Some(max_body_len);
        Ok(())
    });
}

/// Adds a prefix that a reverse proxy strips, to be put back: with "/api", a request for /callback may have
/// been signed as /api/callback. The verifier first tries the target as it came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_options_add_prepended_prefix(
    options: Option<&mut oss_callback_verifier_options>,
    prefix: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let prefix = unsafe { text(prefix, "prefix") }?;
        settings.prepend.push(prefix.to_owned());
        Ok(())
    });
}

/// Adds a prefix that a reverse proxy adds, to be taken off: with "/internal", a request for
/// /internal/callback may have been signed as /callback. The verifier first tries the target as it came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_options_add_stripped_prefix(
    options: Option<&mut oss_callback_verifier_options>,
    prefix: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let prefix = unsafe { text(prefix, "prefix") }?;
        settings.strip.push(prefix.to_owned());
        Ok(())
    });
}

/// Adds a header to trust, such as X-Original-URI, in which a reverse proxy keeps the target that it
/// received. The verifier first tries the target as it came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_options_add_target_header(
    options: Option<&mut oss_callback_verifier_options>,
    name: *const c_char,
) {
    set(options, |settings| {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let name = unsafe { text(name, "name") }?;
        settings.headers.push(name.to_owned());
        Ok(())
    });
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_options_free(
    options: Option<Box<oss_callback_verifier_options>>,
) {
    free(options);
}

/// Makes a verifier. If `options` is NULL, it has OSS's production key and no proxy. Free `*verifier` with
/// oss_callback_verifier_free. The options may be used again.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_new(
    options: Option<&oss_callback_verifier_options>,
    verifier: Option<&mut MaybeUninit<*mut oss_callback_verifier>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let new = || {
            let verifier = match options {
                Some(options) => options.options.values()?.verifier()?,
                None => Verifier::new(),
            };
            Ok(oss_callback_verifier { verifier })
        };
        make(verifier, "verifier", new)
    })
}

/// Verifies a request as it came to the application server, before anything has decoded it.
///
/// `target` is the path and query exactly as in the request line. `headers` holds 2 * `headers_len`
/// strings: a name, its value, the next name, and so on; if a name occurs several times, the first one
/// counts. Authorization and x-oss-pub-key-url are required; Content-Type, which says how to read the body,
/// and the headers that proxies add are used if they are there. You may leave out all others. A target or
/// header over 16 KiB cannot be OSS's.
///
/// Takes about 20 microseconds and does no I/O, unless keys are fetched. Free `*verified` with
/// oss_callback_verified_free. The codes 80 to 87 say why a request is not a callback, except
/// OSS_CALLBACK_CODE_KEY_UNAVAILABLE, which says nothing about the request. oss_callback_error_message and
/// oss_callback_error_diagnosis are for the application's log. Do not send them to the requester; send
/// oss_callback_reply_new_refused.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oss_callback_verifier_verify(
    verifier: Option<&oss_callback_verifier>,
    method: *const c_char,
    target: *const c_char,
    headers: *const *const c_char,
    headers_len: size_t,
    body: *const u8,
    body_len: size_t,
    verified: Option<&mut MaybeUninit<*mut oss_callback_verified>>,
    error: Option<&mut MaybeUninit<*mut oss_callback_error>>,
) -> oss_callback_code {
    guard(error, || {
        let verifier = required(verifier, "verifier")?;
        // What a stranger sends need not be UTF-8; such a method is none.
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let method = std::str::from_utf8(unsafe { raw(method, "method") }?).unwrap_or_default();
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let target = unsafe { raw(target, "target") }?;
        // SAFETY: NULL only with length 0; otherwise `body_len` readable bytes.
        let body = unsafe { bytes(body, body_len, "body") }?;
        // SAFETY: NULL only with length 0; otherwise 2 * `headers_len` pointers, NULL or to strings.
        let headers = unsafe { pairs(headers, headers_len) }?;
        let request = CallbackRequest::new(method, target, body).headers(headers);
        let new = || {
            let done = verifier.verifier.verify(&request)?;
            Ok(oss_callback_verified::new(done))
        };
        make(verified, "verified", new)
    })
}

/// The bytes of a text.
///
/// # Safety
///
/// The pointer is NULL or leads to a NUL-terminated string that stays as it is during the call.
unsafe fn raw<'a>(text: *const c_char, name: &str) -> Result<&'a [u8]> {
    if text.is_null() {
        return Err(Error::argument(format!("`{name}` is NULL")));
    }
    // SAFETY: not NULL, and NUL-terminated as promised by the caller.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Names and values; a name that is not UTF-8 is none that anybody asks for.
///
/// # Safety
///
/// The pointer is NULL or leads to twice `len` pointers, each NULL or to a string, all of which stay as
/// they are during the call.
unsafe fn pairs<'a>(
    headers: *const *const c_char,
    len: size_t,
) -> Result<Vec<(&'a str, &'a [u8])>> {
    if len == 0 {
        return Ok(Vec::new());
    }
    if headers.is_null() {
        return Err(Error::argument(format!(
            "`headers` is NULL, but its length is {len}"
        )));
    }
    if len > 10_000 {
        return Err(Error::argument(format!("`headers` cannot be {len} pairs")));
    }
    // SAFETY: not NULL, not longer than an object can be, and readable as promised by the caller.
    let texts = unsafe { std::slice::from_raw_parts(headers, 2 * len) };
    let mut pairs = Vec::with_capacity(len);
    for pair in texts.chunks_exact(2) {
        // SAFETY: NULL is refused; otherwise a NUL-terminated string.
        let (name, value) = unsafe { (raw(pair[0], "headers")?, raw(pair[1], "headers")?) };
        if let Ok(name) = std::str::from_utf8(name) {
            pairs.push((name, value));
        }
    }
    Ok(pairs)
}

/// Frees a verifier. No call may still be using it.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_verifier_free(verifier: Option<Box<oss_callback_verifier>>) {
    free(verifier);
}
