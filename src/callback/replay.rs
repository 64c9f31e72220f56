//! Was this sealed callback seen before? With bounded memory, or a store that servers share.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::seal::SealedCallback;
use crate::error::{Error, Result};
use crate::verdict::ErrorKind;

/// Nonces are kept for so long after their seals have expired, so that no delay between the check of the
/// seal and that of the nonce, and no correction of the clock, opens a gap.
const MARGIN: Duration = Duration::from_secs(300);

/// What a [`ReplayGuard`] knows of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// It comes for the first time: handle it.
    FirstSeen,
    /// The same callback again, byte for byte: answer as before, and do nothing. OSS itself delivers twice
    /// when it goes on to the next URL because an answer came too late.
    Repeated,
    /// The same seal with another body: refuse it. Somebody uses a permission twice.
    Replayed,
}

/// Remembers nonces; a database that several servers share can be one.
pub trait NonceStore: Send + Sync {
    /// In one step, for all threads and servers: returns the digest that is kept under `nonce`; if there is
    /// none, keeps `body_digest` there until `keep_until`, or longer, and returns `None`.
    ///
    /// # Errors
    ///
    /// [`replay_unknown`] when the store cannot tell; it must never forget a nonce before its time.
    fn keep(
        &self,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>>;

    /// Forgets a nonce.
    ///
    /// # Errors
    ///
    /// [`replay_unknown`] when the store cannot be reached.
    fn forget(&self, nonce: &[u8; 16]) -> Result<()>;
}

/// An error that says why a store cannot tell: [`ErrorKind::ReplayUnknown`].
pub fn replay_unknown(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::ReplayUnknown, reason)
}

/// Tells callbacks that come for the first time from others. May be shared between threads.
///
/// ```no_run
/// use oss_callback::callback::{ReplayGuard, Sealer, Seen, VerifiedCallback};
///
/// # fn handle(sealer: &Sealer, verified: &VerifiedCallback) -> Result<(), oss_callback::Error> {
/// # let guard = ReplayGuard::in_memory(100_000);
/// let sealed = sealer.check(verified)?;
/// match guard.check(&sealed)? {
///     Seen::FirstSeen => { /* act; if that fails: guard.forget(&sealed)? */ }
///     Seen::Repeated => { /* answer as before */ }
///     Seen::Replayed => { /* refuse */ }
/// }
/// # Ok(())
/// # }
/// ```
pub struct ReplayGuard {
    store: Box<dyn NonceStore>,
}

impl ReplayGuard {
    /// Remembers up to `capacity` permissions that have not ended yet, each in some 150 bytes, in this
    /// process only. A guard that is full refuses to say anything rather than to forget.
    pub fn in_memory(capacity: usize) -> ReplayGuard {
        ReplayGuard::with_store(MemoryStore {
            capacity,
            kept: Mutex::default(),
        })
    }

    /// Remembers in this store.
    pub fn with_store(store: impl NonceStore + 'static) -> ReplayGuard {
        ReplayGuard {
            store: Box::new(store),
        }
    }

    /// Looks, and remembers. Ask when the callback comes, not when it is worked on later. Of threads that ask for one callback at once, one is told
    /// [`Seen::FirstSeen`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReplayUnknown`] when the guard is full, its store fails, or the permission ended more than
    /// five minutes ago, so that the nonce may be forgotten: answer with a 5xx.
    pub fn check(&self, sealed: &SealedCallback) -> Result<Seen> {
        self.check_at(sealed, SystemTime::now())
    }

    fn check_at(&self, sealed: &SealedCallback, now: SystemTime) -> Result<Seen> {
        let keep_until = sealed.expires().checked_add(MARGIN);
        let keep_until = keep_until.unwrap_or_else(|| sealed.expires());
        if keep_until < now {
            return Err(replay_unknown(
                "the permission ended so long ago that what was seen may be forgotten",
            ));
        }
        let digest = sealed.body_digest();
        let kept = self.store.keep(sealed.nonce(), digest, keep_until);
        let seen = match kept.map_err(store_failed)? {
            None => Seen::FirstSeen,
            Some(kept) if kept == *digest => Seen::Repeated,
            Some(_) => Seen::Replayed,
        };
        Ok(seen)
    }

    /// Takes a [`Seen::FirstSeen`] back, when what was to be done has failed and a repetition is welcome.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReplayUnknown`] when the store fails.
    pub fn forget(&self, sealed: &SealedCallback) -> Result<()> {
        self.store.forget(sealed.nonce()).map_err(store_failed)
    }
}

/// Whatever a store says of its failure, it is no verdict on the callback.
fn store_failed(error: Error) -> Error {
    match error.kind() {
        ErrorKind::ReplayUnknown => error,
        _ => replay_unknown("the nonce store failed").with_source(error),
    }
}

impl fmt::Debug for ReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayGuard")
    }
}

