//! Which web pages may read answers: those of origins that may do everything with every bucket, and those that a bucket's
//! own rules allow.
//!
//! OSS documentation: "Options", "PutBucketCors".

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
    answer::{self, Answer, insert},
    builder::invalid_input,
    cors_rules::{CorsRule, CorsRules},
    error::OssError,
};

/// The methods that a rule can allow.
pub(crate) const METHODS: [Method; 5] = [
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

    /// The preflight of a page that may do everything.
    fn preflight(&self, request: &HeaderMap) -> Option<Answer> {
        let method = request.get(ACCESS_CONTROL_REQUEST_METHOD);
        let method =
            method.filter(|asked| METHODS.iter().any(|method| *asked == method.as_str()))?;
        let origin = request.get(ORIGIN)?;
        self.allowed(origin)?;
        let mut answer = answer::empty(StatusCode::OK);
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(asked) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        self.allow(origin, &mut answer);
        Some(answer)
    }

    /// Lets the page read the answer, whatever it is, if it may.
    ///
    /// Says whether it may.
    fn allow(&self, origin: &HeaderValue, answer: &mut Answer) -> bool {
        let Some(allowed) = self.allowed(origin) else {
            return false;
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
        true
    }
}

/// Answers a request that asks what another one may do. It is never signed.
///
/// A question that is incomplete is not allowed either (inferred).
pub(crate) fn preflight(
    everywhere: &AllowedOrigins,
    rules: Option<&CorsRules>,
    request: &HeaderMap,
) -> Result<Answer, OssError> {
    let forbidden = |message| OssError::new(StatusCode::FORBIDDEN, "AccessForbidden", message);
    if everywhere.0.is_empty() && rules.is_none() {
        let message = "CORSResponse: CORS is not enabled for this bucket.";
        return Err(forbidden(message));
    }
    if let Some(answer) = everywhere.preflight(request) {
        return Ok(answer);
    }
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    let names = text(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let names = names.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let asked = text(ORIGIN).zip(text(ACCESS_CONTROL_REQUEST_METHOD));
    let found = rules.zip(asked);
    let found = found.and_then(|(rules, (origin, method))| rules.find(origin, method, &names));
    let Some((rule, allowed)) = found else {
        return Err(forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, \
             request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by \
             the resource's CORS spec.",
        ));
    };
    let mut answer = answer::empty(StatusCode::OK);
    tell(&mut answer, rule, &allowed);
    let headers = answer.headers_mut();
    insert(headers, "access-control-allow-headers", &names.join(", "));
    if names.is_empty() {
        headers.remove(ACCESS_CONTROL_ALLOW_HEADERS);
    }
    Ok(answer)
}

/// Lets the page read the answer, whatever it is, if it may.
pub(crate) fn allow(
    everywhere: &AllowedOrigins,
    rules: Option<&CorsRules>,
    origin: Option<&HeaderValue>,
    method: &Method,
    answer: &mut Answer,
) {
    // The answer to a preflight says it already.
    let is_told = *method == Method::OPTIONS;
    if is_told || origin.is_some_and(|origin| everywhere.allow(origin, answer)) {
        return;
    }
    let text = origin.and_then(|origin| origin.to_str().ok());
    let found = rules.zip(text);
    match found.and_then(|(rules, origin)| rules.find(origin, method.as_str(), &[])) {
        Some((rule, allowed)) => tell(answer, rule, &allowed),
        None if rules.is_some_and(|rules| rules.vary) => {
            let headers = answer.headers_mut();
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        None => {}
    }
}

/// What a rule lets a page know.
fn tell(answer: &mut Answer, rule: &CorsRule, allowed: &str) {
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    insert(headers, "access-control-allow-origin", allowed);
    let methods = rule.methods.join(", ");
    insert(headers, "access-control-allow-methods", &methods);
    if !rule.exposed.is_empty() {
        let exposed = rule.exposed.join(", ");
        insert(headers, "access-control-expose-headers", &exposed);
    }
    if let Some(seconds) = rule.max_age {
        insert(headers, "access-control-max-age", &seconds.to_string());
    }
}

/// Whether `text` is `pattern`, in which one `*` stands for anything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}
