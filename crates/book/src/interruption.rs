//! Volatility interruptions: before a trade that would be too far from the last price, trading stops and
//! an auction collects orders for a time, then the market opens again by itself.

use types::{CancelCause, Effects, Event, MarketState, Price, ReplyTo};

use crate::market::Market;
use crate::reopening::NextStep;
use crate::taker::Taker;

impl Market {
    /// Whether a trade at `price` is too far from `reference`, the last price before its order came.
    #[inline]
    pub(crate) fn would_interrupt(&self, reference: Option<Price>, price: Price) -> bool {
        match (self.rules.interruption, reference) {
            (Some(rule), Some(reference)) => !rule.distance.allows(reference.get(), price.get()),
            _ => false,
        }
    }

    /// Opens the auction instead of the trade. What is left of the order takes part if it may rest.
    pub(crate) fn interrupt_trading(
        &mut self,
        taker: &Taker,
        would_trade: Price,
        fx: &mut Effects,
    ) {
        let rule = self.rules.interruption.expect("it would interrupt");
        let last = taker.reference.expect("it would interrupt");
        let until = self.now.saturating_add_nanos(u64::from(rule.auction_seconds) * 1_000_000_000);
        let market = self.def.id;
        self.state = MarketState::Auction;
        self.next_step = Some(NextStep::continuous_at(until));
        fx.emit(Event::TradingInterrupted { market, last, would_trade, until });
        let (reply, state) = (ReplyTo::NOBODY, self.state);
        fx.emit(Event::MarketStateChanged { reply, market, state });
        match taker.resting(&self.scaling) {
            Some(_) => self.end_remainder(taker, fx),
            None => self.cancel_taker(taker, CancelCause::Interruption, fx),
        }
    }
}
