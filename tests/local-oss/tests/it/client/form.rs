//! Forms of PostObject.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use local_oss::Server;
use serde_json::{Value, json};
use sha1::Sha1;

use super::{
    ID, Request, Response, SECRET, base64,
    presign::{Version, basic_time, version_4_signature},
    request,
};

pub const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A form for the bucket `examplebucket`.
#[derive(Clone)]
pub struct Form {
    fields: Vec<(String, String)>,
    file: Option<Vec<u8>>,
    /// The parameters and headers of the file's part.
    file_head: String,
    /// Behind the file.
    rest: String,
}

/// A form with a file, not signed yet.
pub fn form(key: &str, file: impl Into<Vec<u8>>) -> Form {
    Form {
        fields: vec![("key".to_owned(), key.to_owned())],
        file: Some(file.into()),
        file_head: "; filename=\"cat.jpg\"\r\nContent-Type: image/jpeg".to_owned(),
        rest: String::new(),
    }
}

/// A form whose policy has these conditions and ends in ten minutes.
pub fn signed(version: Version, key: &str, conditions: &Value, file: impl Into<Vec<u8>>) -> Form {
    form(key, file).sign(version, conditions)
}

impl Form {
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_field(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Another value for a field that is there.
    pub fn changed(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(known, _)| known == name);
        field.expect(name).1 = value.to_owned();
        self
    }

    pub fn value(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        &field.expect(name).1
    }

    pub fn callback(self, callback: &Value) -> Self {
        self.field("callback", &base64(callback))
    }

    pub fn without_file(mut self) -> Self {
        self.file = None;
        self
    }

    /// `; filename="…"` and further header lines.
    pub fn file_head(mut self, head: &str) -> Self {
        self.file_head = head.to_owned();
        self
    }

    /// A field behind the file.
    pub fn later(mut self, name: &str, value: &str) -> Self {
        self.rest.push_str(&part(name, value));
        self
    }

    pub fn sign(self, version: Version, conditions: &Value) -> Self {
        let end = SystemTime::now() + Duration::from_secs(600);
        self.sign_until(version, end, conditions)
    }

    pub fn sign_until(self, version: Version, end: SystemTime, conditions: &Value) -> Self {
        let date = basic_time(SystemTime::now());
        let scope = format!("{}/cn-hangzhou/oss/aliyun_v4_request", &date[..8]);
        let mut conditions = conditions.as_array().unwrap().clone();
        let authentication = [
            ("x-oss-signature-version", "OSS4-HMAC-SHA256".to_owned()),
            ("x-oss-credential", format!("{ID}/{scope}")),
            ("x-oss-date", date),
        ];
        let mut form = self;
        if version == Version::Four {
            for (name, value) in authentication {
                conditions.push(json!({ name: value }));
                form = form.field(name, &value);
            }
        }
        let policy = json!({"expiration": iso_time(end), "conditions": conditions});
        form.sign_policy(version, &policy.to_string())
    }

    /// Signs any text as the policy. Fields that version 4 needs besides must be there.
    pub fn sign_policy(self, version: Version, policy: &str) -> Self {
        let policy = STANDARD.encode(policy);
        match version {
            Version::One => {
                let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
                mac.update(policy.as_bytes());
                let signature = STANDARD.encode(mac.finalize().into_bytes());
                self.field("OSSAccessKeyId", ID)
                    .field("policy", &policy)
                    .field("Signature", &signature)
            }
            Version::Four => {
                let scope = self.value("x-oss-credential");
                let scope = scope.split_once('/').unwrap().1;
                let signature = version_4_signature(SECRET, scope, &policy);
                self.field("policy", &policy)
                    .field("x-oss-signature", &signature)
            }
        }
    }

    pub fn body(&self) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.fields {
            body.push_str(&part(name, value));
        }
        let mut body = body.into_bytes();
        if let Some(file) = &self.file {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"{}\r\n\r\n",
                self.file_head
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(file);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(self.rest.as_bytes());
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }

    pub fn request(&self) -> Request {
        post("/examplebucket/", self.body())
    }

    pub fn send(&self, server: &Server) -> Response {
        self.request().send(server)
    }
}

/// A form as a request to any target.
pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Request {
    request("POST", target)
        .without_authorization()
        .header(
            "Content-Type",
            &format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(body)
}

fn part(name: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

/// `2024-01-02T04:04:05.000Z`
pub fn iso_time(time: SystemTime) -> String {
    let basic = basic_time(time);
    let (date, clock) = (&basic[..8], &basic[9..15]);
    format!(
        "{}-{}-{}T{}:{}:{}.000Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    )
}
