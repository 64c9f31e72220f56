//! The only folder that names ureq: sends one signed request and hands back what came.
//!
//! Everything else sees one function, [`Transport::exchange`].

mod body;
mod watch;

use std::io::{self, Read};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::headers::Headers;

pub(crate) use body::Body;
use body::Reader;
use watch::{Phase, WatchedConnector};

/// A request head must fit into it whole, and file data goes through it unbuffered: smaller ones cost
/// speed, larger ones gain nothing.
const OUTPUT_BUFFER_LEN: usize = 128 * 1024;
const INPUT_BUFFER_LEN: usize = 16 * 1024;
/// Connections kept open between requests: one for each thread of a busy program.
const MAX_IDLE_CONNECTIONS: usize = 64;
/// A peer that takes not a single byte for so long is gone.
const STALL: Duration = Duration::from_secs(30);

/// A request that is ready to go: signed, its URL encoded.
pub(crate) struct SignedRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
}

/// How long each phase of a request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Finding the address, and connecting including TLS: each.
    pub(crate) connect: Duration,
    /// From the last byte sent to the head of the answer.
    pub(crate) answer: Duration,
    /// For a body of unknown size: between two of its bytes. Otherwise for the whole of it.
    pub(crate) body: BodyLimit,
    pub(crate) overall: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyLimit {
    Whole(Duration),
    BetweenBytes(Duration),
}

/// One request and what became of it.
pub(crate) struct Exchange {
    /// Whether a write was started that could carry the last byte of the body, or with an empty body
    /// the head. From then on the server may have acted.
    pub(crate) last_write_started: bool,
    /// The CRC-64 of the body as far as it was sent.
    pub(crate) crc64: u64,
    /// The error has a kind and a message, but no verdict yet.
    pub(crate) result: Result<Answer, Error>,
}

/// The head of an answer, and a reader of its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: AnswerBody,
}

pub(crate) struct AnswerBody {
    reader: ureq::BodyReader<'static>,
    host: String,
}

impl AnswerBody {
    /// The whole body, or as much of it as came and the limit allows, and then why it is not the whole.
    pub(crate) fn read_to_limit(mut self, limit: usize) -> (Vec<u8>, Option<Error>) {
        let mut bytes = Vec::new();
        // One byte more than allowed shows that there is more.
        let read = self
            .by_ref()
            .take((limit as u64).saturating_add(1))
            .read_to_end(&mut bytes);
        if let Err(e) = read {
            return (bytes, Some(self.error(e)));
        }
        if bytes.len() > limit {
            bytes.truncate(limit);
            let message = format!("the answer of {} has more than {limit} bytes", self.host);
            return (bytes, Some(Error::new(ErrorKind::AnswerDamaged, message)));
        }
        (bytes, None)
    }

    /// An error of [`Read::read`] in our terms.
    pub(crate) fn error(&self, e: io::Error) -> Error {
        translate(ureq::Error::from(e), Phase::Writing, &self.host)
    }
}

impl Read for AnswerBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        // A body that only the end of the connection ends looks whole after a reset, too.
        if count == 0 && !buffer.is_empty() && watch::connection_was_reset() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(count)
    }
}

/// Connections to OSS. Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct Transport {
    agent: ureq::Agent,
}

