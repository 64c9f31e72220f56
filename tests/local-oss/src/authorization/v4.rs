//! Signature version 4: `Authorization: OSS4-HMAC-SHA256 Credential=…,AdditionalHeaders=…,Signature=…`, and in URLs
//! `x-oss-signature` and its companions.

use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_encode;
use sha2::{Digest, Sha256};

use super::{
    Credential, SignedRequest, canonical_headers, canonical_resource, check_clock, does_not_match,
    expired, find, header, incomplete, malformed, parse_basic_time, text_of,
};
use crate::{
    encoding::{UNRESERVED, hex},
    error::OssError,
};

pub(super) const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// What the official SDKs send for a hash of the body, and what stands in its place where none is sent.
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

/// A week, in seconds: no URL is valid for longer.
const LONGEST_VALIDITY: u64 = 7 * 24 * 60 * 60;

/// Who signed, and for what: `<AccessKeyId>/<date>/<region>/<product>/aliyun_v4_request`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    product: &'a str,
}

impl<'a> Scope<'a> {
    pub(super) fn parse(credential: &'a str) -> Option<Self> {
        // From the right: an access key id may contain slashes.
        let mut scope = credential.rsplitn(5, '/');
        if scope.next()? != "aliyun_v4_request" {
            return None;
        }
        let (product, region, date) = (scope.next()?, scope.next()?, scope.next()?);
        Some(Self {
            access_key_id: scope.next()?,
            date,
            region,
            product,
        })
    }

    /// Without the access key id.
    fn text(&self) -> String {
        let (date, region, product) = (self.date, self.region, self.product);
        format!("{date}/{region}/{product}/aliyun_v4_request")
    }

    /// Refuses another server's scope, and one of another day than `date`. `place` is where the scope stands.
    pub(super) fn check(&self, region: &str, date: &str, place: &str) -> Result<(), OssError> {
        let name = place.trim_end_matches(" header");
        let fault = |message| OssError::invalid_argument(message, name, self.text());
        if self.region != region {
            return Err(fault(format!(
                "Invalid signing region in {place}: this server's region is '{region}'."
            )));
        }
        if self.product != "oss" {
            return Err(fault(format!(
                "Invalid signing product in {place}: it is 'oss'."
            )));
        }
        if self.date.len() != 8 || !date.starts_with(self.date) {
            return Err(fault(format!(
                "Invalid signing date in {place}: it is not that of x-oss-date."
            )));
        }
        Ok(())
    }
}

/// What the Authorization header says.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    scope: Scope<'a>,
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
        Some(Self {
            scope: Scope::parse(credential?)?,
            additional_headers: header_names(additional.unwrap_or_default()),
            signature: signature?,
        })
    }
}

/// `a;b`
fn header_names(list: &str) -> Vec<String> {
    list.split(';')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
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
    let scope = authorization.scope;
    let credential = find(credentials, scope.access_key_id)?;
    let date = header(request.headers, "x-oss-date").unwrap_or_default();
    let date = std::str::from_utf8(&date).unwrap_or_default();
    let time = parse_date(date)?;
    scope.check(region, date, "Authorization header")?;
    check_clock(time, now)?;
    // The official SDKs send nothing else, and a hash that nobody compares would promise too much.
    let payload = header(request.headers, "x-oss-content-sha256").unwrap_or_default();
    if payload != UNSIGNED_PAYLOAD {
        return Err(OssError::invalid_argument(
            "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.",
            "x-oss-content-sha256",
            String::from_utf8_lossy(&payload),
        ));
    }
    let canonical = canonical_request(request, &authorization.additional_headers);
    let string_to_sign = string_to_sign(&canonical, date, &scope);
    compare(credential, &scope, authorization.signature, &string_to_sign)
        .map_err(|error| error.detail("CanonicalRequest", String::from_utf8_lossy(&canonical)))
}

