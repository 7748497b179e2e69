//! A sliding window: how many requests came within the last so many seconds.
//!
//! The window is cut into [`PARTS`] parts that are counted each, and a part leaves it as a whole, when the last of
//! its requests may. So no span of the window's length ever has more requests than allowed, and next to a
//! log of every request at most one in a hundred of those that the log would admit is refused.
//!
//! *Invariants:* whole numbers only. `total` is the sum of `counts`. The caller brings the clock, as
//! nanoseconds since any beginning; one that goes back is taken to stand still.

/// Parts of a window.
const PARTS: u64 = 127;
/// Kept of it: those before the present one, and that.
const KEPT: usize = PARTS as usize + 1;

/// The requests of one window.
#[derive(Clone, Debug)]
pub(crate) struct Sliding {
    counts: [u32; KEPT],
    total: u64,
    /// The number of the part that is counted in now.
    newest: u64,
    /// Nanoseconds of a part.
    part: u64,
}

impl Sliding {
    /// An empty window of `length` nanoseconds.
    pub(crate) fn new(length: u64) -> Self {
        Self { counts: [0; KEPT], total: 0, newest: 0, part: (length / PARTS).max(1) }
    }

    /// Whether one more request stays within `most`.
    ///
    /// # Errors
    /// The nanoseconds after which it would.
    pub(crate) fn check(&mut self, most: u32, now: u64) -> Result<(), u64> {
        self.advance(now);
        if self.total < u64::from(most) { Ok(()) } else { Err(self.wait(most, now)) }
    }

    /// Counts a request.
    pub(crate) fn add(&mut self, now: u64) {
        self.advance(now);
        let count = &mut self.counts[place(self.newest)];
        if let Some(more) = count.checked_add(1) {
            *count = more;
            self.total += 1;
        }
    }

    /// Counts a request if it stays within `most`.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) fn admit(&mut self, most: u32, now: u64) -> Result<(), u64> {
        self.check(most, now)?;
        self.add(now);
        Ok(())
    }

    /// At most how many requests the window has; zero says that it is as good as new.
    pub(crate) fn at_most(&self, now: u64) -> u64 {
        let is_past = (now / self.part).saturating_sub(self.newest) >= KEPT as u64;
        if is_past { 0 } else { self.total }
    }

    /// How long ago the parts in the window ended, in nanoseconds, and how many requests each has.
    pub(crate) fn ages(&self, now: u64) -> impl Iterator<Item = (u64, u32)> {
        let oldest = (now / self.part).saturating_sub(PARTS);
        let first = self.newest.saturating_sub(PARTS).max(oldest);
        let parts = (first..=self.newest).map(|number| (number, self.counts[place(number)]));
        let parts = parts.filter(|&(_, count)| count > 0);
        parts.map(move |(number, count)| (now.saturating_sub((number + 1) * self.part), count))
    }

    /// Counts the requests of another window of the same length as well.
    pub(crate) fn absorb(&mut self, other: &Self, now: u64) {
        self.advance(now.max(other.newest * other.part));
        for number in other.newest.saturating_sub(PARTS)..=other.newest {
            if self.newest - number < KEPT as u64 {
                let count = other.counts[place(number)];
                let sum = &mut self.counts[place(number)];
                let more = count.min(u32::MAX - *sum);
                *sum += more;
                self.total += u64::from(more);
            }
        }
    }

    /// When enough parts will have left.
    fn wait(&self, most: u32, now: u64) -> u64 {
        let mut left = self.total;
        for ahead in 1..KEPT as u64 {
            left -= u64::from(self.counts[place(self.newest + ahead)]);
            if left < u64::from(most) {
                return ahead * self.part - self.in_part(now);
            }
        }
        KEPT as u64 * self.part - self.in_part(now)
    }

    fn advance(&mut self, now: u64) {
        let number = now / self.part;
        if number.saturating_sub(self.newest) >= KEPT as u64 {
            (self.counts, self.total, self.newest) = ([0; KEPT], 0, number);
        }
        while self.newest < number {
            self.newest += 1;
            let count = &mut self.counts[place(self.newest)];
            self.total -= u64::from(std::mem::take(count));
        }
    }

    /// How much of the present part has passed.
    fn in_part(&self, now: u64) -> u64 {
        now.saturating_sub(self.newest * self.part).min(self.part)
    }
}

