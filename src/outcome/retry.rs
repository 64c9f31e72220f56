//! May a request be sent again, and when? Pure.
//!
//! OSS's documentation and the official SDKs agree on what is worth another attempt; what is safe with a
//! callback is our rule: a callback is never delivered twice unless the caller allowed it.

use std::time::{Duration, SystemTime};

use crate::outcome::error::Error;
use crate::outcome::verdict::{Answered, ErrorKind, Stored};

// As in the official SDKs.
pub(crate) const MAX_ATTEMPTS: u32 = 3;
pub(crate) const BASE_DELAY: Duration = Duration::from_millis(200);
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(20);

/// How often, and how patiently, a failed request is sent again.
///
/// Only failures that may end differently are retried (a lost connection, a time limit, 5xx, 408, 429 and their
/// variants), only with a body that can be read again, and **only when the failed attempt certainly stored
/// nothing, or there is no callback, or the caller said that the callback is idempotent**. Never after a
/// 203, a wrong CRC-64 or a damaged answer. A request that OSS refuses because the clocks differ too much is sent
/// again by OSS's time, and one whose credentials it refuses as expired or unknown with new ones of the
/// [provider](crate::CredentialsProvider), once each; not with a URL or form, which is signed already. The client keeps what
/// it has learned for later requests, whether or not another attempt is made.
///
/// No request is sent more often than the policy allows. Each request of an upload counts for itself: each part of a
/// file, and also the looks that follow a lost answer to CompleteMultipartUpload. A kept connection that turns out to be
/// closed before the first byte of a request is replaced, which is not an attempt.
///
/// What a policy leaves open is as the client's policy says, and then as in the official SDKs: three attempts, delays
/// from 0.2 s on, doubled each time, at most 20 s.
///
/// ```
/// use std::time::Duration;
/// use oss_callback::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(5).base_delay(Duration::from_secs(1));
/// let never = RetryPolicy::none();
/// # let _ = (patient, never);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: Option<u32>,
    base_delay: Option<Duration>,
    max_delay: Option<Duration>,
}

impl RetryPolicy {
    /// Each request is sent once, whatever becomes of it.
    pub fn none() -> RetryPolicy {
        RetryPolicy::default().max_attempts(1)
    }

    /// Attempts in all, the first one included; 0 counts as 1. Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> RetryPolicy {
        self.max_attempts = Some(attempts.max(1));
        self
    }

    /// The most that is waited after the first failure; it doubles with each further one. The actual
    /// delay is drawn between nothing and that ("full jitter"), so that many clients do not come back at
    /// once. Default: 0.2 s.
    pub fn base_delay(mut self, delay: Duration) -> RetryPolicy {
        self.base_delay = Some(delay);
        self
    }

    /// No delay is longer; when a server asks for a longer one with `Retry-After`, there is no further
    /// attempt. Default: 20 s.
    pub fn max_delay(mut self, delay: Duration) -> RetryPolicy {
        self.max_delay = Some(delay);
        self
    }

    /// Whether another attempt may follow so many.
    pub(crate) fn allows_after(&self, attempts: u32) -> bool {
        attempts < self.max_attempts.unwrap_or(MAX_ATTEMPTS)
    }

    /// This policy, and another one for what it leaves open.
    pub(crate) fn or(self, other: RetryPolicy) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts.or(other.max_attempts),
            base_delay: self.base_delay.or(other.base_delay),
            max_delay: self.max_delay.or(other.max_delay),
        }
    }

    /// How long to wait before the next attempt; `None` when there must be none. `attempt` counts those
    /// made, from 1; `random` is between 0 and 1.
    pub(crate) fn delay(
        &self,
        attempt: u32,
        error: &Error,
        again: Again,
        random: f64,
    ) -> Option<Duration> {
        if !self.allows_after(attempt) || !again.is_safe(error) || !is_worth_it(error) {
            return None;
        }
        let factor = 2_u32.saturating_pow(attempt - 1);
        let base_delay = self.base_delay.unwrap_or(BASE_DELAY);
        let max_delay = self.max_delay.unwrap_or(MAX_DELAY);
        let ceiling = base_delay.saturating_mul(factor).min(max_delay);
        let jitter = ceiling.mul_f64(random.clamp(0.0, 1.0));
        // A date is one of the server's clock.
        let date = error
            .header("date")
            .and_then(|date| httpdate::parse_http_date(date).ok());
        let now = date.unwrap_or_else(SystemTime::now);
        match error
            .header("retry-after")
            .and_then(|text| retry_after(text, now))
        {
            Some(asked) if asked > max_delay => None,
            Some(asked) => Some(asked.max(jitter)),
            None => Some(jitter),
        }
    }
}

