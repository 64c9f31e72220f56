//! Credentials that somebody provides, again and again, as those of STS expire.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{Credentials, KeyPair, Kind};
use crate::base::clock::Clock;
use crate::base::process::PerProcess;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// The longest time before their end at which credentials are replaced; of short-lived ones it is a fifth of
/// their life.
const AHEAD: Duration = Duration::from_secs(300);

/// Gives a client its credentials, and new ones before those expire.
///
/// Asked when a request needs credentials and there are none, or those there are say that they
/// [expire](Credentials::expires_at) within 5 minutes (a fifth of their life if that is shorter), or OSS has
/// refused them as expired; without an expiry, for each request. Called from any thread, but never by two of a
/// process at once: others go on with what there is as long as it is valid, and else wait for the same answer. It may block;
/// the limits of the requests that wait for it take effect when it returns. It must not use the client that asks
/// it. A closure `Fn() -> Result<Credentials, Box<dyn Error + Send + Sync>>` is one.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_callback::Credentials;
///
/// let credentials = Credentials::provider(|| {
///     // Ask the application server for a token of STS.
///     let expires = SystemTime::now() + Duration::from_secs(900);
///     Ok(Credentials::new("STS.id", "secret").security_token("token").expires_at(expires))
/// });
/// ```
pub trait CredentialsProvider: Send + Sync {
    /// Credentials that are valid now: a key pair or a remote signer.
    ///
    /// # Errors
    ///
    /// Anything; if there are no others that are still valid, the request ends with
    /// [`ErrorKind::CredentialsFailed`](crate::ErrorKind::CredentialsFailed), and the error as its source.
    fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>>;
}

impl<F> CredentialsProvider for F
where
    F: Fn() -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> + Send + Sync,
{
    fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        self()
    }
}

/// A provider and what it gave last.
pub(super) struct Provided {
    provider: Box<dyn CredentialsProvider>,
    process: PerProcess<Process>,
}

/// What a process knows of its provider.
#[derive(Default)]
struct Process {
    state: Mutex<State>,
    /// An answer of the provider has come.
    answered: Condvar,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// Somebody asks right now.
    asking: bool,
    /// How often the provider has answered, and what last; a failure in words.
    answers: u64,
    last: Option<Result<Arc<KeyPair>, String>>,
    /// How many wait for an answer.
    #[cfg(test)]
    waiting: usize,
}

#[derive(Clone)]
struct Current {
    pair: Arc<KeyPair>,
    expires: SystemTime,
    /// When it was given, and what this machine's clock said then.
    given: Instant,
    given_here: SystemTime,
}

impl Current {
    /// How long it is valid in all, and from now on.
    fn life_and_rest(&self, now: SystemTime) -> (Duration, Duration) {
        let age = self.given.elapsed();
        let since = |given: SystemTime| self.expires.duration_since(given).unwrap_or_default();
        // Nobody gives what has expired already: then the end was counted from this machine's clock, which is wrong.
        let life = match now.checked_sub(age).map(since) {
            Some(life) if !life.is_zero() => life,
            _ => since(self.given_here),
        };
        (life, life.saturating_sub(age))
    }
}

impl State {
    /// What there is, unless it is to be replaced.
    fn fresh(&self, clock: &Clock) -> Option<Arc<KeyPair>> {
        self.with_more_than(clock, |life| AHEAD.min(life / 5))
    }

    /// What there is, as long as it is valid.
    fn valid(&self, clock: &Clock) -> Option<Arc<KeyPair>> {
        self.with_more_than(clock, |_| Duration::ZERO)
    }

    /// What there is, if it is valid for longer than this, by how long it is in all.
    fn with_more_than(
        &self,
        clock: &Clock,
        least: impl Fn(Duration) -> Duration,
    ) -> Option<Arc<KeyPair>> {
        let current = self.current.as_ref()?;
        let (life, rest) = current.life_and_rest(clock.now());
        (rest > least(life)).then(|| current.pair.clone())
    }
}

impl Provided {
    pub(super) fn new(provider: impl CredentialsProvider + 'static) -> Provided {
        Provided {
            provider: Box::new(provider),
            process: PerProcess::default(),
        }
    }

    /// A child begins without credentials: those of its parent are behind a lock, and somebody may be asking there.
    fn process(&self) -> &Process {
        self.process.get(|_| Process::default())
    }