fn place(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const MINUTE: u64 = 60 * SECOND;

    /// Remembers every request that it admitted.
    struct Log {
        most: usize,
        admitted: VecDeque<u64>,
    }

    impl Log {
        fn new(most: u32) -> Self {
            Self { most: most as usize, admitted: VecDeque::new() }
        }

        fn admit(&mut self, now: u64) -> bool {
            while self.admitted.front().is_some_and(|&at| at + MINUTE <= now) {
                self.admitted.pop_front();
            }
            let fits = self.admitted.len() < self.most;
            if fits {
                self.admitted.push_back(now);
            }
            fits
        }
    }

    /// A generator of tests: xorshift.
    struct Random(u64);

    impl Random {
        fn new(seed: u64) -> Self {
            Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        }

        fn below(&mut self, bound: u64) -> u64 {
            for (left, by) in [(true, 13), (false, 7), (true, 17)] {
                self.0 ^= if left { self.0 << by } else { self.0 >> by };
            }
            self.0 % bound
        }
    }

    #[test]
    fn no_minute_has_too_many_and_admissions_are_within_a_hundredth_of_those_of_a_log() {
        for seed in 1..=40 {
            let mut random = Random::new(seed);
            let most = [100, 600, 1_000, 6_000][seed as usize % 4];
            let (mut window, mut log, mut ours) =
                (Sliding::new(MINUTE), Log::new(most), Log::new(most));
            let (mut now, mut asked, mut admitted, mut exactly) = (SECOND, 0_u64, 0_u64, 0_u64);
            for _ in 0..400 {
                // A burst at some rate between a trickle and ten times what is allowed, then a pause.
                let pace = MINUTE / u64::from(most) * 20 / (1 + random.below(200));
                for _ in 0..random.below(u64::from(most)) {
                    now += 1 + random.below(2 * pace);
                    asked += 1;
                    exactly += u64::from(log.admit(now));
                    if window.admit(most, now).is_ok() {
                        admitted += 1;
                        assert!(ours.admit(now), "seed {seed}: too many in some minute");
                    }
                }
                now += random.below(MINUTE / 4);
            }
            let refused = asked - exactly;
            assert!(refused > asked / 20, "seed {seed} hardly refuses: {refused} of {asked}");
            let off = admitted.abs_diff(exactly) * 100;
            assert!(off <= exactly, "seed {seed}: {admitted} admitted, {exactly} exactly");
        }
    }

    #[test]
    fn who_waits_as_told_is_admitted_and_is_told_at_most_a_second_too_much() {
        for seed in 1..=50 {
            let mut random = Random::new(seed);
            let (mut window, mut now) = (Sliding::new(MINUTE), random.below(MINUTE));
            let mut first = None;
            let wait = loop {
                match window.admit(300, now) {
                    Ok(()) => _ = first.get_or_insert(now),
                    Err(wait) => break wait,
                }
                now += random.below(MINUTE / 400);
            };
            assert!(window.admit(300, now + wait).is_ok(), "seed {seed}");
            let exactly = first.unwrap() + MINUTE - now;
            assert!(wait <= exactly + SECOND, "seed {seed}: {wait} instead of {exactly}");
        }
    }

    #[test]
    fn a_window_empties_and_a_clock_that_goes_back_stands_still() {
        let mut window = Sliding::new(MINUTE);
        assert!((0..5).all(|_| window.admit(5, 90 * SECOND).is_ok()));
        assert!(window.admit(5, 10 * SECOND).is_err());
        assert!(window.check(5, 149 * SECOND).is_err());
        assert_eq!((window.check(1, 151 * SECOND), window.at_most(151 * SECOND)), (Ok(()), 0));
        window.add(153 * SECOND);
        assert_eq!((window.at_most(213 * SECOND), window.at_most(215 * SECOND)), (1, 0));
        assert!(window.admit(0, 500 * SECOND).is_err());
    }
}
