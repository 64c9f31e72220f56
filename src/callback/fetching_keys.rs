//! The key source that fetches: opt-in, and bounded in everything that a hostile request could drive.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::keys::{KeySource, KnownKeys, key_unavailable, path_of};
use super::public_key::PublicKey;
use crate::base::process::PerProcess;
use crate::outcome::error::{Error, Result};
use crate::transport::{
    Given, Limits, Lookup, Origin, Pem, Proxies, Proxy, RootCertificates, Settings, SignedRequest,
    TlsSettings, Transport,
};

/// Always https, whatever the callback says.
const HOST: &str = "https://gosspublic.alicdn.com/";
/// Whoever sends requests decides which URLs are asked for, so these are the limits of what he can cause.
const MAX_KEYS: usize = 8;
const MAX_KEY_LEN: usize = 16 * 1024;
/// Between two fetches of one URL, failures included.
const PAUSE: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(3);

/// Fetches keys that are not known yet from OSS's key host and keeps them.
///
/// OSS has signed with one key for as long as anybody remembers, and that one is built in, so this is for
/// the day on which it names another. Fetched are only URLs of the form `callback_pub_key_v<digits>.pem` on
/// the one host, always by https: at most 8 of them, each at most once a minute, 16 KiB, 3 seconds, no
/// redirect. Threads that need the same key wait for one fetch; each process fetches for itself.
///
/// ```no_run
/// use oss_callback::callback::{FetchingKeys, Verifier};
///
/// let verifier = Verifier::with_keys(FetchingKeys::new()?);
/// # Ok::<(), oss_callback::Error>(())
/// ```
pub struct FetchingKeys {
    known: KnownKeys,
    transport: Transport,
    timeout: Duration,
    /// A child begins with nothing: its parent may have been fetching.
    cache: PerProcess<Cache>,
}

impl FetchingKeys {
    /// With the production key, the system's certificate authorities and no proxy.
    ///
    /// # Errors
    ///
    /// As [`FetchingKeysBuilder::build`].
    pub fn new() -> Result<FetchingKeys> {
        FetchingKeys::builder().build()
    }

    /// With settings of its own.
    pub fn builder() -> FetchingKeysBuilder {
        FetchingKeysBuilder {
            known: KnownKeys::new(),
            timeout: TIMEOUT,
            proxy: None,
            addresses: Given::default(),
            tls: TlsSettings::default(),
        }
    }

    fn fetch(&self, path: &str) -> Result<PublicKey> {
        let failed = |reason: String| key_unavailable(format!("fetch {HOST}{path}: {reason}"));
        let limits = Limits {
            connect: self.timeout,
            answer: self.timeout,
            body: Some(self.timeout),
            progress: self.timeout,
            deadline: Instant::now().checked_add(self.timeout),
            cancellation: None,
        };
        let request = SignedRequest {
            method: "GET",
            url: format!("{HOST}{path}").into(),
            headers: &[(
                "User-Agent".into(),
                concat!("oss-callback/", env!("CARGO_PKG_VERSION")).into(),
            )],
        };
        let answer = self.transport.exchange(request, None, &limits).result;
        let answer = answer.map_err(|e| failed(e.to_string()).with_source(e))?;
        if answer.status != 200 {
            return Err(failed(format!("status {}", answer.status)));
        }
        let (pem, damage) = answer.body.read_to_limit(MAX_KEY_LEN);
        if let Some(damage) = damage {
            return Err(failed(damage.to_string()).with_source(damage));
        }
        let pem = String::from_utf8(pem).map_err(|_| failed("not a text".to_owned()))?;
        PublicKey::from_pem(&pem).map_err(|e| failed(e.to_string()).with_source(e))
    }
}

impl KeySource for FetchingKeys {
    fn key(&self, url: &str) -> Result<PublicKey> {
        let Some(path) = path_of(url) else {
            return Err(key_unavailable("the URL is not on OSS's key host"));
        };
        if let Some(key) = self.known.find(path) {
            return Ok(key);
        }
        if !is_key_path(path) {
            return Err(key_unavailable(
                "the callback names a key that is not known here and is not fetched: its URL does not \
                 have the form callback_pub_key_v1.pem",
            ));
        }
        self.cache
            .get(|_| Cache::default())
            .key(path, Instant::now(), self.timeout, || self.fetch(path))
    }
}

