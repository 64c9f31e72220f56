//! The only folder that names ureq: sends one signed request and hands back what came.
//!
//! Everything else sees one function, [`Transport::exchange`]. ureq speaks HTTP and keeps the pool; the
//! connections below it are ours, since they must notice answers that come early, end when a request is
//! cancelled or its time is up, and never raise a signal.

mod bandwidth;
mod body;
pub(crate) mod cancellation;
mod connection;
mod current;
mod framing;
#[cfg(fuzzing)]
mod fuzzed;
mod given;
mod head;
mod hidden;
mod origin;
mod proxies;
mod proxy;
mod queue;
mod race;
mod resolve;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod wire;

use std::borrow::Cow;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::process::PerProcess;
use crate::credentials::KeyPair;
use crate::outcome::error::{Error, Result};
use crate::outcome::headers::Headers;
use crate::outcome::unsettled::Contents;
use crate::outcome::verdict::ErrorKind;
use crate::request::Header;
use crate::transport::cancellation::Cancellation;

pub(crate) use bandwidth::Bandwidth;
use body::Outgoing;
pub(crate) use body::{Body, PAUSE, Progress, Reader, RewindableReader, changed, unreadable};
use connection::{Connector, Means, NoResolver};
use current::{Current, Phase};
#[cfg(fuzzing)]
pub use fuzzed::on_first_bytes;
pub(crate) use given::Given;
pub(crate) use origin::Origin;
pub(crate) use proxies::Proxies;
pub(crate) use proxy::Proxy;
pub(crate) use resolve::Lookup;
#[cfg(feature = "tls")]
pub use tls::RootCertificates;
#[cfg(feature = "tls")]
pub(crate) use tls::{Pem, TlsSettings};

/// A request head must fit into it whole, and file data goes through it unbuffered: smaller ones cost
/// speed, larger ones gain nothing.
const OUTPUT_BUFFER_LEN: usize = 128 * 1024;
/// The head of an answer must fit into it whole: OSS's own, with 8 KiB of metadata, are well below.
const INPUT_BUFFER_LEN: usize = 32 * 1024;

/// A request that is ready to go: signed, its URL encoded.
pub(crate) struct SignedRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: Cow<'a, str>,
    pub(crate) headers: &'a [Header<'a>],
}

/// How long a request may take, and how it is ended.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Finding the address, and connecting including TLS: each.
    pub(crate) connect: Duration,
    /// From the last byte that left to the head of the answer.
    pub(crate) answer: Duration,
    /// For the body of the answer, if it is not one of any length.
    pub(crate) body: Option<Duration>,
    /// Without progress while a body leaves or is received.
    pub(crate) progress: Duration,
    /// When everything must have ended.
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancellation: Option<Cancellation>,
}

impl Limits {
    /// Whether the request was cancelled or its overall time ran out, in which case it ended `while`
    /// something was done.
    pub(crate) fn check(&self, during: &str) -> Result<()> {
        let (kind, what) = if self
            .cancellation
            .as_ref()
            .is_some_and(Cancellation::is_cancelled)
        {
            (ErrorKind::Cancelled, "the upload was cancelled")
        } else if self.deadline.is_some_and(|end| end <= Instant::now()) {
            (ErrorKind::Timeout, "the overall time limit ran out")
        } else {
            return Ok(());
        };
        Err(Error::new(kind, format!("{what} while {during}")))
    }
}

#[cfg(test)]
impl Default for Limits {
    fn default() -> Limits {
        let long = Duration::from_secs(60);
        Limits {
            connect: long,
            answer: long,
            body: None,
            progress: long,
            deadline: None,
            cancellation: None,
        }
    }
}

/// One request and what became of it.
pub(crate) struct Exchange {
    /// Whether a write was started that could carry the last byte of the body, or with an empty body
    /// the head. From then on the server may have acted, unless it did not accept the TLS handshake: then
    /// it is as if nothing was sent.
    pub(crate) last_write_started: bool,
    /// Whether the last byte was handed to the system: an answer may come before that.
    pub(crate) all_sent: bool,
    /// The body as far as it was sent.
    pub(crate) sent: Contents,
    /// How long the head of the answer was waited for.
    pub(crate) waited: Duration,
    /// The error has a kind and a message, but no verdict yet.
    pub(crate) result: Result<UnreadAnswer>,
}

