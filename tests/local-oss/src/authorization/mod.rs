//! Who sent the request, and is it what they signed?

mod post_form;
mod v1;
mod v4;

use std::time::{Duration, SystemTime};

use hyper::{HeaderMap, StatusCode, header::HeaderName};

pub(crate) use post_form::{
    CONDITIONS_OF_VERSION_4, FormSignature, SIGNATURE_FIELDS, authorize_form, missing_field,
};
pub(crate) use v1::SUB_RESOURCES;

use crate::{error::OssError, query::Query, timestamp::timestamp};

/// The clock of a request may be this far from the server's (OSS documentation, RequestTimeTooSkewed).
const LARGEST_SKEW: Duration = Duration::from_secs(15 * 60);

/// Query parameters that sign a URL and look like sub-resources.
pub(crate) const SIGNATURE_PARAMETERS: [&str; 8] = [
    "security-token",
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];

/// An access key that the server knows.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: String,
    /// Present for temporary credentials (STS).
    pub(crate) security_token: Option<String>,
    /// From then on requests are refused. `None` for never.
    pub(crate) expiry: Option<SystemTime>,
}

/// The part of a request that signatures cover.
pub(crate) struct SignedRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) bucket: Option<&'a str>,
    /// Decoded; empty for the bucket itself.
    pub(crate) key: &'a [u8],
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
}

/// How the URL of a request is signed.
enum UrlSignature {
    V1,
    V4,
}

impl UrlSignature {
    /// By what no other request has; it may lack the rest.
    fn of(query: &Query) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| query.contains(name));
        if has(&[
            "x-oss-signature-version",
            "x-oss-credential",
            "x-oss-signature",
        ]) {
            Some(Self::V4)
        } else if has(&["OSSAccessKeyId", "Signature"]) {
            Some(Self::V1)
        } else {
            None
        }
    }
}

/// Refuses a request that none of `credentials` signed.
pub(crate) fn authorize(
    request: &SignedRequest<'_>,
    credentials: &[Credential],
    region: &str,
    now: SystemTime,
) -> Result<(), OssError> {
    let authorization = request.headers.get("authorization");
    match (authorization, UrlSignature::of(request.query)) {
        (Some(_), Some(_)) => Err(OssError::invalid_argument(
            "A signature in both the Authorization header and the URL is not allowed.",
            "Authorization",
            "",
        )),
        (None, None) => Err(no_signature()),
        (None, Some(version)) => {
            let (credential, token) = match version {
                UrlSignature::V1 => (v1::verify_url(request, credentials, now)?, "security-token"),
                UrlSignature::V4 => (
                    v4::verify_url(request, credentials, region, now)?,
                    "x-oss-security-token",
                ),
            };
            let sent = request.query.get(token).filter(|token| !token.is_empty());
            if sent.is_none() && credential.security_token.is_some() {
                // Documented for version 1.
                return Err(OssError::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidRequest",
                    "Security-token must be provided by query string parameter.",
                ));
            }
            check_security_token(sent, credential)?;
            check_expiry(credential, now)
        }
        (Some(authorization), None) => {
            let text = authorization
                .to_str()
                .map_err(|_| malformed("", "0002-00000061"))?;
            let credential = if let Some(rest) = text.strip_prefix("OSS4-HMAC-SHA256 ") {
                v4::verify(request, rest, credentials, region, now)
            } else if let Some(rest) = text.strip_prefix("OSS ") {
                v1::verify(request, rest, credentials, now)
            } else {
                Err(malformed(text, "0002-00000061"))
            }?;
            let sent = header(request.headers, "x-oss-security-token");
            check_security_token(sent.as_deref(), credential)?;
            check_expiry(credential, now)
        }
    }
}

/// Does the request say who sends it?
pub(crate) fn is_signed(headers: &HeaderMap, query: &Query) -> bool {
    headers.contains_key("authorization") || UrlSignature::of(query).is_some()
}

/// For who says nothing of himself, and may not do what he wants.
pub(crate) fn no_signature() -> OssError {
    OssError::access_denied("You have no right to access this object because of bucket acl.")
        .ec("0003-00000905")
}

/// Runs after the signature was found right, so that only the owner of the secret learns anything here.
fn check_security_token(sent: Option<&[u8]>, credential: &Credential) -> Result<(), OssError> {
    let sent = sent.filter(|token| !token.is_empty());
    match (&credential.security_token, sent) {
        (None, None) => Ok(()),
        (Some(expected), Some(sent)) if expected.as_bytes() == sent => Ok(()),
        // OSS does not know the key of temporary credentials without their token.
        // Nor that of permanent ones with a token.
        (Some(_), None) | (None, Some(_)) => Err(unknown_access_key_id(&credential.access_key_id)),
        (Some(_), Some(_)) => Err(OssError::new(
            StatusCode::FORBIDDEN,
            "InvalidSecurityToken",
            "The security token you provided is invalid.",
        )),
    }
}

