//! Ending a request from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends requests from another thread. A clone is the same cancellation.
///
/// A request that carries it returns within 0.2 s with
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), whatever the socket is doing; while the caller's
/// own reader, writer or progress hook runs, when that returns. Once cancelled it stays so, and ends every
/// later request that carries it.
///
/// ```
/// use oss_callback::Cancellation;
///
/// let cancellation = Cancellation::new();
/// let other_thread = cancellation.clone();
/// other_thread.cancel();
/// assert!(cancellation.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Nothing is cancelled yet.
    pub fn new() -> Cancellation {
        Cancellation::default()
    }

    /// Ends the requests that carry this cancellation. Any thread; also from a signal handler.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
