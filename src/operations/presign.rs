//! Presigned URLs: short-lived permissions for one request, for uploaders that have no credentials.
//!
//! OSS documentation: "Include a V4 signature in the URL", "Add signatures to URLs".

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::engine::operation::Operation;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::Request;
use crate::sign::{self, SignatureVersion};
use crate::spec::CallbackSpec;

/// How a URL is to be signed.
///
/// ```
/// use std::time::Duration;
/// use oss_callback::PresignOptions;
///
/// let options = PresignOptions::expires_in(Duration::from_secs(600));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct PresignOptions {
    expires_in: Duration,
    callback_in_headers: bool,
    content_length: Option<u64>,
}

impl PresignOptions {
    /// The URL is good for so long: a second to 7 days, in whole seconds. It ends earlier if the credentials
    /// do. It begins now, by OSS's clock if an answer to the client has told of it, and else by this machine's.
    pub fn expires_in(duration: Duration) -> PresignOptions {
        PresignOptions {
            expires_in: duration,
            callback_in_headers: false,
            content_length: None,
        }
    }

    /// Whether the callback stands in headers, which the uploader must then send as they are, and not in the
    /// URL. Default: false; in the URL the uploader can neither change nor drop it.
    pub fn callback_in_headers(mut self, in_headers: bool) -> PresignOptions {
        self.callback_in_headers = in_headers;
        self
    }

    /// The one length in bytes that the body may have: it is signed, and OSS refuses any other.
    /// [`SignatureVersion::V4`] only.
    pub fn content_length(mut self, bytes: u64) -> PresignOptions {
        self.content_length = Some(bytes);
        self
    }
}

/// A URL that permits one request to whoever has it, until it expires.
///
/// Made by `presign` of an operation, or of a URL that somebody else made. It is as good as a password:
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedUrl {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    expires: Option<SystemTime>,
}

impl PresignedUrl {
    /// A URL that permits a PutObject, as somebody else made it.
    pub fn new(url: impl Into<String>) -> PresignedUrl {
        PresignedUrl {
            method: "PUT".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            expires: None,
        }
    }

    /// Adds a header that was signed and must be sent.
    pub fn signed_header(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> PresignedUrl {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The HTTP method that it permits.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL, percent-encoded.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that must be sent with it, exactly so. Any other `x-oss-` header, Content-Type or
    /// Content-MD5 must not be sent: OSS answers SignatureDoesNotMatch. Browsers add a Content-Type to a body
    /// that has a type.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Until when it is good; `None` for one that somebody else made.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// For a web page or another machine:
    /// `{"method":"PUT","url":"…","headers":{"Content-Type":"…"},"expires":"Tue, 24 Nov 2026 …"}`.
    pub fn to_json(&self) -> String {
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.as_str().into());
        }
        let mut json = json!({
            "method": self.method,
            "url": self.url,
            "headers": headers,
        });
        if let Some(expires) = self.expires {
            json["expires"] = httpdate::fmt_http_date(expires).into();
        }
        json.to_string()
    }

