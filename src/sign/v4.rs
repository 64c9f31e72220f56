//! Signature version 4: HMAC-SHA256 with a key of the day, the region and the product.

use std::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{RequestToSign, is_of_oss, push_lower_case};
use crate::base::percent;
use crate::base::sorted::sorted_by;

pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// What a V4 signature is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The value of x-oss-date: `YYYYMMDDTHHMMSSZ`.
    pub(crate) time: &'a str,
    /// Bare: `cn-hangzhou`.
    pub(crate) region: &'a str,
    pub(crate) product: &'a str,
}

impl Scope<'_> {
    /// What the key of the day depends on, besides the secret.
    pub(crate) fn day(&self) -> [&str; 3] {
        let date = self.time.get(..8).unwrap_or(self.time);
        [date, self.region, self.product]
    }

    /// The key that signs every request of this day, region and product.
    pub(crate) fn signing_key(&self, secret: &str) -> [u8; 32] {
        let [date, region, product] = self.day();
        let date = hmac(format!("aliyun_v4{secret}").as_bytes(), date);
        let region = hmac(&date, region);
        let product = hmac(&region, product);
        hmac(&product, "aliyun_v4_request")
    }
}

/// `20261124/cn-hangzhou/oss/aliyun_v4_request`.
impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [date, region, product] = self.day();
        write!(f, "{date}/{region}/{product}/aliyun_v4_request")
    }
}

/// More than a scope, a hash and what stands around them need, but for an unusual region.
const ROOM: usize = 256;

/// The text that is signed of a request whose headers already hold x-oss-date and x-oss-content-sha256.
pub(crate) fn string_to_sign(
    request: &RequestToSign<'_>,
    scope: &Scope<'_>,
    additional_headers: &[String],
) -> String {
    let canonical = canonical_request(request, additional_headers);
    let mut text = String::with_capacity(ROOM);
    // Writing to a text does not fail.
    let _ = write!(text, "{ALGORITHM}\n{}\n{scope}\n", scope.time);
    push_hex(&mut text, &Sha256::digest(canonical.as_bytes()));
    text
}

/// The signature of a text: HMAC-SHA256 in lower-case hexadecimal.
pub(crate) fn signature(string_to_sign: &str, signing_key: &[u8; 32]) -> String {
    let mut signature = String::with_capacity(64);
    push_hex(&mut signature, &hmac(signing_key, string_to_sign));
    signature
}

/// The value of the Authorization header.
pub(crate) fn authorization(
    request: &RequestToSign<'_>,
    id: &str,
    signature: &str,
    scope: &Scope<'_>,
    additional_headers: &[String],
) -> String {
    let mut text = String::with_capacity(ROOM + id.len());
    // Writing to a text does not fail.
    let _ = write!(text, "{ALGORITHM} Credential={id}/{scope}");
    let additional = additional_names(request, additional_headers);
    if !additional.is_empty() {
        let _ = write!(text, ",AdditionalHeaders={}", additional.join(";"));
    }
    let _ = write!(text, ",Signature={signature}");
    text
}

pub(crate) fn canonical_request(
    request: &RequestToSign<'_>,
    additional_headers: &[String],
) -> String {
    let query = request.query.iter().map(|(name, value)| {
        (
            percent::encode(name),
            percent::encode(value.as_deref().unwrap_or_default()),
        )
    });
    // By encoded name, then value; not by the joined text.
    let query = sorted_by(query, Ord::cmp);

    let additional = additional_names(request, additional_headers);
    let mut text = String::with_capacity(request.len() + ROOM);
    text.extend([request.method, "\n"]);
    for piece in request.resource() {
        text.extend(percent::path(piece));
    }
    text.push('\n');
    for (index, (name, value)) in query.iter().enumerate() {
        text.extend([if index == 0 { "" } else { "&" }, name]);
        if !value.is_empty() {
            text.extend(["=", value]);
        }
    }
    text.push('\n');
    let is_signed =
        |name: &str| is_signed_by_default(name) || additional.iter().any(|a| same(a, name));
    let mut last = None;
    for (name, value) in request.sorted_headers(is_signed) {
        if last.is_some_and(|last| same(last, name)) {
            // A repeated header counts as one with a list of values, as in the Go SDK.
            text.truncate(text.len() - 1);
            text.push(',');
        } else {
            push_lower_case(&mut text, name);
            text.push(':');
        }
        text.extend([value, "\n"]);
        last = Some(name);
    }
    text.extend(["\n", &additional.join(";"), "\nUNSIGNED-PAYLOAD"]);
    text
}

fn same(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

fn is_signed_by_default(name: &str) -> bool {
    is_of_oss(name) || same(name, "content-type") || same(name, "content-md5")
}

/// The caller's additional headers without those that are absent or signed anyway.
pub(crate) fn additional_names(
    request: &RequestToSign<'_>,
    additional_headers: &[String],
) -> Vec<String> {
    let names = additional_headers
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .filter(|name| !is_signed_by_default(name))
        .filter(|name| request.headers().any(|(n, _)| same(n, name)));
    let mut names = sorted_by(names, Ord::cmp);
    names.dedup();
    names
}

fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().into()
}

pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    text.extend(
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]),
    );
}
