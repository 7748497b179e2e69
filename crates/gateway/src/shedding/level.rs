//! How much is refused, out of how long probes waited. Knows no clock: who calls brings the waits.

use std::time::Duration;

/// The share of a class that is all of it.
pub(super) const FULL: u32 = 1_000;
/// The level at which every class is refused.
const MOST: u32 = 3 * FULL;
/// Waits that are looked at together. The shortest of them counts: a single pause says nothing of a queue,
/// but a queue delays them all.
const PROBES: u32 = 3;
/// How much the level rises when the shortest wait is the target; at twice the target, twice as much.
const RISE: u128 = 250;
/// How much it falls otherwise. Slower than it rises, so that it stays near the load instead of swinging.
const FALL: u32 = 50;

/// Follows the waits.
pub(super) struct Level {
    target: Duration,
    level: u32,
    probes: u32,
    shortest: Duration,
}

impl Level {
    /// Rises while waits are longer than `target`; stays at 0 if that is zero.
    pub(super) fn new(target: Duration) -> Self {
        Self { target, level: 0, probes: 0, shortest: Duration::MAX }
    }

    /// The level after a probe that waited so long, in thousandths.
    pub(super) fn note(&mut self, wait: Duration) -> u32 {
        self.shortest = self.shortest.min(wait);
        self.probes += 1;
        if self.probes == PROBES {
            self.level = self.next();
            (self.probes, self.shortest) = (0, Duration::MAX);
        }
        self.level
    }

    /// As new.
    #[cfg(test)]
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.target);
    }

    fn next(&self) -> u32 {
        if self.target.is_zero() || self.shortest <= self.target {
            return self.level.saturating_sub(FALL);
        }
        let rise = RISE * self.shortest.as_nanos() / self.target.as_nanos();
        self.level + rise.min(u128::from(MOST - self.level)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(10);

    /// The level after so many probes that waited so long.
    fn after(level: &mut Level, waits: impl IntoIterator<Item = Duration>) -> u32 {
        waits.into_iter().map(|wait| level.note(wait)).last().unwrap()
    }

    #[test]
    fn a_single_pause_refuses_nothing_and_a_standing_queue_does() {
        let mut level = Level::new(TARGET);
        let pause = [TARGET, 100 * TARGET, 100 * TARGET];
        assert_eq!(after(&mut level, pause), 0);
        assert_eq!(after(&mut level, [2 * TARGET; 2]), 0);
        assert_eq!(after(&mut level, [2 * TARGET]), 500);
    }

    #[test]
    fn the_longer_the_wait_the_more_is_refused_up_to_everything() {
        let mut level = Level::new(TARGET);
        assert_eq!(after(&mut level, [4 * TARGET; 3]), FULL);
        assert_eq!(after(&mut level, [Duration::MAX; 3]), MOST);
        assert_eq!(after(&mut level, [Duration::MAX; 3]), MOST);
    }

    #[test]
    fn without_waits_the_level_falls_to_nothing() {
        let mut level = Level::new(TARGET);
        after(&mut level, [Duration::MAX; 3]);
        assert_eq!(after(&mut level, [TARGET; 3]), MOST - FALL);
        let falls = (MOST / FALL) as usize;
        assert_eq!(after(&mut level, vec![TARGET; 3 * falls]), 0);
    }

    #[test]
    fn a_target_of_zero_turns_it_off() {
        assert_eq!(after(&mut Level::new(Duration::ZERO), [Duration::MAX; 30]), 0);
    }
}
