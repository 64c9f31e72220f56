//! A limit of bytes per second, which several requests may share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

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

    /// Bytes to send at once: a tenth of a second is smooth enough and costs little.
    pub(super) fn block(&self) -> usize {
        let block = usize::try_from(self.bytes_per_second / 10);
        block.unwrap_or(usize::MAX).max(1)
    }

    /// How long to wait before the next block.
    pub(super) fn wait(&self) -> Duration {
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.saturating_duration_since(Instant::now())
    }

    /// Counts what is about to be sent.
    pub(super) fn count(&self, bytes: usize) {
        let time = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // Time that nobody used is not saved up.
        let from = (*next).max(Instant::now());
        *next = from.checked_add(time).unwrap_or(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_what_there_is() {
        let bandwidth = Bandwidth::new(1000).unwrap();
        assert_eq!((bandwidth.wait(), bandwidth.block()), (Duration::ZERO, 100));
        let other = bandwidth.clone();
        bandwidth.count(10_000);
        other.count(10_000);
        let wait = bandwidth.wait().as_secs_f64();
        assert!((19.0..=20.0).contains(&wait), "{wait}");
        assert!(Bandwidth::new(0).is_err());
        assert_eq!(Bandwidth::new(1).unwrap().block(), 1);
    }
}
