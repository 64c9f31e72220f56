//! A callback as the application server receives it.

use std::fmt;

/// Of a target, and of a header that is looked at. A whole callback has at most 5 KB, its URL included; what a
/// proxy encodes anew may be three times as long. Without this limit strangers would decide how much is copied.
pub(super) const MAX_FIELD_LEN: usize = 16 * 1024;

/// A request as it came to the application server, before anything has decoded it.
///
/// ```
/// use oss_callback::callback::CallbackRequest;
///
/// let request = CallbackRequest::new("POST", "/callback?id=1", b"bucket=examplebucket")
///     .header("Authorization", "…")
///     .header("x-oss-pub-key-url", "…");
/// ```
#[derive(Clone)]
#[must_use]
pub struct CallbackRequest<'a> {
    method: &'a str,
    target: &'a [u8],
    headers: Vec<(&'a str, &'a [u8])>,
    body: &'a [u8],
}

impl<'a> CallbackRequest<'a> {
    /// `target` is path and query as they stand in the request line, not decoded; `body` the bytes of the
    /// body, not parsed.
    pub fn new(
        method: &'a str,
        target: &'a (impl AsRef<[u8]> + ?Sized),
        body: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> CallbackRequest<'a> {
        CallbackRequest {
            method,
            target: target.as_ref(),
            headers: Vec::new(),
            body: body.as_ref(),
        }
    }

    /// Adds a header; names compare without case, and of several with one name the first counts.
    pub fn header(mut self, name: &'a str, value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.headers.push((name, value.as_ref()));
        self
    }

    /// Adds many headers. Only `Authorization`, `x-oss-pub-key-url`, `Content-Type` and what proxies add
    /// are looked at.
    pub fn headers<V: AsRef<[u8]> + ?Sized + 'a>(
        mut self,
        headers: impl IntoIterator<Item = (&'a str, &'a V)>,
    ) -> Self {
        let headers = headers.into_iter();
        self.headers
            .extend(headers.map(|(name, value)| (name, value.as_ref())));
        self
    }

    pub(super) fn method(&self) -> &'a str {
        self.method
    }

    pub(super) fn target(&self) -> &'a [u8] {
        self.target
    }

    pub(super) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The first value of a header.
    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    /// The same, unless it is longer than any that a callback or a proxy has.
    pub(super) fn get_short(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name).filter(|value| value.len() <= MAX_FIELD_LEN)
    }
}

impl fmt::Debug for CallbackRequest<'_> {
    /// Without headers, query and body, in which secrets stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackRequest")
            .field("method", &self.method)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}
