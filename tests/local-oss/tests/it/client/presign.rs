//! Requests whose signature is in the URL.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{ID, Request, SECRET, base64, request};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    One,
    Four,
}

pub const VERSIONS: [Version; 2] = [Version::One, Version::Four];

/// What is signed into a URL of the bucket `examplebucket`.
#[derive(Clone)]
pub struct Presign {
    version: Version,
    method: String,
    key: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    additional: Option<String>,
    secret: String,
    token: Option<String>,
    /// V4: when it is signed.
    at: SystemTime,
    valid_for: Duration,
}

/// A key needs no encoding in these tests.
pub fn presign(version: Version, method: &str, key: &str) -> Presign {
    Presign {
        version,
        method: method.to_owned(),
        key: key.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        additional: None,
        secret: SECRET.to_owned(),
        token: None,
        at: SystemTime::now(),
        valid_for: Duration::from_secs(600),
    }
}

impl Presign {
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signed, and sent unless the test leaves it out.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// V4: the names of further headers that are signed.
    pub fn additional(mut self, names: &str) -> Self {
        self.additional = Some(names.to_owned());
        self
    }

    pub fn callback(self, callback: &Value) -> Self {
        self.query("callback", &base64(callback))
    }

    pub fn callback_var(self, variables: &Value) -> Self {
        self.query("callback-var", &base64(variables))
    }

    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub fn signed_at(mut self, at: SystemTime) -> Self {
        self.at = at;
        self
    }

    pub fn valid_for(mut self, seconds: u64) -> Self {
        self.valid_for = Duration::from_secs(seconds);
        self
    }

    fn seconds(&self) -> u64 {
        let since = self.at.duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs()
    }

    /// Path and query.
    pub fn target(&self) -> String {
        let query = match self.version {
            Version::One => self.query_of_version_1(),
            Version::Four => self.query_of_version_4(),
        };
        let query: Vec<String> = query.iter().map(encoded).collect();
        format!("/examplebucket/{}?{}", self.key, query.join("&"))
    }

    fn query_of_version_1(&self) -> Vec<(String, String)> {
        let expires = (self.seconds() + self.valid_for.as_secs()).to_string();
        let mut query = self.query.clone();
        if let Some(token) = &self.token {
            query.push(("security-token".to_owned(), token.clone()));
        }
        query.sort_by(|one, other| one.0.cmp(&other.0));
        // In these tests only operations of a bucket have others.
        let sub_resources: Vec<String> = query
            .iter()
            .filter(|(name, _)| !["prefix", "max-keys"].contains(&name.as_str()))
            .map(|(name, value)| match value.as_str() {
                "" => name.clone(),
                value => format!("{name}={value}"),
            })
            .collect();
        let header = |name| self.header_value(name).unwrap_or_default();
        let text = format!(
            "{}\n{}\n{}\n{expires}\n{}/examplebucket/{}{}{}",
            self.method,
            header("content-md5"),
            header("content-type"),
            self.header_lines(|name| name.starts_with("x-oss-")),
            self.key,
            if sub_resources.is_empty() { "" } else { "?" },
            sub_resources.join("&"),
        );
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        for (name, value) in [
            ("OSSAccessKeyId", ID),
            ("Expires", &expires),
            ("Signature", &signature),
        ] {
            query.push((name.to_owned(), value.to_owned()));
        }
        query
    }

    fn query_of_version_4(&self) -> Vec<(String, String)> {
        let date = basic_time(self.at);
        let scope = format!("{}/cn-hangzhou/oss/aliyun_v4_request", &date[..8]);
        let mut query = self.query.clone();
        for (name, value) in [
            ("x-oss-signature-version", "OSS4-HMAC-SHA256".to_owned()),
            ("x-oss-credential", format!("{ID}/{scope}")),
            ("x-oss-date", date.clone()),
            ("x-oss-expires", self.valid_for.as_secs().to_string()),
        ] {
            query.push((name.to_owned(), value));
        }
        if let Some(token) = &self.token {
            query.push(("x-oss-security-token".to_owned(), token.clone()));
        }
        if let Some(additional) = &self.additional {
            query.push(("x-oss-additional-headers".to_owned(), additional.clone()));
        }
        query.sort();
        let canonical_query: Vec<String> = query.iter().map(encoded).collect();
        let additional = self.additional.as_deref().unwrap_or_default();
        let canonical = format!(
            "{}\n/examplebucket/{}\n{}\n{}\n{additional}\nUNSIGNED-PAYLOAD",
            self.method,
            self.key,
            canonical_query.join("&"),
            self.header_lines(|name| {
                name.starts_with("x-oss-")
                    || name == "content-type"
                    || name == "content-md5"
                    || additional.split(';').any(|listed| listed == name)
            }),
        );
        let digest = hex(&Sha256::digest(canonical));
        let text = format!("OSS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        query.push((
            "x-oss-signature".to_owned(),
            version_4_signature(&self.secret, &scope, &text),
        ));
        query
    }

    fn header_value(&self, name: &str) -> Option<&str> {
        let header = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    fn header_lines(&self, is_signed: impl Fn(&str) -> bool) -> String {
        let mut headers: Vec<(String, &String)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .filter(|(name, _)| is_signed(name))
            .collect();
        headers.sort();
        headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect()
    }

    /// The request of whoever was given the URL and the headers.
    pub fn request(&self) -> Request {
        let mut made = request(&self.method, &self.target())
            .without_authorization()
            .without_header("date");
        for (name, value) in &self.headers {
            made = made.header(name, value);
        }
        made
    }
}

fn encoded((name, value): &(String, String)) -> String {
    match value.as_str() {
        "" => encode(name),
        value => format!("{}={}", encode(name), encode(value)),
    }
}

pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// `scope` is `<date>/<region>/<product>/aliyun_v4_request`.
pub fn version_4_signature(secret: &str, scope: &str, text: &str) -> String {
    let hmac = |key: &[u8], message: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(message.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let mut key = format!("aliyun_v4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    hex(&hmac(&key, text))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `20231203T121212Z`, by way of `Sun, 03 Dec 2023 12:12:12 GMT`.
pub fn basic_time(time: SystemTime) -> String {
    let http = httpdate::fmt_http_date(time);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.iter().position(|month| *month == &http[8..11]);
    let (year, day, clock) = (&http[12..16], &http[5..7], http[17..25].replace(':', ""));
    format!("{year}{:02}{day}T{clock}Z", month.unwrap() + 1)
}
