//! Definitions: registered where the treasury is, then told to every partition in the same order.

use book::Market;
use types::{
    Definition, Event, MarketChange, MarketId, Message, PartitionId, RejectCode, ReplyTo,
    RequestKind,
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
        self.publish(definition);
    }

    /// Tells every partition of a definition that has been checked, this one at once.
    pub(crate) fn publish(&mut self, definition: Definition) {
        let partitions = self.topology.as_ref().expect("it comes first").partitions;
        for to in (0..partitions).map(PartitionId).filter(|&to| to != self.id) {
            self.fx.send(Message::Define { to, definition: definition.clone() });
        }
        self.define(definition);
    }

    /// Keeps a definition. If its market is at home here, the market is opened, or told when its turn comes.
    pub(crate) fn define(&mut self, definition: Definition) {
        self.definitions.add(definition.clone());
        let (market, change) = match definition {
            Definition::Asset(_)
            | Definition::FeeTier { .. }
            | Definition::FeeSchedule(_)
            | Definition::MarketFees { .. } => return,
            Definition::Market(market) => return self.open_market(market.id),
            Definition::Rules { market, rules } => (market, MarketChange::Rules(*rules)),
            Definition::Redefined { market, .. } => {
                let listed = self.definitions.market(market).expect("just redefined");
                (market, MarketChange::Redefine(listed.def.clone()))
            }
            Definition::Delisted { market } => (market, MarketChange::Delist),
        };
        if self.market(market).is_some() {
            self.fx.send(Message::ChangeMarket { market, change: Box::new(change) });
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
            Definition::Rules { market, .. }
            | Definition::MarketFees { market, .. }
            | Definition::Redefined { market, .. }
            | Definition::Delisted { market } => *market,
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
        Definition::Redefined { .. } | Definition::Delisted { .. } => {
            unreachable!("planned, not registered")
        }
    }
}
