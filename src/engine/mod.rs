//! What every operation stands on: it signs a request, sends it, and repeats it where that does no harm.

pub(crate) mod attempts;
pub(crate) mod authorization;
pub(crate) mod content_md5;
pub(crate) mod open_file;
pub(crate) mod operation;
pub(crate) mod source;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use authorization::Authorization;

use crate::base::clock::Clock;
use crate::credentials::{Credentials, KeyPair};
use crate::outcome;
use crate::outcome::error::Result;
use crate::outcome::retry::RetryPolicy;
use crate::request::endpoint::Endpoint;
use crate::request::{Request, set_header};
use crate::sign::SignatureVersion;
use crate::transport::{Body, Exchange, Limits, SignedRequest, Transport, UnreadAnswer};

/// OSS may wait so long for the application server, at each callback URL (OSS documentation,
/// "Callback"), and be silent meanwhile.
const CALLBACK_TIME: Duration = Duration::from_secs(5);

/// Headers that the client adds to those of an operation: who asks, and four of the signature.
const MAX_OWN_HEADERS: usize = 5;

/// Where requests go, who signs them, how long they may take. A clone is the same one.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

/// What a client was built with.
pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) region: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) signature_version: SignatureVersion,
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) answer_timeout: Duration,
    pub(crate) progress_timeout: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_answer_len: usize,
    pub(crate) retry_policy: RetryPolicy,
    /// OSS's clock, as far as its refusals have told of it.
    pub(crate) clock: Clock,
    pub(crate) transport: Transport,
}

impl From<Inner> for Engine {
    fn from(inner: Inner) -> Engine {
        Engine(Arc::new(inner))
    }
}

impl Engine {
    /// The limits of a request, with `answer_timeout` in place of the client's if there is one, after which
    /// OSS may call `callback_urls` servers before it answers.
    pub(crate) fn limits(&self, answer_timeout: Option<Duration>, callback_urls: usize) -> Limits {
        let answer_timeout = answer_timeout.unwrap_or(self.0.answer_timeout);
        let callbacks = CALLBACK_TIME * u32::try_from(callback_urls).unwrap_or(u32::MAX);
        Limits {
            connect: self.0.connect_timeout,
            answer: answer_timeout.saturating_add(callbacks),
            body: Some(answer_timeout),
            progress: self.0.progress_timeout,
            deadline: self
                .0
                .timeout
                .and_then(|limit| Instant::now().checked_add(limit)),
            cancellation: None,
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The builder has seen to it that there is one where it is needed.
    pub(crate) fn region(&self) -> &str {
        self.0.region.as_deref().unwrap_or_default()
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.0.retry_policy
    }

    /// From now on requests are dated by this time.
    pub(crate) fn set_clock(&self, time: SystemTime) {
        self.0.clock.set(time);
    }

    /// Whether other credentials may be had than those that OSS refused.
    pub(crate) fn may_renew_credentials(&self) -> bool {
        self.0.credentials.is_provided()
    }

    /// Signs and sends a request that has been checked.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        body: Option<Body<'_>>,
        limits: &Limits,
    ) -> Exchange {
        let mut headers = Vec::with_capacity(request.headers.len() + MAX_OWN_HEADERS);
        let given = request.headers.iter();
        headers.extend(given.map(|(name, value)| (Cow::from(&**name), Cow::from(&**value))));
        set_header(&mut headers, "User-Agent", self.0.user_agent.as_str());
        if let Some(url) = &request.url {
            let signed = SignedRequest {
                method: request.method,
                url: url.into(),
                headers: &headers,
            };
            return self.0.transport.exchange(signed, body, limits);
        }
        let pair = match self.key_pair() {
            Ok(pair) => pair,
            Err(error) => return Exchange::unsent(error),
        };
        if let Some(pair) = &pair
            && let Err(error) = self.authorization(pair).sign(request, &mut headers)
        {
            return Exchange::unsent(error);
        }
        let signed = SignedRequest {
            method: request.method,
            url: self.0.endpoint.url(request).into(),
            headers: &headers,
        };
        let mut exchange = self.0.transport.exchange(signed, body, limits);
        drop(headers);
        if let Ok(answer) = &mut exchange.result {
            answer.signed_by = pair;
        }
        exchange
    }

    /// Who signs the next request; `None` for nobody.
    pub(crate) fn key_pair(&self) -> Result<Option<Arc<KeyPair>>> {
        self.0.credentials.key_pair(&self.0.clock)
    }

    /// Signs, now.
    pub(crate) fn authorization<'a>(&'a self, pair: &'a KeyPair) -> Authorization<'a> {
        Authorization {
            pair,
            version: self.0.signature_version,
            region: self.region(),
            product: "oss",
            now: self.0.clock.now(),
        }
    }

    /// Reads the body of an answer as far as the limit allows.
    pub(crate) fn read(&self, answer: UnreadAnswer) -> outcome::Answer {
        let (body, damage) = answer.body.read_to_limit(self.0.max_answer_len);
        let read = outcome::Answer {
            status: answer.status,
            headers: answer.headers,
            body,
            damage,
            relayed: answer.relayed,
        };
        if let Some(pair) = &answer.signed_by
            && outcome::refuses_credentials(&read)
        {
            self.0.credentials.forget(pair);
        }
        read
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("endpoint", &self.0.endpoint)
            .field("region", &self.0.region)
            .field("credentials", &self.0.credentials)
            .field("signature_version", &self.0.signature_version)
            .finish_non_exhaustive()
    }
}
