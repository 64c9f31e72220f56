//! The memory that objects may take, counted while they are still being received.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A limit and what is in use of it.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    limit: u64,
    used: Arc<AtomicU64>,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            used: Arc::default(),
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// An empty claim, to be grown.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            memory: self.clone(),
            bytes: 0,
        }
    }

    /// Would a claim of this size be granted now?
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        used.checked_add(bytes).is_some_and(|sum| sum <= self.limit)
    }
}

/// Memory in use, given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    memory: Memory,
    bytes: u64,
}

impl Claim {
    /// Claims more, unless that would go beyond the limit.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: u64) -> bool {
        let granted = self
            .memory
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes)
                    .filter(|sum| *sum <= self.memory.limit)
            })
            .is_ok();
        if granted {
            self.bytes += bytes;
        }
        granted
    }
}

impl Claim {
    /// Gives so much back, or all if it is less.
    pub(crate) fn shrink_by(&mut self, bytes: u64) {
        let surplus = bytes.min(self.bytes);
        self.memory.used.fetch_sub(surplus, Ordering::Relaxed);
        self.bytes -= surplus;
    }

    /// Gives back what is beyond `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        self.shrink_by(self.bytes.saturating_sub(bytes));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_stay_within_the_limit_and_are_given_back() {
        let memory = Memory::new(10);
        let (mut one, mut two) = (memory.claim(), memory.claim());
        assert!(one.grow(6) && !two.grow(5) && two.grow(4) && !one.grow(1));
        assert!(!memory.has_room_for(1) && memory.has_room_for(0));
        drop(two);
        assert!(memory.has_room_for(4) && !memory.has_room_for(u64::MAX));
        assert!(one.grow(4) && !one.grow(u64::MAX));
        one.shrink_to(20);
        assert!(!memory.has_room_for(1));
        one.shrink_to(4);
        one.shrink_by(1);
        assert!(memory.has_room_for(7) && !memory.has_room_for(8));
        drop(one);
        assert!(memory.has_room_for(10));
    }
}
