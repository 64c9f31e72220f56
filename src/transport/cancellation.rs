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
pub struct Cancellation {
    own: Arc<AtomicBool>,
    /// Of the cancellations that this one is a child of.
    ancestors: Vec<Arc<AtomicBool>>,
}

impl Cancellation {
    /// Nothing is cancelled yet.
    pub fn new() -> Cancellation {
        Cancellation::default()
    }

    /// A cancellation that is cancelled with this one, and by itself without it: for one request of
    /// several that end together.
    pub fn child(&self) -> Cancellation {
        let own = std::iter::once(&self.own);
        Cancellation {
            own: Arc::default(),
            ancestors: own.chain(&self.ancestors).cloned().collect(),
        }
    }

    /// Ends the requests that carry this cancellation. Any thread; also from a signal handler.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Release);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        let mut flags = std::iter::once(&self.own).chain(&self.ancestors);
        flags.any(|flag| flag.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_with_its_parents_and_not_the_other_way_round() {
        let parent = Cancellation::new();
        let (child, sibling) = (parent.child(), parent.child());
        let grandchild = child.child();
        child.cancel();
        assert!(child.is_cancelled() && grandchild.is_cancelled());
        assert!(!parent.is_cancelled() && !sibling.is_cancelled());
        parent.cancel();
        assert!(sibling.is_cancelled() && parent.child().is_cancelled());
    }
}
