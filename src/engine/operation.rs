//! What every operation can be told: its own limits and attempts, in place of the client's.

use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::engine::attempts::Attempts;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::retry::{Again, RetryPolicy};
use crate::request::Request;
use crate::transport::cancellation::Cancellation;
use crate::transport::{Body, Limits};

/// Refuses limits that leave no time.
pub(crate) fn check_limits(limits: [(&str, Option<Duration>); 4]) -> Result<()> {
    let zero = limits
        .iter()
        .find(|(_, limit)| *limit == Some(Duration::ZERO));
    zero.map_or(Ok(()), |(name, _)| {
        Err(Error::argument(format!("`{name}` is zero")))
    })
}

/// Limits of an operation of its own, in place of the client's, and who may end it.
///
/// One value serves any number of operations, each of which takes it with its `options`; those of an upload are part of
/// [`PutOptions`](crate::PutOptions).
///
/// ```
/// use std::time::{Duration, Instant};
/// use oss_callback::{Client, OperationOptions};
/// # fn look(client: &Client) -> Result<(), oss_callback::Error> {
/// // Both together take no longer than ten seconds.
/// let options = OperationOptions::new().deadline(Instant::now() + Duration::from_secs(10));
/// let metadata = client.head_object("examplebucket", "cat.jpg").options(&options).send()?;
/// client.delete_object("examplebucket", "cat.jpg").options(&options).send()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct OperationOptions {
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) answer_timeout: Option<Duration>,
    pub(crate) progress_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancellation: Option<Cancellation>,
    pub(crate) retry_policy: RetryPolicy,
}

impl OperationOptions {
    /// Those of the client, and nobody who may end it.
    pub fn new() -> OperationOptions {
        OperationOptions::default()
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_limits([
            ("connect_timeout", self.connect_timeout),
            ("answer_timeout", self.answer_timeout),
            ("progress_timeout", self.progress_timeout),
            ("timeout", self.timeout),
        ])
    }

    /// The limits from now on, of an operation after which OSS may call `callback_urls` servers.
    fn limits(&self, engine: &Engine, callback_urls: usize) -> Limits {
        let mut limits = engine.limits(self.answer_timeout, callback_urls);
        limits.connect = self.connect_timeout.unwrap_or(limits.connect);
        limits.progress = self.progress_timeout.unwrap_or(limits.progress);
        if let Some(timeout) = self.timeout {
            limits.deadline = Instant::now().checked_add(timeout);
        }
        if let Some(deadline) = self.deadline {
            limits.deadline = Some(limits.deadline.map_or(deadline, |end| end.min(deadline)));
        }
        limits.cancellation = self.cancellation.clone();
        limits
    }

    /// The attempts of an operation that begins now.
    pub(crate) fn attempts(&self, engine: &Engine, callback_urls: usize) -> Attempts {
        Attempts {
            engine: engine.clone(),
            policy: self.retry_policy.or(engine.retry_policy()),
            limits: self.limits(engine, callback_urls),
        }
    }
}

/// A request that does no harm when it is sent twice, with a short answer and at most a short body.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) engine: Engine,
    pub(crate) request: Request,
    body: Option<Vec<u8>>,
}

impl Operation {
    pub(crate) fn new(engine: Engine, request: Request) -> Operation {
        Operation {
            engine,
            request,
            body: None,
        }
    }

    /// With a body, which may be empty: a POST says its length even then.
    pub(crate) fn body(mut self, body: Vec<u8>) -> Operation {
        self.body = Some(body);
        self
    }

    /// Makes attempts until OSS answers with one of the wanted statuses.
    pub(crate) fn send(
        &self,
        options: &OperationOptions,
        wanted: &[u16],
    ) -> Result<outcome::Answer> {
        self.check(options)?;
        self.send_with(&options.attempts(&self.engine, 0), wanted)
    }

    /// Makes attempts; each says whether another may follow.
    pub(crate) fn run<T>(
        &self,
        options: &OperationOptions,
        attempt: impl FnMut(&Engine, &Request, &Limits) -> (Result<T>, bool),
    ) -> Result<T> {
        self.check(options)?;
        self.run_with(&options.attempts(&self.engine, 0), attempt)
    }

