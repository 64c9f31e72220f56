//! Calls the application server and judges its answer.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::body::Bytes;
use md5::{Digest, Md5};
use quick_xml::{Reader, events::Event};
use serde_json::value::RawValue;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    pin, select,
    time::{Instant, timeout_at},
};

use super::{Callback, CallbackKey, template::Value, url::CallbackUrl};
use crate::{
    log::Log,
    message::{BodyLength, Headers, MessageReader, body_length},
    objects::Object,
    record::{CallbackAnswer, Delivery, Record, header},
};

/// The documentation says 1 MB in one place and 3 MB in another; who stays below both is right.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// The account that owns every bucket and sends every request.
const ACCOUNT: &str = "1234567890123456";

/// The upload that a callback reports.
pub(crate) struct Upload {
    pub(crate) request_id: String,
    pub(crate) operation: &'static str,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) object: Arc<Object>,
    pub(crate) client_ip: IpAddr,
}

impl Upload {
    fn variable(&self, name: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let contents = &self.object.contents;
        match name {
            "bucket" => text(&self.bucket),
            "object" => text(&self.key),
            "etag" => text(&self.object.etag),
            "size" => Some(Value::Number(contents.size())),
            "mimeType" => text(&String::from_utf8_lossy(
                self.object.content_type.as_bytes(),
            )),
            // Whether OSS writes it with quotes in JSON is not known; a number of this size would lose digits there.
            "crc64" => text(&contents.crc64.to_string()),
            "contentMd5" => text(&STANDARD.encode(contents.md5)),
            "clientIp" => text(&self.client_ip.to_string()),
            "reqId" => text(&self.request_id),
            "operation" => text(self.operation),
            _ => None,
        }
    }
}

/// What the uploader is told.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// 200 with this answer.
    Accepted { content_type: String, body: Bytes },
    /// 203 with this error.
    Failed(Failure),
}

/// Why a callback failed. Messages and numbers as in the OSS documentation, "HTTP 203 status code".
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection in time.
    Unreachable,
    /// Refused, closed, or not HTTP.
    BadGateway,
    TooSlow,
    Status(u16),
    MissingLength,
    InvalidLength,
    TooLong,
    NotJson,
}

impl Failure {
    pub(crate) fn message(&self) -> String {
        let text = match self {
            Self::Unreachable => {
                "Error status : -1.OSS can not connect to your callbackUrl, please check it."
            }
            Self::BadGateway => "Error status : 502.",
            Self::TooSlow => "Cost too long time.",
            Self::Status(status) => return format!("Error status : {status}."),
            Self::MissingLength => "Error status : 400.User server missing content-length.",
            // Misspelt by OSS.
            Self::InvalidLength => {
                "Error status : 400.User server return invalid conent-length value."
            }
            Self::TooLong => "Error status : 400.User server return too long content-length value.",
            Self::NotJson => "Response body is not valid json format.",
        };
        text.to_owned()
    }

    pub(crate) fn ec(&self) -> &'static str {
        match self {
            Self::TooSlow => "0007-00000202",
            Self::Unreachable | Self::BadGateway | Self::Status(_) => "0007-00000203",
            Self::MissingLength | Self::InvalidLength | Self::TooLong => "0007-00000204",
            Self::NotJson => "0007-00000205",
        }
    }
}

/// One exchange with an application server: what came back, for the record, and what OSS makes of it.
struct Exchange {
    answer: Result<CallbackAnswer, String>,
    verdict: Result<(), Failure>,
}

impl Exchange {
    fn failed(reason: impl ToString, failure: Failure) -> Self {
        Self {
            answer: Err(reason.to_string()),
            verdict: Err(failure),
        }
    }
}

/// Delivers callbacks.
pub(crate) struct Deliverer {
    pub(crate) key: CallbackKey,
    /// For each URL, from connecting to the last byte of the answer.
    pub(crate) timeout: Duration,
    pub(crate) record: Arc<Record>,
    pub(crate) log: Log,
}

