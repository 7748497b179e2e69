//! Assets, markets and fee tiers, as everybody knows them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AssetDef, AssetId, Component, Conversion, Decimal, Event, MarketDef, MarketId, MarketRules,
    MarketState, Redefinition, Scaling, Seq, Timestamp,
};

use crate::DefinitionChange;
use crate::error::Contradiction;
use crate::fees::Fees;

/// A market with what follows from its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketInfo {
    /// Its definition.
    pub def: MarketDef,
    /// How its ticks and lots become atoms.
    pub scaling: Scaling,
    /// Its base asset.
    pub base: Arc<AssetDef>,
    /// Its quote asset.
    pub quote: Arc<AssetDef>,
    /// What it does with orders, now and as planned.
    pub trading: Trading,
    /// Ticks and lots of the earlier versions of its definition, from the first.
    past: Vec<PastUnits>,
}

/// What ticks and lots meant up to a change of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct PastUnits {
    /// The last entry of the market's partition in which they did.
    through: Seq,
    tick: Decimal,
    lot: Decimal,
}

impl MarketInfo {
    /// The market with the tick and lot that counts in an entry of its partition mean: events of that
    /// entry, and trades and ended orders that it changed last.
    #[must_use]
    pub fn at(&self, seq: Seq) -> Cow<'_, Self> {
        let Some(past) = self.past.iter().find(|past| seq <= past.through) else {
            return Cow::Borrowed(self);
        };
        let mut then = self.clone();
        (then.def.tick, then.def.lot) = (past.tick, past.lot);
        if let Ok(scaling) = then.def.scaling(&then.base, &then.quote) {
            then.scaling = scaling;
        }
        Cow::Owned(then)
    }
}

/// What a market does with orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Trading {
    /// Now.
    pub state: MarketState,
    /// When the next step of a market that opens again by itself is due.
    pub reopens_at: Option<Timestamp>,
    /// The state that comes next was told together with `reopens_at`.
    step_begins: bool,
    /// Changes of state to come.
    pub plans: BTreeMap<Timestamp, MarketState>,
    /// Changes of units to come.
    pub redefinitions: BTreeMap<Timestamp, Redefinition>,
    /// When the market is to end.
    pub delisted_at: Option<Timestamp>,
    /// What its operator allows.
    pub rules: MarketRules,
    /// When that was said, by the clock that plans go by: before a change of units that was due then it
    /// means the old ones.
    rules_since: Timestamp,
    /// It has failed: it does nothing, whatever its state, until an operator releases it.
    pub quarantined: bool,
}

impl Trading {
    /// Takes in an event of the market.
    fn apply(&mut self, event: &Event, time: Timestamp) {
        match *event {
            Event::MarketStateChanged { state, .. } => {
                self.state = state;
                if !std::mem::take(&mut self.step_begins) {
                    self.reopens_at = None;
                }
                self.plans.retain(|&at, _| at > time);
                if state == MarketState::Delisted {
                    self.plans.clear();
                    self.redefinitions.clear();
                    self.delisted_at = None;
                }
            }
            Event::TradingInterrupted { until, .. } | Event::MarketReopening { until, .. } => {
                (self.reopens_at, self.step_begins) = (Some(until), true);
            }
            Event::MarketStatePlanned { at, state, .. } => put(&mut self.plans, at, state),
            Event::RedefinitionPlanned { at, redefinition, .. } => {
                put(&mut self.redefinitions, at, redefinition);
            }
            Event::DelistingPlanned { at, .. } => self.delisted_at = at,
            Event::MarketRulesSet { ref rules, .. } => {
                (self.rules, self.rules_since) = (**rules, time);
            }
            Event::Quarantined { .. } => self.quarantined = true,
            Event::QuarantineReleased { .. } => self.quarantined = false,
            Event::MarketRedefined { ref market, old_tick, old_lot } => {
                // The registry's partition, which tells of plans and rules, may have been heard further.
                let planned = self.redefinitions.pop_first();
                let new = (market.tick, market.lot);
                if planned.is_none_or(|(due, _)| self.rules_since < due)
                    && let Some(conversion) = Conversion::between((old_tick, old_lot), new)
                {
                    self.rules = conversion.rules(&self.rules);
                }
            }
            _ => {}
        }
    }
}

fn put<T>(plans: &mut BTreeMap<Timestamp, T>, at: Timestamp, plan: Option<T>) {
    match plan {
        Some(plan) => plans.insert(at, plan),
        None => plans.remove(&at),
    };
}

