//! Lists in their market: what ends them, and what they end (12.6, 12.7, 12.10).

use std::rc::Rc;

use types::{
    AccountId, CancelCause, Event, ListEnd, OrderId, OrderListKind, PlaceOrderList, RejectCode,
    ReplyTo,
};

use super::market::Market;
use super::order::Order;

/// A list that has not ended.
#[derive(Clone, Debug)]
pub struct List {
    /// The id of its first order.
    pub id: u64,
    /// The owner.
    pub account: u32,
    /// Its open orders: a working one, or a pair.
    pub orders: Vec<u64>,
    /// Its form.
    pub kind: OrderListKind,
    /// As it was sent: its pending legs are there.
    pub request: Rc<PlaceOrderList>,
}

/// What a pair holds.
#[derive(Clone, Debug)]
pub struct PairNeed {
    /// Its two orders.
    pub orders: Vec<u64>,
    /// The larger need of the two, in atoms of what they pay with.
    pub need: u128,
}

impl List {
    /// Whether it is a pair now.
    pub fn is_pair(&self) -> bool {
        self.orders.len() == 2
    }

    /// Legs that pend.
    pub fn pending(&self) -> usize {
        if self.is_pair() { 0 } else { self.request.pending.len() }
    }
}

impl Market {
    /// The list that an open order is of.
    pub fn list_of(&self, order: u64) -> Option<&List> {
        self.lists.iter().find(|list| list.orders.contains(&order))
    }

    fn open_order(&self, id: u64) -> &Order {
        self.open().find(|order| order.id == id).expect("a list's orders are open")
    }

    /// What each pair holds (12.5).
    pub fn pairs_of_needs(&self) -> Vec<PairNeed> {
        let pairs = self.lists.iter().filter(|list| list.is_pair());
        pairs
            .map(|pair| {
                let needs = pair.orders.iter().map(|&id| self.need(self.open_order(id)));
                PairNeed { orders: pair.orders.clone(), need: needs.max().expect("two") }
            })
            .collect()
    }

    /// Lots that an open purchase counts for in the position limit: those of a limit order, those of a
    /// pair once if one of the two is a limit order (11.6, 12.5).
    pub fn lots_to_buy(&self, order: &Order) -> u64 {
        let counts = match self.list_of(order.id).filter(|list| list.is_pair()) {
            Some(pair) if pair.orders[0] != order.id => false,
            Some(pair) => pair.orders.iter().any(|&id| self.open_order(id).is_limit()),
            None => order.is_limit(),
        };
        if counts { order.remaining } else { 0 }
    }

    fn take_list(&mut self, order: u64) -> Option<List> {
        let place = self.lists.iter().position(|list| list.orders.contains(&order))?;
        Some(self.lists.remove(place))
    }

    /// An order ended, or lost lots to self-trade prevention: its list, if it has one, is cancelled.
    pub fn list_fails(&mut self, order: u64) {
        if let Some(list) = self.take_list(order) {
            self.end_list(&list, order, ListEnd::Cancelled);
        }
    }

    /// One of a pair enters after its trigger, or trades: the pair is done.
    pub fn list_is_done(&mut self, order: u64) {
        if let Some(list) = self.take_list(order) {
            self.end_list(&list, order, ListEnd::Done);
        }
    }

    /// An order traded, and so much of it is left: a pair is done, and a working order may be filled.
    pub fn list_trades(&mut self, order: u64, remaining: u64) {
        match self.list_of(order).map(List::is_pair) {
            Some(true) => self.list_is_done(order),
            Some(false) if remaining == 0 => {
                let list = self.take_list(order).expect("it is there");
                self.filled_lists.push(list);
            }
            _ => {}
        }
    }

    /// Ends the other one of a pair, then the list.
    fn end_list(&mut self, list: &List, by: u64, end: ListEnd) {
        if let Some(&other) = list.orders.iter().find(|&&other| other != by) {
            self.end(other, ReplyTo::NOBODY, CancelCause::OrderList);
        }
        self.list_ended(list.id, list.account, end);
    }

    /// Says how a list ended.
    pub fn list_ended(&mut self, list: u64, account: u32, end: ListEnd) {
        self.events.push(Event::OrderListEnded {
            market: self.def.id,
            list: OrderId(list),
            account: AccountId(account),
            end,
        });
    }

    /// Cancels a list by cancelling its first open order (12.12).
    ///
    /// # Errors
    /// [`RejectCode::MarketHalted`], [`RejectCode::UnknownOrder`].
    pub fn cancel_list(&mut self, account: u32, id: u64, reply: ReplyTo) -> Result<(), RejectCode> {
        let owned = |list: &&List| list.id == id && list.account == account;
        // No order has the id zero: a halted market says so first.
        let first = self.lists.iter().find(owned).map_or(0, |list| list.orders[0]);
        self.cancel(account, first, reply, CancelCause::Client)
    }
}