impl Exchange {
    /// Of a request that failed before anything of it was sent.
    pub(crate) fn unsent(error: Error) -> Exchange {
        Exchange {
            last_write_started: false,
            all_sent: false,
            sent: Contents { size: 0, crc64: 0 },
            waited: Duration::ZERO,
            result: Err(error),
        }
    }
}

/// The head of an answer, and a reader of its body.
pub(crate) struct UnreadAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: AnswerBody,
    /// A proxy passed it on, or gave it itself.
    pub(crate) relayed: bool,
    /// Whose signature the request had.
    pub(crate) signed_by: Option<Arc<KeyPair>>,
}

pub(crate) struct AnswerBody {
    reader: ureq::BodyReader<'static>,
    current: Rc<Current>,
}

impl AnswerBody {
    /// The whole body, or as much of it as came and the limit allows, and then why it is not the whole.
    pub(crate) fn read_to_limit(mut self, limit: usize) -> (Vec<u8>, Option<Error>) {
        let mut bytes = Vec::new();
        // One byte more than allowed shows that there is more.
        let one_more = (limit as u64).saturating_add(1);
        if let Err(e) = self.by_ref().take(one_more).read_to_end(&mut bytes) {
            return (bytes, Some(self.error(e)));
        }
        if bytes.len() > limit {
            bytes.truncate(limit);
            let message = format!(
                "the answer of {} has over {limit} bytes",
                self.current.host()
            );
            return (bytes, Some(Error::new(ErrorKind::AnswerDamaged, message)));
        }
        (bytes, None)
    }

    /// An error of [`Read::read`] in our terms.
    pub(crate) fn error(&self, e: io::Error) -> Error {
        let failure = self.current.take_failure();
        failure.unwrap_or_else(|| translate(ureq::Error::from(e), &self.current))
    }
}

impl Read for AnswerBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let current = self.current.clone();
        (current.come_back()).map_err(|e| current.fail(e).into_io())?;
        let count = current.within(|| self.reader.read(buffer))?;
        // Until the next call the caller's writer has the word.
        current.leave();
        // A body that only the end of the connection ends looks whole after a reset, too.
        if count == 0 && !buffer.is_empty() && current.reset.get() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(count)
    }
}

/// What a transport is made with.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) proxies: Proxies,
    /// Addresses that names are given in place of the system's.
    pub(crate) addresses: Given,
    pub(crate) lookup: Lookup,
    pub(crate) origin: Origin,
    pub(crate) max_idle_connections: usize,
    pub(crate) max_idle_time: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsSettings>,
}

/// Connections to OSS. Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct Transport {
    config: ureq::config::Config,
    means: Arc<Means>,
    /// The connections of each process, with their pool and its lock.
    agents: PerProcess<ureq::Agent>,
}

