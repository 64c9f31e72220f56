//! Signature version 1: HMAC-SHA1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{RequestToSign, is_of_oss, push_lower_case};
use crate::base::sorted::sorted_by;

/// Query parameters that are part of the signed resource, sorted. The union of what the official SDKs
/// sign; every name that starts with `x-oss-` is signed as well, as the Go SDK v2 does.
const SUB_RESOURCES: &[&str] = &[
    "accessPoint",
    "accessPointPolicy",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
];

/// The signature of a text: HMAC-SHA1 in Base64.
pub(crate) fn signature(string_to_sign: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The value of the Authorization header.
pub(crate) fn authorization(id: &str, signature: &str) -> String {
    format!("OSS {id}:{signature}")
}

/// The text that is signed: of a request with a Date, or of a URL that expires.
pub(crate) fn string_to_sign(request: &RequestToSign<'_>, expires: Option<&str>) -> String {
    let value = |name: &str| {
        let mut headers = request.headers();
        let header = headers.find(|(n, _)| n.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value).unwrap_or_default()
    };
    // x-oss-date takes the place of Date, and stands among the OSS headers too.
    let date = match (expires, value("x-oss-date")) {
        (Some(expires), _) => expires,
        (None, "") => value("date"),
        (None, date) => date,
    };
    let mut text = String::with_capacity(request.len());
    for line in [
        request.method,
        value("content-md5"),
        value("content-type"),
        date,
    ] {
        text.extend([line, "\n"]);
    }
    for (name, value) in request.sorted_headers(is_of_oss) {
        push_lower_case(&mut text, name);
        text.extend([":", value, "\n"]);
    }
    text.extend(request.resource());

    let signed = request
        .query
        .iter()
        .filter(|(name, _)| {
            name.starts_with("x-oss-") || SUB_RESOURCES.binary_search(&name.as_str()).is_ok()
        })
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()));
    // By name, not by the joined text: `callback` comes before `callback-var`.
    let signed = sorted_by(signed, |a, b| a.0.cmp(b.0));
    for (index, (name, value)) in signed.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn sub_resources_are_sorted_so_that_each_is_found() {
        assert!(super::SUB_RESOURCES.is_sorted());
    }
}
