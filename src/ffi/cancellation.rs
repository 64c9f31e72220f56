//! The cancellation handle.

use std::mem::MaybeUninit;

use super::code::oss_callback_code;
use super::guard::guard;
use super::pointers::{free, make, of};
use crate::Cancellation;

/// Ends operations from another thread: see oss_callback_put_options_set_cancellation and
/// oss_callback_operation_options_set_cancellation. One handle may serve any number of operations, which
/// then end together. Many threads may use it at once; one thread frees it, even before the operations end.
pub struct oss_callback_cancellation {
    pub(super) cancellation: Cancellation,
}

/// Makes a cancellation. Free it with oss_callback_cancellation_free.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_cancellation_new(
    cancellation: Option<&mut MaybeUninit<*mut oss_callback_cancellation>>,
) -> oss_callback_code {
    guard(None, || {
        let new = || {
            Ok(oss_callback_cancellation {
                cancellation: Cancellation::new(),
            })
        };
        make(cancellation, "cancellation", new)
    })
}

/// Ends the operations that use this cancellation with OSS_CALLBACK_CODE_CANCELLED within 0.2 s, whatever
/// the connection is doing. An operation whose hook is running ends when the hook returns. A cancellation
/// stays cancelled: operations that begin later send nothing. An upload whose answer has begun to arrive is
/// already stored; it ends with OSS_CALLBACK_CODE_ANSWER_DAMAGED. Any thread may call this, and so may a
/// signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_cancellation_cancel(
    cancellation: Option<&oss_callback_cancellation>,
) {
    of(cancellation, (), |handle| handle.cancellation.cancel())
}

/// Whether it was cancelled. Any thread may call this.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_cancellation_is_cancelled(
    cancellation: Option<&oss_callback_cancellation>,
) -> bool {
    of(cancellation, false, |handle| {
        handle.cancellation.is_cancelled()
    })
}

/// Frees a cancellation without cancelling anything.
#[unsafe(no_mangle)]
pub extern "C" fn oss_callback_cancellation_free(
    cancellation: Option<Box<oss_callback_cancellation>>,
) {
    free(cancellation);
}
