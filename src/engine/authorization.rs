//! Signatures on requests, as headers or in the URL, and on form policies: by the secret, or by whoever has it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::dates::iso8601_basic;
use crate::credentials::{KeyPair, Signer, SigningKey, StringToSign};
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;
use crate::request::{Header, Request, set_header};
use crate::sign::SignatureVersion;
use crate::sign::{RequestToSign, v1, v4};

/// Who signs, how and when.
pub(crate) struct Authorization<'a> {
    pub(crate) pair: &'a KeyPair,
    pub(crate) version: SignatureVersion,
    /// Bare. Version 1 does without.
    pub(crate) region: &'a str,
    /// `oss`; a cloud box has another.
    pub(crate) product: &'a str,
    pub(crate) now: SystemTime,
}

impl<'a> Authorization<'a> {
    /// Adds the headers of a signature to those with which a request is sent.
    pub(crate) fn sign<'h>(&self, request: &Request, headers: &mut Vec<Header<'h>>) -> Result<()>
    where
        'a: 'h,
    {
        let pair = self.pair;
        if let Some(token) = pair.security_token.as_deref() {
            set_header(headers, "x-oss-security-token", token);
        }
        let authorization = match self.version {
            SignatureVersion::V1 => {
                set_header(headers, "Date", httpdate::fmt_http_date(self.now));
                let text = v1::string_to_sign(&to_sign(request, headers), None);
                v1::authorization(&pair.id, &self.signature_v1(&text)?)
            }
            SignatureVersion::V4 => {
                let time = iso8601_basic(self.now);
                set_header(headers, "x-oss-date", time.clone());
                set_header(headers, "x-oss-content-sha256", "UNSIGNED-PAYLOAD");
                let scope = self.scope(&time);
                let to_sign = to_sign(request, headers);
                let text = v4::string_to_sign(&to_sign, &scope, &[]);
                let signature = self.signature_v4(&text, &scope)?;
                v4::authorization(&to_sign, &pair.id, &signature, &scope, &[])
            }
        };
        set_header(headers, "Authorization", authorization);
        Ok(())
    }

    /// Adds a signature to the query, good for so long. Headers that stand in the request are signed, those
    /// named in `additional_headers` too (version 4 only), and must be sent with the URL.
    pub(crate) fn presign(
        &self,
        request: &mut Request,
        expires: Duration,
        additional_headers: &[String],
    ) -> Result<()> {
        let mut add = |name: &str, value: &str| {
            request
                .query
                .push((name.to_owned(), Some(value.to_owned())));
        };
        let token = self.pair.security_token.as_deref();
        match self.version {
            SignatureVersion::V1 => {
                let since = self.now.duration_since(UNIX_EPOCH).unwrap_or_default();
                let expires = since.saturating_add(expires).as_secs().to_string();
                if let Some(token) = token {
                    add("security-token", token);
                }
                let to_sign = to_sign(request, &request.headers);
                let text = v1::string_to_sign(&to_sign, Some(&expires));
                let signature = self.signature_v1(&text)?;
                for (name, value) in [
                    ("OSSAccessKeyId", &self.pair.id),
                    ("Expires", &expires),
                    ("Signature", &signature),
                ] {
                    request.query.push((name.to_owned(), Some(value.clone())));
                }
            }
            SignatureVersion::V4 => {
                let time = iso8601_basic(self.now);
                let scope = self.scope(&time);
                let credential = format!("{}/{scope}", self.pair.id);
                add("x-oss-signature-version", v4::ALGORITHM);
                add("x-oss-date", &time);
                add("x-oss-expires", &expires.as_secs().to_string());
                add("x-oss-credential", &credential);
                if let Some(token) = token {
                    add("x-oss-security-token", token);
                }
                let signed = to_sign(request, &request.headers);
                let names = v4::additional_names(&signed, additional_headers).join(";");
                if !names.is_empty() {
                    let name = "x-oss-additional-headers".to_owned();
                    request.query.push((name, Some(names)));
                }
                let to_sign = to_sign(request, &request.headers);
                let text = v4::string_to_sign(&to_sign, &scope, additional_headers);
                let signature = self.signature_v4(&text, &scope)?;
                request
                    .query
                    .push(("x-oss-signature".to_owned(), Some(signature)));
            }
        }
        Ok(())
    }

    /// Time and credential of a form, which its policy must name before it is signed; version 4 only.
    pub(crate) fn form_scope(&self) -> (String, String) {
        let time = iso8601_basic(self.now);
        let credential = format!("{}/{}", self.pair.id, self.scope(&time));
        (time, credential)
    }

    /// The signature of a policy, in Base64, whose time was given by [`form_scope`](Self::form_scope).
    pub(crate) fn sign_policy(&self, policy: &str, time: &str) -> Result<String> {
        match self.version {
            SignatureVersion::V1 => self.signature_v1(policy),
            SignatureVersion::V4 => self.signature_v4(policy, &self.scope(time)),
        }
    }

    fn scope<'t>(&'t self, time: &'t str) -> v4::Scope<'t> {
        v4::Scope {
            time,
            region: self.region,
            product: self.product,
        }
    }

    fn signature_v1(&self, text: &str) -> Result<String> {
        match &self.pair.key {
            SigningKey::Secret(secret) => Ok(v1::signature(text, secret.text())),
            SigningKey::Remote(signer) => {
                sign_remotely(&**signer, text, SignatureVersion::V1, None)
            }
        }
    }

    fn signature_v4(&self, text: &str, scope: &v4::Scope<'_>) -> Result<String> {
        match &self.pair.key {
            SigningKey::Secret(secret) => {
                let key = secret.key_of(scope.day(), |secret| scope.signing_key(secret));
                Ok(v4::signature(text, &key))
            }
            SigningKey::Remote(signer) => {
                let scope = scope.to_string();
                sign_remotely(&**signer, text, SignatureVersion::V4, Some(&scope))
            }
        }
    }
}

