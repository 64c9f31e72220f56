//! A limit of bytes per second, which several requests may share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::outcome::error::{Error, Result};

/// So many bytes per second, for all clones together.
#[derive(Debug, Clone)]
pub(crate) struct Bandwidth {
    bytes_per_second: u64,
    /// When the next block may go.
    next: Arc<Mutex<Instant>>,
}

impl Bandwidth {
    pub(crate) fn new(bytes_per_second: u64) -> Result<Bandwidth> {
        if bytes_per_second == 0 {
            return Err(Error::argument("`bandwidth` is zero"));
        }
        Ok(Bandwidth {
            bytes_per_second,
            next: Arc::new(Mutex::new(Instant::now())),
        })
    }

    /// Takes a place in the queue: how many bytes, of so many that there is room for, and when.
    pub(super) fn reserve(&self, room: usize) -> (usize, Instant) {
        // A tenth of a second at once is smooth enough and costs little.
        let block = usize::try_from(self.bytes_per_second / 10);
        let block = block.unwrap_or(usize::MAX).max(1).min(room);
        let mut next = self.lock();
        // Time that nobody used is not saved up.
        let due = (*next).max(Instant::now());
        *next = due.checked_add(self.time_for(block)).unwrap_or(due);
        (block, due)
    }

    /// Gives back what was reserved and is not sent.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut next = self.lock();
        *next = next.checked_sub(self.time_for(bytes)).unwrap_or(*next);
    }

    fn time_for(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_there_is_and_queue_for_it() {
        let bandwidth = Bandwidth::new(1000).unwrap();
        let begun = Instant::now();
        let (block, first) = bandwidth.reserve(1_000_000);
        assert_eq!(block, 100);
        let (rest, second) = bandwidth.clone().reserve(30);
        assert_eq!((rest, second - first), (30, Duration::from_millis(100)));
        bandwidth.give_back(20);
        let (_, third) = bandwidth.reserve(1);
        assert_eq!(third - second, Duration::from_millis(10));
        assert!(first - begun < Duration::from_secs(1));
        assert!(Bandwidth::new(0).is_err());
        assert_eq!(Bandwidth::new(1).unwrap().reserve(9).0, 1);
    }
}
