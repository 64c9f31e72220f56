//! Where a request goes and what it carries, before it is signed. Pure.
//!
//! OSS documentation: "Regions and endpoints", "Access OSS resources through custom domain names"; the
//! rules for names are those of "Bucket naming" and "Object naming".

pub(crate) mod content_type;
pub(crate) mod object_headers;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::IpAddr;

use crate::base::authority::port_of;
use crate::base::host_name::{ends_in_a_number, is_host_name};
use crate::base::percent;
use crate::outcome::error::{Error, Result};

/// All request headers together; well above what OSS accepts, well below the transport's buffer, in
/// which the whole head must find room.
const MAX_HEADERS_LEN: usize = 64 * 1024;

/// Request headers in number: more than 8 KiB of user metadata can be. Tens of thousands of tiny ones would
/// not find room in the transport's buffer.
const MAX_HEADERS: usize = 1000;

/// User metadata, names and values together (OSS documentation, "PutObject").
const MAX_METADATA_LEN: usize = 8 * 1024;

/// How a bucket stands in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    VirtualHost,
    CustomDomain,
    Path,
}

/// The server, and how buckets are named in its URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    /// An IPv6 address stands in brackets here.
    host: String,
    port: Option<u16>,
    style: Style,
}

impl Endpoint {
    pub(crate) fn parse(text: &str, cname: bool, path_style: bool) -> Result<Endpoint> {
        let bad = |problem: &str| Error::argument(format!("`endpoint` {text:?} {problem}"));
        if text.is_empty() {
            return Err(Error::argument("`endpoint` is empty"));
        }
        if text.contains('@') {
            // Not repeated in the message: what stands before the @ may be a password.
            return Err(Error::argument("`endpoint` holds a user name"));
        }
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let uri: http::Uri = with_scheme
            .parse()
            .map_err(|e| bad(&format!("is not a URL: {e}")))?;
        let scheme = match uri.scheme_str() {
            Some("http") => "http",
            Some("https") => "https",
            _ => return Err(bad("begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(bad("has a path: only scheme, host and port are allowed"));
        }
        let host = authority.host().to_ascii_lowercase();
        let port = port_of(authority).map_err(bad)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let is_address = literal.parse::<IpAddr>().is_ok();
        if !is_address && (!is_host_name(&host) || ends_in_a_number(&host)) {
            return Err(bad("has no valid host name"));
        }
        // An address cannot carry the bucket as a label, so path style wins over everything there, as
        // in the official SDKs.
        let style = if is_address || path_style {
            Style::Path
        } else if cname {
            Style::CustomDomain
        } else {
            Style::VirtualHost
        };
        let endpoint = Endpoint {
            scheme,
            host,
            port,
            style,
        };
        endpoint.refuse_a_bucket_in_the_host(text)?;
        Ok(endpoint)
    }

    /// `https://examplebucket.oss-cn-hangzhou.aliyuncs.com` is the address of a bucket; as an endpoint
    /// it would name the bucket twice, and OSS would answer that it does not exist.
    fn refuse_a_bucket_in_the_host(&self, text: &str) -> Result<()> {
        let labels: Vec<&str> = self.host.split('.').collect();
        match labels[..] {
            [bucket, service, "aliyuncs", "com"]
                if service.starts_with("oss-") && self.style == Style::VirtualHost =>
            {
                Err(Error::argument(format!(
                    "`endpoint` {text:?} names the bucket {bucket:?}: leave it out, each operation \
                     takes the bucket as an argument"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether requests go over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// The region in a standard endpoint's name.
    pub(crate) fn region(&self) -> Option<&str> {
        let name = self.host.strip_suffix(".aliyuncs.com")?;
        let region = match name.strip_suffix(".oss") {
            Some(dual_stack) => dual_stack,
            None => {
                let name = name.strip_prefix("oss-")?;
                name.strip_suffix("-internal").unwrap_or(name)
            }
        };
        let is_region = !region.contains('.') && !region.starts_with("accelerate");
        Some(region).filter(|region| is_region && !region.is_empty())
    }

    /// The URL of an object, path and query encoded. The path is sent as it stands here.
    pub(crate) fn url(&self, request: &Request) -> String {
        let (host, bucket) = (self.host.as_str(), request.bucket.as_str());
        // Enough for a key in which nothing has to be encoded.
        let len = host.len() + bucket.len() + request.key.len();
        let mut url = String::with_capacity(len + "https://./:65535/".len());
        url.extend([self.scheme, "://"]);
        if self.style == Style::VirtualHost {
            url.extend([bucket, "."]);
        }
        url.push_str(host);
        if let Some(port) = self.port {
            // Writing to a text does not fail.
            let _ = write!(url, ":{port}");
        }
        url.push('/');
        if self.style == Style::Path {
            url.extend([bucket, "/"]);
        }
        url.extend(percent::path(&request.key));
        for (index, (name, value)) in request.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend(percent::query(name));
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                url.push('=');
                url.extend(percent::query(value));
            }
        }
        url
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

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

    /// Refuses a URL of somebody else's, for what takes more than one request.
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

    pub(crate) fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
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

    fn url(endpoint: &str, cname: bool, path_style: bool, key: &str) -> String {
        let endpoint = Endpoint::parse(endpoint, cname, path_style).unwrap();
        endpoint.url(&Request::new("PUT", "photos", key))
    }

    #[test]
    fn the_bucket_stands_where_the_endpoint_wants_it() {
        let standard = "https://oss-cn-hangzhou.aliyuncs.com";
        for (endpoint, cname, path_style, expected) in [
            (
                standard,
                false,
                false,
                "https://photos.oss-cn-hangzhou.aliyuncs.com/a.jpg",
            ),
            (
                standard,
                false,
                true,
                "https://oss-cn-hangzhou.aliyuncs.com/photos/a.jpg",
            ),
            (
                "oss-cn-hangzhou.aliyuncs.com",
                false,
                false,
                "https://photos.oss-cn-hangzhou.aliyuncs.com/a.jpg",
            ),
            (
                "http://img.example.com",
                true,
                false,
                "http://img.example.com/a.jpg",
            ),
            (
                "http://img.example.com:8080/",
                true,
                false,
                "http://img.example.com:8080/a.jpg",
            ),
            (
                "127.0.0.1:9000",
                true,
                false,
                "https://127.0.0.1:9000/photos/a.jpg",
            ),
            (
                "http://[::1]:9000",
                false,
                false,
                "http://[::1]:9000/photos/a.jpg",
            ),
            (
                "http://localhost:9000",
                false,
                true,
                "http://localhost:9000/photos/a.jpg",
            ),
            (
                "http://localhost:9000",
                false,
                false,
                "http://photos.localhost:9000/a.jpg",
            ),
        ] {
            assert_eq!(url(endpoint, cname, path_style, "a.jpg"), expected);
        }
    }

    #[test]
    fn keys_and_queries_are_encoded_and_never_normalised() {
        assert_eq!(
            url("http://127.0.0.1", false, false, "a//b/../c d+e%2F?#目.jpg"),
            "http://127.0.0.1/photos/a//b/../c%20d%2Be%252F%3F%23%E7%9B%AE.jpg"
        );
        let mut request = Request::new("GET", "photos", "a");
        request.query = vec![
            ("uploads".to_owned(), None),
            ("uploadId".to_owned(), Some("a/b=".to_owned())),
            ("x".to_owned(), Some(String::new())),
        ];
        assert_eq!(
            Endpoint::parse("http://127.0.0.1", false, false)
                .unwrap()
                .url(&request),
            "http://127.0.0.1/photos/a?uploads&uploadId=a%2Fb%3D&x"
        );
    }

    #[test]
    fn the_region_is_read_from_standard_endpoints_only() {
        for (endpoint, region) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            (
                "https://oss-cn-hangzhou-internal.aliyuncs.com",
                Some("cn-hangzhou"),
            ),
            ("cn-hangzhou.oss.aliyuncs.com", Some("cn-hangzhou")),
            ("OSS-AP-SOUTHEAST-1.aliyuncs.com", Some("ap-southeast-1")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("oss.aliyuncs.com", None),
            ("oss-cn-hangzhou.example.com", None),
            ("127.0.0.1", None),
        ] {
            let parsed = Endpoint::parse(endpoint, false, false).unwrap();
            assert_eq!(parsed.region(), region, "{endpoint}");
        }
    }

    #[test]
    fn a_bad_endpoint_is_refused_with_its_fault() {
        for (endpoint, fault) in [
            ("", "is empty"),
            (
                "ftp://oss-cn-hangzhou.aliyuncs.com",
                "neither http:// nor https://",
            ),
            ("http://oss-cn-hangzhou.aliyuncs.com/bucket", "has a path"),
            ("http://oss-cn-hangzhou.aliyuncs.com?x=1", "has a path"),
            ("http://host:0", "has a port"),
            ("http://host:65536", "port"),
            ("http://a..b", "no valid host name"),
            // Addresses to some resolvers, and to browsers.
            ("http://127.1", "no valid host name"),
            ("9000", "no valid host name"),
            ("http://a.0x7F", "no valid host name"),
            (
                "http://a.example.com:+80",
                "a port that is not in 1 to 65535",
            ),
            ("http://ho st", "is not a URL"),
            ("https://", "is not a URL"),
            (
                "http://examplebucket.oss-cn-hangzhou.aliyuncs.com",
                "names the bucket",
            ),
        ] {
            let error = Endpoint::parse(endpoint, false, false)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("`endpoint`") && error.contains(fault),
                "{endpoint}: {error}"
            );
        }
        for endpoint in [
            "http://me:password@host",
            "ftp://me:password@host",
            "me:pass word@host",
        ] {
            let error = Endpoint::parse(endpoint, false, false)
                .unwrap_err()
                .to_string();
            assert_eq!(error, "`endpoint` holds a user name");
        }
    }

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