    pub(super) fn key_pair(&self, clock: &Clock) -> Result<Arc<KeyPair>> {
        let process = self.process();
        let mut state = process.lock();
        if let Some(pair) = state.fresh(clock) {
            return Ok(pair);
        }
        if state.asking {
            // There may be time; if there is none, whoever asks asks for us, too.
            if let Some(pair) = state.valid(clock) {
                return Ok(pair);
            }
            #[cfg(test)]
            {
                state.waiting += 1;
            }
            let answers = state.answers;
            let waited = process
                .answered
                .wait_while(state, |state| state.answers == answers);
            let state = waited.unwrap_or_else(PoisonError::into_inner);
            return match &state.last {
                Some(Ok(pair)) => Ok(pair.clone()),
                Some(Err(what)) => Err(failed(what.clone())),
                None => Err(failed(PANICKED.to_owned())),
            };
        }
        state.asking = true;
        drop(state);
        let mut answer = Answer {
            process,
            result: None,
        };
        let asked = self.ask(process);
        answer.result = Some(match &asked {
            Ok(pair) => Ok(pair.clone()),
            Err(error) => Err(error.to_string()),
        });
        drop(answer);
        asked.or_else(|error| process.lock().valid(clock).ok_or(error))
    }

    /// These are of no use any more; what the provider has given since may be.
    pub(super) fn forget(&self, pair: &Arc<KeyPair>) {
        let mut state = self.process().lock();
        if state
            .current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(&current.pair, pair))
        {
            state.current = None;
        }
    }

    fn ask(&self, process: &Process) -> Result<Arc<KeyPair>> {
        let provided = self.provider.credentials();
        let provided = provided
            .map_err(|e| failed(format!("the credentials provider failed: {e}")).with_source(e))?;
        let Kind::Fixed(pair) = provided.0 else {
            let what = "the credentials provider gave neither a key pair nor a signer";
            return Err(failed(what.to_owned()));
        };
        pair.check()
            .map_err(|e| failed(format!("the credentials provider gave a bad key pair: {e}")))?;
        // Without an expiry they are for this request.
        process.lock().current = pair.expires.map(|expires| Current {
            pair: pair.clone(),
            expires,
            given: Instant::now(),
            given_here: SystemTime::now(),
        });
        Ok(pair)
    }
}

