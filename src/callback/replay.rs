//! Was this sealed callback seen before? With bounded memory, or a store that servers share.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard, TryLockError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::seal::SealedCallback;
use crate::base::process::PerProcess;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// Nonces are kept for so long after their seals have expired, so that no delay between the check of the seal and that of
/// the nonce opens a gap.
const MARGIN: Duration = Duration::from_secs(300);

/// What two looks at two clocks may differ by without either having been set.
const SLACK: i128 = 1_000_000_000;

/// What a [`ReplayGuard`] knows of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// It comes for the first time: handle it.
    First,
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
///     Seen::First => { /* act; if that fails: guard.forget(&sealed)? */ }
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
    /// Remembers up to `capacity` permissions that have not ended yet, each in some 200 bytes, in this
    /// process only. A guard that is full refuses to say anything rather than to forget.
    ///
    /// A permission is kept until it has ended by every time that the clock has shown since, so that no correction of the
    /// clock makes a used permission look new. One that ends no later than another that was forgotten may have been
    /// forgotten itself: of that the guard says that it does not know.
    ///
    /// The child of a `fork` starts with what its parent had seen; afterwards neither knows what the other sees. If another
    /// thread was using the guard at the fork, the child's guard says that it does not know.
    pub fn in_memory(capacity: usize) -> ReplayGuard {
        ReplayGuard::with_store(MemoryStore::new(capacity))
    }

    /// Remembers in this store.
    pub fn with_store(store: impl NonceStore + 'static) -> ReplayGuard {
        ReplayGuard {
            store: Box::new(store),
        }
    }

    /// Looks, and remembers. Ask when the callback comes, not when it is worked on later. Of threads that ask for one callback at once, one is told
    /// [`Seen::First`].
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
            None => Seen::First,
            Some(kept) if kept == *digest => Seen::Repeated,
            Some(_) => Seen::Replayed,
        };
        Ok(seen)
    }

    /// Takes a [`Seen::First`] back, when what was to be done has failed and a repetition is welcome.
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
    began: Instant,
    /// Nothing in a child that was forked while another thread was changing it.
    kept: PerProcess<RwLock<Option<Kept>>>,
}

/// What the clocks show, in nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Now {
    /// The time of day, which can be set.
    wall: i128,
    /// How long the store has been there, by a clock that cannot.
    steady: i128,
}

/// What a store remembers.
#[derive(Clone, Default)]
struct Kept {
    entries: HashMap<[u8; 16], Entry>,
    /// When they may be forgotten, by the steady clock.
    due: BTreeSet<(i128, [u8; 16])>,
    /// How far the wall clock was ahead of the steady one when it was last seen to have been set.
    ahead: Option<i128>,
    /// The latest end of those that were forgotten because they are over.
    forgotten: Option<i128>,
}

#[derive(Clone)]
struct Entry {
    digest: [u8; 32],
    /// When it is over, by the wall clock.
    end: i128,
    due: i128,
}

impl Kept {
    /// When something that is over at `end` is so by every clock seen from now on.
    fn due(&self, end: i128) -> i128 {
        end - self.ahead.unwrap_or_default() + SLACK
    }

    /// Notes whether the wall clock was set.
    fn look(&mut self, now: Now) {
        let ahead = now.wall - now.steady;
        let before = *self.ahead.get_or_insert(ahead);
        if (ahead - before).abs() <= SLACK {
            return;
        }
        self.ahead = Some(ahead);
        if ahead < before {
            // What was to be forgotten soon is not over yet. This goes through all, but only when the clock was set back.
            let due = self.entries.values().map(|entry| self.due(entry.end));
            let due: Vec<i128> = due.collect();
            for (entry, due) in self.entries.values_mut().zip(due) {
                entry.due = entry.due.max(due);
            }
            let entries = self.entries.iter();
            self.due = entries.map(|(nonce, entry)| (entry.due, *nonce)).collect();
        }
    }

    /// Forgets what is over.
    fn forget_old(&mut self, now: Now) {
        while let Some((due, nonce)) = self.due.first().copied()
            && due < now.steady
        {
            self.due.pop_first();
            if let Some(entry) = self.entries.remove(&nonce) {
                self.forgotten = self.forgotten.max(Some(entry.end));
            }
        }
    }

    fn forget(&mut self, nonce: &[u8; 16]) {
        if let Some(entry) = self.entries.remove(nonce) {
            self.due.remove(&(entry.due, *nonce));
        }
    }
}

impl MemoryStore {
    fn new(capacity: usize) -> MemoryStore {
        MemoryStore {
            capacity,
            began: Instant::now(),
            kept: PerProcess::new(RwLock::new(Some(Kept::default()))),
        }
    }