impl Transport {
    pub(crate) fn new() -> Transport {
        // What a library must not do by itself is switched off: errors for statuses, redirects, proxies
        // from the environment, headers nobody asked for.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .output_buffer_size(OUTPUT_BUFFER_LEN)
            .input_buffer_size(INPUT_BUFFER_LEN)
            .max_idle_connections(MAX_IDLE_CONNECTIONS)
            .max_idle_connections_per_host(MAX_IDLE_CONNECTIONS)
            .timeout_per_write(Some(STALL))
            .build();
        let resolver = ureq::unversioned::resolver::DefaultResolver::default();
        Transport {
            agent: ureq::Agent::with_parts(config, WatchedConnector::default(), resolver),
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) fn exchange(
        &self,
        request: &SignedRequest<'_>,
        body: Option<Body<'_>>,
        limits: &Limits,
    ) -> Exchange {
        let empty = body.as_ref().is_none_or(|body| body.len == 0);
        let mut reader = Reader::new(body);
        let host = host(request.url);
        watch::begin();
        let result = self.run(request, &mut reader, limits);
        let phase = watch::phase();

        let last_write_started = if empty {
            phase == Phase::Writing
        } else {
            reader.last_block_handed_over()
        };
        let crc64 = reader.crc64();
        let result = match (result, reader.into_failure()) {
            (Err(_), Some(failure)) => Err(failure),
            (Err(e), None) => Err(translate(e, phase, host)),
            (Ok(response), _) => Ok(answer(response, host)),
        };
        Exchange {
            last_write_started,
            crc64,
            result,
        }
    }

    fn run(
        &self,
        request: &SignedRequest<'_>,
        reader: &mut Reader<'_>,
        limits: &Limits,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let mut head = ureq::http::Request::builder()
            .method(request.method)
            .uri(request.url);
        for (name, value) in request.headers {
            head = head.header(name.as_str(), value.as_bytes());
        }
        if let Some(len) = reader.len() {
            head = head.header("content-length", len);
        }
        match reader.len() {
            None => self.agent.run(self.limited(head.body(())?, limits)),
            Some(_) => {
                let body = ureq::SendBody::from_reader(reader);
                self.agent.run(self.limited(head.body(body)?, limits))
            }
        }
    }

    fn limited<S: ureq::AsSendBody>(
        &self,
        request: ureq::http::Request<S>,
        limits: &Limits,
    ) -> ureq::http::Request<S> {
        let (whole, between_bytes) = match limits.body {
            BodyLimit::Whole(limit) => (Some(limit), None),
            BodyLimit::BetweenBytes(limit) => (None, Some(limit)),
        };
        self.agent
            .configure_request(request)
            .timeout_global(limits.overall)
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_recv_response(Some(limits.answer))
            .timeout_recv_body(whole)
            .timeout_per_read(between_bytes)
            .build()
    }
}

fn answer(response: ureq::http::Response<ureq::Body>, host: &str) -> Answer {
    let (head, body) = response.into_parts();
    let mut headers = Headers::default();
    for (name, value) in &head.headers {
        headers.push(name.as_str(), value.as_bytes());
    }
    Answer {
        status: head.status.as_u16(),
        headers,
        body: AnswerBody {
            reader: body.into_reader(),
            host: host.to_owned(),
        },
    }
}

/// Host and port of a URL that this library has built.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    &rest[..rest.find('/').unwrap_or(rest.len())]
}

/// Names the cause of a failure by what was going on when it happened.
fn translate(error: ureq::Error, phase: Phase, host: &str) -> Error {
    use ureq::Timeout;
    let (kind, message) = match (&error, phase) {
        (ureq::Error::Timeout(limit), _) => {
            let what = match limit {
                Timeout::Resolve => "its address was not found in time",
                Timeout::Connect => "no connection in time",
                Timeout::RecvResponse => "no answer in time",
                Timeout::RecvBody | Timeout::PerRead => "the answer did not end in time",
                Timeout::PerWrite => "it took no data for too long",
                _ => "the overall time limit ran out",
            };
            (ErrorKind::Timeout, format!("{host}: {what}"))
        }
        (ureq::Error::HostNotFound, _) | (ureq::Error::Io(_), Phase::Resolving) => (
            ErrorKind::Resolve,
            format!("resolve {host}: {}", cause(&error)),
        ),
        (ureq::Error::Io(e), Phase::Connecting) if e.kind() != io::ErrorKind::InvalidData => (
            ErrorKind::Connect,
            format!("connect to {host}: {}", cause(&error)),
        ),
        (ureq::Error::ConnectionFailed, _) => {
            (ErrorKind::Connect, format!("connect to {host}: {error}"))
        }
        // rustls reports a bad certificate as invalid data.
        (_, Phase::Connecting) => (
            ErrorKind::Tls,
            format!("TLS with {host}: {}", cause(&error)),
        ),
        (ureq::Error::Io(e), Phase::Writing) if e.kind() == io::ErrorKind::InvalidData => {
            (ErrorKind::Protocol, format!("{host}: {}", cause(&error)))
        }
        (ureq::Error::Io(_), Phase::Writing) => (
            ErrorKind::ConnectionLost,
            format!("connection to {host}: {}", cause(&error)),
        ),
        (ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..), _) => (
            ErrorKind::Protocol,
            format!("{host} does not answer in proper HTTP: {error}"),
        ),
        // The request was checked before it came here, so nothing else can happen.
        _ => (ErrorKind::Internal, format!("request to {host}: {error}")),
    };
    Error::new(kind, message).with_source(error)
}

/// What the system or the TLS library said.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(e) => e.to_string().to_lowercase(),
        other => other.to_string(),
    }
}
