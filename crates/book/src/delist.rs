//! Delisting: the end of a market. It accepts nothing more, and its orders are cancelled, so many in an
//! entry as its work allows.

use types::{CancelCause, Effects, Event, MarketState, OrderId, ReplyTo, Side};

use crate::market::{Market, Work};
use crate::snapshot::Pending;

impl Market {
    /// Ends the market for good. Its plans are dropped; its orders are cancelled: bids, then asks, each in
    /// priority order, then those that wait, by id.
    pub fn delist(&mut self, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        let (reply, market, state) = (ReplyTo::NOBODY, self.def.id, MarketState::Delisted);
        (self.state, self.next_step) = (state, None);
        self.plans.clear();
        fx.emit(Event::MarketStateChanged { reply, market, state });
        self.go_on_delisting(work, fx);
    }

    pub(crate) fn go_on_delisting(&mut self, work: &mut Work, fx: &mut Effects) {
        while let Some(order) = self.next_to_end() {
            if !work.take() {
                return self.interrupt(Pending::Delisting, fx);
            }
            self.cancel_open(order, ReplyTo::NOBODY, CancelCause::Delisted, fx);
        }
    }

    fn next_to_end(&self) -> Option<OrderId> {
        let front = |side| self.book.front(side).map(|(_, place)| self.book.at(place).id);
        let resting = front(Side::Buy).or_else(|| front(Side::Sell));
        resting.or_else(|| self.waiting.after(OrderId(0)).map(|order| order.id))
    }
}
