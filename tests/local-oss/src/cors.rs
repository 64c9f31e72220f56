//! Which web pages may read answers: what a bucket's CORS rule says at OSS.
//!
//! OSS documentation: "Options", "PutBucketCors". The rule here names the origins; it allows every method that a rule can name
//! and every header.

use std::io;

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
        ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
    },
};

use crate::{
    answer::{self, Answer},
    builder::invalid_input,
    error::OssError,
};

/// The methods that a rule can allow.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::HEAD,
];

/// What a script sees besides the few headers that browsers always show it.
const EXPOSED: &str = "ETag, Content-MD5, Content-Range, Date, Location, x-oss-ec, x-oss-err, x-oss-hash-crc64ecma, \
                       x-oss-object-type, x-oss-request-id, x-oss-server-time, x-oss-storage-class, x-oss-version-id";

/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("60");

/// The origins that are allowed; none at first.
#[derive(Debug, Default)]
pub(crate) struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    pub(crate) fn add(&mut self, origin: String) {
        self.0.push(origin);
    }

    /// An origin with a path, or without a scheme, would be none that a browser ever sends.
    pub(crate) fn check(&self) -> io::Result<()> {
        let is_origin = |text: &str| {
            let host = text.split_once("://").map(|(_, host)| host);
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']))
                && text.matches('*').count() <= 1
                && HeaderValue::from_str(text).is_ok()
        };
        match self.0.iter().find(|text| *text != "*" && !is_origin(text)) {
            Some(text) => Err(invalid_input(format!(
                "`{text}` is no origin: * or SCHEME://HOST[:PORT], in which one * is allowed"
            ))),
            None => Ok(()),
        }
    }

    /// What the page is told that it is allowed as: its origin, or `*`.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        let text = origin.to_str().ok()?;
        let pattern = self.0.iter().find(|pattern| matches(pattern, text))?;
        Some(match pattern.as_str() {
            "*" => HeaderValue::from_static("*"),
            _ => origin.clone(),
        })
    }

    /// Answers a request that asks what another one may do. It is never signed.
    ///
    /// A question that is incomplete is not allowed either (inferred).
    pub(crate) fn preflight(&self, request: &HeaderMap) -> Result<Answer, OssError> {
        let forbidden = |message| OssError::new(StatusCode::FORBIDDEN, "AccessForbidden", message);
        if self.0.is_empty() {
            let message = "CORSResponse: CORS is not enabled for this bucket.";
            return Err(forbidden(message));
        }
        let method = request.get(ACCESS_CONTROL_REQUEST_METHOD);
        let method = method.filter(|asked| METHODS.iter().any(|method| *asked == method.as_str()));
        let origin = request.get(ORIGIN).and_then(|origin| self.allowed(origin));
        let (Some(method), Some(_)) = (method, origin) else {
            return Err(forbidden(
                "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, \
                 request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by \
                 the resource's CORS spec.",
            ));
        };
        let mut answer = answer::empty(StatusCode::OK);
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(asked) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Ok(answer)
    }

    /// Lets the page read the answer, whatever it is, if it may.
    pub(crate) fn allow(&self, origin: &HeaderValue, answer: &mut Answer) {
        let Some(allowed) = self.allowed(origin) else {
            return;
        };
        let headers = answer.headers_mut();
        if allowed != "*" {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
}

/// Whether `text` is `pattern`, in which one `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}
