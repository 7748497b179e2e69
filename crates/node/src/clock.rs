//! The system's clock, guarded: a wrong reading must not run off with the log's time, which never goes
//! back.
//!
//! A clock that counts since the machine started, also while it sleeps, says what the time should be.
//! A jump away from that is believed only when it has lasted for [`BELIEF`]: a passing glitch leaves no
//! trace, a correction of the clock is followed a minute later.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use types::Timestamp;

use crate::config::Clock;

/// How far the clock may be from where it should be, besides a thousandth of the time since the last
/// reading.
const TOLERANCE: Duration = Duration::from_secs(5);
/// How long a jump must last to be believed.
const BELIEF: Duration = Duration::from_secs(60);

/// The guarded clock of this machine.
pub(crate) fn system() -> Clock {
    let guard = Mutex::new(Guard::default());
    std::sync::Arc::new(move || {
        let mut guard = guard.lock();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since_boot = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
        Timestamp(guard.take(wall, since_boot).as_nanos() as u64)
    })
}

/// What was read last.
#[derive(Default)]
struct Guard {
    /// The time that was given and when, by the steady clock.
    last: Option<(Duration, Duration)>,
    /// Since when the clock has been elsewhere, by the steady clock.
    away_since: Option<Duration>,
}

impl Guard {
    /// The time to go by when the clock says `wall` and `steady` has passed since some moment.
    fn take(&mut self, wall: Duration, steady: Duration) -> Duration {
        let Some((time, at)) = self.last else {
            self.last = Some((wall, steady));
            return wall;
        };
        let passed = steady.saturating_sub(at);
        let expected = time + passed;
        if wall.abs_diff(expected) <= TOLERANCE + passed / 1_000 {
            if self.away_since.take().is_some() {
                tracing::warn!("the clock is back where it should be");
            }
            self.last = Some((wall, steady));
            return wall;
        }
        let jump = wall.abs_diff(expected);
        let direction = if wall > expected { "forward" } else { "back" };
        let since = *self.away_since.get_or_insert_with(|| {
            tracing::warn!(
                "the clock jumped {direction} by {jump:?}; it is believed if that lasts for {BELIEF:?}"
            );
            steady
        });
        if steady.saturating_sub(since) < BELIEF {
            return expected;
        }
        tracing::warn!(
            "the clock has jumped {direction} by {jump:?} and stayed there: it is believed"
        );
        self.away_since = None;
        self.last = Some((wall, steady));
        wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_glitch_leaves_no_trace() {
        for glitch in [HOUR, 30 * 24 * HOUR] {
            let mut guard = Guard::default();
            assert_eq!(guard.take(secs(1_000_000_000), secs(10)), secs(1_000_000_000));
            assert_eq!(guard.take(secs(1_000_000_001 + glitch), secs(11)), secs(1_000_000_001));
            assert_eq!(guard.take(secs(1_000_000_002), secs(12)), secs(1_000_000_002));
            assert_eq!(guard.take(secs(1_000_000_003 - glitch), secs(13)), secs(1_000_000_003));
            assert_eq!(guard.take(secs(1_000_000_100), secs(110)), secs(1_000_000_100));
        }
    }

    #[test]
    fn a_jump_that_lasts_is_believed_after_a_minute() {
        for (from, to) in [(1_000_000, 2_000_000), (2_000_000, 1_000_000)] {
            let mut guard = Guard::default();
            guard.take(secs(from), secs(0));
            for second in 1..=60 {
                assert_eq!(guard.take(secs(to + second), secs(second)), secs(from + second));
            }
            assert_eq!(guard.take(secs(to + 61), secs(61)), secs(to + 61));
            assert_eq!(guard.take(secs(to + 62), secs(62)), secs(to + 62));
        }
    }

    #[test]
    fn glitches_far_apart_do_not_add_up_to_a_jump() {
        let mut guard = Guard::default();
        guard.take(secs(1_000), secs(0));
        for minute in 1..100 {
            let now = minute * 60;
            assert_eq!(guard.take(secs(1_000 + now + HOUR), secs(now)), secs(1_000 + now));
            assert_eq!(guard.take(secs(1_001 + now), secs(now + 1)), secs(1_001 + now));
        }
    }

    #[test]
    fn a_clock_that_is_slowly_adjusted_is_followed() {
        let mut guard = Guard::default();
        guard.take(secs(1_000_000), secs(0));
        // A clock that gains half a thousandth, read once a day.
        for day in 1..10 {
            let steady = day * 24 * HOUR;
            let wall = secs(1_000_000 + steady) + secs(steady) / 2_000;
            assert_eq!(guard.take(wall, secs(steady)), wall);
        }
    }
}
