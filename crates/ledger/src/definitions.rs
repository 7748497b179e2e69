//! The definitions that a partition keeps: assets, markets with their scaling, what trading costs.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AssetDef, AssetId, Definition, DefinitionError, FeeRates, FeeSchedule, MarketDef, MarketId,
    MarketRules, RejectCode, Scaling,
};

/// Ids of assets and markets are below this, so that tables indexed by them stay small.
const MAX_ID: u32 = 65_536;

/// Assets, markets and fee tiers by id, and the fee schedule. Every partition has the same, in the order of definition.
#[derive(Debug, Default)]
pub struct Definitions {
    assets: Vec<Option<AssetDef>>,
    markets: Vec<Option<ListedMarket>>,
    fee_tiers: Vec<Option<FeeRates>>,
    fee_schedule: Option<FeeSchedule>,
    market_count: usize,
}

/// A market with its scaling.
#[derive(Clone, Debug)]
pub struct ListedMarket {
    /// Its definition.
    pub def: MarketDef,
    /// Its scaling.
    pub scaling: Scaling,
    /// What its operator allows.
    pub rules: MarketRules,
    /// Rates of its own, by tier.
    fees: Vec<(u8, FeeRates)>,
}

impl Definitions {
    /// The asset, if it is defined.
    #[must_use]
    pub fn asset(&self, id: AssetId) -> Option<&AssetDef> {
        self.assets.get(id.0 as usize)?.as_ref()
    }

    /// The market, if it is listed.
    #[must_use]
    pub fn market(&self, id: MarketId) -> Option<&ListedMarket> {
        self.markets.get(id.0 as usize)?.as_ref()
    }

    /// The rates of a tier. Tier 0 is free until it is set; accounts get no other that is not set.
    #[must_use]
    pub fn fee_rates(&self, tier: u8) -> FeeRates {
        self.fee_tiers.get(usize::from(tier)).copied().flatten().unwrap_or_default()
    }

    /// The rates of a tier in a market: its own ones there, or else those of the tier.
    #[must_use]
    #[inline]
    pub fn fee_rates_in(&self, market: MarketId, tier: u8) -> FeeRates {
        let fees = self.market(market).map_or(&[][..], |listed| &listed.fees);
        let own = fees.iter().find(|(of, _)| *of == tier);
        own.map_or_else(|| self.fee_rates(tier), |&(_, rates)| rates)
    }

    /// Which volume leads to which tier. None if nothing is counted: a schedule has a tier.
    #[must_use]
    #[inline]
    pub fn fee_schedule(&self) -> Option<&FeeSchedule> {
        self.fee_schedule.as_ref()
    }

    /// Whether accounts can be put into a tier.
    #[must_use]
    pub fn has_fee_tier(&self, tier: u8) -> bool {
        tier == 0 || self.fee_tiers.get(usize::from(tier)).is_some_and(Option::is_some)
    }

    /// How many markets are listed.
    #[must_use]
    pub fn market_count(&self) -> usize {
        self.market_count
    }

    /// All assets, by id.
    pub fn assets(&self) -> impl Iterator<Item = &AssetDef> {
        self.assets.iter().flatten()
    }

    /// All markets, by id.
    pub fn markets(&self) -> impl Iterator<Item = &ListedMarket> {
        self.markets.iter().flatten()
    }

    /// Whether `definition` may be added.
    ///
    /// # Errors
    /// [`RejectCode::AlreadyDefined`], [`RejectCode::UnknownAsset`], [`RejectCode::UnknownMarket`],
    /// [`RejectCode::UnknownFeeTier`] or [`RejectCode::InvalidDefinition`].
    pub fn check(&self, definition: &Definition) -> Result<(), RejectCode> {
        match definition {
            Definition::Asset(asset) => {
                let taken = self.assets().any(|a| a.id == asset.id || a.symbol == asset.symbol);
                refuse_if(taken, RejectCode::AlreadyDefined)?;
                refuse_if(asset.id.0 >= MAX_ID, RejectCode::InvalidDefinition)?;
                asset.validate().map_err(invalid)
            }
            Definition::Market(market) => {
                let taken =
                    self.markets().any(|m| m.def.id == market.id || m.def.symbol == market.symbol);
                refuse_if(taken, RejectCode::AlreadyDefined)?;
                refuse_if(market.id.0 >= MAX_ID, RejectCode::InvalidDefinition)?;
                self.scaling(market).map(|_| ())
            }
            Definition::FeeTier { rates, .. } => rates.validate().map_err(invalid),
            Definition::Rules { market, rules } => {
                refuse_if(self.market(*market).is_none(), RejectCode::UnknownMarket)?;
                rules.validate().map_err(invalid)
            }
            Definition::FeeSchedule(schedule) => self.check_schedule(schedule),
            Definition::MarketFees { market, tier, rates } => {
                refuse_if(self.market(*market).is_none(), RejectCode::UnknownMarket)?;
                refuse_if(!self.has_fee_tier(*tier), RejectCode::UnknownFeeTier)?;
                rates.map_or(Ok(()), |rates| rates.validate()).map_err(invalid)
            }
        }
    }