    fn kept(&self) -> RwLockWriteGuard<'_, Option<Kept>> {
        let kept = self.kept.get(|inherited| {
            // Never waited for: who holds it may not be in this process.
            RwLock::new(match inherited.try_read() {
                Ok(kept) => kept.clone(),
                Err(TryLockError::Poisoned(kept)) => PoisonError::into_inner(kept).clone(),
                Err(TryLockError::WouldBlock) => None,
            })
        });
        kept.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_at(
        &self,
        now: Now,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>> {
        let mut kept = self.kept();
        let kept = kept.as_mut().ok_or_else(lost)?;
        kept.look(now);
        kept.forget_old(now);
        if let Some(entry) = kept.entries.get(nonce) {
            return Ok(Some(entry.digest));
        }
        let end = nanoseconds(keep_until);
        if kept.forgotten.is_some_and(|forgotten| end <= forgotten) {
            return Err(replay_unknown(
                "the clock was set back, to when permissions were valid that are forgotten already",
            ));
        }
        if kept.entries.len() >= self.capacity {
            return Err(replay_unknown(format!(
                "the replay guard is full: {} permissions that have not ended yet were used",
                self.capacity
            )));
        }
        let (digest, due) = (*body_digest, kept.due(end));
        kept.entries.insert(*nonce, Entry { digest, end, due });
        kept.due.insert((due, *nonce));
        Ok(None)
    }
}

/// Since 1970, or before.
fn nanoseconds(time: SystemTime) -> i128 {
    // Times are within the range of `Duration`, and so is a number of nanoseconds of it within that of `i128`.
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX / 4),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX / 4),
    }
}

fn lost() -> Error {
    replay_unknown("the process was forked while another thread used the replay guard")
}

impl NonceStore for MemoryStore {
    fn keep(
        &self,
        nonce: &[u8; 16],
        body_digest: &[u8; 32],
        keep_until: SystemTime,
    ) -> Result<Option<[u8; 32]>> {
        let now = Now {
            wall: nanoseconds(SystemTime::now()),
            steady: i128::try_from(self.began.elapsed().as_nanos()).unwrap_or(i128::MAX / 4),
        };
        self.keep_at(now, nonce, body_digest, keep_until)
    }

    fn forget(&self, nonce: &[u8; 16]) -> Result<()> {
        self.kept().as_mut().ok_or_else(lost)?.forget(nonce);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::base::process::tests::as_child;
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
            assert_eq!(guard.check_at(&sealed, at(end + 300)).unwrap(), Seen::First);
            let error = guard.check_at(&sealed, at(end + 301)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
        }
    }

    /// Both clocks agree.
    fn steadily(seconds: u64) -> Now {
        clocks(i128::from(seconds), i128::from(seconds))
    }

    /// Seconds, of each clock.
    fn clocks(wall: i128, steady: i128) -> Now {
        Now {
            wall: wall * SLACK,
            steady: steady * SLACK,
        }
    }

    fn keep(store: &MemoryStore, now: Now, nonce: u8, until: u64) -> Result<Option<[u8; 32]>> {
        store.keep_at(now, &[nonce; 16], &[nonce; 32], at(until))
    }

    fn len(store: &MemoryStore) -> usize {
        let kept = store.kept();
        let kept = kept.as_ref().unwrap();
        assert_eq!(kept.entries.len(), kept.due.len());
        kept.entries.len()
    }

    #[test]
    fn what_is_kept_is_found_until_its_end_and_then_forgotten() {
        let store = MemoryStore::new(10);
        let keep = |now, nonce, until| keep(&store, steadily(now), nonce, until).unwrap();
        assert_eq!(keep(0, 1, 100), None);
        assert_eq!(keep(0, 2, 50), None);
        assert_eq!(keep(51, 2, 100), Some([2; 32]));
        assert_eq!(keep(52, 2, 100), None);
        assert_eq!(keep(101, 1, 200), Some([1; 32]));
        assert_eq!(keep(102, 3, 200), None);
        assert_eq!(len(&store), 1);
    }

    /// To forget would be to take a replay for a first time.
    #[test]
    fn a_full_store_refuses_and_never_forgets() {
        let store = MemoryStore::new(3);
        let keep = |now, nonce, until| keep(&store, steadily(now), nonce, until);
        for nonce in 0..3 {
            assert_eq!(keep(0, nonce, 100).unwrap(), None);
        }
        for nonce in 3..100 {
            let error = keep(0, nonce, 100).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
        }
        for nonce in 0..3 {
            assert_eq!(keep(100, nonce, 100).unwrap(), Some([nonce; 32]));
        }
        store.forget(&[1; 16]).unwrap();
        assert_eq!(keep(0, 7, 100).unwrap(), None);
        assert_eq!(keep(102, 8, 200).unwrap(), None);
    }

