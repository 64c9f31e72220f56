//! A clock that goes by what somebody said of the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that a date has room for: the end of the year 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// This machine's clock, and by how many seconds it is behind the right time; a negative number if it is ahead.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    behind: AtomicI64,
}

impl Clock {
    /// The time, corrected by what was said of it.
    pub(crate) fn now(&self) -> SystemTime {
        self.at(SystemTime::now())
    }

    /// From now on it is this time.
    pub(crate) fn set(&self, right: SystemTime) {
        self.set_at(SystemTime::now(), right);
    }

    fn set_at(&self, here: SystemTime, right: SystemTime) {
        let behind = seconds(right).saturating_sub(seconds(here));
        self.behind.store(behind, Ordering::Relaxed);
    }

    fn at(&self, here: SystemTime) -> SystemTime {
        let behind = self.behind.load(Ordering::Relaxed);
        let offset = Duration::from_secs(behind.unsigned_abs());
        let right = if behind < 0 {
            here.checked_sub(offset)
        } else {
            here.checked_add(offset)
        };
        // No date can be written that lies beyond.
        right.unwrap_or(here).clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)
    }
}

/// Seconds since 1970; before it the number is negative.
fn seconds(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from 1970 on, or before it.
    fn at(seconds: i64) -> SystemTime {
        let offset = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 {
            UNIX_EPOCH - offset
        } else {
            UNIX_EPOCH + offset
        }
    }

    #[test]
    fn whatever_this_machine_shows_the_right_time_is_what_was_said() {
        let right = 1_800_000_000;
        for here in [
            right,
            right - 2_592_000,
            right + 2_592_000,
            0,
            1,
            -1,
            // 1901, where a clock of 32 bits begins.
            i64::from(i32::MIN),
            // The year 10000.
            253_402_300_800,
        ] {
            let clock = Clock::default();
            clock.set_at(at(here), at(right));
            assert_eq!(clock.at(at(here)), at(right), "{here}");
            // It goes on, past 1970 too, and is set anew.
            assert_eq!(clock.at(at(here + 100)), at(right + 100), "{here}");
            clock.set_at(at(here + 100), at(right + 7));
            assert_eq!(clock.at(at(here + 100)), at(right + 7), "{here}");
        }
    }

    #[test]
    fn what_it_shows_can_be_written() {
        for here in [-1, i64::from(i32::MIN), 253_402_300_800] {
            let shown = Clock::default().at(at(here));
            assert!((at(0)..=at(253_402_300_799)).contains(&shown), "{here}");
            httpdate::fmt_http_date(shown);
        }
    }
}
