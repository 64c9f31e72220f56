//! Credentials that somebody provides, again and again, as those of STS expire.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, SystemTime};

use super::{Credentials, KeyPair, Kind};
use crate::error::{Error, Result};
use crate::verdict::ErrorKind;

/// The longest time before their end at which credentials are replaced; of short-lived ones it is a fifth of
/// their life.
const AHEAD: Duration = Duration::from_secs(300);

/// Gives a client its credentials, and new ones before those expire.
///
/// Asked when a request needs credentials and there are none, or those there are say that they
/// [expire](Credentials::expires_at) within 5 minutes (a fifth of their life if that is shorter), or OSS has
/// refused them as expired; without an expiry, for each request. Called from any thread, but never by two at
/// once: others go on with what there is as long as it is valid. It may block; the request's limits take effect
/// when it returns. A closure `Fn() -> Result<Credentials, Box<dyn Error + Send + Sync>>` is one.
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
    /// Held while the provider is asked.
    asking: Mutex<()>,
    current: Mutex<Option<Current>>,
}

#[derive(Clone)]
struct Current {
    pair: Arc<KeyPair>,
    /// When it is to be replaced, and when it must be.
    stale: SystemTime,
    expires: SystemTime,
}

impl Provided {
    pub(super) fn new(provider: impl CredentialsProvider + 'static) -> Provided {
        Provided {
            provider: Box::new(provider),
            asking: Mutex::new(()),
            current: Mutex::new(None),
        }
    }

    pub(super) fn key_pair(&self) -> Result<Arc<KeyPair>> {
        if let Some(current) = self.current(|current| current.stale) {
            return Ok(current);
        }
        let valid = self.current(|current| current.expires);
        let _asking = match (self.asking.try_lock(), valid) {
            (Ok(asking), _) => asking,
            (Err(TryLockError::Poisoned(asking)), _) => asking.into_inner(),
            // Somebody asks already, and there is time.
            (Err(TryLockError::WouldBlock), Some(pair)) => return Ok(pair),
            (Err(TryLockError::WouldBlock), None) => {
                self.asking.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        // Whoever asked meanwhile asked for us, too.
        if let Some(current) = self.current(|current| current.stale) {
            return Ok(current);
        }
        match self.ask() {
            Ok(pair) => Ok(pair),
            Err(error) => self.current(|current| current.expires).ok_or(error),
        }
    }

    /// What the provider gave last is of no use any more.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn ask(&self) -> Result<Arc<KeyPair>> {
        let failed = |what: String| Error::new(ErrorKind::CredentialsFailed, what);
        let provided = self
            .provider
            .credentials()
            .map_err(|e| failed(format!("the credentials provider failed: {e}")).with_source(e))?;
        let Kind::Fixed(pair) = provided.0 else {
            let what = "the credentials provider gave neither a key pair nor a signer";
            return Err(failed(what.to_owned()));
        };
        pair.check()
            .map_err(|e| failed(format!("the credentials provider gave a bad key pair: {e}")))?;
        // Without an expiry they are for this request.
        *self.lock() = pair.expires.map(|expires| {
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

    /// What there is, unless this time of it has come.
    fn current(&self, until: impl Fn(&Current) -> SystemTime) -> Option<Arc<KeyPair>> {
        let current = self.lock();
        let current = current.as_ref()?;
        (SystemTime::now() < until(current)).then(|| current.pair.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};
    use std::thread;

    use super::*;

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
        assert!(credentials.renew());
        credentials.key_pair().unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 2);
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
        *provided.lock() = Some(Current {
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
