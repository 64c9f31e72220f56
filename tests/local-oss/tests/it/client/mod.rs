//! A small OSS client of the tests: it signs by code of its own and sends exactly what it is told to.

// Each test file uses its part.
#![allow(dead_code)]

pub mod callback;
pub mod form;
pub mod multipart;
pub mod presign;
pub mod tls;
pub mod v4;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;

/// No test waits longer than this for an event that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const ID: &str = "AK";
pub const SECRET: &str = "SK";

/// A server with one bucket, `examplebucket`, and the credentials of this client.
pub fn builder() -> local_oss::Builder {
    local_oss::Server::builder().credentials(ID, SECRET)
}

pub fn start() -> local_oss::Server {
    builder().start().unwrap()
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A request in path style, signed by version 1.
#[derive(Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: String,
    length: bool,
    authorization: bool,
    resource: Option<Vec<u8>>,
}

/// `target` is path and query as sent; keys and values in it need no encoding in these tests.
pub fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![(
            "Date".to_owned(),
            httpdate::fmt_http_date(SystemTime::now()),
        )],
        body: Vec::new(),
        secret: SECRET.to_owned(),
        length: true,
        authorization: true,
        resource: None,
    }
}

pub fn put(key: &str, body: impl Into<Vec<u8>>) -> Request {
    request("PUT", &format!("/examplebucket/{key}")).body(body)
}

pub fn get(key: &str) -> Request {
    request("GET", &format!("/examplebucket/{key}"))
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = secret.to_owned();
        self
    }

    /// The body is to be sent by the test; nothing is said of its length.
    pub fn without_length(mut self) -> Self {
        self.length = false;
        self
    }

    /// Without a signature, or with one that stands elsewhere.
    pub fn without_authorization(mut self) -> Self {
        self.authorization = false;
        self
    }

    /// Path and query as sent, where the key needs encoding.
    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    /// What the signature covers, where it is not the target.
    pub fn resource(mut self, resource: impl Into<Vec<u8>>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// `callback` in a header, from its JSON.
    pub fn callback(self, callback: &Value) -> Self {
        self.header("x-oss-callback", &base64(callback))
    }

    pub fn callback_var(self, variables: &Value) -> Self {
        self.header("x-oss-callback-var", &base64(variables))
    }

    fn authorization(&self) -> String {
        let value = |name: &str| {
            let header = self
                .headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            header.map_or("", |(_, value)| value)
        };
        let mut oss: Vec<(String, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.as_str()))
            .filter(|(name, _)| name.starts_with("x-oss-"))
            .collect();
        oss.sort();
        let oss: Vec<String> = oss
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let text = format!(
            "{}\n{}\n{}\n{}\n{}",
            self.method,
            value("content-md5"),
            value("content-type"),
            value("date"),
            oss.concat(),
        );
        let mut mac = Hmac::<Sha1>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        // An empty value is signed without its equals sign.
        let target = self.target.replace("=&", "&");
        let target = target.strip_suffix('=').unwrap_or(&target).as_bytes();
        mac.update(self.resource.as_deref().unwrap_or(target));
        format!("OSS {ID}:{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// The head as sent, with its blank line.
    pub fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let named = |name: &str| {
            self.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !named("host") {
            head.push_str("Host: 127.0.0.1\r\n");
        }
        if self.authorization && !named("authorization") {
            head.push_str(&format!("Authorization: {}\r\n", self.authorization()));
        }
        if self.length {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }

    pub fn send(&self, server: &local_oss::Server) -> Response {
        let mut stream = connect(server.address());
        self.send_on(&mut stream)
    }

    pub fn send_on(&self, stream: &mut (impl Read + Write)) -> Response {
        stream.write_all(self.head().as_bytes()).unwrap();
        // An early answer may end the connection.
        let _ = stream.write_all(&self.body);
        let _ = stream.flush();
        Response::read(stream, &self.method)
    }
}

pub fn base64(json: &Value) -> String {
    STANDARD.encode(json.to_string())
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn read(stream: &mut impl Read, method: &str) -> Self {
        Self::try_read(stream, method).expect("an answer")
    }

    /// `None` if the connection ends before a head.
    pub fn try_read(stream: &mut impl Read, method: &str) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            line.strip_suffix("\r\n").map(str::to_owned)
        };
        let status = line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ")?;
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut response = Self {
            status,
            headers,
            body: Vec::new(),
        };
        let has_body = method != "HEAD" && !matches!(status, 100..200 | 204 | 304);
        if has_body {
            let length: usize = response.header("content-length")?.parse().ok()?;
            response.body.resize(length, 0);
            reader.read_exact(&mut response.body).ok()?;
        }
        assert!(reader.buffer().is_empty(), "more than one answer");
        Some(response)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// An element of the error document.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.to_owned())
    }

    /// Status and OSS code.
    pub fn error(&self) -> (u16, String) {
        (self.status, self.element("Code").unwrap_or_default())
    }
}