    #[test]
    fn forgetting_and_keeping_again_does_not_shorten_the_time() {
        let store = MemoryStore::new(2);
        for until in [10, 20] {
            assert_eq!(keep(&store, steadily(0), 1, until).unwrap(), None);
            if until == 10 {
                store.forget(&[1; 16]).unwrap();
                assert_eq!(len(&store), 0);
            }
        }
        assert_eq!(keep(&store, steadily(15), 1, 20).unwrap(), Some([1; 32]));
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_makes_nothing_look_new() {
        const HOUR: i128 = 3600;
        let store = MemoryStore::new(10);
        let keep = |wall, steady, nonce, until| keep(&store, clocks(wall, steady), nonce, until);
        assert_eq!(keep(0, 0, 1, 1000).unwrap(), None);
        // Two hours forward for a minute, and back.
        assert_eq!(keep(2 * HOUR, 60, 2, 9000).unwrap(), None);
        assert_eq!(keep(120, 120, 1, 1000).unwrap(), Some([1; 32]));
        // By the clock that was ahead this one is over in half an hour, by the one that is right in two and a half hours.
        assert_eq!(keep(2 * HOUR, 7000, 2, 9000).unwrap(), Some([2; 32]));
        assert_eq!(keep(8999, 8999, 2, 9000).unwrap(), Some([2; 32]));
        assert_eq!(keep(9002, 9002, 3, 9900).unwrap(), None);
        assert_eq!(len(&store), 1);
        // Back to when the two that are forgotten were valid.
        for nonce in [1, 2] {
            let error = keep(500, 9003, nonce, 9000).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
        }
        assert_eq!(keep(500, 9003, 4, 9901).unwrap(), None);
    }

    /// Compares a store with what it must know, under clocks that are set at random.
    #[test]
    fn whatever_the_clock_does_a_used_permission_never_looks_new() {
        struct Used {
            end: i128,
            /// The slowest clock seen since.
            ahead: i128,
            /// For how long it was over by that clock, at most.
            over: i128,
        }
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let store = MemoryStore::new(usize::MAX);
            let mut used: Vec<Option<Used>> = Vec::new();
            let (mut steady, mut ahead, mut set_back) = (0, 1_000_000, false);
            for _ in 0..200 {
                steady += i128::from(random.u32(0..300));
                let jump = match random.u8(0..10) {
                    0 => i128::from(random.i32(-8000..8000)),
                    1 => i128::from(random.i32(-2..=2)),
                    _ => 0,
                };
                ahead += jump;
                set_back |= jump < 0;
                let now = clocks(steady + ahead, steady);
                for used in used.iter_mut().flatten() {
                    used.ahead = used.ahead.min(ahead);
                    used.over = used.over.max(steady + used.ahead - used.end);
                }
                let index = random.usize(0..=used.len());
                let nonce = u128::try_from(index).unwrap().to_le_bytes();
                let end = match used.get(index) {
                    Some(Some(used)) => used.end,
                    _ => steady + ahead + i128::from(random.u32(1..3600)),
                };
                let until = at(u64::try_from(end).unwrap());
                let kept = store.keep_at(now, &nonce, &[index as u8; 32], until);
                match (used.get(index), kept) {
                    (Some(Some(_)), Ok(Some(digest))) => assert_eq!(digest, [index as u8; 32]),
                    (Some(Some(used)), Err(_)) => {
                        assert!(used.over > 0, "{seed}: forgotten too soon");
                    }
                    (Some(Some(_)), Ok(None)) => panic!("{seed}: {index} looks new"),
                    (_, Ok(None)) => {
                        let over = steady + ahead - end;
                        let new = Used { end, ahead, over };
                        match used.get_mut(index) {
                            Some(used) => *used = Some(new),
                            None => used.push(Some(new)),
                        }
                    }
                    (_, Ok(Some(_))) => panic!("{seed}: {index} was never used"),
                    (_, Err(error)) => assert!(set_back, "{seed}: {error}"),
                }
                if random.u8(0..20) == 0 && !used.is_empty() {
                    let index = random.usize(0..used.len());
                    let nonce = u128::try_from(index).unwrap().to_le_bytes();
                    store.forget(&nonce).unwrap();
                    used[index] = None;
                }
                // What is over by every clock takes no room.
                let left = used.iter().flatten().filter(|used| used.over <= 4);
                assert!(len(&store) <= left.count(), "{seed}");
            }
        }
    }

    #[test]
    fn a_child_knows_what_its_parent_had_seen_or_that_it_does_not_know() {
        let store = MemoryStore::new(10);
        assert_eq!(keep(&store, steadily(0), 1, 100).unwrap(), None);
        as_child(1, || {
            assert_eq!(keep(&store, steadily(1), 1, 100).unwrap(), Some([1; 32]));
            assert_eq!(keep(&store, steadily(1), 2, 100).unwrap(), None);
        });
        assert_eq!(keep(&store, steadily(1), 2, 100).unwrap(), None);

        let store = MemoryStore::new(10);
        assert_eq!(keep(&store, steadily(0), 1, 100).unwrap(), None);
        let held = store.kept();
        as_child(1, || {
            for _ in 0..2 {
                let error = keep(&store, steadily(1), 3, 100).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ReplayUnknown);
            }
            store.forget(&[1; 16]).unwrap_err();
        });
        drop(held);
        assert_eq!(keep(&store, steadily(1), 3, 100).unwrap(), None);
    }
}