struct MemoryStore {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    digests: HashMap<[u8; 16], [u8; 32]>,
    /// What is over first comes first. One of a nonce that was forgotten is still here until then, so it
    /// counts.
    ends: BinaryHeap<Reverse<(SystemTime, [u8; 16])>>,
}

impl MemoryStore {
    fn keep_at(
        &self,
        now: SystemTime,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Reverse((end, old))) = kept.ends.peek().copied()
            && end < now
        {
            kept.ends.pop();
            kept.digests.remove(&old);
        }
        if let Some(digest) = kept.digests.get(nonce) {
            return Ok(Some(*digest));
        }
        if kept.ends.len() >= self.capacity {
            return Err(replay_unknown(format!(
                "the replay guard is full: {} permissions that have not ended yet were used",
                self.capacity
            )));
        }
        kept.digests.insert(*nonce, *body_digest);
        kept.ends.push(Reverse((keep_until, *nonce)));
        Ok(None)
    }
}

impl NonceStore for MemoryStore {
    fn keep(
        &self,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>> {
        self.keep_at(SystemTime::now(), nonce, body_digest, keep_until)
    }

    fn forget(&self, nonce: &[u8; 16]) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.digests.remove(nonce);
        kept.ends.retain(|Reverse((_, kept))| kept != nonce);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::callback::{Sealer, VerifiedCallback};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A store that answers as if nothing had ever been kept, as one does that has thrown away what is over.
    struct Forgetful;

    impl NonceStore for Forgetful {
        fn keep(&self, _: &[u8; 16], _: &[u8; 32], _: SystemTime) -> Result<Option<[u8; 32]>> {
            Ok(None)
        }

        fn forget(&self, _: &[u8; 16]) -> Result<()> {
            Ok(())
        }
    }

    /// Who puts a callback aside and looks later would be told "first seen" each time.
    #[test]
    fn a_guard_that_is_asked_long_after_the_end_does_not_know() {
        let file = crate::vectors::file("callback_seal.json");
        let secrets = STANDARD.decode(file["secrets"]["2026-01"].as_str().unwrap());
        let sealer = Sealer::new("2026-01", &secrets.unwrap()).unwrap();
        let body = file["vectors"][0]["body"].as_str().unwrap();
        let body = VerifiedCallback::of_body("application/x-www-form-urlencoded", body);
        let end = 1_800_000_000;
        let sealed = sealer.check_at(&body, at(end - 1)).unwrap();
        for guard in [
            ReplayGuard::with_store(Forgetful),
            ReplayGuard::in_memory(10),
        ] {
            assert_eq!(
                guard.check_at(&sealed, at(end + 300)).unwrap(),
                Seen::FirstSeen
            );
            let error = guard.check_at(&sealed, at(end + 301)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
        }
    }

    fn store(capacity: usize) -> MemoryStore {
        MemoryStore {
            capacity,
            kept: Mutex::default(),
        }
    }

    #[test]
    fn what_is_kept_is_found_until_its_end_and_then_forgotten() {
        let store = store(10);
        let keep = |now, nonce: u8, digest: u8, until| {
            store
                .keep_at(at(now), &[nonce; 16], &[digest; 32], at(until))
                .unwrap()
        };
        assert_eq!(keep(0, 1, 1, 100), None);
        assert_eq!(keep(0, 2, 2, 50), None);
        assert_eq!(keep(50, 2, 9, 100), Some([2; 32]));
        assert_eq!(keep(51, 2, 9, 100), None);
        assert_eq!(keep(100, 1, 9, 200), Some([1; 32]));
        assert_eq!(keep(101, 3, 3, 200), None);
        assert_eq!(store.kept.lock().unwrap().digests.len(), 1);
        assert_eq!(store.kept.lock().unwrap().ends.len(), 1);
    }

    /// To forget would be to take a replay for a first time.
    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let store = store(3);
        let keep = |now, nonce: u8| store.keep_at(at(now), &[nonce; 16], &[0; 32], at(100));
        for nonce in 0..3 {
            assert_eq!(keep(0, nonce).unwrap(), None);
        }
        for nonce in 3..100 {
            let error = keep(0, nonce).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
        }
        for nonce in 0..3 {
            assert_eq!(keep(100, nonce).unwrap(), Some([0; 32]));
        }
        store.forget(&[1; 16]).unwrap();
        assert_eq!(keep(0, 7).unwrap(), None);
        assert_eq!(keep(101, 8).unwrap(), None);
    }

    #[test]
    fn forgetting_and_keeping_again_does_not_shorten_the_time() {
        let store = store(2);
        for until in [10, 20] {
            let kept = store.keep_at(at(0), &[1; 16], &[1; 32], at(until));
            assert_eq!(kept.unwrap(), None);
            if until == 10 {
                store.forget(&[1; 16]).unwrap();
            }
        }
        let kept = store.keep_at(at(15), &[1; 16], &[1; 32], at(20));
        assert_eq!(kept.unwrap(), Some([1; 32]));
    }
}
