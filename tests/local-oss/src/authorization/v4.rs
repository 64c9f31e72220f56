//! Signature version 4: `Authorization: OSS4-HMAC-SHA256 Credential=…,AdditionalHeaders=…,Signature=…`, and in URLs
//! `x-oss-signature` and its companions.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use hmac::{Hmac, KeyInit, Mac};
use hyper::StatusCode;
use percent_encoding::percent_encode;
use sha2::{Digest, Sha256};

use super::{
    Credential, SignedRequest, canonical_headers, canonical_resource, check_clock, does_not_match,
    expired, find, header, is_skewed, malformed, no_date, parse_basic_time, text_of,
    wrong_authorization, wrong_date,
};
use crate::{
    encoding::{UNRESERVED, hex},
    error::OssError,
    timestamp::timestamp,
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

    /// What is not this server's, or not of the request's day. A day that is neither's is that of a clock which is wrong.
    pub(super) fn fault(
        &self,
        region: &str,
        date: &str,
        time: SystemTime,
        now: SystemTime,
    ) -> Option<ScopeFault> {
        let server_day = timestamp(now)[..10].replace('-', "");
        if self.product != "oss" {
            Some(ScopeFault::Product)
        } else if self.region != region {
            Some(ScopeFault::Region)
        } else if self.date.len() != 8
            || !date.starts_with(self.date)
            || (self.date != server_day && is_skewed(time, now))
        {
            Some(ScopeFault::Date)
        } else {
            None
        }
    }
}

/// The part of a scope that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeFault {
    Product,
    Date,
    Region,
}

