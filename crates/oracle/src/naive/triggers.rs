//! Waiting orders: what a trade activates, moves and fires, and how fired orders enter (4).

use types::{
    AccountId, CancelCause, Event, MarketState, OrderId, RejectCode, ReplyTo, Side, Trigger,
};

use super::market::Market;
use super::order::Order;

impl Market {
    /// Rules for an order that is to wait (4.4), with `others` that come with it.
    pub fn check_waiting(&self, order: &Order, others: usize) -> Result<(), RejectCode> {
        let last = self.last_price.ok_or(RejectCode::NoReferencePrice)?;
        let met = order.trigger_price().is_some_and(|(to, rises)| meets(last, to, rises));
        if met {
            return Err(RejectCode::WouldTrigger);
        }
        if self.waiting.len() + self.fired.len() + others >= self.def.bounds.max_waiting as usize {
            return Err(RejectCode::TooManyWaitingOrders);
        }
        Ok(())
    }

    /// Lets an accepted order wait. A trailing stop may be active at once (4.2, 4.3).
    pub fn wait(&mut self, mut order: Order) {
        let last = self.last_price.expect("checked: there is a last price");
        if order.is_trailing() && order.activates(last) {
            order.reference = Some(last);
        }
        self.waiting.push(order);
    }

    /// A trade happened at `price`.
    pub fn fire(&mut self, price: u64) {
        self.last_price = Some(price);
        let mut hit = Vec::new();
        let mut kept = Vec::new();
        for mut order in std::mem::take(&mut self.waiting) {
            let touched = order.is_trailing() && order.follow(price);
            match order.trigger_price() {
                Some((to, rises)) if !touched && meets(price, to, rises) => {
                    // Rising: the lowest first. Falling: the highest first.
                    let rank = if rises { to } else { u128::MAX - to };
                    hit.push((rank, order.id, order));
                }
                _ => kept.push(order),
            }
        }
        self.waiting = kept;
        hit.sort_by_key(|(rank, id, _)| (*rank, *id));
        // What has fired trails no more.
        self.fired.extend(hit.into_iter().map(|(_, _, order)| Order { reference: None, ..order }));
    }

    /// Lets fired orders enter until none is left (4.6) or trading is interrupted (7.4).
    pub fn enter_fired(&mut self) {
        while self.state == MarketState::Continuous && !self.fired.is_empty() {
            let order = self.fired.remove(0);
            self.events.push(Event::OrderTriggered {
                market: self.def.id,
                order: OrderId(order.id),
                account: AccountId(order.account),
            });
            self.list_is_done(order.id);
            self.enter_one_fired(order);
        }
    }

    fn enter_one_fired(&mut self, order: Order) {
        let cause = match self.check_band(&order).and_then(|()| self.check_matching(&order)) {
            Ok(()) => return self.enter(order),
            // The budget of a fired buy by quantity bounds it and does not refuse it (4.8).
            Err(RejectCode::InsufficientBalance) if order.side == Side::Buy => {
                return self.enter(order);
            }
            Err(_) => CancelCause::NotFillable,
        };
        self.cancelled(&order, ReplyTo::NOBODY, cause);
    }
}

fn meets(price: u64, to: u128, rises: bool) -> bool {
    let price = u128::from(price);
    if rises { price >= to } else { price <= to }
}

impl Order {
    fn is_trailing(&self) -> bool {
        matches!(self.conditions.trigger, Some(Trigger::Trails { .. }))
    }

    /// Whether a trailing stop becomes active by a trade at this price.
    fn activates(&self, price: u64) -> bool {
        let Some(Trigger::Trails { activation: Some(from), .. }) = self.conditions.trigger else {
            return true;
        };
        match self.side {
            Side::Sell => price >= from.get(),
            Side::Buy => price <= from.get(),
        }
    }

    /// A trailing stop sees a trade. Whether that activates or moves it.
    fn follow(&mut self, price: u64) -> bool {
        let better = match (self.reference, self.side) {
            (None, _) => self.activates(price),
            (Some(reference), Side::Sell) => price > reference,
            (Some(reference), Side::Buy) => price < reference,
        };
        if better {
            self.reference = Some(price);
        }
        better
    }
}
