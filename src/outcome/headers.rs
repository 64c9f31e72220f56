//! Response headers as they came.

use http::{HeaderMap, HeaderValue};

/// Names by which crates below decide what becomes of a body, and what the transport puts in their place, so that they do
/// not: of the same length, in characters that HTTP allows, and nobody's own.
pub(crate) const HIDDEN: [(&str, &str); 3] = [
    ("content-encoding", "!ontent-encoding"),
    ("content-type", "!ontent-type"),
    ("set-cookie", "!et-cookie"),
];

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
        let hidden = || {
            let mut pairs = HIDDEN.iter();
            let (_, hidden) = pairs.find(|(shown, _)| shown.eq_ignore_ascii_case(name))?;
            self.0.get(*hidden)
        };
        let value = self.0.get(name).or_else(hidden);
        value.map(HeaderValue::as_bytes)
    }

    /// All headers, in the order in which they came; names in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let headers = self.0.iter();
        headers.map(|(name, value)| {
            let name = name.as_str();
            let pair = HIDDEN.iter().find(|(_, hidden)| *hidden == name);
            (pair.map_or(name, |(shown, _)| *shown), value.as_bytes())
        })
    }

    /// The first value of a header, if it is UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_there_under_its_name_and_in_its_place() {
        let mut headers = Headers::default();
        for (name, value) in [
            ("a", "1"),
            ("!ontent-type", "2"),
            ("!et-cookie", "3"),
            ("!et-cookie", "4"),
            ("b", "5"),
        ] {
            headers.push(name, value.as_bytes());
        }
        assert_eq!(headers.get("Content-TYPE"), Some(&b"2"[..]));
        assert_eq!(headers.text("set-cookie"), Some("3"));
        assert_eq!(headers.get("content-encoding"), None);
        let all: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(all, ["a", "content-type", "set-cookie", "set-cookie", "b"]);
    }
}