/// What the Authorization header says.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    scope: Scope<'a>,
    additional_headers: Vec<String>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Accepts blanks after the commas and any order: the Python SDK writes both differently from the others. The error is
    /// OSS's number for what is wrong.
    pub(super) fn parse(parameters: &'a str) -> Result<Self, &'static str> {
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let (name, value) = parameter.trim().split_once('=').ok_or("0002-00000202")?;
            match name {
                "Credential" => credential = Some(value),
                "AdditionalHeaders" => additional = Some(value),
                "Signature" => signature = Some(value),
                _ => return Err("0002-00000204"),
            }
        }
        let credential = credential.ok_or("0002-00000205")?;
        let signature = signature.ok_or("0002-00000207")?;
        if signature.is_empty() {
            return Err("0002-00000208");
        }
        let additional_headers = header_names(additional.unwrap_or_default());
        if additional.is_some() && additional_headers.is_empty() {
            return Err("0002-00000209");
        }
        Ok(Self {
            scope: Scope::parse(credential).ok_or("0002-00000213")?,
            additional_headers,
            signature,
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
    let wrong =
        |message, ec| wrong_authorization(message, &format!("{ALGORITHM} {parameters}"), ec);
    let authorization = Authorization::parse(parameters).map_err(|ec| match ec {
        "0002-00000204" => wrong("Unknown parameter in Authorization header.", ec),
        _ => malformed(&format!("{ALGORITHM} {parameters}"), ec),
    })?;
    let scope = authorization.scope;
    let credential = find(credentials, scope.access_key_id)?;
    let (time, date) = request_time(request)?;
    match scope.fault(region, &date, time, now) {
        None => {}
        Some(ScopeFault::Product) => {
            let message = "Invalid signing product in Authorization header.";
            return Err(wrong(message, "0002-00000227"));
        }
        Some(ScopeFault::Date) => {
            let message = "Invalid signing date in Authorization header.";
            return Err(wrong(message, "0002-00000212").detail("ServerTime", timestamp(now)));
        }
        Some(ScopeFault::Region) => {
            let message = "Invalid signing region in Authorization header.";
            return Err(wrong(message, "0002-00000226"));
        }
    }
    check_clock(time, now)?;
    if lacks(request, &authorization.additional_headers) {
        let authorization = format!("{ALGORITHM} {parameters}");
        return Err(malformed(&authorization, "0002-00000211"));
    }
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
    let string_to_sign = string_to_sign(&canonical, &date, &scope);
    compare(credential, &scope, authorization.signature, &string_to_sign).map_err(|error| {
        error
            .detail("CanonicalRequest", String::from_utf8_lossy(&canonical))
            .ec("0002-00000201")
    })
}

/// From `x-oss-date` or, where that is absent, from `Date`, as the Go SDK V1 sends it; and as it is signed.
fn request_time(request: &SignedRequest<'_>) -> Result<(SystemTime, String), OssError> {
    let text = |name| {
        let value = header(request.headers, name)?;
        Some(String::from_utf8_lossy(&value).into_owned())
    };
    if let Some(date) = text("x-oss-date") {
        return Ok((parse_date(&date)?, date));
    }
    let date = text("date").ok_or_else(no_date)?;
    let time = httpdate::parse_http_date(&date).map_err(|_| wrong_date())?;
    let basic: String = timestamp(time)[..19].replace(['-', ':'], "") + "Z";
    Ok((time, basic))
}

/// Does it list a header that it does not have? OSS names one with an underscore in the same breath.
fn lacks(request: &SignedRequest<'_>, additional: &[String]) -> bool {
    let is_there = |name: &String| request.headers.contains_key(&**name) && !name.contains('_');
    !additional.iter().all(is_there)
}

/// What is wrong in a URL has a code of its own. OSS's words are not known.
fn wrong_argument(message: impl Into<Cow<'static, str>>) -> OssError {
    OssError::new(
        StatusCode::BAD_REQUEST,
        "AuthorizationArgumentError",
        message,
    )
}

/// The same for a request whose signature is in its URL. Returns the credential that signed.
pub(super) fn verify_url<'a>(
    request: &SignedRequest<'_>,
    credentials: &'a [Credential],
    region: &str,
    now: SystemTime,
) -> Result<&'a Credential, OssError> {
    let parameter = |name| text_of(request.query, name);
    let present =
        |name: &'static str, absent: Option<&'static str>, empty: Option<&'static str>| {
            let (what, ec) = match parameter(name) {
                None => ("is missing", absent),
                Some("") => ("is empty", empty),
                Some(value) => return Ok(value),
            };
            let error = wrong_argument(format!("The query string parameter {name} {what}."));
            Err(match ec {
                Some(ec) => error.ec(ec),
                None => error,
            })
        };
    let version = present("x-oss-signature-version", None, None)?;
    let date = present("x-oss-date", None, None)?;
    let expires = present("x-oss-expires", Some("0002-00000215"), None)?;
    let who = present(
        "x-oss-credential",
        Some("0002-00000217"),
        Some("0002-00000218"),
    )?;
    let signature = present(
        "x-oss-signature",
        Some("0002-00000219"),
        Some("0002-00000220"),
    )?;
    check_version(version).map_err(|error| error.ec("0002-00000066"))?;
    let scope = parse_scope(who)?;
    let credential = find(credentials, scope.access_key_id)?;
    let time = parse_date(date)?;
    // A URL may be older than a day.
    if let Some(fault) = scope.fault(region, date, time, time) {
        return Err(wrong_credential(fault, who).ec(match fault {
            ScopeFault::Date => "0002-00000223",
            ScopeFault::Product | ScopeFault::Region => "0002-00000228",
        }));
    }
    // That a week is the limit is what the SDKs say.
    let validity = expires
        .parse()
        .ok()
        .filter(|seconds| (1..=LONGEST_VALIDITY).contains(seconds))
        .ok_or_else(|| {
            wrong_argument(format!(
                "x-oss-expires must be from 1 to {LONGEST_VALIDITY} seconds."
            ))
            .ec("0002-00000232")
        })?;
    // Only a date to come is wrong in itself (inferred).
    if time > now {
        check_clock(time, now)?;
    }
    let end = time + Duration::from_secs(validity);
    if now > end {
        return Err(expired(end, now, "0002-00000236"));
    }
    let listed = parameter("x-oss-additional-headers");
    let additional = header_names(listed.unwrap_or_default());
    if lacks(request, &additional) || (listed.is_some() && additional.is_empty()) {
        return Err(wrong_argument(
            "x-oss-additional-headers must name headers of the request.",
        ));
    }
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
    parse_basic_time(date.as_bytes()).ok_or_else(wrong_date)
}

/// Said of a credential in a URL or in a form. Only the words about the region are known.
pub(super) fn wrong_credential(fault: ScopeFault, credential: &str) -> OssError {
    let message = match fault {
        ScopeFault::Product => "The signing product in credential is invalid.",
        ScopeFault::Date => "The signing date in credential is invalid.",
        ScopeFault::Region => "The signing region in credential is invalid.",
    };
    OssError::invalid_argument(message, "x-oss-credential", credential)
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
            does_not_match(id, signature, string_to_sign)
        })
}

/// Names in `additional` that are signed anyway do not count, as the official SDKs filter them.
pub(super) fn canonical_request(request: &SignedRequest<'_>, additional: &[String]) -> Vec<u8> {
    let by_default =
        |name: &str| name.starts_with("x-oss-") || name == "content-type" || name == "content-md5";
    let mut additional: Vec<&str> = additional
        .iter()
        .map(String::as_str)
        .filter(|name| !by_default(name))
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