/// Asks a signer, and refuses what would break the Authorization header.
fn sign_remotely(
    signer: &dyn Signer,
    text: &str,
    version: SignatureVersion,
    scope: Option<&str>,
) -> Result<String> {
    let failed = |what: String| Error::new(ErrorKind::CredentialsFailed, what);
    let to_sign = StringToSign {
        text,
        version,
        scope,
    };
    let signature = signer
        .sign(&to_sign)
        .map_err(|e| failed(format!("the signer failed: {e}")).with_source(e))?;
    let fits = match version {
        SignatureVersion::V1 => STANDARD
            .decode(&signature)
            .is_ok_and(|bytes| bytes.len() == 20),
        SignatureVersion::V4 => {
            signature.len() == 64 && signature.bytes().all(|b| b.is_ascii_hexdigit())
        }
    };
    if !fits {
        let form = match version {
            SignatureVersion::V1 => "20 bytes in Base64",
            SignatureVersion::V4 => "64 hexadecimal digits",
        };
        return Err(failed(format!(
            "the signer gave something other than {form}"
        )));
    }
    Ok(signature)
}

fn to_sign<'a>(request: &'a Request, headers: &'a [Header<'a>]) -> RequestToSign<'a> {
    RequestToSign {
        method: request.method,
        bucket: Some(&request.bucket),
        key: Some(&request.key),
        query: &request.query,
        headers,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::base::clock::Clock;
    use crate::credentials::Credentials;
    use crate::vectors;

    fn text(row: &Value, name: &str) -> String {
        row[name].as_str().unwrap().to_owned()
    }

    fn pairs(value: &Value) -> Vec<(String, Option<String>)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let pairs = value.as_array().unwrap().iter();
        pairs
            .map(|pair| (text(&pair[0]).unwrap(), text(&pair[1])))
            .collect()
    }

    /// `20151122T081638Z`.
    fn time(text: &str) -> SystemTime {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let month = MONTHS[text[4..6].parse::<usize>().unwrap() - 1];
        let (year, day) = (&text[..4], &text[6..8]);
        let (hour, minute, second) = (&text[9..11], &text[11..13], &text[13..15]);
        // Of the day of the week only the form is looked at.
        (["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter())
            .find_map(|name| {
                let date = format!("{name}, {day} {month} {year} {hour}:{minute}:{second} GMT");
                httpdate::parse_http_date(&date).ok()
            })
            .unwrap()
    }

    fn presigned(
        row: &Value,
        version: SignatureVersion,
        now: SystemTime,
        expires: Duration,
    ) -> Request {
        let token = row["security_token"].as_str().unwrap_or_default();
        let credentials =
            Credentials::new(text(row, "access_key_id"), text(row, "access_key_secret"));
        let pair = credentials
            .security_token(token)
            .key_pair(&Clock::default())
            .unwrap()
            .unwrap();
        let authorization = Authorization {
            pair: &pair,
            version,
            region: row["region"].as_str().unwrap_or_default(),
            product: row["product"].as_str().unwrap_or_default(),
            now,
        };
        let mut request = Request::new(
            match row["method"].as_str().unwrap() {
                "GET" => "GET",
                "PUT" => "PUT",
                "POST" => "POST",
                "HEAD" => "HEAD",
                "DELETE" => "DELETE",
                other => panic!("{other}"),
            },
            &text(row, "bucket"),
            row["key"].as_str().unwrap_or_default(),
        );
        request.query = pairs(&row["query"]);
        let headers = pairs(&row["headers"]).into_iter();
        request.headers = headers
            .map(|(name, value)| (name.into(), value.unwrap().into()))
            .collect();
        let additional = row["additional_headers"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let additional: Vec<String> = additional
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        authorization
            .presign(&mut request, expires, &additional)
            .unwrap();
        request
    }

    fn assert_query(row: &Value, request: &Request) {
        let sorted = |query: &[(String, Option<String>)]| {
            let mut query: Vec<(String, String)> = query
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()))
                .collect();
            query.sort();
            query
        };
        let expected = sorted(&pairs(&row["expected_query"]));
        assert_eq!(sorted(&request.query), expected, "{}", row["id"]);
    }

    #[test]
    fn v1_urls_are_those_of_the_official_sdks() {
        vectors::each("v1_presign.json", |row| {
            // The vectors have the end, and we count from now.
            let expires = Duration::from_secs(row["expires"].as_u64().unwrap());
            let request = presigned(&row, SignatureVersion::V1, UNIX_EPOCH, expires);
            assert_query(&row, &request);
        });
    }

    #[test]
    fn v4_urls_are_those_of_the_official_sdks() {
        vectors::each("v4_presign.json", |row| {
            let expires = Duration::from_secs(row["expires"].as_u64().unwrap());
            let now = time(row["time"].as_str().unwrap());
            assert_query(&row, &presigned(&row, SignatureVersion::V4, now, expires));
        });
    }

    #[test]
    fn policy_signatures_are_those_of_the_official_sdks() {
        vectors::each("post_policy.json", |row| {
            let version = match row["version"].as_str().unwrap() {
                "v1" => SignatureVersion::V1,
                _ => SignatureVersion::V4,
            };
            let credentials =
                Credentials::new(text(&row, "access_key_id"), text(&row, "access_key_secret"));
            let pair = credentials.key_pair(&Clock::default()).unwrap().unwrap();
            let authorization = Authorization {
                pair: &pair,
                version,
                region: row["region"].as_str().unwrap(),
                product: "oss",
                now: time(row["time"].as_str().unwrap()),
            };
            let policy = STANDARD.encode(text(&row, "policy_json"));
            assert_eq!(policy, text(&row, "policy_base64"), "{}", row["id"]);
            let (time, credential) = authorization.form_scope();
            let signature = authorization.sign_policy(&policy, &time).unwrap();
            assert_eq!(signature, text(&row, "signature"), "{}", row["id"]);
            for (name, value) in pairs(&row["form_fields"]) {
                match name.as_str() {
                    "x-oss-credential" => assert_eq!(value, Some(credential.clone())),
                    "x-oss-date" => assert_eq!(value, Some(time.clone())),
                    _ => {}
                }
            }
        });
    }

    /// The Authorization header of a request at this time.
    fn authorization(credentials: &Credentials, time: SystemTime, region: &str) -> String {
        let pair = credentials.key_pair(&Clock::default()).unwrap().unwrap();
        let authorization = Authorization {
            pair: &pair,
            version: SignatureVersion::V4,
            region,
            product: "oss",
            now: time,
        };
        let mut headers = vec![("x-oss-meta-a".into(), "b".into())];
        let request = Request::new("PUT", "photos", "cat.jpg");
        authorization.sign(&request, &mut headers).unwrap();
        headers.pop().unwrap().1.into_owned()
    }

    #[test]
    fn a_key_of_the_day_never_signs_for_another_day_region_or_secret() {
        let midnight = httpdate::parse_http_date("Wed, 25 Nov 2026 00:00:00 GMT").unwrap();
        let second = Duration::from_secs(1);
        let [first, other] =
            ["secret", "other"].map(|secret| Credentials::new("id", secret).security_token("t"));
        // One after the other, so that each finds the key of the one before.
        for (credentials, secret, time, region) in [
            (&first, "secret", midnight - second, "cn-hangzhou"),
            (&first, "secret", midnight, "cn-hangzhou"),
            (&first, "secret", midnight + second, "cn-hangzhou"),
            (&first, "secret", midnight, "cn-beijing"),
            (&other, "other", midnight, "cn-beijing"),
            (&first, "secret", midnight - second, "cn-beijing"),
            // A clock that was set back.
            (&first, "secret", midnight - second, "cn-hangzhou"),
        ] {
            let fresh = Credentials::new("id", secret).security_token("t");
            assert_eq!(
                authorization(credentials, time, region),
                authorization(&fresh, time, region)
            );
        }
        // A clone that is changed has the same secret, and its own key.
        let changed = first.clone().security_token("u");
        assert!(!Arc::ptr_eq(
            &first.key_pair(&Clock::default()).unwrap().unwrap(),
            &changed.key_pair(&Clock::default()).unwrap().unwrap()
        ));
        let fresh = Credentials::new("id", "secret").security_token("u");
        let [changed, fresh] =
            [changed, fresh].map(|one| authorization(&one, midnight, "cn-hangzhou"));
        assert_eq!(changed, fresh);
    }
}
