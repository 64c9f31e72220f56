//! HTTP/1.1 messages read by hand, where a server or a client of the usual kind would hide what was really sent.

use std::io::{self, ErrorKind};

use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt};

const LARGEST_HEAD: usize = 64 * 1024;
const MOST_HEADERS: usize = 128;

/// Names as sent, values with what is not UTF-8 replaced.
pub(crate) type Headers = Vec<(String, String)>;

/// The head of a response.
pub(crate) struct ResponseHead {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
}

/// The head of a request.
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Headers,
}

/// Reads messages from a stream.
pub(crate) struct MessageReader<R> {
    stream: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> MessageReader<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// The head of the answer; interim answers before it are skipped.
    pub(crate) async fn response_head(&mut self) -> io::Result<ResponseHead> {
        loop {
            let head = self
                .head(|bytes| {
                    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
                    let mut response = httparse::Response::new(&mut headers);
                    let Status::Complete(length) = response.parse(bytes)? else {
                        return Ok(Status::Partial);
                    };
                    let head = ResponseHead {
                        status: response.code.unwrap_or_default(),
                        headers: copy(response.headers),
                    };
                    Ok(Status::Complete((length, head)))
                })
                .await?;
            if !(100..200).contains(&head.status) {
                return Ok(head);
            }
        }
    }

    pub(crate) async fn request_head(&mut self) -> io::Result<RequestHead> {
        self.head(|bytes| {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut request = httparse::Request::new(&mut headers);
            let Status::Complete(length) = request.parse(bytes)? else {
                return Ok(Status::Partial);
            };
            let head = RequestHead {
                method: request.method.unwrap_or_default().to_owned(),
                target: request.path.unwrap_or_default().to_owned(),
                headers: copy(request.headers),
            };
            Ok(Status::Complete((length, head)))
        })
        .await
    }

    async fn head<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> httparse::Result<(usize, T)>,
    ) -> io::Result<T> {
        loop {
            match parse(&self.buffer) {
                Ok(Status::Complete((length, head))) => {
                    self.buffer.drain(..length);
                    return Ok(head);
                }
                Ok(Status::Partial) if self.buffer.len() < LARGEST_HEAD => {}
                Ok(Status::Partial) => {
                    return Err(io::Error::new(ErrorKind::InvalidData, "headers too large"));
                }
                Err(error) => return Err(io::Error::new(ErrorKind::InvalidData, error)),
            }
            self.fill().await?;
        }
    }

    /// Up to `length` bytes into `body`. On an error `body` holds what had come until then.
    pub(crate) async fn body(&mut self, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let take = self.buffer.len().min(length - body.len());
            body.extend(self.buffer.drain(..take));
            if body.len() == length {
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads and forgets until the other side ends.
    pub(crate) async fn discard(&mut self) -> io::Result<()> {
        loop {
            self.buffer.clear();
            self.fill().await?;
        }
    }

    /// What has been read beyond the head.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn copy(headers: &[httparse::Header<'_>]) -> Headers {
    headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_owned(), value)
        })
        .collect()
}

/// What the headers say about the length of the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// No Content-Length, or one that a Transfer-Encoding overrides.
    Missing,
    /// Not a number, or several different ones.
    Invalid,
    Bytes(u64),
}

pub(crate) fn body_length(headers: &Headers) -> BodyLength {
    let named = |wanted: &'static str| {
        headers
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim())
    };
    let mut lengths = named("content-length");
    let first = match lengths.next() {
        Some(first) if named("transfer-encoding").next().is_none() => first,
        _ => return BodyLength::Missing,
    };
    if first.is_empty() || !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return BodyLength::Invalid;
    }
    if lengths.any(|length| length != first) {
        return BodyLength::Invalid;
    }
    // A number beyond 64 bits is too large for everybody.
    BodyLength::Bytes(first.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_apart() {
        let length = |headers: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            body_length(&headers.iter().map(owned).collect())
        };
        assert_eq!(length(&[("Content-Length", " 7 ")]), BodyLength::Bytes(7));
        assert_eq!(
            length(&[("content-length", "7"), ("CONTENT-LENGTH", "7")]),
            BodyLength::Bytes(7)
        );
        assert_eq!(
            length(&[("Content-Length", "7"), ("Content-Length", "8")]),
            BodyLength::Invalid
        );
        assert_eq!(
            length(&[("Content-Length", "99999999999999999999")]),
            BodyLength::Bytes(u64::MAX)
        );
        for invalid in ["", "-1", "+1", "1.0", "0x1", "seven"] {
            assert_eq!(
                length(&[("Content-Length", invalid)]),
                BodyLength::Invalid,
                "{invalid}"
            );
        }
        assert_eq!(length(&[]), BodyLength::Missing);
        let chunked = [("Transfer-Encoding", "chunked"), ("Content-Length", "7")];
        assert_eq!(length(&chunked), BodyLength::Missing);
    }
}
