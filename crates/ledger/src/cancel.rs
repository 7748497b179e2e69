//! `CancelByClientId` and `CancelAll`: they take the way of the orders, so that they find them.

use types::{
    AccountId, CancelCause, ClientOrderId, Effects, Event, HoldId, MarketId, Message, OrderId,
    RejectCode, ReplyTo, RequestKind,
};

use crate::client_ids::Outcome;
use crate::holds::Purpose;
use crate::ledger::{Asker, Context, Ledger};

impl Ledger {
    /// Cancels the open order that was placed under a client id.
    pub fn cancel_by_client_id(
        &mut self,
        ctx: &Context<'_>,
        reply: ReplyTo,
        account: AccountId,
        client_order_id: ClientOrderId,
        fx: &mut Effects,
    ) {
        let asker = Asker {
            reply,
            request: RequestKind::CancelByClientId,
            account,
            market: MarketId(0),
            client_id: client_order_id,
        };
        let slot = self.slot_mut(account);
        if slot.state.account(account).is_none() {
            return asker.reject(RejectCode::UnknownAccount, fx);
        }
        let hold = match slot.state.client_ids.find(account, client_order_id, ctx.now) {
            Some((_, Outcome::Open(hold))) => &slot.state.holds.get(hold).purpose,
            Some((_, Outcome::Ended(_))) | None => &Purpose::Free,
        };
        match *hold {
            Purpose::Free | Purpose::Debit => asker.reject(RejectCode::UnknownOrder, fx),
            // Its id is not known yet, or may be about to change.
            Purpose::Order { order: OrderId(0), .. } | Purpose::Order { amending: true, .. } => {
                asker.reject(RejectCode::ClientIdInFlight, fx);
            }
            Purpose::Order { market, order, .. } => {
                let cause = CancelCause::Client;
                fx.send(Message::CancelOrder { reply, account, market, order, cause });
            }
        }
    }

    /// Cancels every order that the account has placed in a market before this, the oldest first.
    pub fn cancel_all(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        market: MarketId,
        fx: &mut Effects,
    ) {
        let client_id = ClientOrderId::NONE;
        let request = RequestKind::CancelAll;
        let asker = Asker { reply, request, account, market, client_id };
        let slot = self.slot_mut(account);
        let Some(owner) = slot.state.account(account) else {
            return asker.reject(RejectCode::UnknownAccount, fx);
        };
        let orders = slot.state.holds.oldest_first(owner.orders_in(market));
        let holds: Vec<HoldId> = orders.map(|(hold_id, _)| hold_id).collect();
        let count = holds.len() as u32;
        fx.emit(Event::CancelAllAccepted { reply, account, market, count });
        for hold_id in holds {
            let Purpose::Order { order, amending, cancel_when_known, .. } =
                &mut slot.state.holds.of(account, hold_id).purpose
            else {
                unreachable!("a list of orders");
            };
            *cancel_when_known = order.0 == 0 || *amending;
            if order.0 != 0 {
                fx.send(cancel(account, market, *order));
            }
        }
    }
}

/// The message by which "cancel all" reaches one order.
pub(crate) fn cancel(account: AccountId, market: MarketId, order: OrderId) -> Message {
    let (reply, cause) = (ReplyTo::NOBODY, CancelCause::CancelAll);
    Message::CancelOrder { reply, account, market, order, cause }
}
