//! Counts in fixed windows of the clock, as the Binance dialect has them.
//!
//! A tally is what one gateway has counted. Where several count together, Redis has the sum, and the tally
//! knows beside its own what the sum was last and what Redis has not been told.

use super::Level;

/// One count of a tally.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// Nanoseconds of its window.
    pub(crate) length: u64,
    /// What is allowed in a window.
    pub(crate) most: u32,
    /// What is exceeded beyond.
    pub(crate) level: Level,
}

/// Which limits hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// None: it is only counted.
    Nothing,
    /// They, divided by this number.
    Part(u32),
}

/// They as they are.
pub(crate) const WHOLE: Hold = Hold::Part(1);

/// Counts in the current windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally<const N: usize> {
    windows: [u64; N],
    own: [u32; N],
    /// Of these, what Redis does not know.
    untold: [u32; N],
    /// The sum over all gateways, as far as it is known.
    sum: [u32; N],
    /// Of what Redis has, as it said last; zero if it never did.
    epoch: i64,
}

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self { windows: [0; N], own: [0; N], untold: [0; N], sum: [0; N], epoch: 0 }
    }
}

impl<const N: usize> Tally<N> {
    /// Begins new windows. A time that goes back stands still: a request may come in one window, and be counted
    /// in the next.
    pub(crate) fn roll(&mut self, limits: &[Limit; N], now: u64) {
        for (at, limit) in limits.iter().enumerate() {
            let window = now / limit.length;
            if self.windows[at] < window {
                self.windows[at] = window;
                (self.own[at], self.untold[at], self.sum[at]) = (0, 0, 0);
            }
        }
    }

    /// The first limit that would be exceeded by so much more of this gateway's own.
    pub(crate) fn exceeded(
        &self,
        limits: &[Limit; N],
        adds: [u32; N],
        hold: Hold,
    ) -> Option<usize> {
        let Hold::Part(part) = hold else { return None };
        let is_exceeded = |&at: &usize| {
            let most = (limits[at].most / part).max(1);
            adds[at] > 0 && self.own[at].saturating_add(adds[at]) > most
        };
        (0..N).find(is_exceeded)
    }

    /// Counts.
    pub(crate) fn add(&mut self, adds: [u32; N]) {
        self.own = sum(self.own, adds);
        self.sum = sum(self.sum, adds);
    }

    /// Counts what Redis does not know.
    pub(crate) fn add_untold(&mut self, adds: [u32; N]) {
        self.add(adds);
        self.untold = sum(self.untold, adds);
    }

    /// Counts what is in the sum of `counts` that Redis gave.
    pub(crate) fn told(&mut self, adds: [u32; N], epoch: i64, counts: [u32; N]) {
        self.own = sum(self.own, adds);
        (self.epoch, self.sum) = (epoch, counts);
    }

    /// What of `adds`, counted then, is in windows that are not over.
    pub(crate) fn still_counted(&self, limits: &[Limit; N], adds: [u32; N], then: u64) -> [u32; N] {
        let is_current = |at: usize| self.windows[at] <= then / limits[at].length;
        std::array::from_fn(|at| if is_current(at) { adds[at] } else { 0 })
    }

    /// Takes back what was counted; false if this gateway has not counted so much.
    pub(crate) fn give_back(&mut self, adds: [u32; N]) -> bool {
        let has_counted = (0..N).all(|at| self.own[at] >= adds[at]);
        for counts in [&mut self.own, &mut self.untold, &mut self.sum] {
            *counts = std::array::from_fn(|at| counts[at].saturating_sub(adds[at]));
        }
        has_counted
    }

    /// The sum of all gateways as far as it is known, but at least this one's own.
    pub(crate) fn counts(&self) -> [u32; N] {
        std::array::from_fn(|at| self.sum[at].max(self.own[at]))
    }

    /// The epoch that is known, and what Redis is to be told; it counts as told then.
    pub(crate) fn tell(&mut self) -> (i64, [u32; N]) {
        (self.epoch, std::mem::replace(&mut self.untold, [0; N]))
    }

    /// The epoch that is known.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Redis was not told after all.
    pub(crate) fn not_told(&mut self, untold: [u32; N]) {
        self.untold = sum(self.untold, untold);
    }

    /// Redis has forgotten, and is to be told all.
    pub(crate) fn forgotten(&mut self, epoch: i64) {
        if self.epoch != epoch {
            (self.epoch, self.untold) = (epoch, self.own);
        }
    }

    /// All that was counted, for what it is worth to remember it.
    pub(crate) fn total(&self) -> u64 {
        self.own.iter().map(|&count| u64::from(count)).sum()
    }
}

fn sum<const N: usize>(left: [u32; N], right: [u32; N]) -> [u32; N] {
    std::array::from_fn(|at| left[at].saturating_add(right[at]))
}
