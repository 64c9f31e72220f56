//! Is this request from OSS? Pure, but for what a key source may do.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::body::CallbackBody;
use super::keys::{self, KeySource, KnownKeys, key_unavailable};
use super::public_key::PublicKey;
use super::request::{CallbackRequest, MAX_FIELD_LEN};
use super::target::{self, Restoration};
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// Templates and variables are far below.
const MAX_BODY_LEN: usize = 1024 * 1024;

/// Verifies a callback with the rules of [`Verifier`] and nothing configured.
///
/// ```no_run
/// use oss_callback::callback::{self, CallbackRequest, KnownKeys};
///
/// # fn handle(request: &CallbackRequest<'_>) -> Result<(), oss_callback::Error> {
/// let verified = callback::verify(request, &KnownKeys::new())?;
/// println!("{:?}", verified.parse()?.object());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`Verifier::verify`].
pub fn verify(request: &CallbackRequest<'_>, keys: &dyn KeySource) -> Result<VerifiedCallback> {
    Options::default().verify(request, keys)
}

/// Decides whether requests are OSS's, with the keys and the proxies that it was told of.
///
/// May be shared between threads. What a signature proves is *sent by OSS* and nothing more: any customer
/// of OSS can have such a request sent to any URL with any body, and it never expires. What makes it *ours*
/// is a [`Sealer`](super::Sealer).
///
/// ```no_run
/// use oss_callback::callback::{CallbackRequest, Verifier, reply_ok};
///
/// # fn handle(target: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), oss_callback::Error> {
/// // A reverse proxy passes /api/callback on as /callback; OSS has signed the former.
/// let verifier = Verifier::new().prepend_prefix("/api");
/// let request = CallbackRequest::new("POST", target, body).headers(headers.iter().copied());
/// let verified = verifier.verify(&request)?;
/// println!("{:?}", verified.parse()?.object());
/// let reply = reply_ok(r#"{"Status":"OK"}"#)?;
/// # Ok(())
/// # }
/// ```
pub struct Verifier {
    keys: Box<dyn KeySource>,
    options: Options,
}

#[derive(Debug)]
struct Options {
    max_body_len: usize,
    restoration: Restoration,
    test_keys: Vec<(String, PublicKey)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            max_body_len: MAX_BODY_LEN,
            restoration: Restoration::default(),
            test_keys: Vec::new(),
        }
    }
}

impl Default for Verifier {
    fn default() -> Verifier {
        Verifier::new()
    }
}

impl Verifier {
    /// With OSS's production key, which is built in.
    pub fn new() -> Verifier {
        Verifier::with_keys(KnownKeys::new())
    }

    /// With the keys of this source. Whatever it holds, it is asked only for URLs on OSS's key host.
    pub fn with_keys(keys: impl KeySource + 'static) -> Verifier {
        Verifier {
            keys: Box::new(keys),
            options: Options::default(),
        }
    }

    /// **For tests only**: admits this URL, exactly as it stands, which is not on OSS's key host, with this
    /// key. Whoever holds its private half can forge callbacks. For `local-oss`, whose URL and key are
    /// `Server::public_key_url` and `Server::public_key_pem`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when `pem` is no RSA public key.
    pub fn trust_key_url_for_tests(mut self, exact_url: &str, pem: &str) -> Result<Verifier> {
        let key = PublicKey::from_pem(pem)?;
        self.options.test_keys.push((exact_url.to_owned(), key));
        Ok(self)
    }

    /// The longest body in bytes. Default: 1 MiB.
    pub fn max_body_len(mut self, bytes: usize) -> Verifier {
        self.options.max_body_len = bytes;
        self
    }

    /// Puts back what a proxy has stripped: with `/api` a request for `/callback` may have been signed as
    /// `/api/callback`. The target as it came is tried first. May be called several times.
    pub fn prepend_prefix(mut self, prefix: &str) -> Verifier {
        let prefix = target::prefix(prefix);
        self.options.restoration.prepend.push(prefix);
        self
    }

    /// Takes off what a proxy has added: with `/internal` a request for `/internal/callback` may have been
    /// signed as `/callback`. The target as it came is tried first. May be called several times.
    pub fn strip_prefix(mut self, prefix: &str) -> Verifier {
        let prefix = target::prefix(prefix);
        self.options.restoration.strip.push(prefix);
        self
    }

    /// Believes a header such as `X-Original-URI`, in which a proxy keeps the target as it came to it: path
    /// and query, or a whole URL. The target as it came is tried first. May be called several times.
    pub fn trust_target_header(mut self, name: &str) -> Verifier {
        self.options.restoration.headers.push(name.to_owned());
        self
    }

