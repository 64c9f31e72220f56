use std::time::{Duration, SystemTime};

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};
use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use super::{Credential, LARGEST_SKEW, SignedRequest, authorize, parse_basic_time, v1, v4};
use crate::{encoding::UNRESERVED, query::Query};

const V1: &str = include_str!("../../tests/vectors/v1_header.json");
const V4: &str = include_str!("../../tests/vectors/v4_header.json");

/// A vector, as the request that the server would receive.
struct Received {
    id: String,
    row: Value,
    query: Query,
    headers: HeaderMap,
}

impl Received {
    fn all(file: &str) -> Vec<Self> {
        let file: Value = serde_json::from_str(file).unwrap();
        let rows = file["vectors"].as_array().unwrap();
        assert_eq!(rows.len() as u64, file["count"].as_u64().unwrap());
        rows.iter().cloned().map(Self::new).collect()
    }

    fn new(row: Value) -> Self {
        let encode = |text: &Value| {
            utf8_percent_encode(text.as_str().unwrap_or_default(), UNRESERVED).to_string()
        };
        let query: Vec<String> = row["query"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| format!("{}={}", encode(&pair[0]), encode(&pair[1])))
            .collect();
        let mut headers = HeaderMap::new();
        for pair in row["headers"].as_array().unwrap() {
            headers.append(
                HeaderName::from_bytes(pair[0].as_str().unwrap().as_bytes()).unwrap(),
                HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap(),
            );
        }
        let mut received = Self {
            id: row["id"].as_str().unwrap().to_owned(),
            query: Query::parse(&query.join("&")),
            headers,
            row,
        };
        let authorization = received.text("authorization").to_owned();
        received.authorize_with(&authorization);
        received
    }

    fn text(&self, field: &str) -> &str {
        self.row[field].as_str().unwrap_or_default()
    }

    fn authorize_with(&mut self, authorization: &str) {
        let value = HeaderValue::from_str(authorization).unwrap();
        self.headers.insert("authorization", value);
    }

    fn signed(&self) -> SignedRequest<'_> {
        SignedRequest {
            method: self.text("method"),
            bucket: self.row["bucket"].as_str(),
            key: self.text("key").as_bytes(),
            query: &self.query,
            headers: &self.headers,
        }
    }

    fn credentials(&self) -> Vec<Credential> {
        vec![Credential {
            access_key_id: self.text("access_key_id").to_owned(),
            access_key_secret: self.text("access_key_secret").to_owned(),
            security_token: self.row["security_token"].as_str().map(str::to_owned),
            expiry: None,
        }]
    }

    /// The moment at which the request says it was signed.
    fn time(&self) -> SystemTime {
        let date = |name| Some(self.headers.get(name)?.to_str().unwrap());
        let date = date("x-oss-date").or_else(|| date("date")).unwrap();
        httpdate::parse_http_date(date)
            .ok()
            .or_else(|| parse_basic_time(date.as_bytes()))
            .unwrap()
    }

    /// `Ok`, or the error's code.
    fn verdict_at(&self, now: SystemTime) -> Result<(), &'static str> {
        let region = self.row["region"].as_str().unwrap_or("cn-hangzhou");
        authorize(&self.signed(), &self.credentials(), region, now).map_err(|error| error.code)
    }

    fn verdict(&self) -> Result<(), &'static str> {
        self.verdict_at(self.time())
    }
}

#[test]
fn requests_signed_by_version_1_are_accepted() {
    for received in Received::all(V1) {
        let date = received
            .headers
            .get("x-oss-date")
            .or(received.headers.get("date"));
        let string_to_sign = v1::string_to_sign(&received.signed(), date.unwrap().as_bytes());
        let expected = received.text("string_to_sign").as_bytes();
        assert_eq!(string_to_sign, expected, "{}", received.id);
        assert_eq!(received.verdict(), Ok(()), "{}", received.id);
    }
}

