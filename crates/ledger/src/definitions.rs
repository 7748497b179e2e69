//! The definitions that a partition keeps: assets, markets with their scaling, what trading costs.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    Amount, AssetDef, AssetId, Conversion, Decimal, Definition, DefinitionError, FeeRates,
    FeeSchedule, MarketDef, MarketId, MarketRules, Price, Redefinition, RejectCode, Scaling,
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
    /// Whether it has ended for good.
    pub delisted: bool,
    /// Those of the earlier versions, from the first.
    past: Vec<Units>,
}

/// What ticks and lots of a version mean.
#[derive(Clone, Copy, Debug, BorshSerialize, BorshDeserialize)]
struct Units {
    tick: Decimal,
    lot: Decimal,
    scaling: Scaling,
}

impl ListedMarket {
    fn new(def: MarketDef, scaling: Scaling) -> Self {
        let (rules, fees, past) = (MarketRules::default(), Vec::new(), Vec::new());
        Self { def, scaling, rules, fees, delisted: false, past }
    }

    /// Base atoms that so much quote pays at a price of a version, in whole lots. Those are the present ones,
    /// since the order may have traded in finer lots than it was placed in; its own ones if the price is no
    /// whole number of present ticks. Zero of a version that this partition has not heard of: the market
    /// refuses whatever is made of that, since it names another.
    pub(crate) fn base_for(&self, quote: Amount, price: Price, version: u32) -> Amount {
        let now = self.price_now(price, version).map(|price| (price, self.scaling));
        let own = || self.units_since(version).next().map(|units| (price, units.scaling));
        let base =
            |(price, scaling): (Price, Scaling)| scaling.base(scaling.lots_for(quote, price));
        now.or_else(own).map_or(Amount::ZERO, base)
    }

    /// A price of a version in ticks of the present one, if it is a whole number of them.
    pub(crate) fn price_now(&self, price: Price, version: u32) -> Option<Price> {
        let mut units = self.units_since(version);
        let first = units.next()?;
        let step = |(price, old): (Price, Units), new: Units| {
            let conversion = Conversion::between((old.tick, old.lot), (new.tick, new.lot));
            Some((conversion?.price(price)?, new))
        };
        units.try_fold((price, first), step).map(|(price, _)| price)
    }

    /// The units of a version and of those after it.
    fn units_since(&self, version: u32) -> impl Iterator<Item = Units> {
        let all = self.past.iter().copied().chain([self.units()]);
        all.skip(version as usize - 1)
    }

    fn units(&self) -> Units {
        Units { tick: self.def.tick, lot: self.def.lot, scaling: self.scaling }
    }

    fn redefine(&mut self, def: MarketDef, scaling: Scaling) {
        let (old, new) = ((self.def.tick, self.def.lot), (def.tick, def.lot));
        let conversion = Conversion::between(old, new).expect("checked before");
        self.past.push(self.units());
        self.rules = conversion.rules(&self.rules);
        (self.def, self.scaling) = (def, scaling);
    }
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