/// The same for a request whose signature is in its URL. Returns the credential that signed.
pub(super) fn verify_url<'a>(
    request: &SignedRequest<'_>,
    credentials: &'a [Credential],
    region: &str,
    now: SystemTime,
) -> Result<&'a Credential, OssError> {
    let parameter = |name| text_of(request.query, name);
    let (Some(version), Some(date), Some(expires), Some(who), Some(signature)) = (
        parameter("x-oss-signature-version"),
        parameter("x-oss-date"),
        parameter("x-oss-expires"),
        parameter("x-oss-credential"),
        parameter("x-oss-signature"),
    ) else {
        return Err(incomplete(
            "x-oss-signature-version, x-oss-credential, x-oss-date, x-oss-expires and x-oss-signature",
        ));
    };
    check_version(version)?;
    let scope = parse_scope(who)?;
    let credential = find(credentials, scope.access_key_id)?;
    let time = parse_date(date)?;
    scope.check(region, date, "x-oss-credential")?;
    // Code and wording are inferred; that a week is the limit is what the SDKs say.
    let validity = expires
        .parse()
        .ok()
        .filter(|seconds| (1..=LONGEST_VALIDITY).contains(seconds))
        .ok_or_else(|| {
            let message = format!("x-oss-expires must be from 1 to {LONGEST_VALIDITY} seconds.");
            OssError::invalid_argument(message, "x-oss-expires", expires)
        })?;
    // Only a date to come is wrong in itself (inferred).
    if time > now {
        check_clock(time, now)?;
    }
    let end = time + Duration::from_secs(validity);
    if now > end {
        return Err(expired(&httpdate::fmt_http_date(end), now));
    }
    let additional = header_names(parameter("x-oss-additional-headers").unwrap_or_default());
    let canonical = canonical_request(request, &additional);
    let string_to_sign = string_to_sign(&canonical, date, &scope);
    compare(credential, &scope, signature, &string_to_sign)
        .map_err(|error| error.detail("CanonicalRequest", String::from_utf8_lossy(&canonical)))
}

pub(super) fn check_version(version: &str) -> Result<(), OssError> {
    match version == ALGORITHM {
        true => Ok(()),
        false => Err(OssError::invalid_argument(
            format!("x-oss-signature-version must be {ALGORITHM}."),
            "x-oss-signature-version",
            version,
        )),
    }
}

pub(super) fn parse_scope(credential: &str) -> Result<Scope<'_>, OssError> {
    Scope::parse(credential).ok_or_else(|| {
        OssError::invalid_argument(
            "x-oss-credential is malformed.",
            "x-oss-credential",
            credential,
        )
    })
}

pub(super) fn parse_date(date: &str) -> Result<SystemTime, OssError> {
    parse_basic_time(date.as_bytes())
        .ok_or_else(|| OssError::access_denied("OSS authentication requires a valid x-oss-date."))
}

/// Is this what the owner of the credential makes of the text?
pub(super) fn compare<'a>(
    credential: &'a Credential,
    scope: &Scope<'_>,
    signature: &str,
    string_to_sign: &[u8],
) -> Result<&'a Credential, OssError> {
    let key = signing_key(&credential.access_key_secret, scope);
    decode_lower_hex(signature)
        .and_then(|provided| hmac(&key, string_to_sign).verify_slice(&provided).ok())
        .map(|()| credential)
        .ok_or_else(|| {
            let id = scope.access_key_id;
            does_not_match("0002-00000201", id, signature, string_to_sign)
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
        // In a URL it is added when the rest is signed.
        .filter(|(name, _)| *name != b"x-oss-signature")
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
    [
        request.method.as_bytes(),
        path.as_bytes(),
        query.join("&").as_bytes(),
        &headers,
        additional.join(";").as_bytes(),
        UNSIGNED_PAYLOAD,
    ]
    .join(&b'\n')
}

fn string_to_sign(canonical_request: &[u8], date: &str, scope: &Scope<'_>) -> Vec<u8> {
    let digest = hex(&Sha256::digest(canonical_request));
    [ALGORITHM, date, &scope.text(), &digest]
        .join("\n")
        .into_bytes()
}

fn signing_key(secret: &str, scope: &Scope<'_>) -> Vec<u8> {
    [scope.date, scope.region, scope.product, "aliyun_v4_request"]
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
