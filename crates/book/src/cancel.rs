//! Cancelling by order id.

use types::{
    AccountId, CancelCause, Effects, MarketState, OrderId, RejectCode, ReplyTo, RequestKind,
};

use crate::market::Market;

impl Market {
    /// Cancels a resting order of `account`. Rejected in a halted market, and when no such order of
    /// this account rests.
    pub fn cancel(
        &mut self,
        reply: ReplyTo,
        account: AccountId,
        order: OrderId,
        cause: CancelCause,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        let reject = |code, fx: &mut Effects| {
            self.reject(reply, RequestKind::CancelOrder, account, code, fx);
        };
        if self.state == MarketState::Halted {
            return reject(RejectCode::MarketHalted, fx);
        }
        match self.find_own(account, order) {
            Some(place) => self.cancel_resting(place, reply, cause, fx),
            None => reject(RejectCode::UnknownOrder, fx),
        }
    }

    /// The place of a resting order, if it is this account's.
    #[inline]
    pub(crate) fn find_own(&self, account: AccountId, order: OrderId) -> Option<u32> {
        let place = self.book.find(order)?;
        (self.book.at(place).account == account).then_some(place)
    }
}
