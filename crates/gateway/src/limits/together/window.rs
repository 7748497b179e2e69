//! What one gateway has of a sliding window that several share.
//!
//! It holds requests that Redis has lent it, which are counted there already, and admits by these. Without
//! Redis it admits by its own window, within its share, and tells Redis of these admissions afterwards. Redis may
//! forget everything: an epoch, made anew with each window, shows it, and then it is told of all that this gateway
//! knows of the window.

use crate::limits::remembered::Stake;
use crate::limits::sliding::Sliding;

/// Of a window's number so much is lent at once, by division; at least one request. Ten gateways hold unused
/// at most a two-hundredth of it.
const LOANS: u32 = 2_000;

/// For so long others wait with asking for more, in nanoseconds: whoever asks may be gone.
const PATIENCE: u64 = 1_000_000_000;

/// A window, as one gateway sees it.
pub(super) struct Leased {
    length: u64,
    /// All that this gateway admitted.
    seen: Sliding,
    /// Of these, what Redis does not know.
    untold: Option<Box<Sliding>>,
    /// Requests that are lent and not used.
    lent: u32,
    /// When they would have left the window at Redis.
    lent_until: u64,
    /// Until when Redis will lend nothing, and of which number that was said.
    empty: (u64, u32),
    /// As Redis said last; zero if it never did.
    epoch: i64,
    /// Until when somebody may be asking for more than the one request that it needs.
    borrowing_until: u64,
}

/// How a request goes on.
pub(super) enum Step {
    /// It is admitted, by what was lent.
    Admitted,
    /// It must wait so long.
    Refused(u64),
    /// Redis is asked.
    Borrow(Borrowing),
}

/// What Redis is asked for.
pub(super) struct Borrowing {
    pub(super) wanted: u32,
    pub(super) epoch: i64,
    untold: Option<Box<Sliding>>,
}

impl Borrowing {
    /// Pairs of age, in microseconds, and count of what Redis does not know.
    pub(super) fn untold(&self, now: u64) -> impl Iterator<Item = i64> {
        let parts = self.untold.iter().flat_map(move |untold| untold.ages(now));
        parts.flat_map(|(age, count)| [(age / 1_000) as i64, count.into()])
    }
}

/// What Redis answered.
#[derive(Clone, Copy)]
pub(super) struct Loan {
    /// Below zero: it does not know the epoch.
    pub(super) lent: i64,
    /// Nanoseconds until it may lend again.
    pub(super) wait: u64,
    pub(super) epoch: i64,
}

impl Leased {
    /// An empty window of `length` nanoseconds.
    pub(super) fn new(length: u64) -> Self {
        Self {
            length,
            seen: Sliding::new(length),
            untold: None,
            lent: 0,
            lent_until: 0,
            empty: (0, 0),
            epoch: 0,
            borrowing_until: 0,
        }
    }

    /// A request comes.
    pub(super) fn begin(&mut self, most: u32, now: u64) -> Step {
        if self.lent > 0 && now < self.lent_until {
            self.lent -= 1;
            self.seen.add(now);
            return Step::Admitted;
        }
        self.lent = 0;
        let (until, of) = self.empty;
        if now < until && most <= of {
            return Step::Refused(until - now);
        }
        // Meanwhile others ask for themselves alone, lest much is lent that nobody uses.
        let wanted = if now < self.borrowing_until { 1 } else { (most / LOANS).max(1) };
        if wanted > 1 {
            self.borrowing_until = now + PATIENCE;
        }
        Step::Borrow(Borrowing { wanted, epoch: self.epoch, untold: self.untold.take() })
    }

    /// Redis has answered; nothing if it must be asked again.
    pub(super) fn answered(
        &mut self,
        asked: &Borrowing,
        loan: Loan,
        most: u32,
        now: u64,
    ) -> Option<Result<(), u64>> {
        self.borrowed(asked);
        if loan.lent < 0 {
            // Of several requests that hear this, one tells.
            if self.epoch != loan.epoch {
                self.untold = Some(Box::new(self.seen.clone()));
                (self.lent, self.epoch) = (0, loan.epoch);
            }
            return None;
        }
        self.epoch = loan.epoch;
        if loan.lent == 0 {
            self.empty = (now + loan.wait, most);
            return Some(Err(loan.wait));
        }
        self.lent += loan.lent as u32 - 1;
        self.lent_until = now + self.length;
        self.seen.add(now);
        Some(Ok(()))
    }

    /// Redis has not answered: the request is within this gateway's share, or must wait.
    pub(super) fn alone(&mut self, asked: Borrowing, share: u32, now: u64) -> Result<(), u64> {
        self.borrowed(&asked);
        if let Some(before) = asked.untold {
            self.untold().absorb(&before, now);
        }
        self.seen.admit(share, now)?;
        self.untold().add(now);
        Ok(())
    }

    /// A request that was admitted is not made after all.
    pub(super) fn give_back(&mut self) {
        self.lent += 1;
    }

    fn borrowed(&mut self, asked: &Borrowing) {
        if asked.wanted > 1 {
            self.borrowing_until = 0;
        }
    }

    fn untold(&mut self) -> &mut Sliding {
        let length = self.length;
        self.untold.get_or_insert_with(|| Box::new(Sliding::new(length)))
    }
}

impl Stake for Leased {
    fn stake(&self, now: u64) -> u64 {
        self.seen.at_most(now).max(u64::from(now < self.empty.0))
    }
}
