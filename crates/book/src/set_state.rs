//! Halting, continuing, opening an auction.

use types::{
    AccountId, Effects, Event, MarketState, Price, Quantity, RejectCode, ReplyTo, RequestKind,
};

use crate::market::{Market, Work};

impl Market {
    /// Changes the state. Whenever the market becomes continuous, a crossed book is uncrossed at once:
    /// the price and the trades follow the answer. Leaving an auction in which nothing crossed says
    /// so with zeros. Rejected when the market is in that state already, or has ended; it does not end by this.
    pub fn set_state(
        &mut self,
        reply: ReplyTo,
        state: MarketState,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        self.assert_not_interrupted();
        let request = RequestKind::SetMarketState;
        if self.state == MarketState::Delisted {
            return self.reject(reply, request, AccountId(0), RejectCode::MarketDelisted, fx);
        }
        if self.state == state || state == MarketState::Delisted {
            return self.reject(reply, request, AccountId(0), RejectCode::WrongState, fx);
        }
        self.next_step = None;
        self.change_state(reply, state, work, fx);
        self.send_pending(fx);
    }

    /// Changes to another state than this one.
    pub(crate) fn change_state(
        &mut self,
        reply: ReplyTo,
        state: MarketState,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        let was_auction = self.state == MarketState::Auction;
        self.state = state;
        fx.emit(Event::MarketStateChanged { reply, market: self.def.id, state });
        if state != MarketState::Continuous {
            return;
        }
        if self.book.is_crossed() {
            self.uncross(work, fx);
        } else if was_auction {
            fx.emit(Event::AuctionUncrossed {
                market: self.def.id,
                price: Price::ZERO,
                quantity: Quantity::ZERO,
            });
        }
        self.enter_fired(work, fx);
    }
}
