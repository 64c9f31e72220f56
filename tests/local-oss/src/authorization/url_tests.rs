//! Signatures in URLs, with the vectors.

use std::time::{Duration, SystemTime};

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Credential, SignedRequest, authorize, parse_basic_time, v1, v4};
use crate::query::Query;

const V1: &str = include_str!("../../tests/vectors/v1_presign.json");
const V4: &str = include_str!("../../tests/vectors/v4_presign.json");

/// A vector, as the request that the server would receive from whoever uses the URL.
struct Received {
    id: String,
    row: Value,
    /// As it stands in the URL.
    query: String,
    headers: HeaderMap,
    time: SystemTime,
    end: SystemTime,
}

impl Received {
    fn all(file: &str) -> Vec<Self> {
        let file: Value = serde_json::from_str(file).unwrap();
        let rows = file["vectors"].as_array().unwrap();
        assert_eq!(rows.len() as u64, file["count"].as_u64().unwrap());
        rows.iter().cloned().map(Self::new).collect()
    }

    fn both() -> impl Iterator<Item = Self> {
        Self::all(V1).into_iter().chain(Self::all(V4))
    }

    fn new(row: Value) -> Self {
        let (address, query) = row["url"].as_str().unwrap().split_once('?').unwrap();
        let path = address.splitn(4, '/').nth(3).unwrap();
        let key: Vec<u8> = percent_decode_str(path).collect();
        assert_eq!(key, row["key"].as_str().unwrap().as_bytes());
        let mut headers = HeaderMap::new();
        for pair in row["headers"].as_array().unwrap() {
            headers.append(
                HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap(),
                HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap(),
            );
        }
        let expires = Duration::from_secs(row["expires"].as_u64().unwrap());
        let (time, end) = match row["time"].as_str() {
            Some(time) => {
                let time = parse_basic_time(time.as_bytes()).unwrap();
                (time, time + expires)
            }
            None => {
                let end = SystemTime::UNIX_EPOCH + expires;
                (end - Duration::from_secs(60), end)
            }
        };
        Self {
            id: row["id"].as_str().unwrap().to_owned(),
            query: query.to_owned(),
            headers,
            time,
            end,
            row,
        }
    }

    fn text(&self, field: &str) -> &str {
        self.row[field].as_str().unwrap_or_default()
    }

    fn credential(&self) -> Credential {
        Credential {
            access_key_id: self.text("access_key_id").to_owned(),
            access_key_secret: self.text("access_key_secret").to_owned(),
            security_token: self.row["security_token"].as_str().map(str::to_owned),
            expiry: None,
        }
    }

    fn with<T>(&self, query: &str, look: impl FnOnce(&SignedRequest<'_>) -> T) -> T {
        look(&SignedRequest {
            method: self.text("method"),
            bucket: self.row["bucket"].as_str(),
            key: self.text("key").as_bytes(),
            query: &Query::parse(query),
            headers: &self.headers,
        })
    }

    /// `Ok`, or the error's code.
    fn verdict_of(
        &self,
        query: &str,
        credential: Credential,
        now: SystemTime,
    ) -> Result<(), &'static str> {
        let region = self.row["region"].as_str().unwrap_or("cn-hangzhou");
        self.with(query, |request| {
            authorize(request, &[credential], region, now).map_err(|error| error.code)
        })
    }

    fn verdict(&self, query: &str) -> Result<(), &'static str> {
        self.verdict_of(query, self.credential(), self.time)
    }

    /// The URL's query without one parameter.
    fn without(&self, name: &str) -> String {
        let is_other = |pair: &&str| pair.split('=').next() != Some(name);
        let pairs: Vec<&str> = self.query.split('&').filter(is_other).collect();
        assert_eq!(pairs.len() + 1, self.query.split('&').count(), "{name}");
        pairs.join("&")
    }

    fn is_version_4(&self) -> bool {
        self.query.contains("x-oss-signature-version=")
    }
}

#[test]
fn urls_signed_by_version_1_are_accepted() {
    for received in Received::all(V1) {
        let expires = received.row["expires"].to_string();
        let text = received.with(&received.query, |request| {
            v1::string_to_sign(request, expires.as_bytes())
        });
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, received.text("string_to_sign"), "{}", received.id);
        assert_eq!(received.verdict(&received.query), Ok(()), "{}", received.id);
    }
}

