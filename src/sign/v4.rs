//! Signature version 4: HMAC-SHA256 with a key of the day, the region and the product.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::RequestToSign;
use crate::percent;
use crate::sorted::sorted_by;

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
    fn date(&self) -> &str {
        self.time.get(..8).unwrap_or(self.time)
    }

    /// `20261124/cn-hangzhou/oss/aliyun_v4_request`.
    pub(crate) fn text(&self) -> String {
        format!(
            "{}/{}/{}/aliyun_v4_request",
            self.date(),
            self.region,
            self.product
        )
    }

    /// The key that signs every request of this day, region and product.
    pub(crate) fn signing_key(&self, secret: &str) -> [u8; 32] {
        let date = hmac(format!("aliyun_v4{secret}").as_bytes(), self.date());
        let region = hmac(&date, self.region);
        let product = hmac(&region, self.product);
        hmac(&product, "aliyun_v4_request")
    }
}

/// The text that is signed of a request whose headers already hold x-oss-date and x-oss-content-sha256.
pub(crate) fn string_to_sign(
    request: &RequestToSign<'_>,
    scope: &Scope<'_>,
    additional_headers: &[String],
) -> String {
    let canonical = canonical_request(request, additional_headers);
    format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        scope.time,
        scope.text(),
        hex(&Sha256::digest(canonical.as_bytes()))
    )
}

/// The signature of a text: HMAC-SHA256 in lower-case hexadecimal.
pub(crate) fn signature(string_to_sign: &str, secret: &str, scope: &Scope<'_>) -> String {
    hex(&hmac(&scope.signing_key(secret), string_to_sign))
}

/// The value of the Authorization header.
pub(crate) fn authorization(
    request: &RequestToSign<'_>,
    id: &str,
    signature: &str,
    scope: &Scope<'_>,
    additional_headers: &[String],
) -> String {
    let additional = match additional_names(request, additional_headers).join(";") {
        names if names.is_empty() => names,
        names => format!(",AdditionalHeaders={names}"),
    };
    format!(
        "{ALGORITHM} Credential={id}/{}{additional},Signature={signature}",
        scope.text()
    )
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
    let query: Vec<String> = sorted_by(query, Ord::cmp)
        .into_iter()
        .map(|(name, value)| {
            if value.is_empty() {
                name
            } else {
                format!("{name}={value}")
            }
        })
        .collect();

    let additional = additional_names(request, additional_headers);
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request.sorted_headers() {
        if !is_signed_by_default(&name) && !additional.contains(&name) {
            continue;
        }
        match headers.last_mut() {
            // A repeated header counts as one with a list of values, as in the Go SDK.
            Some((last, values)) if *last == name => values.push_str(&format!(",{value}")),
            _ => headers.push((name, value.to_owned())),
        }
    }
    let headers: String = headers
        .into_iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();

    format!(
        "{}\n{}\n{}\n{headers}\n{}\nUNSIGNED-PAYLOAD",
        request.method,
        percent::encode_path(&request.resource()),
        query.join("&"),
        additional.join(";"),
    )
}

fn is_signed_by_default(name: &str) -> bool {
    name.starts_with("x-oss-") || name == "content-type" || name == "content-md5"
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
        .filter(|name| {
            request
                .headers
                .iter()
                .any(|(n, _)| n.eq_ignore_ascii_case(name))
        });
    let mut names = sorted_by(names, Ord::cmp);
    names.dedup();
    names
}

fn hmac(key: &[u8], message: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
