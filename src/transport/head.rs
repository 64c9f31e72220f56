//! The head of a request as ureq wants it.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::uri::{Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use super::SignedRequest;

/// OSS's own names, of which http would make a copy for each request.
static OSS_NAMES: [HeaderName; 5] = [
    HeaderName::from_static("x-oss-callback"),
    HeaderName::from_static("x-oss-callback-var"),
    HeaderName::from_static("x-oss-content-sha256"),
    HeaderName::from_static("x-oss-date"),
    HeaderName::from_static("x-oss-security-token"),
];

const MAX_DIGITS: usize = "18446744073709551615".len();

/// The head of a request; with a body of this length, or with none or one in chunks.
pub(super) fn build(
    request: SignedRequest<'_>,
    content_length: Option<u64>,
) -> http::Result<Request<()>> {
    // All values lie in one buffer, which they share. The URL has its own: a part of it lives as long as the
    // connection, and must not keep tokens and signatures alive.
    let values = request.headers.iter().map(|(_, value)| &**value);
    let len = values.clone().map(str::len).sum::<usize>();
    let mut text = String::with_capacity(len + MAX_DIGITS);
    text.extend(values);
    if let Some(len) = content_length {
        // Writing to a text does not fail.
        let _ = write!(text, "{len}");
    }
    let mut rest = Bytes::from(text);
    let url = Bytes::from(request.url.into_owned());
    let uri = Uri::from_maybe_shared(url.clone())?;

    let mut headers = HeaderMap::with_capacity(request.headers.len() + 2);
    if let (Some(scheme), Some(host)) = (uri.scheme_str(), host(&uri)) {
        let begin = scheme.len() + "://".len();
        let value = url.slice(begin..begin + host.len());
        headers.append(HOST, HeaderValue::from_maybe_shared(value)?);
    }
    for (name, value) in request.headers {
        let value = HeaderValue::from_maybe_shared(rest.split_to(value.len()))?;
        headers.append(header_name(name)?, value);
    }
    if content_length.is_some() {
        headers.append(CONTENT_LENGTH, HeaderValue::from_maybe_shared(rest)?);
    }

    let mut head = Request::builder()
        .method(request.method)
        .uri(uri)
        .body(())?;
    *head.headers_mut() = headers;
    Ok(head)
}

/// The value of the header Host: without a port that goes without saying.
fn host(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?.as_str();
    let port = if uri.scheme() == Some(&Scheme::HTTPS) {
        ":443"
    } else {
        ":80"
    };
    Some(authority.strip_suffix(port).unwrap_or(authority))
}

fn header_name(name: &str) -> http::Result<HeaderName> {
    let mut known = OSS_NAMES.iter();
    match known.find(|known| name.eq_ignore_ascii_case(known.as_str())) {
        Some(known) => Ok(known.clone()),
        None => Ok(HeaderName::from_bytes(name.as_bytes())?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_every_header_as_it_was_given() {
        for (url, host) in [
            ("http://127.0.0.1:9000/photos/a?x=1", "127.0.0.1:9000"),
            ("http://photos.example.com:80/a", "photos.example.com"),
            ("https://photos.example.com:443/a", "photos.example.com"),
            ("https://photos.example.com:80/a", "photos.example.com:80"),
            ("http://[::1]/a", "[::1]"),
            ("http://[::80]?a", "[::80]"),
        ] {
            let given = [
                ("X-OSS-Callback".into(), "e30=".into()),
                ("x-oss-meta-empty".into(), "".into()),
                ("x-oss-meta-author".into(), "王 小明".into()),
                ("User-Agent".into(), "me".into()),
            ];
            let request = || SignedRequest {
                method: "PUT",
                url: url.into(),
                headers: &given,
            };
            let head = build(request(), Some(u64::MAX)).unwrap();
            assert_eq!(
                (head.method().as_str(), head.uri()),
                ("PUT", &url.parse().unwrap())
            );
            let headers: Vec<(&str, &[u8])> = head
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect();
            let expected: [(&str, &[u8]); 6] = [
                ("host", host.as_bytes()),
                ("x-oss-callback", b"e30="),
                ("x-oss-meta-empty", b""),
                ("x-oss-meta-author", "王 小明".as_bytes()),
                ("user-agent", b"me"),
                ("content-length", b"18446744073709551615"),
            ];
            assert_eq!(headers, expected);
            let chunked = build(request(), None).unwrap();
            assert!(!chunked.headers().contains_key(CONTENT_LENGTH));
        }
    }
}
