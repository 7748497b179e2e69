//! An order as the naive market keeps it, and what must be held for it.

use types::{
    ClientOrderId, Conditions, FeeRates, OrderSpec, SelfTradePrevention, Side, TimeInForce,
    Timestamp, Trigger,
};

/// An order that rests, waits, or matches.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number in the market; zero before it is accepted.
    pub id: u64,
    /// The owner.
    pub account: u32,
    /// Buy or sell.
    pub side: Side,
    /// As it was placed.
    pub spec: OrderSpec,
    /// As they were placed.
    pub conditions: Conditions,
    /// Its mode of self-trade prevention.
    pub prevention: SelfTradePrevention,
    /// The rates of its account when it was placed.
    pub rates: FeeRates,
    /// The client's name for it, or none.
    pub client_id: ClientOrderId,
    /// Its place among all placements of the exchange, kept over amendments.
    pub placed: u64,
    /// The limit in ticks; zero for market orders.
    pub price: u64,
    /// Lots that are open; zero for market orders by quote.
    pub remaining: u64,
    /// Lots of them that the book shows.
    pub shown: u64,
    /// Lots that were filled, also under earlier ids.
    pub filled: u64,
    /// Market orders by quote: the quote that is still wanted, in atoms.
    pub quote_left: u128,
    /// What it may still spend, in atoms of what it pays with. Only market orders look at it.
    pub budget: u128,
    /// A trailing stop's best price since it became active.
    pub reference: Option<u64>,
}

impl Order {
    /// Whether it is a limit order.
    pub fn is_limit(&self) -> bool {
        matches!(self.spec, OrderSpec::Limit { .. })
    }

    /// Whether it refuses to match on arrival.
    pub fn is_post_only(&self) -> bool {
        matches!(self.spec, OrderSpec::Limit { post_only: true, .. })
    }

    /// Its time in force, if it is a limit order.
    pub fn time_in_force(&self) -> Option<TimeInForce> {
        match self.spec {
            OrderSpec::Limit { time_in_force, .. } => Some(time_in_force),
            _ => None,
        }
    }

    /// The minimum that must trade on arrival, in lots.
    pub fn minimum(&self) -> Option<u64> {
        self.conditions.minimum.map(|lots| lots.get())
    }

    /// When it is cancelled.
    pub fn date(&self) -> Option<Timestamp> {
        self.conditions.expires_at
    }

    /// Whether it would trade at `price`.
    pub fn accepts(&self, price: u64) -> bool {
        !self.is_limit()
            || match self.side {
                Side::Buy => price <= self.price,
                Side::Sell => price >= self.price,
            }
    }

    /// Lots that the book does not show.
    pub fn hidden(&self) -> u64 {
        self.remaining - self.shown
    }

    /// Shows the next part of an iceberg, or all of another order.
    pub fn show(&mut self) {
        self.shown = match self.conditions.visible {
            Some(visible) => self.remaining.min(visible.get()),
            None => self.remaining,
        };
    }

    /// The price at which a trade fires it, and whether that is from below; none while a trailing
    /// stop is not active.
    pub fn trigger_price(&self) -> Option<(u128, bool)> {
        match self.conditions.trigger? {
            Trigger::Rises { to } => Some((u128::from(to.get()), true)),
            Trigger::Falls { to } => Some((u128::from(to.get()), false)),
            Trigger::Trails { basis_points, .. } => {
                let reference = u128::from(self.reference?);
                let distance = u128::from(basis_points);
                Some(match self.side {
                    Side::Sell => (reference * (10_000 - distance) / 10_000, false),
                    Side::Buy => ((reference * (10_000 + distance)).div_ceil(10_000), true),
                })
            }
        }
    }
}
