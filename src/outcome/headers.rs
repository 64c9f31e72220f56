//! Response headers as they came.

use http::{HeaderMap, HeaderValue};

/// The headers of an answer, in their order. Names compare without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    pub(crate) fn new(headers: HeaderMap) -> Headers {
        Headers(headers)
    }

    #[cfg(test)]
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.0.append(name, HeaderValue::from_bytes(value).unwrap());
    }

    /// The first value of a header. HTTP allows any bytes but control characters in it.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(HeaderValue::as_bytes)
    }

    /// All headers, in the order in which they came; names in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.0.iter();
        headers.map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// The first value of a header, if it is UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }
}
