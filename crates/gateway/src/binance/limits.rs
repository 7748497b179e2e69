//! Where requests are weighed and orders are counted, and what the dialect says of those that are too many.
//!
//! Every request is charged its weight before it runs (`table` has the weights); a successful order call
//! gets it back. Every answer states the weight used, whatever the profile refuses.

use std::sync::Arc;

use axum::http::StatusCode;
use types::{AccountId, Timestamp};
use views::{AccountChange, AccountChanges, Changes};

use super::error::Error;
use crate::error::GatewayCode;
use crate::limits::{
    Charge, Class, Clock, Hold, Level, OrderCounts, Profile, Rates, Refusal, WHOLE, Weights,
};

pub(crate) use crate::limits::{OrderCount, Source};

/// Weighs requests and counts orders.
pub(crate) struct Limiter {
    profile: Profile,
    rates: Arc<Rates>,
    weights: Weights,
    orders: OrderCounts,
    clock: Clock,
}

impl Limiter {
    /// Under the profile of the dialect; its minutes and days are those of the clock.
    pub(crate) fn new(
        profile: Profile,
        remembered: usize,
        rates: Arc<Rates>,
        clock: Clock,
    ) -> Self {
        let together = || rates.together().cloned();
        let weights = Weights::new(remembered, together(), clock.clone());
        let orders = OrderCounts::new(remembered, together(), clock.clone());
        Self { profile, rates, weights, orders, clock }
    }

    /// Charges a request before it runs.
    ///
    /// # Errors
    /// -1003 with 429 or 418, and `retry_after`.
    pub(crate) async fn charge(&self, source: Source, weight: u32) -> Result<Charge, Error> {
        let weighed = self.weights.charge(source, weight, self.hold()).await;
        let charge = self.rates.noted(weighed).map_err(|refusal| self.refused(refusal))?;
        let asked = self.rates.request(self.profile, source).await;
        asked.map_err(|refusal| self.refused(refusal))?;
        Ok(charge)
    }

    /// Charges an attempt to open a socket.
    ///
    /// # Errors
    /// As [`Self::charge`].
    pub(crate) async fn connect(&self, source: Source, weight: u32) -> Result<(), Error> {
        let counted = self.weights.connect(source, weight, self.hold()).await;
        self.rates.noted(counted).map_err(|refusal| self.refused(refusal))?;
        let asked = self.rates.request(self.profile, source).await;
        asked.map_err(|refusal| self.refused(refusal))
    }