impl Transport {
    pub(crate) fn new(settings: Settings) -> Result<Transport> {
        // What a library must not do by itself is switched off: errors for statuses, redirects, proxies
        // from the environment, headers nobody asked for. Time limits are ours, so ureq has none.
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
            .max_idle_connections(settings.max_idle_connections)
            .max_idle_connections_per_host(settings.max_idle_connections)
            .max_idle_age(settings.max_idle_time)
            .build();
        settings.addresses.check()?;
        let means = Arc::new(Means {
            addresses: settings.addresses,
            lookup: settings.lookup,
            origin: settings.origin,
            proxies: settings.proxies,
            #[cfg(feature = "tls")]
            tls: match settings.tls {
                Some(tls) => Some(tls::config(&tls)?),
                None => None,
            },
        });
        Ok(Transport {
            agents: PerProcess::new(agent(&config, &means)),
            config,
            means,
        })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) fn exchange(
        &self,
        request: SignedRequest<'_>,
        body: Option<Body<'_>>,
        limits: &Limits,
    ) -> Exchange {
        let body_len = body.as_ref().map_or(Some(0), |body| body.len);
        let head = head::build(request, body.as_ref().and_then(|body| body.len));
        let (head, host) = match head.map(|head| (head.uri().authority().cloned(), head)) {
            Ok((Some(host), head)) => (head, host),
            // The request was checked before it came here, so neither can happen.
            Ok((None, _)) => return Exchange::unsent(unfit(&"its URL has no host")),
            Err(e) => return Exchange::unsent(unfit(&e).with_source(e)),
        };
        let current = Current::new(limits.clone(), host, body_len);
        let mut outgoing = Outgoing::new(body, current.clone());
        let result = match current.patience() {
            Ok(_) => current.within(|| self.run(head, &mut outgoing, current.process)),
            Err(e) => Err(current.fail(e)),
        };
        let waited = current.waited();
        let result = match result {
            Ok(response) if let Some(error) = refused_login(&response, &current) => {
                current.refused.set(true);
                Err(error)
            }
            Ok(response) => {
                current.enter(Phase::Receiving);
                Ok(answer(response, current.clone()))
            }
            Err(e) => Err(current
                .take_failure()
                .unwrap_or_else(|| translate(e, &current))),
        };
        Exchange {
            last_write_started: current.last_write_started.get() && !current.refused.get(),
            all_sent: current.all_sent.get(),
            sent: outgoing.sent(),
            waited,
            result,
        }
    }

    fn run(
        &self,
        head: http::Request<()>,
        outgoing: &mut Outgoing<'_>,
        process: u32,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let new = |_: &_| agent(&self.config, &self.means);
        let agent = self.agents.get_in(process, new);
        if outgoing.has_body() {
            let body = ureq::SendBody::from_reader(outgoing);
            agent.run(head.map(|()| body))
        } else {
            agent.run(head)
        }
    }
}

/// A pool without connections, for this process.
fn agent(config: &ureq::config::Config, means: &Arc<Means>) -> ureq::Agent {
    let connector = Connector::new(means.clone());
    ureq::Agent::with_parts(config.clone(), connector, NoResolver)
}

fn answer(response: http::Response<ureq::Body>, current: Rc<Current>) -> UnreadAnswer {
    let (head, body) = response.into_parts();
    UnreadAnswer {
        relayed: current.proxy.get().is_some(),
        status: head.status.as_u16(),
        headers: Headers::new(head.headers),
        body: AnswerBody {
            reader: body.into_reader(),
            current,
        },
        signed_by: None,
    }
}

/// The error for an answer by which a proxy says that it did not pass the request on (RFC 9110, section 15.5.8).
fn refused_login(response: &http::Response<ureq::Body>, current: &Current) -> Option<Error> {
    let proxy = current.proxy.get()?;
    let headers = response.headers();
    if response.status().as_u16() != 407 || headers.contains_key("x-oss-request-id") {
        return None;
    }
    let challenges = headers.get_all(http::header::PROXY_AUTHENTICATE).iter();
    Some(proxy.refused_login(challenges.map(http::HeaderValue::as_bytes)))
}

fn unfit(problem: &dyn std::fmt::Display) -> Error {
    let message = format!("a request that cannot be sent: {problem}");
    Error::new(ErrorKind::Internal, message)
}

fn closed_early(host: &str) -> String {
    format!("{host} closed the connection before its answer ended")
}

/// Names the cause of a failure that ureq reports; our own connections keep theirs themselves.
fn translate(error: ureq::Error, current: &Current) -> Error {
    let host = current.host();
    let (kind, message) = match &error {
        // Stalled is what ureq calls an end within the framing of a chunk.
        ureq::Error::BodyStalled => (ErrorKind::ConnectionLost, closed_early(host)),
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            (ErrorKind::ConnectionLost, closed_early(host))
        }
        ureq::Error::Io(e) => {
            let what = e.to_string().to_lowercase();
            (
                ErrorKind::ConnectionLost,
                format!("connection to {host}: {what}"),
            )
        }
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => (
            ErrorKind::Protocol,
            format!("{host} does not answer in proper HTTP: {error}"),
        ),
        // The request was checked before it came here, so nothing else can happen.
        _ => (ErrorKind::Internal, format!("request to {host}: {error}")),
    };
    Error::new(kind, message).with_source(error)
}
