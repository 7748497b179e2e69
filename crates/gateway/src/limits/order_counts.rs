//! The Binance dialect's count of unfilled orders: of each account in each ten seconds and each day of the clock.

use std::sync::Arc;

use types::AccountId;

use super::clock::Clock;
use super::remembered::{Remembered, Stake};
use super::tally::{Hold, Limit, Tally};
use super::together::{Question, Together, Verdict};
use super::{Level, Refusal, SECOND};

/// Orders in ten seconds.
pub(crate) const ORDERS_10S: u32 = 100;
/// Orders in a day.
pub(crate) const ORDERS_1D: u32 = 200_000;

const TEN_SECONDS: u64 = 10 * SECOND;
const DAY: u64 = 86_400 * SECOND;

const LIMITS: [Limit; 2] = [
    Limit { length: DAY, most: ORDERS_1D, level: Level::Day },
    Limit { length: TEN_SECONDS, most: ORDERS_10S, level: Level::TenSeconds },
];

/// Unfilled orders of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCount {
    /// In the current ten seconds.
    pub(crate) ten_seconds: u32,
    /// In the current day (UTC).
    pub(crate) day: u32,
}

/// What accounts have placed.
pub(crate) struct OrderCounts {
    accounts: Remembered<AccountId, Placed>,
    together: Option<Arc<Together>>,
}

type Placed = Tally<2>;

impl OrderCounts {
    /// At most so many accounts are remembered. With other gateways, if there are any. Days are those of the
    /// clock.
    pub(crate) fn new(remembered: usize, together: Option<Arc<Together>>, clock: Clock) -> Self {
        Self { accounts: Remembered::new(remembered, clock), together }
    }

    /// Counts orders before they are placed; those that are one too many are not counted.
    ///
    /// # Errors
    /// [`Level::Day`], [`Level::TenSeconds`]; never if nothing holds.
    pub(crate) async fn count(
        &self,
        account: AccountId,
        orders: u32,
        hold: Hold,
    ) -> Result<OrderCount, Refusal> {
        match &self.together {
            None => self.count_here(account, orders, hold),
            Some(together) => self.count_together(together, account, orders, hold).await,
        }
    }

    fn count_here(
        &self,
        account: AccountId,
        orders: u32,
        hold: Hold,
    ) -> Result<OrderCount, Refusal> {
        self.with(account, |placed, now| {
            placed.check(orders, hold, now)?;
            placed.add([orders; 2]);
            Ok(placed.stated())
        })
    }

    async fn count_together(
        &self,
        together: &Together,
        account: AccountId,
        orders: u32,
        hold: Hold,
    ) -> Result<OrderCount, Refusal> {
        let adds = [orders; 2];
        // Once more if Redis has forgotten, and is told; it does not go on forgetting.
        for _ in 0..3 {
            let told = self.with(account, |placed, _| placed.tell());
            let question = Question {
                name: name(account),
                limits: &LIMITS,
                adds: adds.map(i64::from),
                told,
                refuses: hold != Hold::Nothing,
                bans: None,
            };
            let Ok(counted) = together.count(&question).await else {
                self.with(account, |placed, _| placed.not_told(told.1));
                break;
            };
            match counted.verdict {
                Verdict::Forgotten => {
                    self.with(account, |placed, _| placed.forgotten(counted.epoch));
                }
                Verdict::Exceeded(at) => {
                    let Limit { level, most, .. } = LIMITS[at];
                    return Err(Refusal { level, wait: counted.wait, limit: most });
                }
                Verdict::Counted | Verdict::Banned => {
                    return Ok(self.with(account, |placed, _| {
                        placed.told(adds, counted.epoch, counted.counts);
                        placed.stated()
                    }));
                }
            }
        }
        let hold = if hold == Hold::Nothing { hold } else { together.share() };
        self.with(account, |placed, now| {
            placed.check(orders, hold, now)?;
            placed.add_untold(adds);
            Ok(placed.stated())
        })
    }

    /// An order that was counted does not count any more: it is filled, if only in part. Several gateways may
    /// hear of it: each takes back no more than it has counted.
    pub(crate) fn first_fill(&self, account: AccountId) {
        let given_back = self.accounts.existing(&account, |placed, now| {
            placed.roll(&LIMITS, now);
            placed.give_back([1; 2]).then_some(*placed)
        });
        if let (Some(Some(placed)), Some(together)) = (given_back, &self.together) {
            together.take_back(name(account), &LIMITS, &placed, [1; 2]);
        }
    }

    /// What an account has placed and is not filled yet.
    pub(crate) fn of(&self, account: AccountId) -> OrderCount {
        let look = |placed: &mut Placed, now| {
            placed.roll(&LIMITS, now);
            placed.stated()
        };
        self.accounts.existing(&account, look).unwrap_or_default()
    }

    fn with<R>(&self, account: AccountId, act: impl FnOnce(&mut Placed, u64) -> R) -> R {
        self.accounts.with(&account, Placed::default, |placed, now| {
            placed.roll(&LIMITS, now);
            act(placed, now)
        })
    }
}

/// An account's name at Redis.
fn name(account: AccountId) -> String {
    format!("unfilled:{account}")
}

impl Placed {
    fn check(&self, orders: u32, hold: Hold, now: u64) -> Result<(), Refusal> {
        let Some(at) = self.exceeded(&LIMITS, [orders; 2], hold) else { return Ok(()) };
        let Limit { level, most, length } = LIMITS[at];
        Err(Refusal { level, wait: length - now % length, limit: most })
    }

    fn stated(&self) -> OrderCount {
        let [day, ten_seconds] = self.counts();
        OrderCount { ten_seconds, day }
    }
}

impl Stake for Placed {
    fn stake(&self, now: u64) -> u64 {
        let mut now_placed = *self;
        now_placed.roll(&LIMITS, now);
        now_placed.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::tally::WHOLE;

    #[test]
    fn orders_count_by_ten_seconds_and_by_days() {
        let (clock, account) = (Clock::standing(), AccountId(1));
        let counts = OrderCounts::new(100, None, clock.clone());
        let count = |orders, seconds: u64| {
            clock.set(seconds * SECOND);
            let counted = counts.count_here(account, orders, WHOLE);
            counted
                .map(|count| (count.ten_seconds, count.day))
                .map_err(|no| (no.level, no.seconds()))
        };
        assert_eq!(count(2, 5), Ok((2, 2)));
        assert_eq!(count(98, 9), Ok((100, 100)));
        assert_eq!(count(1, 9), Err((Level::TenSeconds, 1)));
        assert_eq!(count(1, 10), Ok((1, 101)));
        clock.set(25 * SECOND);
        assert_eq!(counts.of(account), OrderCount { ten_seconds: 0, day: 101 });
        counts.first_fill(account);
        assert_eq!(counts.of(account), OrderCount { ten_seconds: 0, day: 100 });
        assert_eq!(count(1, 25), Ok((1, 101)));
        let rest = ORDERS_1D - 101;
        clock.set(30 * SECOND);
        assert!(counts.count_here(account, rest, Hold::Nothing).is_ok());
        assert_eq!(count(1, 86_390), Err((Level::Day, 10)));
        let seen = counts.of(account);
        assert_eq!(
            seen,
            OrderCount { ten_seconds: 0, day: ORDERS_1D },
            "ten seconds do not count then"
        );
        assert_eq!(count(1, 86_400), Ok((1, 1)));
    }
}