    /// Reads what [`to_json`](PresignedUrl::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] when it is not that.
    pub fn from_json(json: &str) -> Result<PresignedUrl> {
        let bad = || Error::argument("`presigned_url` is not the JSON of a presigned URL");
        let value: Value = serde_json::from_str(json).map_err(|_| bad())?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let headers = value["headers"].as_object().ok_or_else(bad)?.iter();
        let headers = headers.map(|(name, value)| Some((name.clone(), text(value)?)));
        Ok(PresignedUrl {
            method: text(&value["method"]).ok_or_else(bad)?,
            url: text(&value["url"]).ok_or_else(bad)?,
            headers: headers.collect::<Option<_>>().ok_or_else(bad)?,
            expires: match value.get("expires").and_then(Value::as_str) {
                Some(date) => Some(httpdate::parse_http_date(date).map_err(|_| bad())?),
                None => None,
            },
        })
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.url.find('?').unwrap_or(self.url.len());
        f.debug_struct("PresignedUrl")
            .field("method", &self.method)
            .field("url", &format!("{}?(hidden)", &self.url[..query]))
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// Permits it to others.
    pub(crate) fn presign(self, options: &PresignOptions) -> Result<PresignedUrl> {
        self.request.check()?;
        presign(&self.engine, self.request, None, options)
    }
}

/// Signs the URL of a request that has been checked.
pub(crate) fn presign(
    engine: &Engine,
    mut request: Request,
    callback: Option<&CallbackSpec>,
    options: &PresignOptions,
) -> Result<PresignedUrl> {
    request.refuse_url()?;
    let mut expires_in = sign::whole_seconds(options.expires_in)?;
    let pair = engine.key_pair()?.ok_or_else(|| {
        Error::argument("`credentials` are anonymous: there is nobody to sign a URL")
    })?;
    let authorization = engine.authorization(&pair);
    // Credentials that end take their URLs with them.
    if let Some(end) = pair.expires {
        let left = end.duration_since(authorization.now).unwrap_or_default();
        expires_in = expires_in.min(Duration::from_secs(left.as_secs()));
        if expires_in.is_zero() {
            let message = "the credentials expire within a second";
            return Err(Error::new(ErrorKind::CredentialsFailed, message));
        }
    }
    match callback {
        Some(spec) if options.callback_in_headers => spec.add_to(&mut request),
        Some(spec) => {
            request = request.query("callback", Some(spec.callback()));
            if let Some(variables) = spec.callback_var() {
                request = request.query("callback-var", Some(variables));
            }
        }
        None => {}
    }
    let mut additional = Vec::new();
    if let Some(bytes) = options.content_length {
        if authorization.version == SignatureVersion::V1 {
            let message = "`content_length` cannot be signed with signature version 1";
            return Err(Error::argument(message));
        }
        request.set_header("Content-Length", bytes.to_string());
        additional.push("content-length".to_owned());
    }
    let expires = authorization.now + expires_in;
    authorization.presign(&mut request, expires_in, &additional)?;
    let url = engine.endpoint().url(&request);
    let headers = request.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.into_owned(), value.into_owned()));
    Ok(PresignedUrl {
        method: request.method.to_owned(),
        url,
        headers: headers.collect(),
        expires: Some(expires),
    })
}

/// The `presign` of an operation without a body or callback, on a field `operation`.
macro_rules! presign_method {
    () => {
        /// Permits this request to others, in place of sending it: see
        /// [`PresignedUrl`](crate::PresignedUrl). Its limits do not count.
        ///
        /// # Errors
        ///
        /// Every error of arguments, and
        /// [`ErrorKind::CredentialsFailed`](crate::ErrorKind::CredentialsFailed).
        pub fn presign(
            self,
            options: &crate::operations::presign::PresignOptions,
        ) -> crate::outcome::error::Result<crate::operations::presign::PresignedUrl> {
            self.operation.presign(options)
        }
    };
}

pub(crate) use presign_method;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_survives_the_way_to_another_machine_and_stays_secret() {
        let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let url = PresignedUrl {
            expires: Some(expires),
            ..PresignedUrl::new("https://host/key?x-oss-signature=geheim")
        };
        let url = url.signed_header("Content-Type", "a\"b");
        assert_eq!(PresignedUrl::from_json(&url.to_json()).unwrap(), url);
        let text = format!("{url:?}");
        assert!(
            text.contains("https://host/key?") && !text.contains("geheim"),
            "{text}"
        );
        for json in [
            "",
            "[]",
            "{}",
            "{\"method\":\"PUT\",\"url\":\"u\",\"headers\":{\"a\":1}}",
        ] {
            assert!(PresignedUrl::from_json(json).is_err(), "{json}");
        }
    }
}
