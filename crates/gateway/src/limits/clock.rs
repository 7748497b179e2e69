//! The clock of limits.
//!
//! A request may wait on its way, and so does the time at which it came. Limits read the time themselves, while
//! they hold what they count in ([`super::remembered`]): of two decisions about a window the second has the later
//! time.

use std::time::Instant;

use types::Timestamp;

/// Nanoseconds, never going back. Tests set them.
#[derive(Clone)]
pub(crate) enum Clock {
    /// What there was at the beginning, and what has passed since.
    Running(u64, Instant),
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::atomic::AtomicU64>),
}

impl Clock {
    /// From zero on.
    pub(super) fn from_zero() -> Self {
        Self::Running(0, Instant::now())
    }

    /// From `now` on. When clocks are set it only goes on: a window lasts as long as ever, and one of the clock
    /// may begin so much earlier or later.
    pub(crate) fn from_now(now: Timestamp) -> Self {
        Self::Running(now.0, Instant::now())
    }

    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::Running(first, began) => first + began.elapsed().as_nanos() as u64,
            #[cfg(test)]
            Self::Set(now) => now.load(std::sync::atomic::Ordering::SeqCst),
        }
    }
}

#[cfg(test)]
impl Clock {
    /// One that stands, at zero.
    pub(crate) fn standing() -> Self {
        Self::Set(std::sync::Arc::default())
    }

    /// Sets it, and all its clones.
    pub(crate) fn set(&self, time: u64) {
        match self {
            Self::Running(..) => panic!("it is not for tests to set"),
            Self::Set(now) => now.store(time, std::sync::atomic::Ordering::SeqCst),
        }
    }
}
