//! Assets, markets and fee tiers, as everybody knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{AssetDef, AssetId, Event, FeeRates, MarketDef, MarketId, MarketState, Scaling};

use crate::DefinitionChange;
use crate::error::Contradiction;

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
    /// What it does with orders now.
    pub state: MarketState,
}

/// All definitions.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    pub(crate) assets: BTreeMap<AssetId, Arc<AssetDef>>,
    pub(crate) markets: BTreeMap<MarketId, Arc<MarketInfo>>,
    pub(crate) fee_tiers: BTreeMap<u8, FeeRates>,
    /// Kept apart: a market's own partition may be heard before the registry's that lists it.
    states: BTreeMap<MarketId, MarketState>,
    asset_ids: BTreeMap<String, AssetId>,
    market_ids: BTreeMap<String, MarketId>,
}

/// What of [`Definitions`] cannot be computed.
#[derive(BorshSerialize, BorshDeserialize)]
pub(crate) struct DefinitionsImage {
    assets: Vec<AssetDef>,
    markets: Vec<MarketDef>,
    fee_tiers: BTreeMap<u8, FeeRates>,
    states: BTreeMap<MarketId, MarketState>,
}

impl Definitions {
    /// Takes in an event; tells what it defined.
    pub(crate) fn apply(
        &mut self,
        event: &Event,
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
                self.fee_tiers.insert(*tier, *rates);
                Ok(Some(DefinitionChange::FeeTier { tier: *tier, rates: *rates }))
            }
            Event::MarketStateChanged { market, state, .. } => {
                self.states.insert(*market, *state);
                if let Some(info) = self.markets.get_mut(market) {
                    Arc::make_mut(info).state = *state;
                }
                Ok(None)
            }
            Event::Rejected { .. }
            | Event::Repeated { .. }
            | Event::OrderPlaced { .. }
            | Event::OrderRested { .. }
            | Event::Trade(_)
            | Event::OrderCancelled { .. }
            | Event::OrderReduced { .. }
            | Event::OrderRefilled { .. }
            | Event::OrderTriggered { .. }
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
        let state = self.states.get(&def.id).copied().unwrap_or_default();
        let (base, quote) = (base.clone(), quote.clone());
        self.market_ids.insert(def.symbol.clone(), def.id);
        let info = MarketInfo { def, scaling, base, quote, state };
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
            fee_tiers: self.fee_tiers.clone(),
            states: self.states.clone(),
        }
    }

    pub(crate) fn from_image(image: DefinitionsImage) -> Result<Self, Contradiction> {
        let mut definitions =
            Self { fee_tiers: image.fee_tiers, states: image.states, ..Self::default() };
        for asset in image.assets {
            definitions.define_asset(asset);
        }
        for market in image.markets {
            definitions.list_market(market)?;
        }
        Ok(definitions)
    }
}
