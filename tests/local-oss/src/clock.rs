//! The time that the server believes it is.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

/// The system's clock, put forward or back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    seconds_ahead: AtomicI64,
}

impl Clock {
    pub(crate) fn set(&self, seconds_ahead: i64) {
        self.seconds_ahead.store(seconds_ahead, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> SystemTime {
        let ahead = self.seconds_ahead.load(Ordering::Relaxed);
        let offset = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let moved = match ahead < 0 {
            true => now.checked_sub(offset),
            false => now.checked_add(offset),
        };
        // HTTP knows no time before 1970.
        moved.unwrap_or(now).max(SystemTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_ahead_and_behind_and_not_beyond_time() {
        let clock = Clock::default();
        let hour = Duration::from_secs(3600);
        let now = SystemTime::now();
        assert!(clock.now() >= now && clock.now() < now + hour);
        clock.set(3600);
        assert!(clock.now() >= now + hour);
        clock.set(-3600);
        assert!(clock.now() < now);
        clock.set(i64::MIN);
        assert!(clock.now() >= SystemTime::UNIX_EPOCH);
    }
}
