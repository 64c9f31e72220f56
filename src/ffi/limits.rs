//! Limits as C has them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{Error, Result};

/// Longer than any program runs, and short enough to be added to any time.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A time of so many milliseconds.
pub(super) fn milliseconds(ms: u64) -> Duration {
    Duration::from_millis(ms).min(FOREVER)
}

/// The moment so many milliseconds from now.
pub(super) fn deadline(deadline_ms: u64) -> Result<Instant> {
    let deadline = Instant::now().checked_add(milliseconds(deadline_ms));
    deadline.ok_or_else(|| Error::argument("`deadline_ms` is too far away"))
}

/// A time of so many seconds since 1970.
pub(super) fn time(seconds: u64, name: &str) -> Result<SystemTime> {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.ok_or_else(|| Error::argument(format!("`{name}` is too far away")))
}
