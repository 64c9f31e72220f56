//! What the application server answers. Pure.

use serde_core::Deserialize;
use serde_core::de::IgnoredAny;

use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// OSS's documentation says 1 MB in one place and 3 MB in another.
const MAX_LEN: usize = 1_000_000;

/// An answer to a callback. OSS takes no other than status 200 with Content-Length and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    body: Vec<u8>,
}

/// An answer that OSS accepts and hands to the uploader: 200 with this JSON.
///
/// ```
/// let reply = oss_callback::callback::reply_ok(r#"{"Status":"OK"}"#)?;
/// assert_eq!(reply.status(), 200);
/// assert_eq!(reply.headers()[1], ("Content-Length", "15".to_owned()));
/// # Ok::<(), oss_callback::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::InvalidArgument`] when `json` is not JSON, begins with a byte order mark, or is longer than
/// 1 MB: OSS would tell the uploader that the callback failed.
pub fn reply_ok(json: impl Into<Vec<u8>>) -> Result<Reply> {
    let body = json.into();
    let problem = if body.len() > MAX_LEN {
        "is longer than 1 MB".to_owned()
    } else if body.starts_with(b"\xef\xbb\xbf") {
        "begins with a byte order mark".to_owned()
    } else {
        let mut reader = serde_json::Deserializer::from_slice(&body);
        match IgnoredAny::deserialize(&mut reader).and_then(|_| reader.end()) {
            Ok(()) => return Ok(Reply { status: 200, body }),
            Err(e) => format!("is not JSON: {e}"),
        }
    };
    Err(Error::argument(format!(
        "`json` {problem}, which OSS does not accept as an answer"
    )))
}

/// An answer that refuses a request, with a status that goes with the error and no word of its reason: 405,
/// 413, 400 for a body that cannot be read, 403 for what is not OSS's or not permitted, and 503 where that
/// is not known.
pub fn reply_refused(error: &Error) -> Reply {
    let status = match error.kind() {
        ErrorKind::WrongMethod => 405,
        ErrorKind::BodyTooLarge => 413,
        ErrorKind::BadBody => 400,
        ErrorKind::MissingAuthorization
        | ErrorKind::MissingPubKeyUrl
        | ErrorKind::BadPubKeyUrl
        | ErrorKind::BadSignatureEncoding
        | ErrorKind::BadSignature
        | ErrorKind::SealMissing
        | ErrorKind::UnknownSealKey
        | ErrorKind::BadSeal
        | ErrorKind::SealExpired
        | ErrorKind::SealViolated
        | ErrorKind::NotConfirmed => 403,
        // No key, a full guard, a network that fails: a later request may be another matter.
        _ => 503,
    };
    Reply {
        status,
        body: format!("{{\"status\":{status}}}").into_bytes(),
    }
}

impl Reply {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Content-Type and Content-Length.
    pub fn headers(&self) -> [(&'static str, String); 2] {
        [
            ("Content-Type", self.content_type().to_owned()),
            ("Content-Length", self.body.len().to_string()),
        ]
    }

    /// `application/json`.
    pub fn content_type(&self) -> &'static str {
        "application/json"
    }

    /// The JSON.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The whole answer as it goes over the wire, for servers that write to a socket: HTTP/1.1, and the
    /// connection is to be closed after it.
    pub fn to_http(&self) -> Vec<u8> {
        let reason = if self.status == 200 { "OK" } else { "Refused" };
        let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", self.status).into_bytes();
        for (name, value) in self.headers() {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"Connection: close\r\n\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_any_kind_is_an_answer() {
        for json in ["{}", "[1]", "\"a\"", "null", " {\"a\":1}\n"] {
            let reply = reply_ok(json).unwrap();
            assert_eq!((reply.status(), reply.body()), (200, json.as_bytes()));
            let http = String::from_utf8(reply.to_http()).unwrap();
            let expected = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{json}",
                json.len()
            );
            assert_eq!(http, expected);
        }
    }

    #[test]
    fn what_oss_would_not_accept_is_no_answer() {
        let long = format!("\"{}\"", "a".repeat(MAX_LEN - 1));
        for json in ["", " ", "OK", "{", "{} {}", "\u{feff}{}", &long] {
            let error = reply_ok(json).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        }
        assert!(reply_ok("\"\u{feff}\"").is_ok());
    }
}