impl Deliverer {
    /// Tries the URLs in order until one answers well; otherwise the last failure counts.
    pub(crate) async fn deliver(&self, callback: &Callback, upload: &Upload) -> Outcome {
        let body = callback.body.render(callback.body_type, |name| {
            let custom = callback.variables.iter().find(|(known, _)| known == name);
            match custom {
                Some((_, value)) => Some(Value::Text(value.clone())),
                None => upload.variable(name),
            }
        });
        let mut outcome = Outcome::Failed(Failure::Unreachable);
        for (url, addresses) in &callback.targets {
            let headers = self.headers(callback, url, upload, body.as_bytes());
            let exchange = self
                .exchange(url, addresses, &headers, body.as_bytes())
                .await;
            self.write_down(url, upload, headers, body.as_bytes(), &exchange);
            outcome = match exchange {
                Exchange {
                    answer: Ok(answer),
                    verdict: Ok(()),
                } => {
                    let content_type = answer.header("content-type").unwrap_or("application/json");
                    return Outcome::Accepted {
                        content_type: content_type.to_owned(),
                        body: answer.body.into(),
                    };
                }
                Exchange {
                    verdict: Err(failure),
                    ..
                } => Outcome::Failed(failure),
                // An answer that was never read cannot be accepted.
                Exchange {
                    answer: Err(_),
                    verdict: Ok(()),
                } => Outcome::Failed(Failure::BadGateway),
            };
        }
        outcome
    }

