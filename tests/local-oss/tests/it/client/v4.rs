//! Requests that version 4 signs in the Authorization header, right or wrong as the test wants.

use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::{
    ID, Request, SECRET,
    presign::{basic_time, hex, version_4_signature},
    request,
};

/// What is signed, for the bucket `examplebucket`.
#[derive(Clone)]
pub struct Signing {
    method: String,
    key: String,
    query: String,
    headers: Vec<(String, String)>,
    id: String,
    secret: String,
    region: String,
    product: String,
    at: SystemTime,
    scope_date: Option<String>,
    additional: Option<String>,
    dated_by: &'static str,
}

/// `key` is empty for the bucket itself.
pub fn v4(method: &str, key: &str) -> Signing {
    Signing {
        method: method.to_owned(),
        key: key.to_owned(),
        query: String::new(),
        headers: Vec::new(),
        id: ID.to_owned(),
        secret: SECRET.to_owned(),
        region: "cn-hangzhou".to_owned(),
        product: "oss".to_owned(),
        at: SystemTime::now(),
        scope_date: None,
        additional: None,
        dated_by: "x-oss-date",
    }
}

impl Signing {
    /// As it is sent, its names in order.
    pub fn query(mut self, query: &str) -> Self {
        self.query = query.to_owned();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_lowercase(), value.to_owned()));
        self
    }

    pub fn id(mut self, id: &str) -> Self {
        self.id = id.to_owned();
        self
    }

    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    pub fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    pub fn product(mut self, product: &str) -> Self {
        self.product = product.to_owned();
        self
    }

    pub fn at(mut self, at: SystemTime) -> Self {
        self.at = at;
        self
    }

    /// In the scope, where it is not that of the request.
    pub fn scope_date(mut self, date: &str) -> Self {
        self.scope_date = Some(date.to_owned());
        self
    }

    /// Whatever the request has of them.
    pub fn additional(mut self, names: &str) -> Self {
        self.additional = Some(names.to_owned());
        self
    }

    /// `Date` tells the time, as the Go SDK V1 does it.
    pub fn dated_by_date(mut self) -> Self {
        self.dated_by = "date";
        self
    }

    pub fn request(&self) -> Request {
        let date = basic_time(self.at);
        let scope_date = self.scope_date.as_deref().unwrap_or(&date[..8]);
        let scope = format!(
            "{scope_date}/{}/{}/aliyun_v4_request",
            self.region, self.product
        );
        let mut headers = self.headers.clone();
        headers.push((
            "x-oss-content-sha256".to_owned(),
            "UNSIGNED-PAYLOAD".to_owned(),
        ));
        headers.push(match self.dated_by {
            "date" => ("date".to_owned(), httpdate::fmt_http_date(self.at)),
            _ => ("x-oss-date".to_owned(), date.clone()),
        });
        let additional = self.additional.as_deref().unwrap_or_default();
        let mut signed = headers.clone();
        signed.sort();
        let lines: String = signed
            .iter()
            .filter(|(name, _)| {
                name.starts_with("x-oss-")
                    || ["content-type", "content-md5"].contains(&name.as_str())
                    || additional.split(';').any(|listed| listed == name)
            })
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let canonical = format!(
            "{}\n/examplebucket/{}\n{}\n{}\n{additional}\nUNSIGNED-PAYLOAD",
            self.method, self.key, self.query, lines,
        );
        let digest = hex(&Sha256::digest(canonical));
        let text = format!("OSS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let signature = version_4_signature(&self.secret, &scope, &text);
        let listed = match &self.additional {
            Some(names) => format!(",AdditionalHeaders={names}"),
            None => String::new(),
        };
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential={}/{scope}{listed},Signature={signature}",
            self.id
        );
        let mark = if self.query.is_empty() { "" } else { "?" };
        let target = format!("/examplebucket/{}{mark}{}", self.key, self.query);
        let mut made = request(&self.method, &target).without_header("date");
        for (name, value) in &headers {
            made = made.header(name, value);
        }
        made.header("authorization", &authorization)
    }
}
