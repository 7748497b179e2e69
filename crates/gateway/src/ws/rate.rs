//! A token bucket: how many messages a connection may send.

use std::time::Instant;

/// Refills at a steady rate up to its size. The caller brings the clock.
#[derive(Debug)]
pub struct TokenBucket {
    per_second: f64,
    size: f64,
    tokens: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket for `per_second` tokens a second, that saves up at most `size`.
    #[must_use]
    pub fn new(per_second: f64, size: u32, now: Instant) -> Self {
        let size = f64::from(size);
        Self { per_second, size, tokens: size, at: now }
    }

    /// Takes so many tokens; false, and none, if there are fewer.
    pub fn take(&mut self, count: u32, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.size);
        let granted = self.tokens >= f64::from(count);
        if granted {
            self.tokens -= f64::from(count);
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10.0, 3, start);
        assert!((0..3).all(|_| bucket.take(1, start)));
        assert!(!bucket.take(1, start));
        assert!(bucket.take(1, start + Duration::from_millis(150)));
        assert!(!bucket.take(1, start + Duration::from_millis(150)));
        let later = start + Duration::from_secs(60);
        assert_eq!((0..10).filter(|_| bucket.take(1, later)).count(), 3);
    }

    #[test]
    fn several_tokens_are_taken_together_or_not_at_all() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10.0, 3, start);
        assert!(!bucket.take(4, start));
        assert!(bucket.take(2, start));
        assert!(!bucket.take(2, start));
        assert!(bucket.take(1, start));
    }
}
