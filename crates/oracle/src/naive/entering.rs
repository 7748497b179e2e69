//! Rules for an order that is to enter the book now, in the order of section 9.

use types::{MarketState, OrderSpec, Price, RejectCode, Side, TimeInForce};

use super::market::Market;
use super::order::Order;

impl Market {
    /// Whether an order accepts the best price of the other side.
    pub fn meets(&self, order: &Order) -> bool {
        self.best(order.side.opposite()).is_some_and(|price| order.accepts(price))
    }

    /// Whether an order matches one of the other side on arrival.
    pub fn would_match(&self, order: &Order) -> bool {
        self.state == MarketState::Continuous && self.meets(order)
    }

    /// Rules for an order that is to enter now, and the price of one that slides (3.1, 3.2). The first of
    /// a pair must not match (12.4).
    ///
    /// # Errors
    /// Why not.
    pub fn check_entering(&self, order: &mut Order, of_pair: bool) -> Result<(), RejectCode> {
        self.check_band(order)?;
        if (order.is_post_only() || of_pair) && self.would_match(order) {
            if !order.conditions.slide {
                return Err(RejectCode::WouldMatch);
            }
            let best = self.best(order.side.opposite()).expect("it would match");
            let slid = match order.side {
                Side::Buy => best - 1,
                Side::Sell => best + 1,
            };
            if slid == 0 || slid > self.def.max_price.get() {
                return Err(RejectCode::WouldMatch);
            }
            order.slide_to(slid);
            self.check_rules(order)?;
            self.check_band(order)?;
        }
        if self.state == MarketState::Continuous {
            self.check_matching(order)?;
        }
        let rests = order.time_in_force() == Some(TimeInForce::Gtc);
        if rests && !self.would_match(order) { self.room(order) } else { Ok(()) }
    }

    /// Rules that depend on the book, before an order enters (2.3 to 2.6, 3.3).
    pub fn check_matching(&self, order: &Order) -> Result<(), RejectCode> {
        let taken = || {
            // The cap does not end the search: an order whose cap does not pay is refused whole.
            let mut order = order.clone();
            if matches!(order.spec, OrderSpec::MarketByQuantity { .. }) {
                order.budget = u128::MAX;
            }
            self.would_take(&order)
        };
        if order.time_in_force() == Some(TimeInForce::Fok) && taken().lots < order.remaining {
            return Err(RejectCode::NotFillable);
        }
        if order.minimum().is_some_and(|minimum| taken().lots < minimum) {
            return Err(RejectCode::MinimumNotMet);
        }
        if order.is_limit() {
            return Ok(());
        }
        let best = self.best(order.side.opposite()).ok_or(RejectCode::NoLiquidity)?;
        match order.spec {
            OrderSpec::MarketByQuote { .. } if self.lots_for(order.quote_left, best) == 0 => {
                Err(RejectCode::InvalidQuantity)
            }
            OrderSpec::MarketByQuote { .. }
                if order.side == Side::Sell && order.budget < self.base_unit =>
            {
                Err(RejectCode::InsufficientBalance)
            }
            OrderSpec::MarketByQuantity { .. }
                if order.side == Side::Buy && taken().quote > order.budget =>
            {
                Err(RejectCode::InsufficientBalance)
            }
            _ => Ok(()),
        }
    }
}

impl Order {
    fn slide_to(&mut self, to: u64) {
        self.price = to;
        if let OrderSpec::Limit { price, .. } = &mut self.spec {
            *price = Price::new(to);
        }
    }
}
