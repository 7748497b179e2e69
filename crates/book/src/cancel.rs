//! Cancelling by order id, and ending what has not entered the book.

use types::{
    AccountId, Admit, CancelCause, Effects, Event, MarketState, Message, OrderId, RejectCode,
    ReplaceOrder, ReplyTo, RequestKind, Timestamp,
};

use crate::admit::ensure;
use crate::lists::Member;
use crate::market::Market;
use crate::waiting::WaitingOrder;

/// Where an open order is.
enum Open {
    /// In the book, at this place.
    Rests(u32),
    /// Beside it.
    Waits,
}

impl Market {
    /// Cancels an order of `account` that rests or waits for its trigger. Rejected in a halted market,
    /// and when there is no such order of this account.
    pub fn cancel(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        order: OrderId,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        // Almost all are.
        if self.state != MarketState::Halted
            && let Some(place) = self.find_own(account, order)
        {
            return self.cancel_resting(place, reply, cause, fx);
        }
        self.cancel_or_reject(reply, account, order, cause, fx);
    }

    fn cancel_or_reject(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        order: OrderId,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        match self.check_cancel(account, order) {
            Ok(Open::Rests(place)) => self.cancel_resting(place, reply, cause, fx),
            Ok(Open::Waits) => self.cancel_waiting(order, reply, cause, fx),
            Err(code) => {
                if code == RejectCode::UnknownOrder && cause == CancelCause::CancelAll {
                    self.cancel_placing(account, order);
                }
                self.reject(reply, RequestKind::CancelOrder, account, code, fx);
            }
        }
    }

    /// Cancels an order, then sends the placement that is to follow back to its ledger, which has what the
    /// order held by then. If the cancel fails and the placement depends on it, the answer says why.
    pub fn cancel_then_place(
        &mut self,
        reply: ReplyTo,
        valid_until: Timestamp,
        replace: &ReplaceOrder,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        let &ReplaceOrder { cancel, stop_on_failure, ref order } = replace;
        match self.check_cancel(order.account, cancel) {
            Ok(_) => self.cancel_open(cancel, ReplyTo::NOBODY, CancelCause::Client, fx),
            Err(code) if stop_on_failure => {
                let request = RequestKind::ReplaceOrder;
                return self.reject(reply, request, order.account, code, fx);
            }
            Err(_) => {}
        }
        fx.send(Message::Place { reply, valid_until, order: Box::new(order.clone()) });
    }

    fn check_cancel(&self, account: AccountId, order: OrderId) -> Result<Open, RejectCode> {
        ensure(self.state != MarketState::Halted, RejectCode::MarketHalted)?;
        if let Some(place) = self.find_own(account, order) {
            return Ok(Open::Rests(place));
        }
        let waits = self.find_waiting(account, order).is_some();
        if waits { Ok(Open::Waits) } else { Err(RejectCode::UnknownOrder) }
    }

    /// Ends an order that rests or waits.
    pub(crate) fn cancel_open(
        &mut self,
        order: OrderId,
        reply: ReplyTo,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        match self.book.find(order) {
            Some(place) => self.cancel_resting(place, reply, cause, fx),
            None => self.cancel_waiting(order, reply, cause, fx),
        }
    }

    fn cancel_waiting(
        &mut self,
        order: OrderId,
        reply: ReplyTo,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        let order = self.waiting.remove(order).expect("it waits");
        self.cancel_unentered(&order, reply, cause, fx);
    }

    /// Ends an order that has never entered.
    pub(crate) fn cancel_unentered(
        &mut self,
        order: &WaitingOrder,
        reply: ReplyTo,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        let Admit { account, hold, spec, budget: release, .. } = order.admit;
        let (market, order) = (self.def.id, order.id);
        let remaining = spec.quantity().unwrap_or_default();
        fx.emit(Event::OrderCancelled { reply, market, order, account, remaining, cause });
        self.leg_fails(Member { order, account, hold, need: release }, fx);
        fx.send(Message::Closed { account, hold, order, release });
    }

    /// The order that waits, if it is this account's.
    pub(crate) fn find_waiting(&self, account: AccountId, order: OrderId) -> Option<&WaitingOrder> {
        self.waiting.get(order).filter(|waiting| waiting.admit.account == account)
    }

    /// The place of a resting order, if it is this account's.
    #[inline]
    pub(crate) fn find_own(&self, account: AccountId, order: OrderId) -> Option<u32> {
        let (place, found) = self.book.find_order(order)?;
        (found.account == account).then_some(place)
    }
}
