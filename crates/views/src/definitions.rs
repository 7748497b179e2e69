//! Assets, markets and fee tiers, as everybody knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AssetDef, AssetId, Component, Event, MarketDef, MarketId, MarketRules, MarketState, Scaling,
    Timestamp,
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
}

/// What a market does with orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Trading {
    /// Now.
    pub state: MarketState,
    /// When an interrupted market opens again by itself.
    pub reopens_at: Option<Timestamp>,
    /// Changes of state to come.
    pub plans: BTreeMap<Timestamp, MarketState>,
    /// What its operator allows.
    pub rules: MarketRules,
    /// It has failed: it does nothing, whatever its state, until an operator releases it.
    pub quarantined: bool,
}

impl Trading {
    /// Takes in an event of the market.
    fn apply(&mut self, event: &Event, time: Timestamp) {
        match *event {
            Event::MarketStateChanged { state, .. } => {
                self.state = state;
                // An interruption is told before the state that it brings.
                if state != MarketState::Auction || self.reopens_at.is_some_and(|at| at <= time) {
                    self.reopens_at = None;
                }
                self.plans.retain(|&at, _| at > time);
            }
            Event::TradingInterrupted { until, .. } => {
                self.pass(time);
                self.reopens_at = Some(until);
            }
            Event::MarketStatePlanned { at, state: Some(state), .. } => {
                self.pass(time);
                self.plans.insert(at, state);
            }
            Event::MarketStatePlanned { at, state: None, .. } => {
                self.plans.remove(&at);
            }
            Event::MarketRulesSet { ref rules, .. } => self.rules = **rules,
            Event::Quarantined { .. } => self.quarantined = true,
            Event::QuarantineReleased { .. } => self.quarantined = false,
            _ => {}
        }
    }

    /// What of it holds at `now`, a time of the log.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Self {
        let mut then = self.clone();
        then.pass(now);
        then
    }

    /// A plan for the state that the market is in already comes and goes without an event; but it too
    /// ends an interruption's wait.
    fn pass(&mut self, now: Timestamp) {
        if self.plans.first_key_value().is_some_and(|(&at, _)| at <= now) {
            self.plans.retain(|&at, _| at > now);
            self.reopens_at = None;
        }
    }
}

/// All definitions.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) assets: BTreeMap<AssetId, Arc<AssetDef>>,
    pub(crate) markets: BTreeMap<MarketId, Arc<MarketInfo>>,
    pub(crate) fees: Fees,
    /// Kept apart: a market's own partition may be heard before the registry's that lists it.
    trading: BTreeMap<MarketId, Trading>,
    asset_ids: BTreeMap<String, AssetId>,
    market_ids: BTreeMap<String, MarketId>,
}

/// What of [`Definitions`] cannot be computed.
#[derive(BorshSerialize, BorshDeserialize)]
pub(crate) struct DefinitionsImage {
    assets: Vec<AssetDef>,
    markets: Vec<MarketDef>,
    fees: Fees,
    trading: BTreeMap<MarketId, Trading>,
}

impl Definitions {
    /// Takes in an event; tells what it defined.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
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
            Event::MarketStateChanged { market, .. }
            | Event::TradingInterrupted { market, .. }
            | Event::MarketStatePlanned { market, .. }
            | Event::Quarantined { component: Component::Market(market), .. }
            | Event::QuarantineReleased { component: Component::Market(market), .. }
            | Event::MarketRulesSet { market, .. } => {
                let trading = self.trading.entry(*market).or_default();
                trading.apply(event, time);
                if let Some(info) = self.markets.get_mut(market) {
                    Arc::make_mut(info).trading = trading.clone();
                }
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

    fn list_market(&mut self, def: MarketDef) -> Result<(), Contradiction> {
        let invalid = Contradiction::InvalidMarket(def.id);
        let base = self.assets.get(&def.base).ok_or(invalid)?;
        let quote = self.assets.get(&def.quote).ok_or(invalid)?;
        let scaling = def.scaling(base, quote).map_err(|_| invalid)?;
        let trading = self.trading.get(&def.id).cloned().unwrap_or_default();
        let (base, quote) = (base.clone(), quote.clone());
        self.market_ids.insert(def.symbol.clone(), def.id);
        let info = MarketInfo { def, scaling, base, quote, trading };
        self.markets.insert(info.def.id, Arc::new(info));
        Ok(())
    }

    pub(crate) fn asset_by_symbol(&self, symbol: &str) -> Option<Arc<AssetDef>> {
        self.assets.get(self.asset_ids.get(symbol)?).cloned()
    }

    pub(crate) fn market_by_symbol(&self, symbol: &str) -> Option<Arc<MarketInfo>> {
        self.markets.get(self.market_ids.get(symbol)?).cloned()
    }

    pub(crate) fn image(&self) -> DefinitionsImage {
        DefinitionsImage {
            assets: self.assets.values().map(|asset| asset.as_ref().clone()).collect(),
            markets: self.markets.values().map(|market| market.def.clone()).collect(),
            fees: self.fees.clone(),
            trading: self.trading.clone(),
        }
    }

    pub(crate) fn from_image(image: DefinitionsImage) -> Result<Self, Contradiction> {
        let mut definitions = Self { fees: image.fees, trading: image.trading, ..Self::default() };
        for asset in image.assets {
            definitions.define_asset(asset);
        }
        for market in image.markets {
            definitions.list_market(market)?;
        }
        Ok(definitions)
    }
}