#[test]
fn requests_signed_by_version_4_are_accepted() {
    for received in Received::all(V4) {
        let authorization = received.text("authorization").to_owned();
        let additional: Vec<String> = authorization
            .split_once("AdditionalHeaders=")
            .map(|(_, rest)| rest.split(',').next().unwrap())
            .unwrap_or_default()
            .split(';')
            .map(str::to_owned)
            .collect();
        let canonical = v4::canonical_request(&received.signed(), &additional);
        let canonical = String::from_utf8(canonical).unwrap();
        assert_eq!(
            canonical,
            received.text("canonical_request"),
            "{}",
            received.id
        );
        assert_eq!(received.verdict(), Ok(()), "{}", received.id);
    }
}

#[test]
fn a_changed_signature_is_refused() {
    for mut received in Received::all(V1).into_iter().chain(Received::all(V4)) {
        let authorization = received.text("authorization").to_owned();
        let signature = received.text("signature").to_owned();
        let first = if signature.starts_with('0') { "1" } else { "0" };
        let changed = authorization.replace(&signature, &format!("{first}{}", &signature[1..]));
        for changed in [
            changed,
            authorization.replace(&signature, &signature.to_uppercase()),
            authorization.replace(&signature, &signature[..signature.len() - 4]),
        ] {
            received.authorize_with(&changed);
            assert_eq!(
                received.verdict(),
                Err("SignatureDoesNotMatch"),
                "{changed}"
            );
        }
    }
}

#[test]
fn a_changed_request_is_refused() {
    for mut received in Received::all(V1).into_iter().chain(Received::all(V4)) {
        let changed = HeaderValue::from_static("changed");
        received.headers.insert("x-oss-meta-added", changed);
        assert_eq!(
            received.verdict(),
            Err("SignatureDoesNotMatch"),
            "{}",
            received.id
        );
        received.headers.remove("x-oss-meta-added");
        received.row["method"] = "PATCH".into();
        assert_eq!(
            received.verdict(),
            Err("SignatureDoesNotMatch"),
            "{}",
            received.id
        );
    }
}

#[test]
fn another_layout_of_version_4_is_accepted() {
    for mut received in Received::all(V4) {
        let authorization = received.text("authorization").to_owned();
        let (scheme, parameters) = authorization.split_once(' ').unwrap();
        let mut parameters: Vec<&str> = parameters.split(',').collect();
        // As the Python SDK writes it: a blank after each comma, AdditionalHeaders last.
        parameters.sort_by_key(|parameter| parameter.starts_with("AdditionalHeaders"));
        received.authorize_with(&format!("{scheme} {}", parameters.join(", ")));
        assert_eq!(received.verdict(), Ok(()), "{}", received.id);
    }
}

#[test]
fn the_clock_may_be_fifteen_minutes_off() {
    for received in [Received::all(V1).remove(0), Received::all(V4).remove(0)] {
        let (time, beyond) = (received.time(), LARGEST_SKEW + Duration::from_secs(1));
        for now in [time + LARGEST_SKEW, time - LARGEST_SKEW] {
            assert_eq!(received.verdict_at(now), Ok(()));
        }
        for now in [time + beyond, time - beyond] {
            assert_eq!(received.verdict_at(now), Err("RequestTimeTooSkewed"));
        }
    }
}

#[test]
fn a_security_token_must_be_the_one_of_its_key() {
    let with_token = |file| {
        let is_temporary = |received: &Received| received.row["security_token"].is_string();
        Received::all(file).into_iter().find(is_temporary).unwrap()
    };
    for mut received in [with_token(V1), with_token(V4)] {
        received.row["security_token"] = "another token".into();
        assert_eq!(received.verdict(), Err("InvalidSecurityToken"));
        received.row["security_token"] = Value::Null;
        assert_eq!(received.verdict(), Err("InvalidAccessKeyId"));
    }
    for mut received in [Received::all(V1).remove(0), Received::all(V4).remove(0)] {
        received.row["security_token"] = "a token that was not sent".into();
        assert_eq!(received.verdict(), Err("InvalidAccessKeyId"));
    }
}