/// All definitions.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) assets: BTreeMap<AssetId, Arc<AssetDef>>,
    pub(crate) markets: BTreeMap<MarketId, Arc<MarketInfo>>,
    pub(crate) fees: Fees,
    /// Kept apart: a market's own partition may be heard before the registry's that lists it.
    trading: BTreeMap<MarketId, Trading>,
    /// Likewise: each redefinition with its entry and the units before.
    redefined: BTreeMap<MarketId, Redefined>,
    asset_ids: BTreeMap<String, AssetId>,
    market_ids: BTreeMap<String, MarketId>,
    /// By the symbol without its hyphens; of two that are alike then, the one that was listed first.
    compact_ids: BTreeMap<String, MarketId>,
}

/// What of [`Definitions`] cannot be computed.
#[derive(BorshSerialize, BorshDeserialize)]
pub(crate) struct DefinitionsImage {
    assets: Vec<AssetDef>,
    markets: Vec<MarketDef>,
    fees: Fees,
    trading: BTreeMap<MarketId, Trading>,
    redefined: BTreeMap<MarketId, Redefined>,
}

/// The present definition of a market whose units have changed, and the units before.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct Redefined {
    def: MarketDef,
    past: Vec<PastUnits>,
}

impl Definitions {
    /// Takes in an event; tells what it defined.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
        seq: Seq,
        time: Timestamp,
    ) -> Result<Option<DefinitionChange>, Contradiction> {
        match event {
            Event::AssetDefined { asset, .. } => {
                self.define_asset(asset.clone());
                Ok(Some(DefinitionChange::Asset(asset.clone())))
            }
            Event::MarketListed { market, .. } => {
                self.list_market(market.clone())?;
                Ok(Some(DefinitionChange::Market(market.clone())))
            }
            Event::FeeTierSet { tier, rates, .. } => {
                self.fees.apply(event);
                Ok(Some(DefinitionChange::FeeTier { tier: *tier, rates: *rates }))
            }
            Event::FeeScheduleSet { .. } | Event::MarketFeesSet { .. } => {
                self.fees.apply(event);
                Ok(None)
            }
            Event::MarketRedefined { market, old_tick, old_lot } => {
                self.change_trading(market.id, event, time);
                self.redefine(market, PastUnits { through: seq, tick: *old_tick, lot: *old_lot })?;
                Ok(Some(DefinitionChange::Market(market.clone())))
            }
            Event::MarketStateChanged { market, .. }
            | Event::TradingInterrupted { market, .. }
            | Event::MarketReopening { market, .. }
            | Event::MarketStatePlanned { market, .. }
            | Event::RedefinitionPlanned { market, .. }
            | Event::DelistingPlanned { market, .. }
            | Event::Quarantined { component: Component::Market(market), .. }
            | Event::QuarantineReleased { component: Component::Market(market), .. }
            | Event::MarketRulesSet { market, .. } => {
                self.change_trading(*market, event, time);
                Ok(None)
            }
            Event::Quarantined { .. }
            | Event::QuarantineReleased { .. }
            | Event::Rejected { .. }
            | Event::Repeated { .. }
            | Event::OrderPlaced { .. }
            | Event::OrderRested { .. }
            | Event::Trade(_)
            | Event::OrderCancelled { .. }
            | Event::OrderReduced { .. }
            | Event::OrderDecremented { .. }
            | Event::OrderRefilled { .. }
            | Event::OrderTriggered { .. }
            | Event::ProposalMade { .. }
            | Event::ApprovalAwaited { .. }
            | Event::ProposalDecided { .. }
            | Event::ReservesAttested { .. }
            | Event::CreditPolicySet { .. }
            | Event::SourceKindSet { .. }
            | Event::CountdownSet { .. }
            | Event::OrderListPlaced(_)
            | Event::OrderListAdvanced { .. }
            | Event::OrderListEnded { .. }
            | Event::OrderReplaced { .. }
            | Event::CancelAllAccepted { .. }
            | Event::BalanceChanged { .. }
            | Event::Credited { .. }
            | Event::Debited { .. }
            | Event::DebitReserved { .. }
            | Event::DebitReleased { .. }
            | Event::TransferredOut { .. }
            | Event::TransferredIn { .. }
            | Event::AccountCreated { .. }
            | Event::AccountFrozen { .. }
            | Event::AccountFeeTierSet { .. }
            | Event::FeeTierChanged { .. }
            | Event::VolumeChanged { .. }
            | Event::AuctionUncrossed { .. } => Ok(None),
        }
    }

    /// Whether [`Self::apply`] does anything with this.
    pub(crate) fn concerns(event: &Event) -> bool {
        matches!(
            event,
            Event::AssetDefined { .. }
                | Event::MarketListed { .. }
                | Event::FeeTierSet { .. }
                | Event::MarketStateChanged { .. }
                | Event::TradingInterrupted { .. }
                | Event::MarketReopening { .. }
                | Event::MarketRedefined { .. }
                | Event::RedefinitionPlanned { .. }
                | Event::DelistingPlanned { .. }
                | Event::MarketStatePlanned { .. }
                | Event::MarketRulesSet { .. }
                | Event::Quarantined { .. }
                | Event::QuarantineReleased { .. }
                | Event::FeeScheduleSet { .. }
                | Event::MarketFeesSet { .. }
        )
    }

    fn define_asset(&mut self, asset: AssetDef) {
        self.asset_ids.insert(asset.symbol.clone(), asset.id);
        self.assets.insert(asset.id, Arc::new(asset));
    }

    fn change_trading(&mut self, market: MarketId, event: &Event, time: Timestamp) {
        let trading = self.trading.entry(market).or_default();
        trading.apply(event, time);
        if let Some(info) = self.markets.get_mut(&market) {
            Arc::make_mut(info).trading = trading.clone();
        }
    }

    fn redefine(&mut self, def: &MarketDef, before: PastUnits) -> Result<(), Contradiction> {
        let (redefined, past) = (def.clone(), Vec::new());
        let redefined = self.redefined.entry(def.id).or_insert(Redefined { def: redefined, past });
        redefined.def = def.clone();
        redefined.past.push(before);
        if self.markets.contains_key(&def.id) { self.list_market(def.clone()) } else { Ok(()) }
    }

    /// As listed, unless it was redefined since.
    fn list_market(&mut self, listed: MarketDef) -> Result<(), Contradiction> {
        let redefined = self.redefined.get(&listed.id);
        let past = redefined.map(|redefined| redefined.past.clone()).unwrap_or_default();
        let def = redefined.map_or(listed, |redefined| redefined.def.clone());
        let invalid = Contradiction::InvalidMarket(def.id);
        let base = self.assets.get(&def.base).ok_or(invalid)?;
        let quote = self.assets.get(&def.quote).ok_or(invalid)?;
        let scaling = def.scaling(base, quote).map_err(|_| invalid)?;
        let trading = self.trading.get(&def.id).cloned().unwrap_or_default();
        let (base, quote) = (base.clone(), quote.clone());
        self.market_ids.insert(def.symbol.clone(), def.id);
        self.compact_ids.entry(def.symbol.replace('-', "")).or_insert(def.id);
        let info = MarketInfo { def, scaling, base, quote, trading, past };
        self.markets.insert(info.def.id, Arc::new(info));
        Ok(())
    }

    pub(crate) fn asset_by_symbol(&self, symbol: &str) -> Option<Arc<AssetDef>> {
        self.assets.get(self.asset_ids.get(symbol)?).cloned()
    }

    pub(crate) fn market_by_symbol(&self, symbol: &str) -> Option<Arc<MarketInfo>> {
        self.markets.get(self.market_ids.get(symbol)?).cloned()
    }

    pub(crate) fn market_by_compact_symbol(&self, symbol: &str) -> Option<Arc<MarketInfo>> {
        self.markets.get(self.compact_ids.get(symbol)?).cloned()
    }

    pub(crate) fn image(&self) -> DefinitionsImage {
        DefinitionsImage {
            assets: self.assets.values().map(|asset| asset.as_ref().clone()).collect(),
            markets: self.markets.values().map(|market| market.def.clone()).collect(),
            fees: self.fees.clone(),
            trading: self.trading.clone(),
            redefined: self.redefined.clone(),
        }
    }

    pub(crate) fn from_image(image: DefinitionsImage) -> Result<Self, Contradiction> {
        let DefinitionsImage { fees, trading, redefined, .. } = image;
        let mut definitions = Self { fees, trading, redefined, ..Self::default() };
        for asset in image.assets {
            definitions.define_asset(asset);
        }
        for market in image.markets {
            definitions.list_market(market)?;
        }
        Ok(definitions)
    }
}
