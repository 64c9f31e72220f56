//! Events in the order they happened, the latest of them in memory.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The oldest events are forgotten when all together hold more than `limit` bytes.
#[derive(Debug)]
pub(crate) struct History<T> {
    limit: usize,
    kept: Mutex<Kept<T>>,
    happened: Condvar,
}

#[derive(Debug)]
struct Kept<T> {
    events: VecDeque<(usize, T)>,
    bytes: usize,
    /// Of all events, the forgotten ones too.
    count: usize,
}

impl<T: Clone> History<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Mutex::new(Kept {
                events: VecDeque::new(),
                bytes: 0,
                count: 0,
            }),
            happened: Condvar::new(),
        }
    }

    /// `bytes` is about what the event takes.
    pub(crate) fn push(&self, event: T, bytes: usize) {
        let mut kept = self.lock();
        kept.events.push_back((bytes, event));
        kept.bytes += bytes;
        kept.count += 1;
        while kept.bytes > self.limit {
            let Some((bytes, _)) = kept.events.pop_front() else {
                break;
            };
            kept.bytes -= bytes;
        }
        drop(kept);
        self.happened.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<T> {
        self.lock().all()
    }

    /// Waits until `count` events have happened since the start, or for `patience`.
    pub(crate) fn wait_for(&self, count: usize, patience: Duration) -> Vec<T> {
        let deadline = Instant::now() + patience;
        let mut kept = self.lock();
        while kept.count < count {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                break;
            };
            kept = self
                .happened
                .wait_timeout(kept, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        kept.all()
    }

    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Kept<T> {
    fn all(&self) -> Vec<T> {
        self.events.iter().map(|(_, event)| event.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn the_oldest_events_are_forgotten() {
        let history = History::new(10);
        for event in 0..5 {
            history.push(event, 4);
        }
        assert_eq!(history.all(), [3, 4]);
        history.push(5, 11);
        assert!(history.all().is_empty());
        assert!(history.wait_for(6, Duration::ZERO).is_empty());
    }

    #[test]
    fn waiting_ends_with_the_event_or_with_the_patience() {
        let history = Arc::new(History::new(100));
        assert!(history.wait_for(1, Duration::ZERO).is_empty());
        let other = Arc::clone(&history);
        let pushing = thread::spawn(move || other.push(7, 1));
        assert_eq!(history.wait_for(1, Duration::from_secs(60)), [7]);
        pushing.join().unwrap();
    }
}
