//! What every operation can be told: its own limits and attempts, in place of the client's.

use std::time::{Duration, Instant};

use crate::cancellation::Cancellation;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::retry::RetryPolicy;
use crate::transport::Limits;

/// Limits of one operation; what is not given is the client's.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperationOptions {
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) answer_timeout: Option<Duration>,
    pub(crate) progress_timeout: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancellation: Option<Cancellation>,
    pub(crate) retry_policy: Option<RetryPolicy>,
}

impl OperationOptions {
    pub(crate) fn check(&self) -> Result<()> {
        for (name, limit) in [
            ("connect_timeout", self.connect_timeout),
            ("answer_timeout", self.answer_timeout),
            ("progress_timeout", self.progress_timeout),
            ("timeout", self.timeout),
        ] {
            if limit == Some(Duration::ZERO) {
                return Err(Error::argument(format!("`{name}` is zero")));
            }
        }
        Ok(())
    }

    /// The limits from now on, of an operation after which OSS may call `callback_urls` servers.
    pub(crate) fn limits(&self, client: &Client, callback_urls: usize) -> Limits {
        let mut limits = client.limits(self.answer_timeout, callback_urls);
        limits.connect = self.connect_timeout.unwrap_or(limits.connect);
        limits.progress = self.progress_timeout.unwrap_or(limits.progress);
        if let Some(timeout) = self.timeout {
            limits.deadline = Instant::now().checked_add(timeout);
        }
        limits.cancellation = self.cancellation.clone();
        limits
    }

    pub(crate) fn policy(&self, client: &Client) -> RetryPolicy {
        self.retry_policy.unwrap_or(client.retry_policy())
    }
}

/// The setters of an operation's own limits; the same for each, on a field `options`.
macro_rules! operation_setters {
    () => {
        /// Time for finding the server's address, and for connecting: each. In place of the client's.
        pub fn connect_timeout(mut self, limit: std::time::Duration) -> Self {
            self.options.connect_timeout = Some(limit);
            self
        }

        /// Time from the last byte sent until OSS answers, and then again for the answer's body, in place
        /// of the client's; the time for callbacks is added to it.
        pub fn answer_timeout(mut self, limit: std::time::Duration) -> Self {
            self.options.answer_timeout = Some(limit);
            self
        }

        /// The longest time without progress, in place of the client's.
        pub fn progress_timeout(mut self, limit: std::time::Duration) -> Self {
            self.options.progress_timeout = Some(limit);
            self
        }

        /// Time for the operation with all its attempts, in place of the client's.
        pub fn timeout(mut self, limit: std::time::Duration) -> Self {
            self.options.timeout = Some(limit);
            self
        }

        /// Lets another thread end the operation.
        pub fn cancellation(mut self, cancellation: &crate::Cancellation) -> Self {
            self.options.cancellation = Some(cancellation.clone());
            self
        }

        /// When the operation is tried again, in place of the client's policy.
        pub fn retry_policy(mut self, policy: crate::RetryPolicy) -> Self {
            self.options.retry_policy = Some(policy);
            self
        }
    };
}

pub(crate) use operation_setters;
