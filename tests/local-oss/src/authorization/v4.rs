//! Signature version 4: `Authorization: OSS4-HMAC-SHA256 Credential=…,AdditionalHeaders=…,Signature=…`.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_encode;
use sha2::{Digest, Sha256};

use super::{
    Credential, SignedRequest, canonical_headers, canonical_resource, check_clock, does_not_match,
    find, header, malformed, parse_basic_time,
};
use crate::{
    encoding::{UNRESERVED, hex},
    error::OssError,
};

/// What the Authorization header says.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    product: &'a str,
    additional_headers: Vec<String>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Accepts blanks after the commas and any order: the Python SDK writes both differently from the others.
    pub(super) fn parse(parameters: &'a str) -> Option<Self> {
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=')?;
            match name {
                "Credential" => credential = Some(value),
                "AdditionalHeaders" => additional = Some(value),
                "Signature" => signature = Some(value),
                _ => return None,
            }
        }
        // From the right: an access key id may contain slashes.
        let mut scope = credential?.rsplitn(5, '/');
        if scope.next()? != "aliyun_v4_request" {
            return None;
        }
        let (product, region, date) = (scope.next()?, scope.next()?, scope.next()?);
        Some(Self {
            access_key_id: scope.next()?,
            date,
            region,
            product,
            additional_headers: additional
                .unwrap_or_default()
                .split(';')
                .map(|name| name.trim().to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect(),
            signature: signature?,
        })
    }

    fn scope(&self) -> String {
        let (date, region, product) = (self.date, self.region, self.product);
        format!("{date}/{region}/{product}/aliyun_v4_request")
    }
}

/// `parameters` is what follows the scheme word. Returns the credential that signed.
pub(super) fn verify<'a>(
    request: &SignedRequest<'_>,
    parameters: &str,
    credentials: &'a [Credential],
    region: &str,
    now: SystemTime,
) -> Result<&'a Credential, OssError> {
    let authorization = Authorization::parse(parameters).ok_or_else(|| malformed(parameters))?;
    let credential = find(credentials, authorization.access_key_id)?;
    let scope = authorization.scope();
    if authorization.region != region {
        return Err(OssError::invalid_argument(
            format!(
                "Invalid signing region in Authorization header: this server's region is '{region}'."
            ),
            "Authorization",
            scope,
        ));
    }
    if authorization.product != "oss" {
        return Err(OssError::invalid_argument(
            "Invalid signing product in Authorization header: it is 'oss'.",
            "Authorization",
            scope,
        ));
    }
    let date = header(request.headers, "x-oss-date").unwrap_or_default();
    let time = parse_basic_time(&date).ok_or_else(|| {
        OssError::access_denied("OSS authentication requires a valid x-oss-date.")
    })?;
    if !date.starts_with(authorization.date.as_bytes()) || authorization.date.len() != 8 {
        return Err(OssError::invalid_argument(
            "Invalid signing date in Authorization header: it is not that of x-oss-date.",
            "Authorization",
            scope,
        ));
    }
    check_clock(time, now)?;
    // The official SDKs send nothing else, and a hash that nobody compares would promise too much.
    let payload = header(request.headers, "x-oss-content-sha256").unwrap_or_default();
    if payload != b"UNSIGNED-PAYLOAD" {
        return Err(OssError::invalid_argument(
            "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.",
            "x-oss-content-sha256",
            String::from_utf8_lossy(&payload),
        ));
    }

    let canonical = canonical_request(request, &authorization.additional_headers);
    let string_to_sign = string_to_sign(&canonical, &date, &scope);
    let key = signing_key(&credential.access_key_secret, &authorization);
    decode_lower_hex(authorization.signature)
        .and_then(|provided| hmac(&key, &string_to_sign).verify_slice(&provided).ok())
        .map(|()| credential)
        .ok_or_else(|| {
            does_not_match(
                "0002-00000201",
                authorization.access_key_id,
                authorization.signature,
                &string_to_sign,
            )
            .detail("CanonicalRequest", String::from_utf8_lossy(&canonical))
        })
}

/// Names in `additional` that are absent or signed anyway do not count, as the official SDKs filter them.
pub(super) fn canonical_request(request: &SignedRequest<'_>, additional: &[String]) -> Vec<u8> {
    let by_default =
        |name: &str| name.starts_with("x-oss-") || name == "content-type" || name == "content-md5";
    let mut additional: Vec<&str> = additional
        .iter()
        .map(String::as_str)
        .filter(|name| !by_default(name) && request.headers.contains_key(*name))
        .collect();
    additional.sort_unstable();
    additional.dedup();

    let path = percent_encode(&canonical_resource(request), UNRESERVED)
        .to_string()
        .replace("%2F", "/");
    let mut query: Vec<(String, String)> = request
        .query
        .pairs()
        .map(|(name, value)| {
            let encode = |text| percent_encode(text, UNRESERVED).to_string();
            (encode(name), encode(value))
        })
        .collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "" => name,
            value => format!("{name}={value}"),
        })
        .collect();
    let headers = canonical_headers(request.headers, |name| {
        by_default(name) || additional.contains(&name)
    });
    let payload = header(request.headers, "x-oss-content-sha256").unwrap_or_default();
    [
        request.method.as_bytes(),
        path.as_bytes(),
        query.join("&").as_bytes(),
        &headers,
        additional.join(";").as_bytes(),
        &payload,
    ]
    .join(&b'\n')
}

pub(super) fn string_to_sign(canonical_request: &[u8], date: &[u8], scope: &str) -> Vec<u8> {
    let digest = hex(&Sha256::digest(canonical_request));
    [
        b"OSS4-HMAC-SHA256",
        date,
        scope.as_bytes(),
        digest.as_bytes(),
    ]
    .join(&b'\n')
}

fn signing_key(secret: &str, authorization: &Authorization<'_>) -> Vec<u8> {
    [
        authorization.date,
        authorization.region,
        authorization.product,
        "aliyun_v4_request",
    ]
    .into_iter()
    .fold(format!("aliyun_v4{secret}").into_bytes(), |key, message| {
        hmac(&key, message.as_bytes())
            .finalize()
            .into_bytes()
            .to_vec()
    })
}

fn hmac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key)
        .expect("HMAC takes a key of any length")
        .chain_update(message)
}

fn decode_lower_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