/// What decides whether sending again does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) callback: bool,
    /// The caller said that the callback may be delivered twice.
    pub(crate) idempotent: bool,
    /// The body can be read from its beginning.
    pub(crate) rewindable: bool,
    /// Each attempt is signed for itself. A URL or a form of somebody else's is signed once.
    pub(crate) signed_anew: bool,
}

impl Again {
    fn is_safe(self, error: &Error) -> bool {
        let no_harm = match error.stored() {
            Stored::Yes => false,
            Stored::No => true,
            Stored::Unknown => !self.callback || self.idempotent,
        };
        self.rewindable && no_harm
    }
}

/// Whether another attempt may end differently.
fn is_worth_it(error: &Error) -> bool {
    const TRANSIENT: [&str; 3] = ["RequestTimeout", "IncompleteBody", "BadRequest"];
    match error.kind() {
        _ if error.is_final() => false,
        ErrorKind::Resolve
        | ErrorKind::Connect
        | ErrorKind::Timeout
        | ErrorKind::ConnectionLost
        | ErrorKind::ServerError => true,
        _ => match error.status() {
            Some(401 | 408 | 429) => true,
            Some(400) => error
                .oss_code()
                .is_some_and(|code| TRANSIENT.contains(&code)),
            _ => false,
        },
    }
}