#[test]
fn headers_that_are_not_signatures_are_refused() {
    let mut v1 = Received::all(V1).remove(0);
    let mut v4 = Received::all(V4).remove(0);
    for (authorization, code) in [
        ("", "InvalidArgument"),
        ("OSS", "InvalidArgument"),
        ("OSS nothing", "InvalidArgument"),
        ("Basic YTpi", "InvalidArgument"),
        ("OSS :", "InvalidArgument"),
        ("OSS :c2ln", "InvalidAccessKeyId"),
        ("OSS nobody:c2ln", "InvalidAccessKeyId"),
        ("OSS4-HMAC-SHA256 ", "InvalidArgument"),
        (
            "OSS4-HMAC-SHA256 Credential=a,Signature=b",
            "InvalidArgument",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=a/20231203/cn-hangzhou/oss/aliyun_v4_request",
            "InvalidArgument",
        ),
        (
            "OSS4-HMAC-SHA256 Credential=a/20231203/cn-hangzhou/oss/aliyun_v4_request,Signature=b",
            "InvalidAccessKeyId",
        ),
    ] {
        for received in [&mut v1, &mut v4] {
            received.authorize_with(authorization);
            assert_eq!(received.verdict(), Err(code), "{authorization}");
        }
    }
    v1.headers.remove("authorization");
    assert_eq!(v1.verdict(), Err("AccessDenied"));
}

#[test]
fn a_wrong_scope_is_named() {
    let mut received = Received::all(V4).remove(0);
    let authorization = received.text("authorization").to_owned();
    for (from, to, word) in [
        ("/cn-hangzhou/", "/cn-beijing/", "region"),
        ("/oss/", "/oss-cloudbox/", "product"),
        ("20231203/", "20231204/", "date"),
    ] {
        received.authorize_with(&authorization.replace(from, to));
        let now = received.time();
        let error = authorize(
            &received.signed(),
            &received.credentials(),
            "cn-hangzhou",
            now,
        )
        .unwrap_err();
        assert_eq!(error.code, "InvalidArgument");
        assert!(
            error.message.contains(&format!("signing {word}")),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_request_without_a_date_is_refused() {
    for (mut received, name) in [
        (Received::all(V1).remove(0), "date"),
        (Received::all(V4).remove(0), "x-oss-date"),
    ] {
        let time = received.time();
        received
            .headers
            .insert(name, HeaderValue::from_static("yesterday"));
        assert_eq!(received.verdict_at(time), Err("AccessDenied"));
        received.headers.remove(name);
        assert_eq!(received.verdict_at(time), Err("AccessDenied"));
    }
}

#[test]
fn a_hash_of_the_payload_is_refused() {
    // Nobody would compare it with the body.
    let mut received = Received::all(V4).remove(0);
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let hash = HeaderValue::from_static(hash);
    received.headers.insert("x-oss-content-sha256", hash);
    assert_eq!(received.verdict(), Err("InvalidArgument"));
    received.headers.remove("x-oss-content-sha256");
    assert_eq!(received.verdict(), Err("InvalidArgument"));
}

#[test]
fn basic_times_are_counted_right() {
    let seconds = |text: &str| {
        let time = parse_basic_time(text.as_bytes())?;
        Some(
            time.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        )
    };
    assert_eq!(seconds("19700101T000000Z"), Some(0));
    assert_eq!(seconds("20000229T000000Z"), Some(951_782_400));
    assert_eq!(seconds("20231203T121212Z"), Some(1_701_605_532));
    assert_eq!(seconds("20240301T000000Z"), Some(1_709_251_200));
    assert_eq!(seconds("20991231T235959Z"), Some(4_102_444_799));
    for wrong in [
        "",
        "20231203",
        "20231303T121212Z",
        "20230229T000000Z",
        "20231203T241212Z",
        "00000101T000000Z",
        "20231203T121212",
        "2023120３T12121Z",
    ] {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
}