impl Process {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PANICKED: &str = "the credentials provider failed: it panicked";

fn failed(what: String) -> Error {
    Error::new(ErrorKind::CredentialsFailed, what)
}

/// Tells those who wait, whatever happens to the provider.
struct Answer<'a> {
    process: &'a Process,
    result: Option<Result<Arc<KeyPair>, String>>,
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let mut state = self.process.lock();
        state.asking = false;
        state.answers += 1;
        state.last = self.result.take();
        self.process.answered.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};
    use std::thread;

    use super::*;
    use crate::base::process::tests::as_child;

    fn until(time: SystemTime) -> Credentials {
        Credentials::new("id", "secret").expires_at(time)
    }

    #[test]
    fn a_provider_is_asked_once_for_all_threads() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let credentials = Credentials::provider(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(until(SystemTime::now() + Duration::from_secs(900)))
        });
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    credentials.key_pair(&Clock::default()).unwrap().unwrap();
                });
            }
        });
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // Refused are those that signed; those that came since are not.
        let first = credentials.key_pair(&Clock::default()).unwrap().unwrap();
        credentials.forget(&first);
        let second = credentials.key_pair(&Clock::default()).unwrap().unwrap();
        credentials.forget(&first);
        assert!(Arc::ptr_eq(
            &second,
            &credentials.key_pair(&Clock::default()).unwrap().unwrap()
        ));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_failure_is_shared_by_those_who_waited_for_it() {
        let (leave, may_leave) = mpsc::sync_channel::<()>(0);
        let may_leave = Mutex::new(may_leave);
        let provided = Provided::new(move || {
            may_leave.lock().unwrap().recv().unwrap();
            Err("no network".into())
        });
        thread::scope(|scope| {
            let ask = || {
                provided
                    .key_pair(&Clock::default())
                    .err()
                    .unwrap()
                    .to_string()
            };
            let threads: Vec<_> = (0..9).map(|_| scope.spawn(ask)).collect();
            while provided.process().lock().waiting < 8 {
                thread::yield_now();
            }
            // Once for all of them.
            leave.send(()).unwrap();
            for thread in threads {
                let told = "the credentials provider failed: no network";
                assert_eq!(thread.join().unwrap(), told);
            }
        });
    }

    #[test]
    fn without_an_expiry_it_is_asked_for_each_request() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let credentials = Credentials::provider(move || {
            count.fetch_add(1, Ordering::Relaxed);
            Ok(Credentials::new("id", "secret"))
        });
        for _ in 0..3 {
            credentials.key_pair(&Clock::default()).unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn an_expiry_is_compared_with_the_right_clock_or_with_the_one_it_was_counted_from() {
        let month = Duration::from_secs(30 * 86_400);
        let life = Duration::from_secs(900);
        let here = SystemTime::now();
        for right in [here - month, here, here + month] {
            let clock = Clock::default();
            clock.set(right);
            // STS says when they expire, or the caller counts from this machine's clock. Nothing tells a long life from
            // a clock that is ahead.
            for expires in [right + life, here + life] {
                let asked = Arc::new(AtomicUsize::new(0));
                let count = asked.clone();
                let provided = Provided::new(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok(until(expires))
                });
                for _ in 0..21 {
                    provided.key_pair(&clock).unwrap();
                }
                assert_eq!(asked.load(Ordering::Relaxed), 1);
                // Thirteen minutes later.
                let later = Duration::from_secs(780);
                let mut state = provided.process().lock();
                let current = state.current.as_mut().unwrap();
                current.given -= later;
                current.given_here -= later;
                current.expires -= later;
                drop(state);
                provided.key_pair(&clock).unwrap();
                let expected = if expires > right + life { 1 } else { 2 };
                assert_eq!(asked.load(Ordering::Relaxed), expected);
            }
        }
    }

    #[test]
    fn others_go_on_with_what_is_valid_while_one_asks() {
        let (entered, has_entered) = mpsc::sync_channel(0);
        let (leave, may_leave) = mpsc::sync_channel::<()>(0);
        let may_leave = Mutex::new(may_leave);
        let provided = Provided::new(move || {
            let _ = entered.send(());
            let _ = may_leave.lock().unwrap().recv();
            Err("no".into())
        });
        let Kind::Fixed(pair) = until(SystemTime::now()).0 else {
            unreachable!()
        };
        let expires = SystemTime::now() + Duration::from_secs(250);
        provided.process().lock().current = Some(Current {
            pair,
            expires,
            // Their last five minutes have begun: others are due.
            given: Instant::now() - Duration::from_secs(1300),
            given_here: SystemTime::now(),
        });
        thread::scope(|scope| {
            let asking = scope.spawn(|| provided.key_pair(&Clock::default()));
            has_entered.recv().unwrap();
            provided.key_pair(&Clock::default()).unwrap();
            leave.send(()).unwrap();
            // The provider failed, but there is something valid.
            asking.join().unwrap().unwrap();
        });
    }

    /// The thread that asks is not there in a child.
    #[test]
    fn a_child_asks_for_itself_whatever_its_parent_is_doing() {
        let (entered, has_entered) = mpsc::sync_channel(1);
        let (leave, may_leave) = mpsc::sync_channel::<()>(0);
        let may_leave = Mutex::new(may_leave);
        let asked = AtomicUsize::new(0);
        let hour = SystemTime::now() + Duration::from_secs(3600);
        let provided = Provided::new(move || {
            if asked.fetch_add(1, Ordering::Relaxed) == 0 {
                entered.send(())?;
                may_leave.lock().unwrap().recv()?;
            }
            Ok(until(hour))
        });
        thread::scope(|scope| {
            let asking = scope.spawn(|| provided.key_pair(&Clock::default()));
            has_entered.recv().unwrap();
            let held = provided.process().lock();
            let childs = as_child(1, || provided.key_pair(&Clock::default()).unwrap());
            drop(held);
            leave.send(()).unwrap();
            let parents = asking.join().unwrap().unwrap();
            assert!(!Arc::ptr_eq(&childs, &parents));
            // Each keeps what it was given.
            assert!(Arc::ptr_eq(
                &parents,
                &provided.key_pair(&Clock::default()).unwrap()
            ));
            as_child(1, || {
                assert!(Arc::ptr_eq(
                    &childs,
                    &provided.key_pair(&Clock::default()).unwrap()
                ));
                provided.forget(&childs);
            });
            assert!(Arc::ptr_eq(
                &parents,
                &provided.key_pair(&Clock::default()).unwrap()
            ));
        });
    }

    #[test]
    fn a_failure_is_named_and_shows_no_secret() {
        for (provider, said) in [
            (
                Credentials::provider(|| Err("no network".into())),
                "the credentials provider failed: no network",
            ),
            (
                Credentials::provider(|| Ok(Credentials::anonymous())),
                "the credentials provider gave neither a key pair nor a signer",
            ),
            (
                Credentials::provider(|| Ok(Credentials::new("i d", "geheim"))),
                "the credentials provider gave a bad key pair: `access_key_id` holds",
            ),
        ] {
            let error = provider.key_pair(&Clock::default()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::CredentialsFailed);
            assert!(error.to_string().starts_with(said), "{error}");
            assert!(!format!("{error} {error:?} {provider:?}").contains("geheim"));
        }
    }
}
