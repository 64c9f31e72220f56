//! What a request is about and what it carries, before it is signed. Pure.
//!
//! The rules for names are those of OSS's documentation, "Bucket naming" and "Object naming".

pub(crate) mod content_type;
pub(crate) mod endpoint;
pub(crate) mod object_headers;

use std::borrow::Cow;

use crate::base::authority::port_of;
use crate::base::percent;
use crate::outcome::error::{Error, Result};

/// What OSS takes in the body of one request (OSS documentation, "PutObject", "PostObject", "UploadPart"): 5 GiB.
pub(crate) const MAX_BODY_LEN: u64 = 5 * 1024 * 1024 * 1024;

/// All request headers together; well above what OSS accepts, well below the transport's buffer, in
/// which the whole head must find room.
const MAX_HEADERS_LEN: usize = 64 * 1024;

/// Request headers in number: more than 8 KiB of user metadata can be. Tens of thousands of tiny ones would
/// not find room in the transport's buffer.
const MAX_HEADERS: usize = 1000;

/// User metadata, names and values together (OSS documentation, "PutObject").
const MAX_METADATA_LEN: usize = 8 * 1024;

/// A header of a request: what is known beforehand, or kept by somebody else, is not copied.
pub(crate) type Header<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Sets a header; a later value replaces an earlier one.
pub(crate) fn set_header<'a>(
    headers: &mut Vec<Header<'a>>,
    name: impl Into<Cow<'a, str>>,
    value: impl Into<Cow<'a, str>>,
) {
    let (name, value) = (name.into(), value.into());
    headers.retain(|(n, _)| !n.eq_ignore_ascii_case(&name));
    headers.push((name, value));
}

/// An operation on one object, or on a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) bucket: String,
    /// Empty for an operation on the bucket.
    pub(crate) key: String,
    on_bucket: bool,
    /// In place of all that: a URL of somebody else's, who has signed it if need be.
    pub(crate) url: Option<String>,
    pub(crate) query: Vec<(String, Option<String>)>,
    /// Names as the caller wrote them, each once.
    pub(crate) headers: Vec<Header<'static>>,
}

impl Request {
    pub(crate) fn new(method: &'static str, bucket: &str, key: &str) -> Request {
        Request {
            method,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            on_bucket: false,
            url: None,
            query: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn on_bucket(method: &'static str, bucket: &str) -> Request {
        Request {
            on_bucket: true,
            ..Request::new(method, bucket, "")
        }
    }

    /// To a URL that is sent as it stands.
    pub(crate) fn to_url(method: &'static str, url: &str) -> Request {
        Request {
            url: Some(url.to_owned()),
            ..Request::new(method, "", "")
        }
    }

    /// Refuses a URL of somebody else's, which permits nothing but itself.
    pub(crate) fn refuse_url(&self) -> Result<()> {
        match self.url {
            None => Ok(()),
            Some(_) => Err(Error::argument(
                "`url` permits one request: put the object with it",
            )),
        }
    }

    /// Whether OSS is asked for a callback by it, in a header or in the URL.
    pub(crate) fn asks_for_a_callback(&self) -> bool {
        let names = |name: &str| {
            self.url
                .as_deref()
                .is_some_and(|url| names_parameter(url, name))
        };
        self.header("x-oss-callback").is_some() || names("callback")
    }

    /// Adds a parameter of the query.
    pub(crate) fn query(mut self, name: &str, value: Option<&str>) -> Request {
        self.query.push((name.to_owned(), value.map(str::to_owned)));
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    /// Sets a header; a later value replaces an earlier one.
    pub(crate) fn set_header(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        set_header(&mut self.headers, name, value);
    }

    /// Refuses names and headers that OSS refuses, or that cannot be sent as they are.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.url {
            Some(url) => check_url(url)?,
            None => {
                check_bucket(&self.bucket)?;
                if !self.on_bucket {
                    check_object(&self.key)?;
                }
            }
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(Error::argument(format!(
                "the request has {} headers: at most {MAX_HEADERS} can be sent",
                self.headers.len()
            )));
        }
        for (name, value) in &self.headers {
            check_header(name, value)?;
        }
        let len = |headers: &mut dyn Iterator<Item = &Header<'_>>| -> usize {
            headers.map(|(name, value)| name.len() + value.len()).sum()
        };
        let metadata = len(&mut self.headers.iter().filter(|(name, _)| is_metadata(name)));
        if metadata > MAX_METADATA_LEN {
            return Err(Error::argument(format!(
                "`metadata` has {metadata} bytes, names included: OSS takes at most \
                 {MAX_METADATA_LEN}"
            )));
        }
        let all = len(&mut self.headers.iter());
        if all > MAX_HEADERS_LEN {
            return Err(Error::argument(format!(
                "the request's headers have {all} bytes: at most {MAX_HEADERS_LEN} can be sent"
            )));
        }
        Ok(())
    }
}

/// Whether the query of a URL has a parameter of this name.
pub(crate) fn names_parameter(url: &str, name: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut names = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default());
    names.any(|raw| percent::decode(raw).is_some_and(|decoded| decoded == name))
}

