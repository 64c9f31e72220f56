//! Signature version 1: `Authorization: OSS <AccessKeyId>:<Signature>`, and in URLs `OSSAccessKeyId`, `Expires`, `Signature`.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{
    Credential, SignedRequest, canonical_headers, canonical_resource, check_clock, does_not_match,
    expired, find, header, malformed, no_date, parse_basic_time, text_of, wrong_date,
};
use crate::error::OssError;

/// Of a signature that differs, in the header or in the URL.
const EC: &str = "0002-00000040";

/// Query parameters that belong to the signed resource: the union of what the official SDKs sign. To these come all
/// whose name starts with `x-oss-`, as the Go SDK does.
#[rustfmt::skip]
pub(crate) const SUB_RESOURCES: &[&str] = &[
    "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead", "bucketInfo",
    "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp", "continuation-token", "cors", "delete", "encryption",
    "endTime", "group", "httpsConfig", "inventory", "inventoryId", "lifecycle", "link", "live", "location", "logging",
    "metaQuery", "objectInfo", "objectMeta", "partNumber", "policy", "position", "publicAccessBlock", "qos", "qosInfo",
    "qosRequester", "redundancyTransition", "referer", "regionList", "replication", "replicationLocation",
    "replicationProgress", "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool",
    "resourcePoolBuckets", "resourcePoolInfo", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires", "responseHeader", "restore",
    "security-token", "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging",
    "transferAcceleration", "uploadId", "uploads", "versionId", "versioning", "versions", "vod", "website", "worm",
    "wormExtend", "wormId",
];

/// `parameters` is what follows the scheme word. Returns the credential that signed.
pub(super) fn verify<'a>(
    request: &SignedRequest<'_>,
    parameters: &str,
    credentials: &'a [Credential],
    now: SystemTime,
) -> Result<&'a Credential, OssError> {
    let (id, signature) = parameters
        .trim()
        .rsplit_once(':')
        .ok_or_else(|| malformed(parameters, "0002-00000062"))?;
    if signature.is_empty() {
        return Err(malformed(parameters, "0002-00000065"));
    }
    let credential = find(credentials, id)?;
    let date = header(request.headers, "x-oss-date")
        .or_else(|| header(request.headers, "date"))
        .ok_or_else(no_date)?;
    check_clock(parse_date(&date)?, now)?;

    compare(credential, signature, &string_to_sign(request, &date)).map_err(|error| error.ec(EC))
}

/// The same for a request whose signature is in its URL. Returns the credential that signed.
pub(super) fn verify_url<'a>(
    request: &SignedRequest<'_>,
    credentials: &'a [Credential],
    now: SystemTime,
) -> Result<&'a Credential, OssError> {
    let parameter = |name| text_of(request.query, name);
    let incomplete = || {
        OssError::access_denied(
            "Query string authentication requires the Signature, Expires and OSSAccessKeyId parameters.",
        )
    };
    let id = parameter("OSSAccessKeyId").ok_or_else(|| incomplete().ec("0002-00000071"))?;
    let expires = match parameter("Expires") {
        None => return Err(incomplete().ec("0002-00000067")),
        Some("") => return Err(incomplete().ec("0002-00000068")),
        Some(expires) => expires,
    };
    let signature = parameter("Signature").ok_or_else(incomplete)?;
    let credential = find(credentials, id)?;
    let no_end = || {
        OssError::access_denied("Invalid date (should be seconds since epoch).")
            .detail("Expires", expires)
            .ec("0002-00000070")
    };
    let seconds = expires.parse().map_err(|_| no_end())?;
    let since_epoch = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let end = Duration::from_secs(seconds);
    if since_epoch > end {
        return Err(expired(SystemTime::UNIX_EPOCH + end, now, "0002-00000069"));
    }
    // In the place of the date, whatever dates the headers have (inferred for `x-oss-date`).
    let string_to_sign = string_to_sign(request, expires.as_bytes());
    compare(credential, signature, &string_to_sign).map_err(|error| error.ec(EC))
}

/// Is this what the owner of the credential makes of the text?
pub(super) fn compare<'a>(
    credential: &'a Credential,
    signature: &str,
    string_to_sign: &[u8],
) -> Result<&'a Credential, OssError> {
    let expected = Hmac::<Sha1>::new_from_slice(credential.access_key_secret.as_bytes())
        .expect("HMAC takes a key of any length")
        .chain_update(string_to_sign);
    STANDARD
        .decode(signature)
        .ok()
        .and_then(|provided| expected.verify_slice(&provided).ok())
        .map(|()| credential)
        .ok_or_else(|| {
            let id = &credential.access_key_id;
            does_not_match(id, signature, string_to_sign)
        })
}

/// RFC 1123, or the form of version 4, which some clients put into `x-oss-date` whatever they sign.
fn parse_date(date: &[u8]) -> Result<SystemTime, OssError> {
    std::str::from_utf8(date)
        .ok()
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .or_else(|| parse_basic_time(date))
        .ok_or_else(wrong_date)
}

pub(super) fn string_to_sign(request: &SignedRequest<'_>, date: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in [
        request.method.as_bytes(),
        &header(request.headers, "content-md5").unwrap_or_default(),
        &header(request.headers, "content-type").unwrap_or_default(),
        date,
    ] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend(canonical_headers(request.headers, |name| {
        name.starts_with("x-oss-")
    }));
    text.extend(canonical_resource(request));

    let mut parameters: Vec<_> = request
        .query
        .pairs()
        .filter(|(name, _)| is_signed(name))
        .collect();
    parameters.sort_by_key(|(name, _)| *name);
    for (index, (name, value)) in parameters.into_iter().enumerate() {
        text.push(if index == 0 { b'?' } else { b'&' });
        text.extend_from_slice(name);
        if !value.is_empty() {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
    text
}

fn is_signed(name: &[u8]) -> bool {
    name.starts_with(b"x-oss-") || SUB_RESOURCES.iter().any(|known| known.as_bytes() == name)
}
