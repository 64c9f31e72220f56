//! One exchange with an application server, and what OSS makes of the answer.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use quick_xml::{Reader, events::Event};
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    net::TcpStream,
    pin, select,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use crate::{
    message::{BodyLength, MessageReader, body_length},
    record::CallbackAnswer,
};

/// The documentation says 1 MB in one place and 3 MB in another; who stays below both is right.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// Why a callback failed. Messages and numbers as in the OSS documentation, "HTTP 203 status code".
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// More callbacks are under way than the server takes on.
    TooMany,
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
            Self::TooMany => "Too many callback requests.",
            Self::Unreachable => {
                // With the blank where it was seen; a page of the documentation has none. Another page has these words for an
                // answer that takes too long.
                "Error status : -1. OSS can not connect to your callbackUrl, please check it."
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
            Self::TooMany => "0007-00000201",
            Self::TooSlow => "0007-00000202",
            Self::Unreachable | Self::BadGateway | Self::Status(_) => "0007-00000203",
            Self::MissingLength | Self::InvalidLength | Self::TooLong => "0007-00000204",
            Self::NotJson => "0007-00000205",
        }
    }
}

/// An exchange that OSS does not take as success.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) failure: Failure,
    /// What came back, or why nothing did.
    pub(crate) answer: Result<CallbackAnswer, String>,
}

impl Refused {
    pub(crate) fn without_answer(failure: Failure, reason: impl ToString) -> Self {
        Self {
            failure,
            answer: Err(reason.to_string()),
        }
    }
}

/// What an https URL asks for.
pub(crate) struct Security {
    pub(crate) connector: TlsConnector,
    pub(crate) name: ServerName<'static>,
}

/// Sends the bytes of a request to the first address that takes the connection, and returns an answer that OSS accepts.
pub(crate) async fn exchange(
    addresses: &[SocketAddr],
    security: Option<Security>,
    request: &[u8],
    deadline: Instant,
) -> Result<CallbackAnswer, Refused> {
    let stream = match timeout_at(deadline, connect(addresses)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Refused::without_answer(Failure::BadGateway, error)),
        Err(_) => {
            let reason = "no connection in time";
            return Err(Refused::without_answer(Failure::Unreachable, reason));
        }
    };
    let Some(Security { connector, name }) = security else {
        return converse(stream, request, deadline).await;
    };
    match timeout_at(deadline, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => converse(stream, request, deadline).await,
        Ok(Err(error)) => {
            let reason = format!("TLS: {error}");
            Err(Refused::without_answer(Failure::BadGateway, reason))
        }
        Err(_) => {
            let reason = "no TLS handshake in time";
            Err(Refused::without_answer(Failure::TooSlow, reason))
        }
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite,
    request: &[u8],
    deadline: Instant,
) -> Result<CallbackAnswer, Refused> {
    let (reader, mut writer) = split(stream);
    // An error while writing is not the end: the answer may have been sent before the server closed.
    let write = async {
        let _ = writer.write_all(request).await;
        // What TLS has not sent yet.
        let _ = writer.flush().await;
    };
    let read = read_answer(MessageReader::new(reader), deadline);
    pin!(read);
    select! {
        answer = &mut read => answer,
        _ = write => read.await,
    }
}

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
    mut reader: MessageReader<impl AsyncRead + Unpin>,
    deadline: Instant,
) -> Result<CallbackAnswer, Refused> {
    let head = match timeout_at(deadline, reader.response_head()).await {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return Err(Refused::without_answer(Failure::BadGateway, error)),
        Err(_) => {
            let reason = "no answer in time";
            return Err(Refused::without_answer(Failure::TooSlow, reason));
        }
    };
    let length = body_length(&head.headers);
    let mut failure = match length {
        _ if head.status != 200 => Some(Failure::Status(head.status)),
        BodyLength::Missing => Some(Failure::MissingLength),
        BodyLength::Invalid | BodyLength::Bytes(0) => Some(Failure::InvalidLength),
        BodyLength::Bytes(length) if length > LONGEST_ANSWER => Some(Failure::TooLong),
        BodyLength::Bytes(_) => None,
    };
    let mut answer = CallbackAnswer {
        status: head.status,
        headers: head.headers,
        body: Vec::new(),
    };
    match length {
        BodyLength::Bytes(length) if length <= LONGEST_ANSWER => {
            let read = reader.body(length as usize, &mut answer.body);
            let read = timeout_at(deadline, read).await;
            failure = failure.or(match read {
                Ok(Ok(())) if is_accepted(&answer) => None,
                Ok(Ok(())) => Some(Failure::NotJson),
                Ok(Err(_)) => Some(Failure::BadGateway),
                Err(_) => Some(Failure::TooSlow),
            });
        }
        // Refused whatever the body is; what has come along with the head may help whoever reads the record.
        _ => answer.body = reader.into_buffer(),
    }
    match failure {
        None => Ok(answer),
        Some(failure) => Err(Refused {
            failure,
            answer: Ok(answer),
        }),
    }
}

/// JSON of any kind, or XML if the answer says so.
fn is_accepted(answer: &CallbackAnswer) -> bool {
    let content_type = answer.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    let is_xml = media_type.trim().eq_ignore_ascii_case("application/xml");
    is_json(&answer.body) || (is_xml && is_well_formed_xml(&answer.body))
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

    fn is_accepted(content_type: Option<&str>, body: &[u8]) -> bool {
        let header = |value: &str| ("Content-Type".to_owned(), value.to_owned());
        super::is_accepted(&CallbackAnswer {
            status: 200,
            headers: content_type.map(header).into_iter().collect(),
            body: body.to_vec(),
        })
    }

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
