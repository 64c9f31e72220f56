//! Credentials that somebody provides, again and again, as those of STS expire.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Credentials, KeyPair, Kind};
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
    /// When it is to be replaced, and when it must be.
    stale: SystemTime,
    expires: SystemTime,
}

impl State {
    /// What there is, unless this time of it has come.
    fn before(&self, until: impl Fn(&Current) -> SystemTime) -> Option<Arc<KeyPair>> {
        let current = self.current.as_ref()?;
        (SystemTime::now() < until(current)).then(|| current.pair.clone())
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

    pub(super) fn key_pair(&self) -> Result<Arc<KeyPair>> {
        let process = self.process();
        let mut state = process.lock();
        if let Some(pair) = state.before(|current| current.stale) {
            return Ok(pair);
        }
        if state.asking {
            // There may be time; if there is none, whoever asks asks for us, too.
            if let Some(pair) = state.before(|current| current.expires) {
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
        asked.or_else(|error| {
            process
                .lock()
                .before(|current| current.expires)
                .ok_or(error)
        })
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
        process.lock().current = pair.expires.map(|expires| {
            let life = expires
                .duration_since(SystemTime::now())
                .unwrap_or_default();
            Current {
                pair: pair.clone(),
                stale: expires.checked_sub(AHEAD.min(life / 5)).unwrap_or(expires),
                expires,
            }
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
                    credentials.key_pair().unwrap().unwrap();
                });
            }
        });
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // Refused are those that signed; those that came since are not.
        let first = credentials.key_pair().unwrap().unwrap();
        credentials.forget(&first);
        let second = credentials.key_pair().unwrap().unwrap();
        credentials.forget(&first);
        assert!(Arc::ptr_eq(
            &second,
            &credentials.key_pair().unwrap().unwrap()
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
            let ask = || provided.key_pair().err().unwrap().to_string();
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
            credentials.key_pair().unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3);
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
        let hour = SystemTime::now() + Duration::from_secs(3600);
        provided.process().lock().current = Some(Current {
            pair,
            stale: SystemTime::UNIX_EPOCH,
            expires: hour,
        });
        thread::scope(|scope| {
            let asking = scope.spawn(|| provided.key_pair());
            has_entered.recv().unwrap();
            provided.key_pair().unwrap();
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
            let asking = scope.spawn(|| provided.key_pair());
            has_entered.recv().unwrap();
            let held = provided.process().lock();
            let childs = as_child(1, || provided.key_pair().unwrap());
            drop(held);
            leave.send(()).unwrap();
            let parents = asking.join().unwrap().unwrap();
            assert!(!Arc::ptr_eq(&childs, &parents));
            // Each keeps what it was given.
            assert!(Arc::ptr_eq(&parents, &provided.key_pair().unwrap()));
            as_child(1, || {
                assert!(Arc::ptr_eq(&childs, &provided.key_pair().unwrap()));
                provided.forget(&childs);
            });
            assert!(Arc::ptr_eq(&parents, &provided.key_pair().unwrap()));
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
            let error = provider.key_pair().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::CredentialsFailed);
            assert!(error.to_string().starts_with(said), "{error}");
            assert!(!format!("{error} {error:?} {provider:?}").contains("geheim"));
        }
    }
}
