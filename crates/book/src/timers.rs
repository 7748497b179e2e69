//! What the log's time brings about: orders end when their date comes, states change as planned, and an
//! interrupted market opens again.
//!
//! What is due goes in the order of times; at one time dates come first (by order id), then a plan, then
//! the next step of a market that reopens by itself.

use types::{
    AccountId, CancelCause, Effects, Event, MarketState, OrderId, RejectCode, ReplyTo, RequestKind,
    Timestamp,
};

use crate::market::{Market, Work};
use crate::snapshot::Pending;

/// How many changes of state may be planned.
const MAX_PLANS: usize = 64;

/// The next thing to do, ordered by time and then by kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Expiry(OrderId),
    Plan(MarketState),
    NextStep,
}

impl Market {
    /// When [`Market::fire_timers`] has something to do.
    #[must_use]
    #[inline]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.has_timers() { self.next_due().map(|(at, _)| at) } else { None }
    }

    /// Asked after every step.
    #[inline]
    fn has_timers(&self) -> bool {
        self.book.next_expiry().is_some()
            || self.waiting.next_expiry().is_some()
            || !self.plans.is_empty()
            || self.next_step.is_some()
    }

    /// The changes of state that are planned, by time.
    pub fn plans(&self) -> impl Iterator<Item = (Timestamp, MarketState)> + '_ {
        self.plans.iter().map(|(&at, &state)| (at, state))
    }

    /// Plans a change of state, or takes a plan back. One for each time; a later one replaces it.
    pub fn plan_state(
        &mut self,
        reply: ReplyTo,
        at: Timestamp,
        state: Option<MarketState>,
        fx: &mut Effects,
    ) {
        if self.state == MarketState::Delisted {
            let request = RequestKind::PlanMarketState;
            return self.reject(reply, request, AccountId(0), RejectCode::MarketDelisted, fx);
        }
        let is_possible = match state {
            Some(MarketState::Delisted) => false,
            Some(_) => {
                let has_room = self.plans.len() < MAX_PLANS || self.plans.contains_key(&at);
                at > self.now && has_room
            }
            None => self.plans.contains_key(&at),
        };
        if !is_possible {
            let request = RequestKind::PlanMarketState;
            return self.reject(reply, request, AccountId(0), RejectCode::PlanRefused, fx);
        }
        match state {
            Some(state) => self.plans.insert(at, state),
            None => self.plans.remove(&at),
        };
        fx.emit(Event::MarketStatePlanned { reply, market: self.def.id, at, state });
    }

    /// Does what is due now, in every state of the market.
    pub fn fire_timers(&mut self, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        self.do_due(work, fx);
        self.send_pending(fx);
    }

    pub(crate) fn do_due(&mut self, work: &mut Work, fx: &mut Effects) {
        while self.pending.is_none()
            && let Some((at, due)) = self.next_due()
            && at <= self.now
        {
            if !work.take() {
                return self.interrupt(Pending::Timers, fx);
            }
            match due {
                Due::Expiry(order) => {
                    self.cancel_open(order, ReplyTo::NOBODY, CancelCause::Expired, fx);
                }
                Due::Plan(state) => {
                    self.plans.remove(&at);
                    self.enter_state(state, work, fx);
                }
                Due::NextStep => self.take_next_step(work, fx),
            }
        }
    }

    /// As planned. A plan for the present state says so, too: it ends a way back that the market was on.
    fn enter_state(&mut self, state: MarketState, work: &mut Work, fx: &mut Effects) {
        self.next_step = None;
        let reply = ReplyTo::NOBODY;
        if self.state == state {
            fx.emit(Event::MarketStateChanged { reply, market: self.def.id, state });
        } else {
            self.change_state(reply, state, work, fx);
        }
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let expiries = self.book.next_expiry().into_iter().chain(self.waiting.next_expiry());
        let expiry = expiries.min().map(|(at, order)| (at, Due::Expiry(order)));
        let plan = self.plans.first_key_value().map(|(&at, &state)| (at, Due::Plan(state)));
        let step = self.next_step.map(|step| (step.at, Due::NextStep));
        [expiry, plan, step].into_iter().flatten().min()
    }
}
