//! What operators plan for markets besides states: changes of units, and the end (15.1, 16); and what an
//! unclean start does (17).

use types::{
    CancelCause, Event, MarketId, MarketState, Redefinition, RejectCode, ReplyTo, Timestamp,
};

use super::market::{Market, Step};
use super::units::{Change, redefined};
use super::{Asker, Exchange};

/// Changes of units that may be planned for a market.
const MOST: usize = 16;

/// Changes of definitions to come.
#[derive(Debug, Default)]
pub struct Plans {
    redefinitions: Vec<(Timestamp, MarketId, Redefinition)>,
    delistings: Vec<(Timestamp, MarketId)>,
}

impl Plans {
    /// When each is due, in no order.
    pub fn deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let redefinitions = self.redefinitions.iter().map(|plan| plan.0);
        redefinitions.chain(self.delistings.iter().map(|plan| plan.0))
    }

    /// When a change of units of a market is due, if one is planned.
    pub fn redefinition_of(&self, market: MarketId) -> Option<Timestamp> {
        self.redefinitions.iter().find(|plan| plan.1 == market).map(|plan| plan.0)
    }
}

impl Exchange {
    pub(super) fn plan_redefinition(
        &mut self,
        asker: &Asker,
        at: Timestamp,
        redefinition: Option<Redefinition>,
    ) -> Result<(), RejectCode> {
        let place = self.open_market(asker.market)?;
        let market = self.markets[place].def.id;
        let plans = &mut self.plans.redefinitions;
        let known = plans.iter().any(|plan| (plan.0, plan.1) == (at, market));
        let room = known || plans.iter().filter(|plan| plan.1 == market).count() < MOST;
        let possible = if redefinition.is_some() { at > self.now && room } else { known };
        if !possible {
            return Err(RejectCode::PlanRefused);
        }
        if let Some(redefinition) = &redefinition {
            self.check_redefinition(place, redefinition)?;
        }
        let plans = &mut self.plans.redefinitions;
        plans.retain(|plan| (plan.0, plan.1) != (at, market));
        plans.extend(redefinition.map(|redefinition| (at, market, redefinition)));
        let reply = asker.reply;
        self.events.push(Event::RedefinitionPlanned { reply, market, at, redefinition });
        Ok(())
    }

    /// Whether the units are those of a market that may be listed, and simple enough (15.1).
    fn check_redefinition(&self, at: usize, to: &Redefinition) -> Result<(), RejectCode> {
        let old = &self.markets[at].def;
        let new = redefined(old, to);
        Change::between(old, &new).ok_or(RejectCode::InvalidDefinition)?;
        self.units(&new).map(|_| ())
    }

    pub(super) fn plan_delisting(
        &mut self,
        asker: &Asker,
        at: Option<Timestamp>,
    ) -> Result<(), RejectCode> {
        let place = self.open_market(asker.market)?;
        let market = self.markets[place].def.id;
        let known = self.plans.delistings.iter().any(|plan| plan.1 == market);
        if !at.map_or(known, |at| at > self.now) {
            return Err(RejectCode::PlanRefused);
        }
        self.plans.delistings.retain(|plan| plan.1 != market);
        self.plans.delistings.extend(at.map(|at| (at, market)));
        self.events.push(Event::DelistingPlanned { reply: asker.reply, market, at });
        Ok(())
    }

    /// Does what is planned and due, by time, then by market; a change of units first (15.5, 16.4).
    pub(super) fn carry_out_plans(&mut self) {
        while let Some(at) = self.plans.deadlines().min().filter(|&at| at <= self.now) {
            let of_units = self.plans.redefinitions.iter().map(|plan| (plan.0, plan.1, 0));
            let ends = self.plans.delistings.iter().map(|plan| (plan.0, plan.1, 1));
            let first = of_units.chain(ends).min().expect("one is due");
            if first.2 == 0 { self.redefine(at, first.1) } else { self.delist(first.1) }
        }
    }

    fn redefine(&mut self, at: Timestamp, market: MarketId) {
        let plans = &mut self.plans.redefinitions;
        let plan = plans.iter().position(|plan| (plan.0, plan.1) == (at, market));
        let (_, _, to) = plans.remove(plan.expect("it is due"));
        let place = self.market(market.0).expect("it was there when planned");
        if self.check_redefinition(place, &to).is_err() {
            let (reply, redefinition) = (ReplyTo::NOBODY, None);
            self.events.push(Event::RedefinitionPlanned { reply, market, at, redefinition });
            return;
        }
        let def = redefined(&self.markets[place].def, &to);
        let units = self.units(&def).expect("just checked");
        self.markets[place].redefine(def, units);
        self.collect(place);
    }

    fn delist(&mut self, market: MarketId) {
        self.plans.redefinitions.retain(|plan| plan.1 != market);
        self.plans.delistings.retain(|plan| plan.1 != market);
        let place = self.market(market.0).expect("it was there when planned");
        self.markets[place].delist();
        self.collect(place);
    }

    /// A new life begins. What happened, with what is due by then (17).
    pub fn restart(&mut self, now: Timestamp, clean: bool) -> Vec<Event> {
        for at in 0..self.markets.len() {
            self.markets[at].now = now;
            if !clean {
                self.markets[at].reopen();
            }
            self.collect(at);
        }
        let mut events = std::mem::take(&mut self.events);
        events.extend(self.advance(now));
        events
    }
}

impl Market {
    /// Ends for good (16.1).
    fn delist(&mut self) {
        self.plans.clear();
        self.way = None;
        self.change_state(ReplyTo::NOBODY, MarketState::Delisted);
        while let Some(id) = self.next_to_end() {
            self.end(id, ReplyTo::NOBODY, CancelCause::Delisted);
        }
    }

    /// Bids, then asks, each in their priority, then what waits or was fired, by id.
    fn next_to_end(&self) -> Option<u64> {
        let resting = self.resting().next().map(|order| order.id);
        resting.or_else(|| self.open().map(|order| order.id).min())
    }

    /// What was trading comes back by steps, if the market has a rule for that (17.1).
    fn reopen(&mut self) {
        let was_trading = self.state == MarketState::Continuous || self.way.is_some();
        if let Some(rule) = self.rules.reopening.filter(|_| was_trading) {
            let at = self.in_seconds(rule.cancel_only_seconds);
            let way = Step { at, auction_seconds: Some(rule.auction_seconds) };
            self.begin_step(MarketState::CancelOnly, way);
        }
    }
}
