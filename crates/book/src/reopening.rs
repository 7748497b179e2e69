//! The way back to continuous trading that a market takes by itself: out of a volatility interruption, or
//! through cancel-only and an auction after an unclean start. An operator's change of state, or a planned
//! one, ends it.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Effects, Event, MarketState, ReplyTo, Timestamp};

use crate::market::{Market, Work};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What comes when the present state has lasted long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct NextStep {
    pub(crate) at: Timestamp,
    /// An auction of so many seconds; none: continuous trading.
    auction_seconds: Option<u32>,
}

impl NextStep {
    pub(crate) fn continuous_at(at: Timestamp) -> Self {
        Self { at, auction_seconds: None }
    }
}

impl Market {
    /// When the next step of a market that reopens by itself is due.
    #[must_use]
    pub fn reopens_at(&self) -> Option<Timestamp> {
        self.next_step.map(|step| step.at)
    }

    /// The log broke off and goes on now. A market with a rule for that, which was continuous or on its way
    /// back to it, begins the way back anew.
    pub fn reopen(&mut self, fx: &mut Effects) {
        self.assert_not_interrupted();
        let was_trading = self.state == MarketState::Continuous || self.next_step.is_some();
        let Some(rule) = self.rules.reopening.filter(|_| was_trading) else {
            return;
        };
        let at = self.in_seconds(rule.cancel_only_seconds);
        let next = NextStep { at, auction_seconds: Some(rule.auction_seconds) };
        self.begin_step(MarketState::CancelOnly, next, fx);
    }

    /// The present step is over.
    pub(crate) fn take_next_step(&mut self, work: &mut Work, fx: &mut Effects) {
        let step = self.next_step.take().expect("it is due");
        match step.auction_seconds {
            Some(seconds) => {
                let next = NextStep::continuous_at(self.in_seconds(seconds));
                self.begin_step(MarketState::Auction, next, fx);
            }
            None => self.change_state(ReplyTo::NOBODY, MarketState::Continuous, work, fx),
        }
    }

    /// Enters a state in which nothing matches.
    fn begin_step(&mut self, state: MarketState, next: NextStep, fx: &mut Effects) {
        let (reply, market, until) = (ReplyTo::NOBODY, self.def.id, next.at);
        (self.state, self.next_step) = (state, Some(next));
        fx.emit(Event::MarketReopening { market, state, until });
        fx.emit(Event::MarketStateChanged { reply, market, state });
    }

    fn in_seconds(&self, seconds: u32) -> Timestamp {
        self.now.saturating_add_nanos(u64::from(seconds) * NANOS_PER_SECOND)
    }
}
