//! An attempt that failed and was followed by another.

use super::code::oss_callback_code;
use super::pointers::of;
use super::verdict::{oss_callback_answered, oss_callback_stored};
use crate::Attempt;

/// An attempt that failed and was followed by another. Borrowed from the receipt or the error that lists
/// it: do not free it. Any thread may read it.
pub struct oss_callback_attempt {
    attempt: Attempt,
}

impl oss_callback_attempt {
    pub(super) fn all(history: &[Attempt]) -> Box<[oss_callback_attempt]> {
        history
            .iter()
            .map(|&attempt| oss_callback_attempt { attempt })
            .collect()
    }
}

/// Why the attempt failed. OSS_CALLBACK_CODE_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_attempt_code(
    attempt: Option<&oss_callback_attempt>,
) -> oss_callback_code {
    of(attempt, oss_callback_code::Ok, |handle| {
        handle.attempt.kind.into()
    })
}

/// Whether the attempt stored the object. OSS_CALLBACK_STORED_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_attempt_stored(
    attempt: Option<&oss_callback_attempt>,
) -> oss_callback_stored {
    of(attempt, oss_callback_stored::Unknown, |handle| {
        handle.attempt.stored.into()
    })
}

/// Whether OSS accepted the application server's answer to the callback. OSS_CALLBACK_ANSWERED_UNKNOWN for
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_attempt_answered(
    attempt: Option<&oss_callback_attempt>,
) -> oss_callback_answered {
    of(attempt, oss_callback_answered::Unknown, |handle| {
        handle.attempt.answered.into()
    })
}

/// The HTTP status; 0 if no answer came.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_attempt_status(attempt: Option<&oss_callback_attempt>) -> u32 {
    of(attempt, 0, |handle| {
        handle.attempt.status.unwrap_or(0).into()
    })
}

/// How long the attempt waited for the head of the answer after sending the last byte.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_attempt_waited_ms(attempt: Option<&oss_callback_attempt>) -> u64 {
    of(attempt, 0, |handle| milliseconds(handle.attempt.waited))
}

/// Milliseconds as C has them.
pub(super) fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