    /// Verifies one request. Takes some 20 microseconds and does no I/O, unless the key source does. What it
    /// allocates is bounded by [`max_body_len`](Verifier::max_body_len), whatever a stranger sends; a target
    /// or a header over 16 KiB cannot be OSS's.
    ///
    /// # Errors
    ///
    /// The first that applies: [`ErrorKind::WrongMethod`], [`ErrorKind::BodyTooLarge`],
    /// [`ErrorKind::MissingAuthorization`], [`ErrorKind::MissingPubKeyUrl`],
    /// [`ErrorKind::BadPubKeyUrl`], [`ErrorKind::KeyUnavailable`],
    /// [`ErrorKind::BadSignatureEncoding`], [`ErrorKind::BadSignature`]. The message is for your log and
    /// [`Error::diagnosis`] names the cause; neither is for whoever sent the request, who gets
    /// [`reply_refused`](super::reply_refused).
    pub fn verify(&self, request: &CallbackRequest<'_>) -> Result<VerifiedCallback> {
        self.options.verify(request, &*self.keys)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// In the order that decides which of several reasons is given.
    fn verify(
        &self,
        request: &CallbackRequest<'_>,
        keys: &dyn KeySource,
    ) -> Result<VerifiedCallback> {
        let fault = |kind, message: &str| Err(Error::new(kind, message));
        if request.method() != "POST" {
            return fault(ErrorKind::WrongMethod, "OSS sends callbacks with POST only");
        }
        if request.body().len() > self.max_body_len {
            let (len, most) = (request.body().len(), self.max_body_len);
            return fault(
                ErrorKind::BodyTooLarge,
                &format!("the body has {len} bytes: at most {most} are taken"),
            );
        }
        let authorization = request.get("Authorization").filter(|v| !v.is_empty());
        let Some(authorization) = authorization else {
            return fault(
                ErrorKind::MissingAuthorization,
                "the header `Authorization` is missing or empty: a callback carries its signature there",
            );
        };
        let key_url = request.get("x-oss-pub-key-url").filter(|v| !v.is_empty());
        let Some(key_url) = key_url else {
            return fault(
                ErrorKind::MissingPubKeyUrl,
                "the header `x-oss-pub-key-url` is missing or empty: a callback names its key there",
            );
        };
        let decode = |value: &[u8]| {
            let short = value.len() <= MAX_FIELD_LEN;
            short.then(|| STANDARD.decode(value).ok())?
        };
        let key_url = decode(key_url).and_then(|url| String::from_utf8(url).ok());
        let Some(key_url) = key_url else {
            return fault(
                ErrorKind::BadPubKeyUrl,
                "the header `x-oss-pub-key-url` is not Base64 of a URL",
            );
        };
        let key = self.key(&key_url, keys)?;
        let Some(signature) = decode(authorization) else {
            return fault(
                ErrorKind::BadSignatureEncoding,
                "the header `Authorization` is not Base64: OSS sends the bare signature, without a word \
                 before it",
            );
        };
        let Some(signed) = key.open(&signature) else {
            return fault(
                ErrorKind::BadSignature,
                "the signature does not have the size of the key",
            );
        };

        if request.target().len() > MAX_FIELD_LEN {
            let len = request.target().len();
            return fault(
                ErrorKind::BadSignature,
                &format!("the target has {len} bytes, which no callback URL has"),
            );
        }
        let candidates = self.restoration.candidates(request);
        let matching = candidates
            .iter()
            .position(|c| signed.is_of_md5(&target::digest(&c.target, request.body())));
        let Some(index) = matching else {
            let tried = target::tried(&candidates, request.body());
            let diagnosis = target::diagnosis(request, &signed);
            let error = Error::new(ErrorKind::BadSignature, tried);
            return Err(error.with_diagnosis(Some(diagnosis)));
        };
        Ok(VerifiedCallback {
            signed_target: String::from_utf8_lossy(&candidates[index].target).into_owned(),
            key_url,
            content_type: request
                .get_short("Content-Type")
                .map(|value| String::from_utf8_lossy(value).into_owned()),
            body: request.body().to_vec(),
        })
    }

    /// The key for a URL. The host rule comes before any source is asked.
    fn key(&self, url: &str, keys: &dyn KeySource) -> Result<PublicKey> {
        if let Some((_, key)) = self.test_keys.iter().find(|(known, _)| known == url) {
            return Ok(key.clone());
        }
        if keys::path_of(url).is_none() {
            return Err(Error::new(
                ErrorKind::BadPubKeyUrl,
                "the header `x-oss-pub-key-url` does not lead to gosspublic.alicdn.com",
            )
            .with_diagnosis(Some(
                "OSS's keys are on that host only, so this callback is forged, or comes from a test server \
                 whose key has to be trusted by its exact URL.",
            )));
        }
        keys.key(url).map_err(|error| match error.kind() {
            ErrorKind::KeyUnavailable => error,
            _ => key_unavailable("the key source failed").with_source(error),
        })
    }
}

/// A callback that OSS has sent. No header is part of it, since no header is signed.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedCallback {
    signed_target: String,
    key_url: String,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl VerifiedCallback {
    /// For tests of what comes after verification.
    #[cfg(test)]
    pub(super) fn of_body(content_type: &str, body: &str) -> VerifiedCallback {
        VerifiedCallback {
            signed_target: "/".to_owned(),
            key_url: String::new(),
            content_type: Some(content_type.to_owned()),
            body: body.into(),
        }
    }

    /// Path and query that OSS has signed: those of the callback URL, whatever a proxy made of them. For logs:
    /// `/cb?id=1` and `/cb%3Fid=1` are signed alike, and any customer of OSS can choose them.
    pub fn signed_target(&self) -> &str {
        &self.signed_target
    }

    /// The URL of the key, as the callback named it.
    pub fn key_url(&self) -> &str {
        &self.key_url
    }

    /// The body, byte for byte.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads the body: a form or JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadBody`] when it is neither, or has a member twice.
    pub fn parse(&self) -> Result<CallbackBody> {
        CallbackBody::parse(self.content_type.as_deref(), &self.body)
    }
}

impl fmt::Debug for VerifiedCallback {
    /// Without query and body, in which secrets stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCallback")
            .field("key_url", &self.key_url)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}
