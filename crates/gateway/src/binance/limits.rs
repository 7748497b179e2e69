//! Where requests are weighed and orders are counted: the one place that a limiter plugs into.
//!
//! Every request is charged its weight before it runs (`table` has the weights); a successful order call
//! gets it back. Every answer states the weight used. [`Uncapped`] counts and refuses nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use types::{AccountId, Timestamp};

use super::error::Error;

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 86_400 * SECOND;

/// Most accounts and addresses that are remembered; beyond that, those of past windows are forgotten.
const PRUNE_ABOVE: usize = 10_000;

/// Who is charged: an address, or everybody whose address is not known.
pub(crate) type Source = Option<IpAddr>;

/// Unfilled orders of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCount {
    /// In the current ten seconds.
    pub(crate) ten_seconds: u32,
    /// In the current day (UTC).
    pub(crate) day: u32,
}

/// Weighs requests and counts orders.
pub(crate) trait Limiter: Send + Sync {
    /// Charges a request before it runs; gives the weight used in the current minute.
    ///
    /// # Errors
    /// -1003 with 429 or 418, and `retry_after`.
    fn charge(&self, source: Source, weight: u32, now: Timestamp) -> Result<u32, Error>;

    /// Gives back what a request was charged that turned out to be free.
    fn give_back(&self, source: Source, weight: u32, now: Timestamp) -> u32;

    /// The weight used in the current minute.
    fn used(&self, source: Source, now: Timestamp) -> u32;

    /// Counts orders before they are placed.
    ///
    /// # Errors
    /// -1015 with 429, and `retry_after`.
    fn count_orders(
        &self,
        account: AccountId,
        orders: u32,
        now: Timestamp,
    ) -> Result<OrderCount, Error>;

    /// What an account has used.
    fn orders_of(&self, account: AccountId, now: Timestamp) -> OrderCount;
}

/// Counts in fixed windows, and refuses nothing.
#[derive(Default)]
pub(crate) struct Uncapped {
    weights: Mutex<HashMap<Source, Window>>,
    orders: Mutex<HashMap<AccountId, [Window; 2]>>,
}

/// A count that begins anew with each window.
#[derive(Clone, Copy, Default)]
struct Window {
    number: u64,
    count: u32,
}

impl Window {
    fn at(self, length: u64, now: Timestamp) -> Self {
        let number = now.0 / length;
        if self.number == number { self } else { Self { number, count: 0 } }
    }
}

impl Uncapped {
    fn weigh(&self, source: Source, now: Timestamp, change: impl FnOnce(u32) -> u32) -> u32 {
        let mut weights = self.weights.lock();
        if weights.len() > PRUNE_ABOVE {
            weights.retain(|_, window| window.number == now.0 / MINUTE);
        }
        let entry = weights.entry(source).or_default();
        *entry = entry.at(MINUTE, now);
        entry.count = change(entry.count);
        entry.count
    }
}

impl Limiter for Uncapped {
    fn charge(&self, source: Source, weight: u32, now: Timestamp) -> Result<u32, Error> {
        Ok(self.weigh(source, now, |count| count.saturating_add(weight)))
    }

    fn give_back(&self, source: Source, weight: u32, now: Timestamp) -> u32 {
        self.weigh(source, now, |count| count.saturating_sub(weight))
    }

    fn used(&self, source: Source, now: Timestamp) -> u32 {
        let weights = self.weights.lock();
        weights.get(&source).map_or(0, |window| window.at(MINUTE, now).count)
    }

    fn count_orders(
        &self,
        account: AccountId,
        orders: u32,
        now: Timestamp,
    ) -> Result<OrderCount, Error> {
        let mut counts = self.orders.lock();
        if counts.len() > PRUNE_ABOVE {
            counts.retain(|_, [_, day]| day.number == now.0 / DAY);
        }
        let [tens, day] = counts.entry(account).or_default();
        (*tens, *day) = (tens.at(10 * SECOND, now), day.at(DAY, now));
        for window in [&mut *tens, &mut *day] {
            window.count = window.count.saturating_add(orders);
        }
        Ok(OrderCount { ten_seconds: tens.count, day: day.count })
    }

    fn orders_of(&self, account: AccountId, now: Timestamp) -> OrderCount {
        let counts = self.orders.lock();
        let [tens, day] = counts.get(&account).copied().unwrap_or_default();
        OrderCount { ten_seconds: tens.at(10 * SECOND, now).count, day: day.at(DAY, now).count }
    }
}

/// Limits as `exchangeInfo` and `rateLimit/order` state them.
pub(crate) mod stated {
    /// Weight in a minute.
    pub(crate) const WEIGHT_1M: u32 = 6_000;
    /// Orders in ten seconds.
    pub(crate) const ORDERS_10S: u32 = 100;
    /// Orders in a day.
    pub(crate) const ORDERS_1D: u32 = 200_000;
    /// Requests in five minutes.
    pub(crate) const RAW_5M: u32 = 300_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_by_the_minute_and_orders_by_ten_seconds_and_days() {
        let (limiter, at) = (Uncapped::default(), |seconds| Timestamp(seconds * SECOND));
        assert_eq!(limiter.charge(None, 20, at(60)).unwrap(), 20);
        assert_eq!(limiter.charge(None, 5, at(119)).unwrap(), 25);
        assert_eq!(limiter.give_back(None, 5, at(119)), 20);
        assert_eq!((limiter.used(None, at(119)), limiter.used(None, at(120))), (20, 0));
        let account = AccountId(1);
        let count = limiter.count_orders(account, 2, at(5)).unwrap();
        assert_eq!(count, OrderCount { ten_seconds: 2, day: 2 });
        assert_eq!(limiter.orders_of(account, at(12)), OrderCount { ten_seconds: 0, day: 2 });
        assert_eq!(limiter.orders_of(account, at(86_400)), OrderCount::default());
    }
}
