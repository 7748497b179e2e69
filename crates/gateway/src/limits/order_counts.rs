//! The Binance dialect's count of unfilled orders: of each account in each ten seconds and each day of the clock.

use types::AccountId;

use super::remembered::{Remembered, Stake};
use super::{Level, Refusal, SECOND};

/// Orders in ten seconds.
pub(crate) const ORDERS_10S: u32 = 100;
/// Orders in a day.
pub(crate) const ORDERS_1D: u32 = 200_000;

const TEN_SECONDS: u64 = 10 * SECOND;
const DAY: u64 = 86_400 * SECOND;

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
}

#[derive(Clone, Copy, Debug, Default)]
struct Placed {
    window: u64,
    ten_seconds: u32,
    date: u64,
    day: u32,
}

impl OrderCounts {
    /// At most so many accounts are remembered.
    pub(crate) fn new(remembered: usize) -> Self {
        Self { accounts: Remembered::new(remembered) }
    }

    /// Counts orders before they are placed; those that are one too many are not counted.
    ///
    /// # Errors
    /// [`Level::Day`], [`Level::TenSeconds`]; never if it `only_counts`.
    pub(crate) fn count(
        &self,
        account: AccountId,
        orders: u32,
        only_counts: bool,
        now: u64,
    ) -> Result<OrderCount, Refusal> {
        self.accounts.with(&account, now, Placed::default, |placed| {
            placed.roll(now);
            let (ten_seconds, day) =
                (placed.ten_seconds.saturating_add(orders), placed.day.saturating_add(orders));
            if !only_counts && day > ORDERS_1D {
                let wait = DAY - now % DAY;
                return Err(Refusal { level: Level::Day, wait, limit: ORDERS_1D });
            }
            if !only_counts && ten_seconds > ORDERS_10S {
                let wait = TEN_SECONDS - now % TEN_SECONDS;
                return Err(Refusal { level: Level::TenSeconds, wait, limit: ORDERS_10S });
            }
            (placed.ten_seconds, placed.day) = (ten_seconds, day);
            Ok(OrderCount { ten_seconds, day })
        })
    }

    /// An order that was counted does not count any more: it is filled, if only in part.
    pub(crate) fn first_fill(&self, account: AccountId, now: u64) {
        self.accounts.existing(&account, |placed| {
            placed.roll(now);
            placed.ten_seconds = placed.ten_seconds.saturating_sub(1);
            placed.day = placed.day.saturating_sub(1);
        });
    }

    /// What an account has placed and is not filled yet.
    pub(crate) fn of(&self, account: AccountId, now: u64) -> OrderCount {
        let look = |placed: &mut Placed| {
            placed.roll(now);
            OrderCount { ten_seconds: placed.ten_seconds, day: placed.day }
        };
        self.accounts.existing(&account, look).unwrap_or_default()
    }
}

impl Placed {
    fn roll(&mut self, now: u64) {
        let (window, date) = (now / TEN_SECONDS, now / DAY);
        if self.window != window {
            (self.window, self.ten_seconds) = (window, 0);
        }
        if self.date != date {
            (self.date, self.day) = (date, 0);
        }
    }
}

impl Stake for Placed {
    fn stake(&self, now: u64) -> u64 {
        let mut now_placed = *self;
        now_placed.roll(now);
        now_placed.day.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_count_by_ten_seconds_and_by_days() {
        let (counts, account) = (OrderCounts::new(100), AccountId(1));
        let count = |orders, seconds: u64| {
            let counted = counts.count(account, orders, false, seconds * SECOND);
            counted
                .map(|count| (count.ten_seconds, count.day))
                .map_err(|no| (no.level, no.seconds()))
        };
        assert_eq!(count(2, 5), Ok((2, 2)));
        assert_eq!(count(98, 9), Ok((100, 100)));
        assert_eq!(count(1, 9), Err((Level::TenSeconds, 1)));
        assert_eq!(count(1, 10), Ok((1, 101)));
        assert_eq!(counts.of(account, 25 * SECOND), OrderCount { ten_seconds: 0, day: 101 });
        counts.first_fill(account, 10 * SECOND);
        assert_eq!(counts.of(account, 10 * SECOND), OrderCount { ten_seconds: 0, day: 100 });
        assert_eq!(count(1, 10), Ok((1, 101)));
        let rest = ORDERS_1D - 101;
        assert!(counts.count(account, rest, true, 30 * SECOND).is_ok());
        assert_eq!(count(1, 86_390), Err((Level::Day, 10)));
        let seen = counts.of(account, 86_390 * SECOND);
        assert_eq!(
            seen,
            OrderCount { ten_seconds: 0, day: ORDERS_1D },
            "ten seconds do not count then"
        );
        assert_eq!(count(1, 86_400), Ok((1, 1)));
    }
}
