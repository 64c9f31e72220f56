//! Limits as C has them.

use std::time::{Duration, Instant};

/// Longer than any program runs, and short enough to be added to any time.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A time of so many milliseconds.
pub(super) fn milliseconds(ms: u64) -> Duration {
    Duration::from_millis(ms).min(FOREVER)
}

/// The moment so many milliseconds from now.
pub(super) fn deadline(deadline_ms: u64) -> Instant {
    Instant::now() + milliseconds(deadline_ms)
}
