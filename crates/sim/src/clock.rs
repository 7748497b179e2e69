//! The time of a run. It moves when it is told to, in either direction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use types::Timestamp;

/// A clock; clones are the same one.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<AtomicU64>);

impl SimClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(now.0)))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    /// Forward by so many nanoseconds.
    pub fn advance(&self, nanos: u64) {
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Backward by so many nanoseconds.
    pub fn turn_back(&self, nanos: u64) {
        self.0.fetch_sub(nanos, Ordering::Relaxed);
    }
}
