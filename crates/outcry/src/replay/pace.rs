//! Recorded time: an input comes as long after the one before as it did on the venue.

use std::time::{Duration, Instant};

/// Sleeps between inputs, or never.
pub struct Pace {
    enabled: bool,
    /// Recorded time of the first input that had one, and when it was replayed.
    start: Option<(u64, Instant)>,
}

impl Pace {
    /// Recorded time if `enabled`, else as fast as it goes.
    pub fn new(enabled: bool) -> Self {
        Self { enabled, start: None }
    }

    /// Whether an input of this recorded time is not due yet. Inputs without a time, or with one
    /// before the first, are due at once.
    pub fn must_wait(&mut self, time: Option<u64>) -> bool {
        self.left(time) > Duration::ZERO
    }

    /// Sleeps until the input is due.
    pub fn wait(&mut self, time: Option<u64>) {
        std::thread::sleep(self.left(time));
    }

    fn left(&mut self, time: Option<u64>) -> Duration {
        let Some(time) = time.filter(|_| self.enabled) else {
            return Duration::ZERO;
        };
        let &mut (first, started) = self.start.get_or_insert((time, Instant::now()));
        Duration::from_nanos(time.saturating_sub(first)).saturating_sub(started.elapsed())
    }
}