    /// Adds a definition that [`Self::check`] has passed.
    ///
    /// # Panics
    /// If it does not pass: every partition checks the same definitions in the same order.
    pub fn add(&mut self, definition: Definition) {
        match definition {
            Definition::Asset(asset) => {
                let id = asset.id.0 as usize;
                *slot_at(&mut self.assets, id) = Some(asset);
            }
            Definition::Market(def) => {
                let scaling = self.scaling(&def).expect("checked before");
                let id = def.id.0 as usize;
                let rules = MarketRules::default();
                let fees = Vec::new();
                *slot_at(&mut self.markets, id) =
                    Some(ListedMarket { def: *def, scaling, rules, fees });
                self.market_count += 1;
            }
            Definition::FeeTier { tier, rates } => {
                *slot_at(&mut self.fee_tiers, tier.into()) = Some(rates)
            }
            Definition::Rules { market, rules } => {
                let listed = self.markets[market.0 as usize].as_mut().expect("checked before");
                listed.rules = *rules;
            }
            Definition::FeeSchedule(schedule) => {
                self.fee_schedule = (!schedule.steps.is_empty()).then_some(schedule);
            }
            Definition::MarketFees { market, tier, rates } => {
                let listed = self.markets[market.0 as usize].as_mut().expect("checked before");
                listed.set_fees(tier, rates);
            }
        }
    }

    fn check_schedule(&self, schedule: &FeeSchedule) -> Result<(), RejectCode> {
        let has_tiers = schedule.steps.iter().all(|step| self.has_fee_tier(step.tier));
        refuse_if(!has_tiers, RejectCode::UnknownFeeTier)?;
        let has_assets = schedule.factors.iter().all(|factor| self.asset(factor.quote).is_some());
        refuse_if(!has_assets, RejectCode::UnknownAsset)?;
        schedule.validate().map_err(invalid)
    }

    fn scaling(&self, market: &MarketDef) -> Result<Scaling, RejectCode> {
        let base = self.asset(market.base).ok_or(RejectCode::UnknownAsset)?;
        let quote = self.asset(market.quote).ok_or(RejectCode::UnknownAsset)?;
        market.scaling(base, quote).map_err(invalid)
    }
}

impl ListedMarket {
    fn set_fees(&mut self, tier: u8, rates: Option<FeeRates>) {
        let at = self.fees.binary_search_by_key(&tier, |&(of, _)| of);
        match (at, rates) {
            (Ok(at), Some(rates)) => self.fees[at].1 = rates,
            (Ok(at), None) => _ = self.fees.remove(at),
            (Err(at), Some(rates)) => self.fees.insert(at, (tier, rates)),
            (Err(_), None) => {}
        }
    }
}

fn invalid(_: DefinitionError) -> RejectCode {
    RejectCode::InvalidDefinition
}

fn refuse_if(condition: bool, code: RejectCode) -> Result<(), RejectCode> {
    if condition { Err(code) } else { Ok(()) }
}

/// The element at `index`, after growing the table to it.
pub(crate) fn slot_at<T: Default>(table: &mut Vec<T>, index: usize) -> &mut T {
    if index >= table.len() {
        table.resize_with(index + 1, T::default);
    }
    &mut table[index]
}

/// A market as it is written.
type SavedMarket = (MarketDef, MarketRules, Vec<(u8, FeeRates)>);

/// Written as the list of definitions that make it again.
impl BorshSerialize for Definitions {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        let assets: Vec<_> = self.assets().collect();
        let markets: Vec<_> =
            self.markets().map(|listed| (&listed.def, &listed.rules, &listed.fees)).collect();
        (assets, markets, &self.fee_tiers, &self.fee_schedule).serialize(writer)
    }
}

impl BorshDeserialize for Definitions {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let assets = Vec::<AssetDef>::deserialize_reader(reader)?;
        let markets = Vec::<SavedMarket>::deserialize_reader(reader)?;
        let fee_tiers = Vec::<Option<FeeRates>>::deserialize_reader(reader)?;
        let schedule = Option::<FeeSchedule>::deserialize_reader(reader)?;
        let mut definitions = Self { fee_tiers, ..Self::default() };
        let assets = assets.into_iter().map(Definition::Asset);
        let markets = markets.into_iter().flat_map(|(def, rules, fees)| {
            let market = def.id;
            let fees = fees.into_iter().map(move |(tier, rates)| Definition::MarketFees {
                market,
                tier,
                rates: Some(rates),
            });
            [
                Definition::Market(Box::new(def)),
                Definition::Rules { market, rules: Box::new(rules) },
            ]
            .into_iter()
            .chain(fees)
        });
        let schedule = schedule.map(Definition::FeeSchedule);
        for definition in assets.chain(markets).chain(schedule) {
            definitions.check(&definition).map_err(|_| std::io::ErrorKind::InvalidData)?;
            definitions.add(definition);
        }
        Ok(definitions)
    }
}
