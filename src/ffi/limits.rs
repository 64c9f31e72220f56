//! Limits as C has them.

use std::time::{Duration, Instant};

use crate::{Error, Result, RetryPolicy};

/// A retry policy of C's numbers.
pub(super) fn retry_policy(
    max_attempts: u32,
    base_delay_ms: u64,
    max_delay_ms: u64,
) -> RetryPolicy {
    RetryPolicy::default()
        .max_attempts(max_attempts)
        .base_delay(Duration::from_millis(base_delay_ms))
        .max_delay(Duration::from_millis(max_delay_ms))
}

/// The moment so many milliseconds from now.
pub(super) fn deadline(deadline_ms: u64) -> Result<Instant> {
    let deadline = Instant::now().checked_add(Duration::from_millis(deadline_ms));
    deadline.ok_or_else(|| Error::argument("`deadline_ms` is too far away"))
}