    /// The market, if it is listed and has not ended.
    ///
    /// # Errors
    /// [`RejectCode::UnknownMarket`] or [`RejectCode::MarketDelisted`].
    pub fn open_market(&self, id: MarketId) -> Result<&ListedMarket, RejectCode> {
        let listed = self.market(id).ok_or(RejectCode::UnknownMarket)?;
        refuse_if(listed.delisted, RejectCode::MarketDelisted)?;
        Ok(listed)
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
    /// [`RejectCode::MarketDelisted`], [`RejectCode::UnknownFeeTier`] or
    /// [`RejectCode::InvalidDefinition`].
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
                self.open_market(*market)?;
                rules.validate().map_err(invalid)
            }
            Definition::FeeSchedule(schedule) => self.check_schedule(schedule),
            Definition::MarketFees { market, tier, rates } => {
                self.open_market(*market)?;
                refuse_if(!self.has_fee_tier(*tier), RejectCode::UnknownFeeTier)?;
                rates.map_or(Ok(()), |rates| rates.validate()).map_err(invalid)
            }
            Definition::Redefined { market, redefinition } => {
                self.redefined(*market, redefinition).map(|_| ())
            }
            Definition::Delisted { market } => self.open_market(*market).map(|_| ()),
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
                *slot_at(&mut self.markets, id) = Some(ListedMarket::new(*def, scaling));
                self.market_count += 1;
            }
            Definition::FeeTier { tier, rates } => {
                *slot_at(&mut self.fee_tiers, tier.into()) = Some(rates)
            }
            Definition::Rules { market, rules } => self.listed_mut(market).rules = *rules,
            Definition::Redefined { market, redefinition } => {
                let redefined = self.redefined(market, &redefinition);
                let (def, scaling) = redefined.expect("checked before");
                self.listed_mut(market).redefine(def, scaling);
            }
            Definition::FeeSchedule(schedule) => {
                self.fee_schedule = (!schedule.steps.is_empty()).then_some(schedule);
            }
            Definition::MarketFees { market, tier, rates } => {
                self.listed_mut(market).set_fees(tier, rates);
            }
            Definition::Delisted { market } => self.listed_mut(market).delisted = true,
        }
    }

    fn check_schedule(&self, schedule: &FeeSchedule) -> Result<(), RejectCode> {
        let has_tiers = schedule.steps.iter().all(|step| self.has_fee_tier(step.tier));
        refuse_if(!has_tiers, RejectCode::UnknownFeeTier)?;
        let has_assets = schedule.factors.iter().all(|factor| self.asset(factor.quote).is_some());
        refuse_if(!has_assets, RejectCode::UnknownAsset)?;
        schedule.validate().map_err(invalid)
    }

    fn listed_mut(&mut self, market: MarketId) -> &mut ListedMarket {
        self.markets[market.0 as usize].as_mut().expect("checked before")
    }

    /// A market's definition after a change, with its scaling.
    fn redefined(
        &self,
        market: MarketId,
        change: &Redefinition,
    ) -> Result<(MarketDef, Scaling), RejectCode> {
        let old = &self.open_market(market)?.def;
        let def = old.redefined(change);
        let ratio = Conversion::between((old.tick, old.lot), (def.tick, def.lot));
        refuse_if(ratio.is_none(), RejectCode::InvalidDefinition)?;
        let scaling = self.scaling(&def)?;
        Ok((def, scaling))
    }

    /// What ticks and lots of a definition are in atoms.
    ///
    /// # Errors
    /// [`RejectCode::UnknownAsset`] or [`RejectCode::InvalidDefinition`].
    pub fn scaling(&self, market: &MarketDef) -> Result<Scaling, RejectCode> {
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
type SavedMarket = (MarketDef, MarketRules, Vec<(u8, FeeRates)>, bool, Vec<Units>);

/// Written as the list of definitions that make it again, and what has become of them since.
impl BorshSerialize for Definitions {
    fn serialize<W: std::io::Write>(&self, writer: &mut W) -> std::io::Result<()> {
        let assets: Vec<_> = self.assets().collect();
        let market = |listed: &ListedMarket| -> SavedMarket {
            let ListedMarket { def, rules, fees, delisted, past, .. } = listed.clone();
            (def, rules, fees, delisted, past)
        };
        let markets: Vec<_> = self.markets().map(market).collect();
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
        let mut add = |definition: Definition| {
            definitions.check(&definition).map_err(|_| std::io::ErrorKind::InvalidData)?;
            definitions.add(definition);
            std::io::Result::Ok(())
        };
        assets.into_iter().map(Definition::Asset).try_for_each(&mut add)?;
        for (def, ..) in &markets {
            add(Definition::Market(Box::new(def.clone())))?;
        }
        schedule.into_iter().map(Definition::FeeSchedule).try_for_each(&mut add)?;
        for (def, rules, fees, delisted, past) in markets {
            let listed = definitions.listed_mut(def.id);
            *listed = ListedMarket { rules, fees, delisted, past, ..listed.clone() };
        }
        Ok(definitions)
    }
}
