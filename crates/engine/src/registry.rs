//! Definitions: registered where the treasury is, then told to every partition in the same order.

use book::Market;
use types::{
    Component, Definition, Event, MarketId, Message, PartitionId, RejectCode, ReplyTo, RequestKind,
};

use crate::partition::Partition;

impl Partition {
    /// Registers a definition and tells the other partitions. The registry assigns the market's home
    /// (in turn over the partitions for markets) and its first version.
    pub(crate) fn register(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        definition: Definition,
    ) {
        let definition = self.with_home(definition);
        if let Err(code) = self.definitions.check(&definition) {
            return self.reject_definition(reply, request, &definition, code);
        }
        self.fx.emit(answer(reply, &definition));
        let partitions = self.topology.as_ref().expect("it comes first").partitions;
        for to in (0..partitions).map(PartitionId).filter(|&to| to != self.id) {
            self.fx.send(Message::Define { to, definition: definition.clone() });
        }
        self.define(definition);
    }

    /// Keeps a definition, and opens the market if this is its home.
    pub(crate) fn define(&mut self, definition: Definition) {
        let (opened, ruled) = match &definition {
            Definition::Market(market) => (Some(market.id), None),
            Definition::Rules { market, rules } => (None, Some((*market, **rules))),
            Definition::Asset(_)
            | Definition::FeeTier { .. }
            | Definition::FeeSchedule(_)
            | Definition::MarketFees { .. } => (None, None),
        };
        self.definitions.add(definition);
        if let Some(market) = opened {
            self.open_market(market);
        }
        if let Some((market, rules)) = ruled
            && !self.quarantines.holds(Component::Market(market))
        {
            self.stepping = Some(Component::Market(market));
            self.at_market(market, |market, _| market.set_rules(rules));
        }
    }

    /// Opens the book of a market that was just listed, if this is its home.
    fn open_market(&mut self, id: MarketId) {
        let listed = self.definitions.market(id).expect("just added");
        if listed.def.home != self.id {
            return;
        }
        let index = id.0 as usize;
        if index >= self.markets.len() {
            self.markets.resize_with(index + 1, || None);
        }
        let market = Market::new(listed.def.clone(), listed.scaling);
        self.markets[index] = Some(Box::new(market));
    }

    fn with_home(&self, mut definition: Definition) -> Definition {
        if let Definition::Market(market) = &mut definition {
            let homes = &self.topology.as_ref().expect("it comes first").markets;
            market.home = homes[self.definitions.market_count() % homes.len()];
            market.version = 1;
        }
        definition
    }

    fn reject_definition(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        definition: &Definition,
        code: RejectCode,
    ) {
        let market = match definition {
            Definition::Market(market) => market.id,
            Definition::Rules { market, .. } | Definition::MarketFees { market, .. } => *market,
            Definition::Asset(_) | Definition::FeeTier { .. } | Definition::FeeSchedule(_) => {
                MarketId(0)
            }
        };
        self.fx.emit(Event::Rejected {
            reply,
            request,
            account: types::AccountId(0),
            market,
            client_order_id: types::ClientOrderId::NONE,
            code,
        });
    }
}

fn answer(reply: ReplyTo, definition: &Definition) -> Event {
    match definition {
        Definition::Asset(asset) => Event::AssetDefined { reply, asset: asset.clone() },
        Definition::Market(market) => Event::MarketListed { reply, market: (**market).clone() },
        &Definition::FeeTier { tier, rates } => Event::FeeTierSet { reply, tier, rates },
        &Definition::Rules { market, ref rules } => {
            Event::MarketRulesSet { reply, market, rules: rules.clone() }
        }
        Definition::FeeSchedule(schedule) => {
            Event::FeeScheduleSet { reply, schedule: schedule.clone() }
        }
        &Definition::MarketFees { market, tier, rates } => {
            Event::MarketFeesSet { reply, market, tier, rates }
        }
    }
}