#[test]
fn urls_signed_by_version_4_are_accepted() {
    for received in Received::all(V4) {
        let additional = received.row["additional_headers"].as_array().unwrap();
        let additional: Vec<String> = additional
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        let canonical = received.with(&received.query, |request| {
            v4::canonical_request(request, &additional)
        });
        let canonical = String::from_utf8(canonical).unwrap();
        assert_eq!(canonical, received.text("canonical_request"));
        assert_eq!(received.verdict(&received.query), Ok(()), "{}", received.id);
    }
}

#[test]
fn the_order_of_a_query_does_not_matter() {
    for received in Received::both() {
        let mut pairs: Vec<&str> = received.query.split('&').collect();
        pairs.reverse();
        assert_eq!(
            received.verdict(&pairs.join("&")),
            Ok(()),
            "{}",
            received.id
        );
    }
}

#[test]
fn a_url_ends_with_its_time() {
    let second = Duration::from_secs(1);
    for received in Received::both() {
        let at = |now| received.verdict_of(&received.query, received.credential(), now);
        assert_eq!(at(received.end), Ok(()), "{}", received.id);
        assert_eq!(at(received.end + second), Err("AccessDenied"));
    }
    // A URL of version 4 says when it was made, and so that it was made by a wrong clock.
    for received in Received::all(V4) {
        let at = |now| received.verdict_of(&received.query, received.credential(), now);
        assert_eq!(at(received.time - Duration::from_secs(900)), Ok(()));
        assert_eq!(
            at(received.time - Duration::from_secs(901)),
            Err("RequestTimeTooSkewed")
        );
    }
}

#[test]
fn whatever_was_signed_cannot_be_changed_or_left_out() {
    let refused = |verdict: Result<(), &'static str>| verdict.is_err();
    for mut received in Received::both() {
        for name in received.headers.clone().keys() {
            let value = received.headers.remove(name).unwrap();
            let verdict = received.verdict(&received.query);
            let query = percent_decode_str(&received.query).decode_utf8().unwrap();
            let listed = query.split('&').find_map(|pair| {
                let list = pair.strip_prefix("x-oss-additional-headers=")?;
                list.split(';').find(|listed| listed == name)
            });
            let code = match listed {
                Some(_) => "AuthorizationArgumentError",
                None => "SignatureDoesNotMatch",
            };
            assert_eq!(verdict, Err(code), "{name}");
            let changed = HeaderValue::from_static("changed");
            received.headers.insert(name.clone(), changed);
            assert!(refused(received.verdict(&received.query)), "{name}");
            received.headers.insert(name.clone(), value);
        }
        for pair in received.query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // Version 1 signs what means something to OSS and nothing else.
            if name == "foo" && !received.is_version_4() {
                continue;
            }
            let changed = received.query.replace(pair, &format!("{name}={value}1"));
            assert!(refused(received.verdict(&changed)), "{name}: {changed}");
            let dropped = received.without(name);
            assert!(refused(received.verdict(&dropped)), "{name}: {dropped}");
        }
        let added = format!("{}&x-oss-process=image", received.query);
        assert_eq!(
            received.verdict(&added),
            Err("SignatureDoesNotMatch"),
            "{}",
            received.id
        );
        for name in ["x-oss-meta-added", "content-type", "x-oss-callback"] {
            if !received.headers.contains_key(name) {
                let added = HeaderValue::from_static("added");
                received.headers.insert(name, added);
                assert_eq!(
                    received.verdict(&received.query),
                    Err("SignatureDoesNotMatch"),
                    "{name}"
                );
                received.headers.remove(name);
            }
        }
        received.row["method"] = "PATCH".into();
        assert_eq!(
            received.verdict(&received.query),
            Err("SignatureDoesNotMatch")
        );
    }
}

