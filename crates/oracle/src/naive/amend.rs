//! Amendments of resting orders (6.3 to 6.5).

use types::{AccountId, AssetId, Event, OrderId, Price, Quantity, RejectCode, ReplyTo, Side};

use super::market::Market;
use super::order::Order;
use super::pays_with;

/// What is asked: a new price, a new total, or both.
#[derive(Clone, Copy, Debug)]
pub struct Amendment {
    /// New price in ticks.
    pub price: Option<u64>,
    /// New total in lots, filled part included.
    pub total: Option<u64>,
    /// Whether it is refused if the order would lose its place.
    pub keep_priority: bool,
}

/// What an amendment asks of its account.
#[derive(Clone, Copy, Debug)]
pub struct AmendmentNeeds {
    /// What the order pays with.
    pub asset: AssetId,
    /// What must be held besides.
    pub extra: u128,
    /// Lots of a purchase that it had not wanted before.
    pub more_lots_to_buy: u64,
}

impl Market {
    /// What the exchange looks at before it asks the market: the order, price and quantity, and what must
    /// be held besides (9).
    ///
    /// # Errors
    /// Why not.
    pub fn check_amendment(
        &self,
        account: u32,
        id: u64,
        asked: Amendment,
    ) -> Result<AmendmentNeeds, RejectCode> {
        let owned = |order: &&Order| order.id == id && order.account == account;
        let open = self.open().find(owned);
        let order = open.ok_or(RejectCode::UnknownOrder)?;
        asked.price.map_or(Ok(()), |price| self.check_price(price))?;
        asked.total.map_or(Ok(()), |total| self.check_quantity(total))?;
        if !order.is_limit() || self.lists.iter().any(|list| list.orders.contains(&id)) {
            return Err(RejectCode::NotAmendable);
        }
        let total = asked.total.unwrap_or(order.remaining + order.filled);
        if total <= order.filled {
            return Err(RejectCode::QuantityBelowFilled);
        }
        if asked.keep_priority {
            let asset = pays_with(self, order.side);
            return Ok(AmendmentNeeds { asset, extra: 0, more_lots_to_buy: 0 });
        }
        let price = asked.price.unwrap_or(order.price);
        let after = Order { price, remaining: total - order.filled, ..order.clone() };
        let extra = self.need(&after).saturating_sub(self.need(order));
        let more = after.remaining.saturating_sub(order.remaining);
        Ok(AmendmentNeeds {
            asset: pays_with(self, order.side),
            extra,
            more_lots_to_buy: if order.side == Side::Buy { more } else { 0 },
        })
    }

    /// Amends a resting order.
    ///
    /// # Errors
    /// Why not; the order is then as it was.
    pub fn amend(
        &mut self,
        account: u32,
        id: u64,
        asked: Amendment,
        reply: ReplyTo,
    ) -> Result<(), RejectCode> {
        let owned = |order: &&Order| order.id == id && order.account == account;
        if self.waiting.iter().chain(&self.fired).any(|order| owned(&order)) {
            return Err(RejectCode::NotAmendable);
        }
        self.accepts_orders()?;
        let old = self.resting().find(owned).cloned().ok_or(RejectCode::UnknownOrder)?;
        let price = asked.price.unwrap_or(old.price);
        let total = asked.total.unwrap_or(old.remaining + old.filled);
        let remaining = total - old.filled;
        self.check_rules(&Order { price, remaining, ..old.clone() })?;
        if price == old.price && remaining == old.remaining {
            return Err(RejectCode::NothingToAmend);
        }
        if price == old.price && remaining < old.remaining {
            self.reduce(id, remaining, reply);
            return Ok(());
        }
        if asked.keep_priority {
            return Err(RejectCode::LosesPriority);
        }
        self.replace(&old, price, remaining, reply)
    }

    fn reduce(&mut self, id: u64, remaining: u64, reply: ReplyTo) {
        let orders = self.bids.iter_mut().chain(&mut self.asks);
        let order = orders.into_iter().find(|order| order.id == id).expect("it rests");
        order.remaining = remaining;
        order.shown = order.shown.min(remaining);
        let order = order.clone();
        self.reduced(&order, reply);
    }

    fn replace(
        &mut self,
        old: &Order,
        price: u64,
        remaining: u64,
        reply: ReplyTo,
    ) -> Result<(), RejectCode> {
        let before = self.clone();
        let levels = self.level_count();
        self.take_out(old.id);
        let mut new = Order { price, remaining, ..old.clone() };
        if let Err(code) = self.check_entry(&new, levels) {
            *self = before;
            return Err(code);
        }
        self.age(&mut new);
        self.last_order += 1;
        new.id = self.last_order;
        self.events.push(Event::OrderReplaced {
            reply,
            market: self.def.id,
            old_order: OrderId(old.id),
            order: OrderId(new.id),
            account: AccountId(new.account),
            side: new.side,
            price: Price::new(price),
            quantity: Quantity::new(remaining),
        });
        if self.would_match(&new) {
            self.enter(new)
        } else {
            self.rest(new)
        }
        self.enter_fired();
        Ok(())
    }

    /// What has left the book enters anew; there were so many levels with it.
    fn check_entry(&self, new: &Order, levels: usize) -> Result<(), RejectCode> {
        self.check_band(new)?;
        if new.is_post_only() && self.meets(new) {
            return Err(RejectCode::WouldMatch);
        }
        let matches = self.would_match(new);
        // It takes the place that it left. The level that it comes to is another one if others stay.
        let another = self.level_count() == levels && !self.has_level(new);
        if !matches && another && levels >= self.def.bounds.max_levels as usize {
            return Err(RejectCode::TooManyLevels);
        }
        Ok(())
    }
}
