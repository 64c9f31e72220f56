//! The server, and how the URLs of its buckets and objects are written. Pure.
//!
//! OSS documentation: "Regions and endpoints", "Access OSS resources through custom domain names".

use std::fmt::{self, Write};
use std::net::IpAddr;

use super::Request;
use crate::base::authority::port_of;
use crate::base::host_name::{ends_in_a_number, is_host_name};
use crate::base::percent;
use crate::outcome::error::{Error, Result};

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
        match OssHost::of(&self.host) {
            Some(OssHost {
                before: Some(bucket),
                ..
            }) if self.style == Style::VirtualHost => Err(Error::argument(format!(
                "`endpoint` {text:?} names the bucket {bucket:?}: leave it out, each operation \
                 takes the bucket as an argument"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether requests go over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// The region with which version 4 signs at an endpoint of OSS's own, if its name says it.
    pub(crate) fn region(&self) -> Option<&str> {
        OssHost::of(&self.host)?.region
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

/// A host of OSS's own, by its name (OSS documentation, "Regions and endpoints"; `tests/vectors/endpoints.json` has the
/// list).
struct OssHost<'a> {
    /// A bucket, in front of the endpoint's name.
    before: Option<&'a str>,
    /// `None` where any region is served.
    region: Option<&'a str>,
}

impl<'a> OssHost<'a> {
    fn of(host: &'a str) -> Option<OssHost<'a>> {
        let name = host.strip_suffix(".aliyuncs.com")?;
        let cut = |text: &'a str| match text.rsplit_once('.') {
            Some((before, last)) => (Some(before), last),
            None => (None, text),
        };
        let (before, last) = cut(name);
        let (before, region) = match (last, before) {
            // Dual stack: cn-hangzhou.oss.
            ("oss", Some(rest)) => {
                let (before, region) = cut(rest);
                (before, region_of(region))
            }
            // An accelerator, of a region or of a zone in it: cn-hangzhou-j-internal.oss-data-acc.
            ("oss-data-acc", Some(rest)) => {
                let (before, zone) = cut(rest);
                let zone = zone.strip_suffix("-internal").unwrap_or(zone);
                (before, region_of_zone(zone))
            }
            (last, before) => {
                let name = last.strip_prefix("oss-")?;
                let name = name.strip_suffix("-internal").unwrap_or(name);
                (before, region_of(name))
            }
        };
        Some(OssHost { before, region })
    }
}

/// The region that an endpoint's name stands for: itself, but for transfer acceleration, which serves all regions, and some
/// of the finance cloud.
fn region_of(name: &str) -> Option<&str> {
    match name {
        "" | "accelerate" | "accelerate-overseas" => None,
        "cn-hzjbp-a" | "cn-hzjbp-b" | "cn-hzfinance" => Some("cn-hangzhou-finance"),
        "cn-szfinance" | "cn-shenzhen-finance" => Some("cn-shenzhen-finance-1"),
        "cn-shanghai-finance" => Some("cn-shanghai-finance-1"),
        // The finance cloud's endpoints that the internet reaches.
        name => Some(name.strip_suffix("-pub").unwrap_or(name)),
    }
}

/// `cn-hangzhou` of `cn-hangzhou-j`, and `ap-southeast-1` of `ap-southeast-1c`.
fn region_of_zone(zone: &str) -> Option<&str> {
    let letter = |c: char| c.is_ascii_lowercase();
    let region = match zone.strip_suffix(letter) {
        Some(rest) if rest.ends_with('-') => rest.trim_end_matches('-'),
        Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit()) => rest,
        _ => zone,
    };
    region_of(region)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
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
    fn each_endpoint_of_the_documentation_has_its_region_and_names_no_bucket() {
        crate::vectors::each("endpoints.json", |row| {
            let host = row["endpoint"].as_str().unwrap();
            for text in [
                host.to_owned(),
                format!("http://{host}:8080"),
                host.to_uppercase(),
            ] {
                let endpoint =
                    Endpoint::parse(&text, false, false).unwrap_or_else(|e| panic!("{text}: {e}"));
                assert_eq!(endpoint.region(), row["region"].as_str(), "{text}");
            }
            // With a bucket before it, it is no endpoint.
            let error = Endpoint::parse(&format!("examplebucket.{host}"), false, false);
            let error = error.map(drop).unwrap_err().to_string();
            assert!(error.contains("the bucket \"examplebucket\""), "{error}");
        });
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
}
