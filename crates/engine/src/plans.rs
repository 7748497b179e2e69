//! Changes of definitions that an operator has planned: kept where definitions are registered, and carried
//! out there when their time comes, so that every partition hears them in the same order as all others.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, ClientOrderId, Component, Definition, Event, MarketId, Redefinition, RejectCode,
    ReplyTo, RequestKind, Timestamp,
};

use crate::partition::Partition;

/// How many changes of units may be planned for a market.
const MAX_REDEFINITIONS: usize = 16;

/// All that is planned. At one time a market's units change before it ends.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct DefinitionPlans {
    redefinitions: BTreeMap<(Timestamp, MarketId), Redefinition>,
    delistings: BTreeMap<MarketId, Timestamp>,
}

impl DefinitionPlans {
    /// When the first is due.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let redefinition = self.redefinitions.keys().next().map(|&(at, _)| at);
        redefinition.into_iter().chain(self.delistings.values().copied()).min()
    }

    /// Takes the first that is due out, by (time, market).
    fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Definition)> {
        let redefinition = self.redefinitions.first_key_value().map(|(&key, _)| key);
        let delistings = self.delistings.iter().map(|(&market, &at)| (at, market));
        let delisting = delistings.min().filter(|key| redefinition.is_none_or(|r| *key < r));
        let (at, market) = delisting.or(redefinition).filter(|&(at, _)| at <= now)?;
        if delisting.is_some() {
            self.drop_all(market);
            return Some((at, Definition::Delisted { market }));
        }
        let redefinition = self.redefinitions.remove(&(at, market)).expect("it is the first");
        Some((at, Definition::Redefined { market, redefinition }))
    }

    fn drop_all(&mut self, market: MarketId) {
        self.redefinitions.retain(|&(_, of), _| of != market);
        self.delistings.remove(&market);
    }

    fn has_room(&self, at: Timestamp, market: MarketId) -> bool {
        let of_market = self.redefinitions.keys().filter(|&&(_, of)| of == market);
        self.redefinitions.contains_key(&(at, market)) || of_market.count() < MAX_REDEFINITIONS
    }
}

impl Partition {
    /// Plans a change of units, or takes such a plan back. Checked now, and again when it is due.
    pub(crate) fn plan_redefinition(
        &mut self,
        reply: ReplyTo,
        market: MarketId,
        at: Timestamp,
        redefinition: Option<Redefinition>,
    ) {
        if let Err(code) = self.check_redefinition(market, at, redefinition) {
            return self.reject_plan(reply, RequestKind::PlanRedefinition, market, code);
        }
        let plans = &mut self.plans.redefinitions;
        match redefinition {
            Some(redefinition) => plans.insert((at, market), redefinition),
            None => plans.remove(&(at, market)),
        };
        self.fx.emit(Event::RedefinitionPlanned { reply, market, at, redefinition });
        self.note_plans();
    }

    fn check_redefinition(
        &self,
        market: MarketId,
        at: Timestamp,
        redefinition: Option<Redefinition>,
    ) -> Result<(), RejectCode> {
        self.definitions.open_market(market)?;
        let is_possible = match redefinition {
            Some(_) => at > self.now && self.plans.has_room(at, market),
            None => self.plans.redefinitions.contains_key(&(at, market)),
        };
        if !is_possible {
            return Err(RejectCode::PlanRefused);
        }
        redefinition.map_or(Ok(()), |redefinition| {
            self.definitions.check(&Definition::Redefined { market, redefinition })
        })
    }

    /// Plans the end of a market, or takes that plan back.
    pub(crate) fn plan_delisting(
        &mut self,
        reply: ReplyTo,
        market: MarketId,
        at: Option<Timestamp>,
    ) {
        let open = self.definitions.open_market(market).map(|_| ());
        let is_possible = match at {
            Some(at) => at > self.now,
            None => self.plans.delistings.contains_key(&market),
        };
        let checked = open.and(if is_possible { Ok(()) } else { Err(RejectCode::PlanRefused) });
        if let Err(code) = checked {
            return self.reject_plan(reply, RequestKind::PlanDelisting, market, code);
        }
        match at {
            Some(at) => self.plans.delistings.insert(market, at),
            None => self.plans.delistings.remove(&market),
        };
        self.fx.emit(Event::DelistingPlanned { reply, market, at });
        self.note_plans();
    }

    /// Carries out the first plan that is due. False if none is.
    pub(crate) fn carry_out_plan(&mut self) -> bool {
        let Some((at, definition)) = self.plans.take_due(self.now) else {
            return false;
        };
        match (self.definitions.check(&definition), &definition) {
            (Ok(()), _) => self.publish(definition),
            // A plan before it has brought units to which these stand in no simple ratio.
            (Err(_), &Definition::Redefined { market, .. }) => {
                let (reply, redefinition) = (ReplyTo::NOBODY, None);
                self.fx.emit(Event::RedefinitionPlanned { reply, market, at, redefinition });
            }
            (Err(code), _) => unreachable!("the end of a market is dropped with it: {code}"),
        }
        true
    }

    fn note_plans(&mut self) {
        self.deadlines.set(Component::Registry(self.id), self.plans.next_deadline());
    }

    fn reject_plan(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        market: MarketId,
        code: RejectCode,
    ) {
        let (account, client_order_id) = (AccountId(0), ClientOrderId::NONE);
        self.fx.emit(Event::Rejected { reply, request, account, market, client_order_id, code });
    }
}