/// The URL is not repeated in errors: it is as good as a password.
fn check_url(url: &str) -> Result<()> {
    let bad = |problem: &str| Err(Error::argument(format!("`url` {problem}")));
    let Ok(uri) = url.parse::<http::Uri>() else {
        return bad("is not a URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return bad("begins with neither http:// nor https://");
    }
    match uri.authority() {
        None => bad("has no host"),
        Some(authority) if authority.as_str().contains('@') => bad("holds a user name"),
        Some(_) if url.contains('#') => bad("has a fragment"),
        Some(authority) => match port_of(authority) {
            Err(problem) => bad(problem),
            Ok(_) => Ok(()),
        },
    }
}

fn is_metadata(name: &str) -> bool {
    const PREFIX: &str = "x-oss-meta-";
    name.get(..PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
}

fn check_bucket(bucket: &str) -> Result<()> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let problem = if bucket.is_empty() {
        "is empty"
    } else if !(3..=63).contains(&bucket.len()) {
        "is not 3 to 63 characters long"
    } else if !bucket.bytes().all(allowed) {
        "holds something other than lower-case letters, digits and hyphens"
    } else if bucket.starts_with('-') || bucket.ends_with('-') {
        "begins or ends with a hyphen"
    } else {
        return Ok(());
    };
    Err(Error::argument(format!("`bucket` {bucket:?} {problem}")))
}

fn check_object(key: &str) -> Result<()> {
    let problem = if key.is_empty() {
        "is empty"
    } else if key.len() > 1023 {
        return Err(Error::argument(format!(
            "`object` has {} bytes of UTF-8: OSS takes at most 1023",
            key.len()
        )));
    } else if key.starts_with(['/', '\\']) {
        "begins with a slash"
    } else {
        return Ok(());
    };
    Err(Error::argument(format!("`object` {key:?} {problem}")))
}

fn check_header(name: &str, value: &str) -> Result<()> {
    if !is_header_name(name) {
        return Err(Error::argument(format!(
            "header name {name:?} is not a name of HTTP"
        )));
    }
    if is_metadata(name)
        && !name["x-oss-meta-".len()..]
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        return Err(Error::argument(format!(
            "metadata name {:?} holds something other than letters, digits and hyphens",
            &name["x-oss-meta-".len()..]
        )));
    }
    // The value is not repeated: it may be somebody's secret.
    if !is_header_value(value) {
        return Err(Error::argument(format!(
            "header {name} has a value with a control character"
        )));
    }
    Ok(())
}

/// Whether it is a token (RFC 9110) that http can hold; asking http would copy it.
fn is_header_name(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..1 << 16).contains(&name.len()) && name.bytes().all(is_token)
}

/// Whether http can hold it.
fn is_header_value(value: &str) -> bool {
    value.bytes().all(|b| b == b'\t' || !b.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_name_is_refused_with_its_fault() {
        let check = |bucket: &str, key: &str| {
            Request::new("PUT", bucket, key)
                .check()
                .map_err(|e| e.to_string())
        };
        assert_eq!(check("photos", &"k".repeat(1023)), Ok(()));
        for (bucket, key, fault) in [
            ("", "a", "`bucket` \"\" is empty"),
            ("ab", "a", "3 to 63"),
            ("Photos", "a", "lower-case"),
            ("photos.", "a", "lower-case"),
            ("-photos", "a", "hyphen"),
            ("photos", "", "`object` \"\" is empty"),
            ("photos", "/a", "begins with a slash"),
            ("photos", "\\a", "begins with a slash"),
            ("photos", &"k".repeat(1024), "1023"),
        ] {
            let error = check(bucket, key).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }

    #[test]
    fn names_and_values_are_those_that_http_takes() {
        for character in (0..=0x100).filter_map(char::from_u32) {
            for text in [format!("{character}"), format!("a{character}b")] {
                let name = http::HeaderName::from_bytes(text.as_bytes());
                // http takes a quotation mark, too.
                let is_name = name.is_ok() && character != '"';
                assert_eq!(is_header_name(&text), is_name, "{text:?}");
                let value = http::HeaderValue::from_bytes(text.as_bytes());
                assert_eq!(is_header_value(&text), value.is_ok(), "{text:?}");
            }
        }
        assert!(!is_header_name("") && is_header_value(""));
        for len in [0xFFFF, 0x1_0000] {
            let name = "a".repeat(len);
            let taken = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
            assert_eq!(is_header_name(&name), taken, "{len}");
        }
    }

    #[test]
    fn a_bad_header_is_refused_and_its_value_kept_out_of_the_message() {
        let check = |name: &str, value: &str| {
            let mut request = Request::new("PUT", "photos", "a");
            request.set_header(name.to_owned(), value.to_owned());
            request.check().map_err(|e| e.to_string())
        };
        assert_eq!(check("x-oss-meta-author", "王 小明"), Ok(()));
        assert!(check("bad name", "v").unwrap_err().contains("bad name"));
        assert!(check("x-oss-meta-a_b", "v").unwrap_err().contains("a_b"));
        let split = check("x-oss-tagging", "secret\r\nx: y").unwrap_err();
        assert!(
            split.contains("x-oss-tagging") && !split.contains("secret"),
            "{split}"
        );
        assert!(
            check("x-oss-meta-a", &"v".repeat(8192))
                .unwrap_err()
                .contains("`metadata`")
        );
        assert!(
            check("x-a", &"v".repeat(70_000))
                .unwrap_err()
                .contains("65536")
        );
    }
}