    /// Counts a signed request for its key, under the standard profile.
    ///
    /// # Errors
    /// -1003 or -1015 with 429, and `retry_after`.
    pub(crate) async fn signed(
        &self,
        key: &Arc<str>,
        class: Class,
        tier: impl FnOnce() -> u8,
    ) -> Result<(), Error> {
        let decided = self.rates.signed(self.profile, key, class, tier).await;
        decided.map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> Error {
        refused(refusal, Timestamp(self.clock.now()))
    }

    /// Which of the dialect's own limits hold.
    fn hold(&self) -> Hold {
        if self.profile == Profile::Binance { WHOLE } else { Hold::Nothing }
    }

    /// Gives back what a request was charged that turned out to be free.
    pub(crate) fn give_back(&self, source: Source, charge: Charge) -> u32 {
        self.weights.give_back(source, charge)
    }

    /// The weight used in the current minute.
    pub(crate) fn used(&self, source: Source) -> u32 {
        self.weights.used(source)
    }

    /// Counts orders before they are placed.
    ///
    /// # Errors
    /// -1015 with 429, and `retry_after`.
    pub(crate) async fn count_orders(
        &self,
        account: AccountId,
        orders: u32,
    ) -> Result<OrderCount, Error> {
        let counted = self.orders.count(account, orders, self.hold()).await;
        self.rates.noted(counted).map_err(|refusal| self.refused(refusal))
    }

    /// An order of an account that was counted is filled, wholly or in part, for the first time.
    pub(crate) fn first_fill(&self, account: AccountId) {
        self.orders.first_fill(account);
    }

    /// Orders that are filled for the first time after the entry that placed them: what is filled as it comes is
    /// noted with its answer.
    pub(crate) fn note_fills(&self, changes: &Changes) {
        for AccountChanges { account, updates } in &changes.accounts {
            for pair in updates.windows(2) {
                let (AccountChange::Fill(fill), AccountChange::Order(order)) =
                    (&pair[0].change, &pair[1].change)
                else {
                    continue;
                };
                if order.filled == fill.quantity && order.placed_seq < fill.seq {
                    self.first_fill(*account);
                }
            }
        }
    }

    /// What an account has used.
    pub(crate) fn orders_of(&self, account: AccountId) -> OrderCount {
        self.orders.of(account)
    }
}

/// A refusal in the dialect's words.
fn refused(refusal: Refusal, now: Timestamp) -> Error {
    let limit = refusal.limit;
    let (code, what) = match refusal.level {
        Level::Weight => (-1003, too_much(format_args!("{limit} request weight per 1 MINUTE"))),
        Level::RawRequests => (-1003, too_much(format_args!("{limit} requests per 5 MINUTE"))),
        Level::Address | Level::Key => {
            (-1003, too_much(format_args!("{limit} requests per 1 MINUTE")))
        }
        Level::Connections => (-1003, too_much(format_args!("{limit} connections per 5 MINUTE"))),
        Level::HeldConnections | Level::HeldSockets => {
            (-1003, GatewayCode::AddressHoldsTooMany.text().to_owned())
        }
        Level::All => (-1003, "Too many requests queued.".to_owned()),
        Level::Banned => {
            let until = now.saturating_add_nanos(refusal.wait).as_millis();
            let what = format!(
                "Way too much request weight used; IP banned until {until}. Please use WebSocket Streams for \
                 live updates to avoid bans."
            );
            (-1003, what)
        }
        Level::Orders => (-1015, too_many_orders(limit, "1 MINUTE")),
        Level::TenSeconds => (-1015, too_many_orders(limit, "10 SECOND")),
        Level::Day => (-1015, too_many_orders(limit, "1 DAY")),
    };
    let status = match refusal.level {
        Level::Banned => StatusCode::IM_A_TEAPOT,
        _ => StatusCode::TOO_MANY_REQUESTS,
    };
    let retry_after = Some(refusal.seconds());
    Error { retry_after, ..Error::with_status(code, status, what) }
}

fn too_much(limit: std::fmt::Arguments<'_>) -> String {
    format!(
        "Too much request weight used; current limit is {limit}. Please use WebSocket Streams for live \
         updates to avoid polling the API."
    )
}

fn too_many_orders(limit: u32, interval: &str) -> String {
    format!("Too many new orders; current limit is {limit} orders per {interval}.")
}

/// Limits as `exchangeInfo` and `rateLimit/order` state them.
pub(crate) mod stated {
    pub(crate) use crate::limits::{ORDERS_1D, ORDERS_10S, RAW_5M, WEIGHT_1M};
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RateLimits;

    const MINUTE: u64 = 60_000_000_000;

    /// One minute after the beginning.
    fn limiter(profile: Profile) -> Limiter {
        let clock = Clock::standing();
        clock.set(MINUTE);
        Limiter::new(profile, 100, Arc::new(Rates::new(RateLimits::default())), clock)
    }

    fn refusal(error: &Error) -> (u16, i32, Option<u64>) {
        (error.status.as_u16(), error.code, error.retry_after)
    }

    #[tokio::test]
    async fn who_goes_on_through_429_is_told_418_and_until_when() {
        let limiter = limiter(Profile::Binance);
        limiter.charge(None, 6_000).await.unwrap();
        assert_eq!(limiter.used(None), 6_000);
        for _ in 0..100 {
            let error = limiter.charge(None, 1).await.unwrap_err();
            assert_eq!(refusal(&error), (429, -1003, Some(60)));
            assert!(error.msg.starts_with("Too much request weight used; current limit is 6000"));
        }
        let error = limiter.charge(None, 1).await.unwrap_err();
        assert_eq!(refusal(&error), (418, -1003, Some(120)));
        assert!(error.msg.contains("IP banned until 180000."), "{}", error.msg);
        let other = Some([10, 0, 0, 1].into());
        limiter.charge(other, 5).await.unwrap();
        assert_eq!(limiter.used(other), 5);
    }

    #[tokio::test]
    async fn too_many_orders_are_1015_and_without_limits_all_is_counted_and_nothing_refused() {
        let (limited, free) = (limiter(Profile::Binance), limiter(Profile::Unlimited));
        for limiter in [&limited, &free] {
            assert_eq!(limiter.count_orders(AccountId(1), 100).await.unwrap().ten_seconds, 100);
        }
        let error = limited.count_orders(AccountId(1), 1).await.unwrap_err();
        assert_eq!(refusal(&error), (429, -1015, Some(10)));
        assert_eq!(&*error.msg, "Too many new orders; current limit is 100 orders per 10 SECOND.");
        assert_eq!(free.count_orders(AccountId(1), 1).await.unwrap().day, 101);
        for _ in 0..10 {
            assert!(free.charge(None, 6_000).await.is_ok());
        }
        assert_eq!(free.used(None), 60_000);
    }
}
