//! A request, sent again as long as that is worth it and does no harm.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::base::process::this_process;
use crate::engine::Engine;
use crate::outcome;
use crate::outcome::error::{Error, Result};
use crate::outcome::retry::{self, Again, RetryPolicy};
use crate::outcome::verdict::{Attempt, ErrorKind, Stored};
use crate::transport::Limits;
use crate::transport::cancellation::Cancellation;

/// What decides about further attempts, besides how the last one ended.
pub(crate) struct Attempts {
    pub(crate) engine: Engine,
    pub(crate) policy: RetryPolicy,
    pub(crate) limits: Limits,
}

impl Attempts {
    /// The same, ended by this cancellation.
    pub(crate) fn with_cancellation(&self, cancellation: &Cancellation) -> Attempts {
        Attempts {
            engine: self.engine.clone(),
            policy: self.policy,
            limits: Limits {
                cancellation: Some(cancellation.clone()),
                ..self.limits.clone()
            },
        }
    }

    /// Makes attempts until one succeeds or no other may follow. Gives the attempts that failed before a
    /// success; an error has them in itself.
    pub(crate) fn run<T>(
        &self,
        mut attempt: impl FnMut(&Engine, &Limits) -> (Result<T>, Again),
    ) -> Result<(T, Vec<Attempt>)> {
        let mut history: Vec<Attempt> = Vec::new();
        let mut clock_corrected = false;
        let mut credentials_renewed = false;
        loop {
            let (result, again) = attempt(&self.engine, &self.limits);
            let error = match result {
                Ok(done) => return Ok((done, history)),
                Err(error) => error,
            };
            let made = u32::try_from(history.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            let mut delay = self.policy.delay(made, &error, again, random());
            let may_follow =
                again.rewindable && again.signed_anew && self.policy.allows_after(made);
            if let Some(time) = outcome::clock::told_by(&error) {
                // The clocks differ too much: OSS's own is right, and worth another attempt. Without one the next request
                // goes by it.
                self.engine.set_clock(time);
                if !clock_corrected {
                    clock_corrected = true;
                    delay = may_follow.then_some(Duration::ZERO);
                }
            }
            let expired = error.stored() == Stored::No
                && error
                    .status()
                    .is_some_and(|status| outcome::is_of_credentials(status, error.oss_code()));
            if expired && !credentials_renewed {
                // A provider may have others by now.
                credentials_renewed = self.engine.may_renew_credentials();
                delay = (credentials_renewed && may_follow).then_some(Duration::ZERO);
            }
            let unknown = history
                .iter()
                .any(|attempt| attempt.stored == Stored::Unknown);
            let Some(delay) = delay.filter(|delay| self.has_time(*delay)) else {
                return Err(retry::add_up(unknown, error).with_history(history));
            };
            if !self.sleep(delay) {
                // There is no next attempt, so the last one's verdict is the end of it.
                let message =
                    format!("the request was cancelled before its next attempt, after: {error}");
                let cancelled = Error::new(ErrorKind::Cancelled, message)
                    .with_verdict(error.stored(), error.answered())
                    .with_waited(error.waited())
                    .with_source(error);
                return Err(retry::add_up(unknown, cancelled).with_history(history));
            }
            history.push(error.attempt());
        }
    }

    /// Whether another attempt can begin before the deadline.
    fn has_time(&self, delay: Duration) -> bool {
        let begin = Instant::now().checked_add(delay);
        self.limits
            .deadline
            .is_none_or(|deadline| begin.is_some_and(|begin| begin < deadline))
    }

    /// Waits, but not for a request that is cancelled meanwhile: then false.
    fn sleep(&self, delay: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(100);
        let begun = Instant::now();
        loop {
            if self
                .limits
                .cancellation
                .as_ref()
                .is_some_and(|c| c.is_cancelled())
            {
                return false;
            }
            let left = delay.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }
}

/// Between 0 and 1, from the seed that the standard library gives its hash maps. Children of one process have one seed,
/// and are not to come back at the same time.
fn random() -> f64 {
    let random = RandomState::new().hash_one(this_process());
    random as f64 / u64::MAX as f64
}