/// The code is inferred from those of the SDKs.
fn check_expiry(credential: &Credential, now: SystemTime) -> Result<(), OssError> {
    match credential.expiry {
        Some(expiry) if expiry <= now => Err(OssError::new(
            StatusCode::FORBIDDEN,
            "SecurityTokenExpired",
            "The security token you provided has expired.",
        )),
        _ => Ok(()),
    }
}

fn find<'a>(credentials: &'a [Credential], id: &str) -> Result<&'a Credential, OssError> {
    credentials
        .iter()
        .find(|credential| credential.access_key_id == id)
        .ok_or_else(|| unknown_access_key_id(id))
}

fn unknown_access_key_id(id: &str) -> OssError {
    OssError::new(
        StatusCode::FORBIDDEN,
        "InvalidAccessKeyId",
        "The OSS Access Key Id you provided does not exist in our records.",
    )
    .ec("0002-00000902")
    .detail("OSSAccessKeyId", id)
}

/// An Authorization header that says no signature. OSS's words for most faults are not known, its numbers are.
fn malformed(authorization: &str, ec: &'static str) -> OssError {
    wrong_authorization("The Authorization header is malformed.", authorization, ec)
}

/// OSS repeats the header under its own name, and has no `ArgumentName` (seen for the region).
fn wrong_authorization(message: &'static str, authorization: &str, ec: &'static str) -> OssError {
    OssError::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
        .detail("Authorization", authorization)
        .ec(ec)
}

/// The signature of a URL has had its time.
fn expired(end: SystemTime, now: SystemTime, ec: &'static str) -> OssError {
    OssError::access_denied("Request has expired.")
        .detail("Expires", timestamp(end))
        .detail("ServerTime", timestamp(now))
        .ec(ec)
}

/// A parameter, unless it is no text, which nothing in a signature may be.
fn text_of<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    std::str::from_utf8(query.get(name)?).ok()
}

fn is_skewed(request_time: SystemTime, now: SystemTime) -> bool {
    let skew = now
        .duration_since(request_time)
        .unwrap_or_else(|early| early.duration());
    skew > LARGEST_SKEW
}

fn check_clock(request_time: SystemTime, now: SystemTime) -> Result<(), OssError> {
    if !is_skewed(request_time, now) {
        return Ok(());
    }
    Err(OssError::new(
        StatusCode::FORBIDDEN,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
    .ec("0002-00000504")
    .detail(
        "MaxAllowedSkewMilliseconds",
        LARGEST_SKEW.as_millis().to_string(),
    )
    .detail("RequestTime", timestamp(request_time))
    .detail("ServerTime", timestamp(now)))
}

/// Neither header tells the time.
fn no_date() -> OssError {
    OssError::access_denied("OSS authentication requires a valid Date.").ec("0002-00000503")
}

/// A header tells no time that could be read.
fn wrong_date() -> OssError {
    OssError::access_denied("OSS authentication requires a valid Date.").ec("0002-00000502")
}

/// The error for a signature that differs, with all that a client needs to compare.
fn does_not_match(access_key_id: &str, provided: &str, string_to_sign: &[u8]) -> OssError {
    // A blank stands behind the last, too.
    let bytes: String = string_to_sign
        .iter()
        .map(|byte| format!("{byte:02X} "))
        .collect();
    OssError::new(
        StatusCode::FORBIDDEN,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. \
         Check your key and signing method.",
    )
    .detail("OSSAccessKeyId", access_key_id)
    .detail("SignatureProvided", provided)
    .detail("StringToSign", String::from_utf8_lossy(string_to_sign))
    .detail("StringToSignBytes", bytes)
}

/// A header's value without blanks around it; the values of a repeated header are joined by commas, as the Go SDK does.
fn header(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes().trim_ascii())
        .collect();
    (!values.is_empty()).then(|| values.join(&b','))
}

/// `name:value\n` for every header that `include` admits, sorted by name.
fn canonical_headers(headers: &HeaderMap, include: impl Fn(&str) -> bool) -> Vec<u8> {
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let mut lines = Vec::new();
    for name in names.into_iter().filter(|name| include(name)) {
        lines.extend_from_slice(name.as_bytes());
        lines.push(b':');
        lines.extend(header(headers, name).unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}

/// `/`, `/bucket/` or `/bucket/key`, whatever the style of the URL was.
fn canonical_resource(request: &SignedRequest<'_>) -> Vec<u8> {
    let mut resource = b"/".to_vec();
    if let Some(bucket) = request.bucket {
        resource.extend_from_slice(bucket.as_bytes());
        resource.push(b'/');
        resource.extend_from_slice(request.key);
    }
    resource
}

/// `20231203T121212Z`
pub(crate) fn parse_basic_time(text: &[u8]) -> Option<SystemTime> {
    let shape = |(index, byte): (usize, &u8)| match index {
        8 => *byte == b'T',
        15 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 16 || !text.iter().enumerate().all(shape) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let (hour, minute, second) = (number(9, 11), number(11, 13), number(13, 15));
    let days_in_month = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let days_before_month = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let days = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969)
        + days_before_month[month as usize - 1]
        + u64::from(month > 2 && is_leap(year))
        + day
        - 1;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod url_tests;