    /// The headers of a real callback, in its order and spelling (seen in callbacks that OSS sent).
    fn headers(
        &self,
        callback: &Callback,
        url: &CallbackUrl,
        upload: &Upload,
        body: &[u8],
    ) -> Headers {
        // OSS's own samples have no port here, even where the URL does.
        let host = callback.host.as_ref().unwrap_or(&url.host);
        [
            ("Host", host.clone()),
            ("Connection", "close".to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Authorization", self.key.sign(&url.target, body)),
            ("Content-MD5", STANDARD.encode(Md5::digest(body))),
            ("Content-Type", callback.body_type.content_type().to_owned()),
            ("Date", httpdate::fmt_http_date(SystemTime::now())),
            ("User-Agent", "aliyun-oss-callback".to_owned()),
            ("x-oss-additional-headers", String::new()),
            ("x-oss-bucket", upload.bucket.clone()),
            ("x-oss-owner", ACCOUNT.to_owned()),
            ("x-oss-pub-key-url", STANDARD.encode(self.key.public_url())),
            ("x-oss-request-id", upload.request_id.clone()),
            ("x-oss-requester", ACCOUNT.to_owned()),
            ("x-oss-signature-version", "1.0".to_owned()),
            ("x-oss-tag", "CALLBACK".to_owned()),
            ("eagleeye-rpcid", "0.1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    async fn exchange(
        &self,
        url: &CallbackUrl,
        addresses: &[SocketAddr],
        headers: &Headers,
        body: &[u8],
    ) -> Exchange {
        if url.https {
            return Exchange::failed("https is not supported yet", Failure::BadGateway);
        }
        let deadline = Instant::now() + self.timeout;
        let mut stream = match timeout_at(deadline, connect(addresses)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Exchange::failed(error, Failure::BadGateway),
            Err(_) => return Exchange::failed("no connection in time", Failure::Unreachable),
        };
        let mut request = format!("POST {} HTTP/1.1\r\n", url.target).into_bytes();
        for (name, value) in headers {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);

        let (reader, mut writer) = stream.split();
        // An error while writing is not the end: the answer may have been sent before the server closed.
        let write = async { writer.write_all(&request).await };
        let read = read_answer(MessageReader::new(reader), deadline);
        pin!(read);
        select! {
            exchange = &mut read => exchange,
            _ = write => read.await,
        }
    }

    fn write_down(
        &self,
        url: &CallbackUrl,
        upload: &Upload,
        headers: Headers,
        body: &[u8],
        exchange: &Exchange,
    ) {
        let failure = exchange.verdict.as_ref().err();
        let came = match &exchange.answer {
            Ok(answer) => answer.status.to_string(),
            Err(reason) => reason.clone(),
        };
        let told = failure.map_or_else(|| "accepted".to_owned(), Failure::message);
        let id = &upload.request_id;
        self.log.line(format_args!(
            "callback {} -> {came}: {told} [{id}]",
            url.text
        ));
        self.record.add_delivery(Delivery {
            request_id: id.clone(),
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            url: url.text.clone(),
            target: url.target.clone(),
            headers,
            body: body.to_vec(),
            answer: exchange.answer.clone(),
            accepted: failure.is_none(),
            message: failure.map(Failure::message),
            ec: failure.map(|failure| failure.ec().to_owned()),
        });
    }
}

/// The first address that takes the connection.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::from(ErrorKind::AddrNotAvailable));
    for address in addresses {
        result = TcpStream::connect(address).await;
        if result.is_ok() {
            break;
        }
    }
    result
}

async fn read_answer(
    mut reader: MessageReader<impl tokio::io::AsyncRead + Unpin>,
    deadline: Instant,
) -> Exchange {
    let head = match timeout_at(deadline, reader.response_head()).await {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return Exchange::failed(error, Failure::BadGateway),
        Err(_) => return Exchange::failed("no answer in time", Failure::TooSlow),
    };
    let length = body_length(&head.headers);
    let mut verdict = match length {
        _ if head.status != 200 => Err(Failure::Status(head.status)),
        BodyLength::Missing => Err(Failure::MissingLength),
        BodyLength::Invalid | BodyLength::Bytes(0) => Err(Failure::InvalidLength),
        BodyLength::Bytes(length) if length > LONGEST_ANSWER => Err(Failure::TooLong),
        BodyLength::Bytes(_) => Ok(()),
    };
    let mut body = Vec::new();
    match length {
        BodyLength::Bytes(length) if length <= LONGEST_ANSWER => {
            let read = reader.body(length as usize, &mut body);
            let read = timeout_at(deadline, read).await;
            verdict = verdict.and(match read {
                Ok(Ok(())) if is_accepted(header(&head.headers, "content-type"), &body) => Ok(()),
                Ok(Ok(())) => Err(Failure::NotJson),
                Ok(Err(_)) => Err(Failure::BadGateway),
                Err(_) => Err(Failure::TooSlow),
            });
        }
        // Refused whatever the body is; what has come along with the head may help whoever reads the record.
        _ => body = reader.into_buffer(),
    }
    Exchange {
        answer: Ok(CallbackAnswer {
            status: head.status,
            headers: head.headers,
            body,
        }),
        verdict,
    }
}

/// JSON of any kind, or XML if the answer says so.
fn is_accepted(content_type: Option<&str>, body: &[u8]) -> bool {
    let media_type = content_type.and_then(|text| text.split(';').next());
    let is_xml = media_type.is_some_and(|text| text.trim().eq_ignore_ascii_case("application/xml"));
    is_json(body) || (is_xml && is_well_formed_xml(body))
}

/// Looks without building anything, so that no answer costs more memory than its length. A BOM is no JSON.
fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(body).is_ok()
}

fn is_well_formed_xml(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0u32, 0u32);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                roots += u32::from(depth == 0);
                depth += 1;
            }
            Ok(Event::Empty(_)) => roots += u32::from(depth == 0),
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::Text(text)) if depth == 0 && !text.trim_ascii().is_empty() => return false,
            Ok(Event::Eof) => return depth == 0 && roots == 1,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_any_kind_is_accepted() {
        for body in ["{}", "[]", "1", "\"a\"", "null", " {\"a\": [1e999]}\n"] {
            assert!(is_accepted(None, body.as_bytes()), "{body}");
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert!(is_accepted(Some("application/json"), &deep));
        for body in [
            &b""[..],
            b" ",
            b"OK",
            b"{",
            b"{} {}",
            b"{'a':1}",
            b"\"\xff\"",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(!is_accepted(Some("application/json"), body), "{body:?}");
        }
    }

    #[test]
    fn xml_is_accepted_when_it_is_called_xml() {
        let xml = b"<?xml version=\"1.0\"?>\n<a><b c=\"d\"/>text</a>\n";
        for content_type in ["application/xml", "Application/XML; charset=utf-8"] {
            assert!(is_accepted(Some(content_type), xml), "{content_type}");
            for broken in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "</a>"] {
                assert!(
                    !is_accepted(Some(content_type), broken.as_bytes()),
                    "{broken}"
                );
            }
        }
        for content_type in [None, Some("text/xml"), Some("application/json")] {
            assert!(!is_accepted(content_type, xml), "{content_type:?}");
        }
    }
}