impl fmt::Debug for FetchingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchingKeys")
            .field("known", &self.known)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn is_key_path(path: &str) -> bool {
    let digits = path.strip_prefix("callback_pub_key_v");
    let digits = digits.and_then(|rest| rest.strip_suffix(".pem"));
    digits.is_some_and(|text| {
        (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Puts [`FetchingKeys`] together.
#[derive(Debug)]
#[must_use]
pub struct FetchingKeysBuilder {
    known: KnownKeys,
    timeout: Duration,
    proxy: Option<Url>,
    addresses: Given,
    tls: TlsSettings,
}

/// A URL that may hold a password, which `Debug` therefore does not show.
struct Url(String);

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl FetchingKeysBuilder {
    /// Keys that need not be fetched. Default: the production key, which is in every [`KnownKeys`].
    pub fn known_keys(mut self, known: KnownKeys) -> Self {
        self.known = known;
        self
    }

    /// Time for one fetch. Default: 3 s, which leaves the handler 2 of OSS's 5 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// An HTTP proxy to fetch through, as [`ClientBuilder::proxy`](crate::ClientBuilder::proxy).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Url(url.into()));
        self
    }

    /// Addresses to use for a host name, as [`ClientBuilder::resolve`](crate::ClientBuilder::resolve).
    pub fn resolve(mut self, host: &str, addresses: impl Into<Vec<SocketAddr>>) -> Self {
        self.addresses.set(host, addresses.into());
        self
    }

    /// Which certificate authorities are trusted.
    pub fn root_certificates(mut self, roots: RootCertificates) -> Self {
        self.tls.roots = roots;
        self
    }

    /// Certificate authorities in PEM that are trusted besides.
    pub fn ca_bundle(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.bundle = Some(Pem::Bytes(pem.into()));
        self
    }

    /// The same from a file, as [`ClientBuilder::ca_bundle_file`](crate::ClientBuilder::ca_bundle_file).
    pub fn ca_bundle_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.bundle = Some(Pem::File(path.into()));
        self
    }

    /// Makes the source. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument), naming what is wrong.
    pub fn build(self) -> Result<FetchingKeys> {
        if self.timeout.is_zero() {
            return Err(Error::argument("`timeout` is zero"));
        }
        let settings = Settings {
            proxies: match &self.proxy {
                Some(url) => Proxy::parse(&url.0, "`proxy`")?.into(),
                None => Proxies::default(),
            },
            addresses: self.addresses,
            lookup: Lookup::default(),
            origin: Origin::default(),
            max_idle_connections: 0,
            max_idle_time: Duration::ZERO,
            tls: Some(self.tls),
        };
        Ok(FetchingKeys {
            known: self.known,
            transport: Transport::new(settings)?,
            timeout: self.timeout,
            cache: PerProcess::default(),
        })
    }
}

/// What was fetched, and what is being fetched.
#[derive(Default)]
struct Cache {
    slots: Mutex<HashMap<String, Slot>>,
    changed: Condvar,
}

#[derive(Clone)]
enum Slot {
    Fetching,
    Key(PublicKey),
    /// When the fetch began, and why it failed.
    Failed(Instant, String),
}

impl Cache {
    /// The key at a path. It is fetched if nobody has done so; whoever comes meanwhile waits, for at most
    /// `patience`.
    fn key(
        &self,
        path: &str,
        now: Instant,
        patience: Duration,
        fetch: impl FnOnce() -> Result<PublicKey>,
    ) -> Result<PublicKey> {
        let fetching =
            |slots: &mut HashMap<String, Slot>| matches!(slots.get(path), Some(Slot::Fetching));
        let waited = self
            .changed
            .wait_timeout_while(self.slots(), patience, fetching);
        let (mut slots, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match slots.get(path) {
            Some(Slot::Key(key)) => return Ok(key.clone()),
            Some(Slot::Fetching) => {
                return Err(key_unavailable("another thread is still fetching the key"));
            }
            Some(Slot::Failed(begun, reason)) if !is_over(*begun, now) => {
                let ago = now.saturating_duration_since(*begun).as_secs();
                return Err(key_unavailable(format!("{ago} s ago: {reason}")));
            }
            Some(Slot::Failed(..)) => {}
            None if slots.len() < MAX_KEYS => {}
            None => {
                // A key that was fetched is never given up for one that somebody merely names.
                let old = slots.iter().find_map(|(path, slot)| match slot {
                    Slot::Failed(begun, _) if is_over(*begun, now) => Some(path.clone()),
                    _ => None,
                });
                let Some(old) = old else {
                    return Err(key_unavailable(format!(
                        "{MAX_KEYS} other keys were asked for within a minute"
                    )));
                };
                slots.remove(&old);
            }
        }
        slots.insert(path.to_owned(), Slot::Fetching);
        drop(slots);

        // A panic in between must not leave the others waiting.
        let mut end = End {
            cache: self,
            path,
            slot: Slot::Failed(now, "the fetch ended in a fault".to_owned()),
        };
        let result = fetch();
        end.slot = match &result {
            Ok(key) => Slot::Key(key.clone()),
            Err(error) => Slot::Failed(now, error.to_string()),
        };
        result
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(begun: Instant, now: Instant) -> bool {
    now.saturating_duration_since(begun) >= PAUSE
}

/// Ends a fetch.
struct End<'a> {
    cache: &'a Cache,
    path: &'a str,
    slot: Slot,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let slot = self.slot.clone();
        self.cache.slots().insert(self.path.to_owned(), slot);
        self.cache.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::outcome::verdict::ErrorKind;
    use crate::vectors;

    fn key() -> PublicKey {
        let file = vectors::file("callback_signature.json");
        PublicKey::from_pem(file["test_keys"][0]["public_pem"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn only_the_one_form_of_path_is_fetched() {
        for path in [
            "callback_pub_key_v1.pem",
            "callback_pub_key_v2.pem",
            "callback_pub_key_v999999999.pem",
        ] {
            assert!(is_key_path(path), "{path}");
        }
        for path in [
            "",
            "callback_pub_key_v.pem",
            "callback_pub_key_v1.pem?x",
            "callback_pub_key_v1.pem/",
            "../callback_pub_key_v1.pem",
            "a/callback_pub_key_v1.pem",
            "callback_pub_key_v1",
            "callback_pub_key_v-1.pem",
            "callback_pub_key_v１.pem",
            "callback_pub_key_v1234567890.pem",
        ] {
            assert!(!is_key_path(path), "{path}");
        }
    }

    #[test]
    fn a_key_is_fetched_once_and_a_failure_is_kept_for_a_minute() {
        let (cache, fetches, start) = (Cache::default(), Cell::new(0), Instant::now());
        let ask = |path: &str, seconds, result: Result<PublicKey>| {
            let now = start + Duration::from_secs(seconds);
            cache.key(path, now, Duration::ZERO, || {
                fetches.set(fetches.get() + 1);
                result
            })
        };
        assert_eq!(ask("a", 0, Ok(key())).unwrap(), key());
        assert_eq!(ask("a", 1000, Err(key_unavailable("no"))).unwrap(), key());
        assert_eq!(fetches.get(), 1);

        ask("b", 0, Err(key_unavailable("no"))).unwrap_err();
        let error = ask("b", 59, Ok(key())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
        assert_eq!(error.to_string(), "59 s ago: no");
        assert_eq!(fetches.get(), 2);
        assert_eq!(ask("b", 60, Ok(key())).unwrap(), key());
        assert_eq!(fetches.get(), 3);
    }

    #[test]
    fn no_more_than_eight_are_kept_and_keys_are_not_driven_out() {
        let (cache, fetches, start) = (Cache::default(), Cell::new(0), Instant::now());
        let ask = |path: &str, seconds, result: Result<PublicKey>| {
            let now = start + Duration::from_secs(seconds);
            cache.key(path, now, Duration::ZERO, || {
                fetches.set(fetches.get() + 1);
                result
            })
        };
        ask("good", 0, Ok(key())).unwrap();
        for number in 0..20 {
            ask(&number.to_string(), 0, Err(key_unavailable("no"))).unwrap_err();
        }
        assert_eq!((fetches.get(), cache.slots().len()), (8, 8));
        for number in 100..120 {
            ask(&number.to_string(), 60, Err(key_unavailable("no"))).unwrap_err();
        }
        assert_eq!((fetches.get(), cache.slots().len()), (15, 8));
        assert_eq!(ask("good", 60, Err(key_unavailable("no"))).unwrap(), key());
    }

    #[test]
    fn a_fetch_that_panics_fails() {
        let cache = Cache::default();
        let panics = || cache.key("a", Instant::now(), Duration::ZERO, || panic!("on purpose"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        let again = cache.key("a", Instant::now(), Duration::ZERO, || Ok(key()));
        assert_eq!(again.unwrap_err().kind(), ErrorKind::KeyUnavailable);
    }
}