/// `Retry-After` in either of its forms: seconds, or a date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// What is known of an object after several attempts, of which the last ended in `error`: what one
/// attempt left open, a later one that stored nothing does not settle.
pub(crate) fn add_up(any_unknown: bool, error: Error) -> Error {
    if !any_unknown {
        return error;
    }
    let stored = match error.stored() {
        Stored::No => Stored::Unknown,
        stored => stored,
    };
    // The lost answer may have been the application server's consent.
    let answered = match error.answered() {
        Answered::No => Answered::Unknown,
        answered => answered,
    };
    error.with_verdict(stored, answered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::headers::Headers;

    const SAFE: Again = Again {
        callback: false,
        idempotent: false,
        rewindable: true,
        signed_anew: true,
    };

    fn error(kind: ErrorKind, stored: Stored) -> Error {
        Error::new(kind, "m").with_verdict(stored, Answered::Unknown)
    }

    fn again(error: &Error, again: Again) -> bool {
        RetryPolicy::default().delay(1, error, again, 0.5).is_some()
    }

    #[test]
    fn what_is_left_open_is_as_the_other_policy_says() {
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        let other = RetryPolicy::default()
            .max_attempts(9)
            .base_delay(two)
            .max_delay(two);
        for (policy, whole) in [
            (RetryPolicy::default(), other),
            (RetryPolicy::none(), other.max_attempts(1)),
            (
                RetryPolicy::default().base_delay(one),
                other.base_delay(one),
            ),
            (RetryPolicy::default().max_delay(one), other.max_delay(one)),
        ] {
            assert_eq!(policy.or(other), whole);
            assert_eq!(whole.or(policy), whole);
        }
    }

    #[test]
    fn a_callback_is_never_risked_twice_unless_the_caller_allows_it() {
        for (stored, callback, idempotent, rewindable, expected) in [
            (Stored::No, true, false, true, true),
            (Stored::Unknown, true, false, true, false),
            (Stored::Unknown, true, true, true, true),
            (Stored::Unknown, false, false, true, true),
            (Stored::No, false, false, false, false),
        ] {
            let facts = Again {
                callback,
                idempotent,
                rewindable,
                signed_anew: true,
            };
            let lost = error(ErrorKind::ConnectionLost, stored);
            assert_eq!(again(&lost, facts), expected, "{stored:?} {facts:?}");
        }
    }

    #[test]
    fn what_is_stored_is_never_sent_again() {
        let anything = Again {
            callback: true,
            idempotent: true,
            rewindable: true,
            signed_anew: true,
        };
        // Even of a kind that would be worth it otherwise.
        for kind in [
            ErrorKind::CallbackFailed,
            ErrorKind::AnswerDamaged,
            ErrorKind::Timeout,
        ] {
            assert!(!again(&error(kind, Stored::Yes), anything), "{kind:?}");
        }
    }

    #[test]
    fn only_what_may_end_differently_is_tried_again() {
        for (kind, expected) in [
            (ErrorKind::Resolve, true),
            (ErrorKind::Connect, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::ConnectionLost, true),
            (ErrorKind::ServerError, true),
            (ErrorKind::InvalidArgument, false),
            (ErrorKind::Tls, false),
            (ErrorKind::Cancelled, false),
            (ErrorKind::Protocol, false),
            (ErrorKind::AccessDenied, false),
            (ErrorKind::NotFound, false),
            (ErrorKind::Conflict, false),
            (ErrorKind::BodyChanged, false),
            (ErrorKind::Internal, false),
        ] {
            assert_eq!(again(&error(kind, Stored::No), SAFE), expected, "{kind:?}");
        }
        for (status, expected) in [
            (400, false),
            (401, true),
            (403, false),
            (408, true),
            (411, false),
            (429, true),
        ] {
            let refused = error(ErrorKind::Refused, Stored::No);
            let refused = refused.with_answer(status, Headers::default(), Vec::new());
            assert_eq!(again(&refused, SAFE), expected, "{status}");
        }
    }

    #[test]
    fn delays_grow_to_their_limit_and_heed_the_server() {
        let policy = RetryPolicy::default().max_attempts(100);
        let lost = error(ErrorKind::ConnectionLost, Stored::No);
        let delay = |attempt, random| policy.delay(attempt, &lost, SAFE, random).unwrap();
        assert_eq!(delay(1, 1.0), Duration::from_millis(200));
        assert_eq!(delay(3, 1.0), Duration::from_millis(800));
        assert_eq!(delay(99, 1.0), Duration::from_secs(20));
        assert_eq!(delay(99, 0.0), Duration::ZERO);

        let asking = |text: &str| {
            let mut headers = Headers::default();
            headers.push("Retry-After", text.as_bytes());
            error(ErrorKind::ServerError, Stored::No).with_answer(503, headers, Vec::new())
        };
        assert_eq!(
            policy.delay(1, &asking("7"), SAFE, 0.5),
            Some(Duration::from_secs(7))
        );
        assert_eq!(policy.delay(1, &asking("21"), SAFE, 0.5), None);
        assert!(policy.delay(1, &asking("soon"), SAFE, 0.5).is_some());
        let past = asking("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(policy.delay(1, &past, SAFE, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn attempts_end_with_their_limit() {
        let lost = error(ErrorKind::ConnectionLost, Stored::No);
        assert!(RetryPolicy::default().delay(2, &lost, SAFE, 0.5).is_some());
        assert!(RetryPolicy::default().delay(3, &lost, SAFE, 0.5).is_none());
        assert!(RetryPolicy::none().delay(1, &lost, SAFE, 0.5).is_none());
    }

    #[test]
    fn what_is_unknown_stays_so_unless_it_is_stored_later() {
        let no = || error(ErrorKind::Conflict, Stored::No);
        assert_eq!(add_up(false, no()).stored(), Stored::No);
        assert_eq!(add_up(true, no()).stored(), Stored::Unknown);
        assert_eq!(add_up(true, no()).answered(), Answered::Unknown);
        // Stored for certain, but an earlier callback may have been answered.
        let stored = Error::new(ErrorKind::CallbackFailed, "m");
        let stored = add_up(true, stored.with_verdict(Stored::Yes, Answered::No));
        assert_eq!(
            (stored.stored(), stored.answered()),
            (Stored::Yes, Answered::Unknown)
        );
        let plain = Error::new(ErrorKind::Conflict, "m");
        let plain = add_up(true, plain.with_verdict(Stored::No, Answered::NotRequested));
        assert_eq!(plain.answered(), Answered::NotRequested);
    }
}
