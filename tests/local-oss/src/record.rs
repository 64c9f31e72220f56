//! The truth: what was stored, what became of every multipart request, and what every callback said and was told.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{history::History, multipart_request::MultipartRequest};

/// An object that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The request that stored it: the value of `x-oss-request-id`.
    pub request_id: String,
    /// `PutObject`, `PostObject`, `CompleteMultipartUpload`, `AppendObject`, `CopyObject` or `PutSymlink`.
    pub operation: String,
    /// The bucket.
    pub bucket: String,
    /// The whole key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// The value of `x-oss-hash-crc64ecma`.
    pub crc64: u64,
    /// Without quotes.
    pub etag: String,
    /// As stored, that is with OSS's default when the request had none.
    pub content_type: String,
    /// The headers kept with the object besides its `Content-Type`: `x-oss-meta-*`, `cache-control` and the like. Names are
    /// in lower case.
    pub headers: Vec<(String, String)>,
}

impl Stored {
    /// The value of one of [`headers`](Self::headers), its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    fn to_json(&self) -> Value {
        json!({
            "event": "stored",
            "request_id": self.request_id,
            "operation": self.operation,
            "bucket": self.bucket,
            "key": self.key,
            "size": self.size,
            // As a string: most JSON readers cannot hold 64 bits in a number.
            "crc64": self.crc64.to_string(),
            "etag": self.etag,
            "content_type": self.content_type,
            "headers": self.headers,
        })
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len() + 256 + bytes_of(&self.headers)
    }
}

/// One attempt to deliver a callback to one of its URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The upload that caused it: the value of `x-oss-request-id`, in the callback too.
    pub request_id: String,
    /// The bucket.
    pub bucket: String,
    /// The whole key.
    pub key: String,
    /// The URL as it stands in the callback.
    pub url: String,
    /// Path and query of the request line.
    pub target: String,
    /// As sent, in this order.
    pub headers: Vec<(String, String)>,
    /// As sent, after substitution.
    pub body: Vec<u8>,
    /// What the application server answered, or why there is no answer.
    pub answer: Result<CallbackAnswer, String>,
    /// OSS takes this answer and hands it to the uploader with status 200.
    pub accepted: bool,
    /// The message of the 203 that this attempt leads to, unless a later URL changes it. `None` if accepted.
    pub message: Option<String>,
    /// OSS's error number to go with `message`.
    pub ec: Option<String>,
}

impl Delivery {
    /// The value of one of [`headers`](Self::headers), its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    fn to_json(&self) -> Value {
        let mut json = json!({
            "event": "delivery",
            "request_id": self.request_id,
            "bucket": self.bucket,
            "key": self.key,
            "url": self.url,
            "target": self.target,
            "headers": self.headers,
            "accepted": self.accepted,
            "message": self.message,
            "ec": self.ec,
        });
        add_body(&mut json, &self.body);
        json["answer"] = match &self.answer {
            Ok(answer) => {
                let mut json = json!({ "status": answer.status, "headers": answer.headers });
                add_body(&mut json, &answer.body);
                json
            }
            Err(failure) => json!({ "failure": failure }),
        };
        json
    }

    fn bytes(&self) -> usize {
        let answer = match &self.answer {
            Ok(answer) => answer.body.len() + bytes_of(&answer.headers),
            Err(failure) => failure.len(),
        };
        let texts = self.key.len() + self.url.len() + self.target.len() + 256;
        size_of::<Self>() + texts + self.body.len() + bytes_of(&self.headers) + answer
    }
}

/// What an application server answered to a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackAnswer {
    /// The status code.
    pub status: u16,
    /// In the order they came.
    pub headers: Vec<(String, String)>,
    /// As far as it was read: an answer is refused without reading its body if its head is reason enough.
    pub body: Vec<u8>,
}

impl CallbackAnswer {
    /// The value of one of [`headers`](Self::headers), its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

pub(crate) fn bytes_of(headers: &[(String, String)]) -> usize {
    let header =
        |(name, value): &(String, String)| size_of::<(String, String)>() + name.len() + value.len();
    headers.iter().map(header).sum()
}

/// Text as it is, anything else in Base64 under another name.
fn add_body(json: &mut Value, body: &[u8]) {
    match std::str::from_utf8(body) {
        Ok(text) => json["body"] = text.into(),
        Err(_) => json["body_base64"] = STANDARD.encode(body).into(),
    }
}

/// The histories, and the file that gets every event as a line.
#[derive(Debug)]
pub(crate) struct Record {
    stored: History<Stored>,
    deliveries: History<Delivery>,
    multipart_requests: History<MultipartRequest>,
    file: Option<Mutex<File>>,
}

impl Record {
    /// Keeps so many bytes of each kind of event, and appends all to the file.
    pub(crate) fn new(kept_bytes: usize, file: Option<&Path>) -> io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        Ok(Self {
            stored: History::new(kept_bytes),
            deliveries: History::new(kept_bytes),
            multipart_requests: History::new(kept_bytes),
            file: file.map(open).transpose()?.map(Mutex::new),
        })
    }

    pub(crate) fn add_stored(&self, event: Stored) {
        self.write(|| event.to_json());
        let bytes = event.bytes();
        self.stored.push(event, bytes);
    }

    pub(crate) fn add_delivery(&self, event: Delivery) {
        self.write(|| event.to_json());
        let bytes = event.bytes();
        self.deliveries.push(event, bytes);
    }

    pub(crate) fn add_multipart_request(&self, event: MultipartRequest) {
        self.write(|| event.to_json());
        let bytes = event.bytes();
        self.multipart_requests.push(event, bytes);
    }

    pub(crate) fn multipart_requests(&self) -> &History<MultipartRequest> {
        &self.multipart_requests
    }

    pub(crate) fn stored(&self) -> &History<Stored> {
        &self.stored
    }

    pub(crate) fn deliveries(&self) -> &History<Delivery> {
        &self.deliveries
    }

    /// One line in one write, so that a reader never sees half a line of a finished event.
    fn write(&self, event: impl FnOnce() -> Value) {
        let Some(file) = &self.file else { return };
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let mut line = Map::new();
        line.insert("time_ms".to_owned(), (since_1970.as_millis() as u64).into());
        if let Value::Object(event) = event() {
            line.extend(event);
        }
        let line = format!("{}\n", Value::Object(line));
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(line.as_bytes()) {
            // Said even if quiet: the record is the reason why somebody runs the server.
            let _ = writeln!(
                io::stderr(),
                "local-oss: the record cannot be written: {error}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_text_or_base64() {
        let mut json = json!({});
        add_body(&mut json, "文件".as_bytes());
        assert_eq!(json, json!({ "body": "文件" }));
        let mut json = json!({});
        add_body(&mut json, &[0xff]);
        assert_eq!(json, json!({ "body_base64": "/w==" }));
    }
}