    /// As [`send`](Operation::send), as part of something larger that has been checked.
    pub(crate) fn send_with(&self, attempts: &Attempts, wanted: &[u16]) -> Result<outcome::Answer> {
        self.send_telling(attempts, wanted, || {})
    }

    /// The same, and tells of every failed attempt that OSS may have carried out all the same.
    pub(crate) fn send_telling(
        &self,
        attempts: &Attempts,
        wanted: &[u16],
        mut unknown: impl FnMut(),
    ) -> Result<outcome::Answer> {
        self.run_with(attempts, |engine, request, limits| {
            let mut reader = self.body.as_deref().unwrap_or_default();
            let mut silent = |_, _| {};
            let body = self.body.as_ref().map(|body| Body {
                len: Some(body.len() as u64),
                ends: true,
                name: "the request's body",
                reader: &mut reader,
                progress: &mut silent,
                bandwidth: None,
            });
            let exchange = engine.exchange(request, body, limits);
            let was_sent = exchange.last_write_started;
            let answer = exchange.result;
            let result = answer.and_then(|answer| outcome::of_other(engine.read(answer), wanted));
            if let Err(error) = &result
                && was_sent
                && !error.is_refusal()
            {
                unknown();
            }
            (result, true)
        })
    }

    fn run_with<T>(
        &self,
        attempts: &Attempts,
        mut attempt: impl FnMut(&Engine, &Request, &Limits) -> (Result<T>, bool),
    ) -> Result<T> {
        let done = attempts.run(|engine, limits| {
            let (result, rewindable) = attempt(engine, &self.request, limits);
            (
                result,
                Again {
                    callback: false,
                    idempotent: true,
                    rewindable,
                    signed_anew: true,
                },
            )
        })?;
        Ok(done.0)
    }

    fn check(&self, options: &OperationOptions) -> Result<()> {
        self.request.check()?;
        options.check()
    }
}

/// The setters of an operation's own limits, once for the value and for each operation: `operation_setters!(self,
/// self.options)` makes those of an operation that keeps it in its field `options`.
macro_rules! operation_setters {
    ($self:ident, $limits:expr) => {
        /// Time for finding the server's address, and for connecting: each. In place of the client's.
        pub fn connect_timeout(mut $self, limit: std::time::Duration) -> Self {
            $limits.connect_timeout = Some(limit);
            $self
        }

        /// Time from the last byte sent until OSS answers, and then again for the answer's body, in place
        /// of the client's; the time for callbacks is added to it.
        pub fn answer_timeout(mut $self, limit: std::time::Duration) -> Self {
            $limits.answer_timeout = Some(limit);
            $self
        }

        /// The longest time without progress, in place of the client's.
        pub fn progress_timeout(mut $self, limit: std::time::Duration) -> Self {
            $limits.progress_timeout = Some(limit);
            $self
        }

        /// Time for the operation with all its attempts, in place of the client's.
        pub fn timeout(mut $self, limit: std::time::Duration) -> Self {
            $limits.timeout = Some(limit);
            $self
        }

        /// A deadline, which several operations may share, such as the steps of an upload. If a `timeout` is set too,
        /// whichever comes first applies. Default: none.
        pub fn deadline(mut $self, deadline: std::time::Instant) -> Self {
            $limits.deadline = Some(deadline);
            $self
        }

        /// Lets another thread end the operation. `None` takes an earlier one away.
        pub fn cancellation<'c>(
            mut $self,
            cancellation: impl Into<Option<&'c crate::transport::cancellation::Cancellation>>,
        ) -> Self {
            $limits.cancellation = cancellation.into().cloned();
            $self
        }

        /// When the operation is tried again. What the policy leaves open is as the client's says.
        pub fn retry_policy(mut $self, policy: crate::outcome::retry::RetryPolicy) -> Self {
            $limits.retry_policy = policy;
            $self
        }
    };
}

/// As [`operation_setters`], for an operation that has no other options, in its field `options`.
macro_rules! operation_options {
    () => {
        /// All of these limits in place of those that were given before.
        pub fn options(mut self, options: &crate::engine::operation::OperationOptions) -> Self {
            self.options = options.clone();
            self
        }

        crate::engine::operation::operation_setters!(self, self.options);
    };
}

impl OperationOptions {
    operation_setters!(self, self);
}

pub(crate) use {operation_options, operation_setters};