#[test]
fn a_url_that_lacks_a_part_of_its_signature_is_refused() {
    let [one, four] = [Received::all(V1).remove(0), Received::all(V4).remove(0)];
    for name in ["OSSAccessKeyId", "Expires", "Signature"] {
        let verdict = one.verdict(&one.without(name));
        assert_eq!(verdict, Err("AccessDenied"), "{name}");
    }
    for name in [
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-date",
        "x-oss-expires",
        "x-oss-signature",
    ] {
        let verdict = four.verdict(&four.without(name));
        assert_eq!(verdict, Err("AuthorizationArgumentError"), "{name}");
    }
}

#[test]
fn a_signature_in_two_places_is_refused() {
    for mut received in [Received::all(V1).remove(0), Received::all(V4).remove(0)] {
        for authorization in ["", "OSS a:b", "OSS4-HMAC-SHA256 Credential=a,Signature=b"] {
            let value = HeaderValue::from_static(authorization);
            received.headers.insert("authorization", value);
            let verdict = received.verdict(&received.query);
            assert_eq!(verdict, Err("InvalidArgument"), "{authorization}");
        }
    }
}

#[test]
fn nothing_is_valid_for_longer_than_a_week() {
    // Refused before the signature is looked at.
    let received = Received::all(V4).remove(0);
    for (expires, code) in [
        ("0", "AuthorizationArgumentError"),
        ("-1", "AuthorizationArgumentError"),
        ("", "AuthorizationArgumentError"),
        ("604801", "AuthorizationArgumentError"),
        ("99999999999999999999999", "AuthorizationArgumentError"),
        ("604800", "SignatureDoesNotMatch"),
        ("1", "SignatureDoesNotMatch"),
    ] {
        let changed = format!("x-oss-expires={expires}");
        let query = received.query.replace("x-oss-expires=60", &changed);
        assert_eq!(received.verdict(&query), Err(code), "{expires}");
    }
    let received = Received::all(V1).remove(0);
    for (expires, code) in [
        ("", "AccessDenied"),
        ("tomorrow", "AccessDenied"),
        ("-1", "AccessDenied"),
        ("18446744073709551615", "SignatureDoesNotMatch"),
        ("18446744073709551616", "AccessDenied"),
    ] {
        let changed = format!("Expires={expires}");
        let query = received.query.replace("Expires=1700000000", &changed);
        assert_eq!(received.verdict(&query), Err(code), "{expires}");
    }
}

#[test]
fn a_token_comes_in_the_query() {
    let mut seen = 0;
    for mut received in Received::both() {
        let version_4 = received.is_version_4();
        let name = ["security-token", "x-oss-security-token"][usize::from(version_4)];
        let query = received.query.clone();
        let with_token = |token: Option<&str>| Credential {
            security_token: token.map(str::to_owned),
            ..received.credential()
        };
        let verdict = |credential| received.verdict_of(&query, credential, received.time);
        if received.row["security_token"].is_null() {
            assert_eq!(verdict(with_token(Some("token"))), Err("InvalidRequest"));
            continue;
        }
        seen += 1;
        assert_eq!(
            verdict(with_token(Some("another"))),
            Err("InvalidSecurityToken")
        );
        assert_eq!(verdict(with_token(None)), Err("InvalidAccessKeyId"));
        let expired = Credential {
            expiry: Some(received.time),
            ..received.credential()
        };
        assert_eq!(verdict(expired), Err("SecurityTokenExpired"));
        // In a header it does not count, whoever signed it there.
        let token = HeaderValue::from_str(received.text("security_token")).unwrap();
        received.headers.insert("x-oss-security-token", token);
        assert!(received.verdict(&received.without(name)).is_err());
    }
    assert_eq!(seen, 8);
}

#[test]
fn a_wrong_scope_is_refused() {
    let received = Received::all(V4).remove(0);
    for (from, to) in [
        ("cn-hangzhou", "cn-beijing"),
        ("%2Foss%2F", "%2Foss-cloudbox%2F"),
        ("%2F20151122%2F", "%2F20151123%2F"),
        ("aliyun_v4_request", "aws4_request"),
        ("OSS4-HMAC-SHA256", "OSS4-HMAC-SHA512"),
    ] {
        let query = received.query.replace(from, to);
        assert_eq!(received.verdict(&query), Err("InvalidArgument"), "{to}");
    }
    let stranger = received.query.replace("LTAI", "LTAJ");
    assert_eq!(received.verdict(&stranger), Err("InvalidAccessKeyId"));
}
