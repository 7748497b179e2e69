//! Fee schedules and rates in JSON, both ways.

use serde::{Deserialize, Serialize};
use types::{Amount, AssetDef, FeeRates, TierStep, VolumeFactor};
use utoipa::ToSchema;
use views::AccountFees;

use crate::error::ApiError;
use crate::state::Shared;
use crate::wire::answer::Watermark;

const MILLIS_PER_DAY: u64 = 86_400_000;

/// Which volume of the last 30 days leads to which tier. Without tiers nothing is counted, and accounts stay
/// in their tiers.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeeSchedule {
    /// By rising volume, the first from zero.
    pub(crate) tiers: Vec<Step>,
    /// What counts. Trades for other assets do not.
    pub(crate) quotes: Vec<Factor>,
}

/// A tier and what leads to it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// The tier.
    pub(crate) tier: u8,
    /// The least volume of the last 30 days: a whole number of the schedule's unit.
    #[schema(example = "10000000")]
    pub(crate) least_volume: String,
}

/// How much of the schedule's unit the smallest unit of a quote asset is: numerator / denominator.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factor {
    /// Ticker of the quote asset.
    #[schema(example = "USDT")]
    pub(crate) asset: String,
    /// Above zero.
    #[schema(example = 1)]
    pub(crate) numerator: u32,
    /// Above zero.
    #[schema(example = 1)]
    pub(crate) denominator: u64,
}

/// Rates of a tier in one market.
#[derive(Serialize, ToSchema)]
pub(crate) struct MarketFee {
    /// Symbol of the market.
    #[schema(example = "BTC-USDT")]
    pub(crate) market: String,
    /// The tier.
    pub(crate) tier: u8,
    /// Of the order that rested, in millionths; below zero: a rebate.
    pub(crate) maker_ppm: i32,
    /// Of the order that came and matched.
    pub(crate) taker_ppm: u32,
}

/// What an account pays, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountFeesAnswer {
    /// The tier of its next order, if it comes now.
    pub(crate) fee_tier: u8,
    /// Whether an operator has pinned the account to this tier, whatever its volume is.
    pub(crate) pinned: bool,
    /// What it traded in the last 30 days, today included (UTC), in the schedule's unit.
    #[schema(example = "12500000")]
    pub(crate) volume: String,
    /// Of which days this is; oldest first. A day falls out 30 days after it began.
    pub(crate) days: Vec<DayVolume>,
    /// What leads to which tier.
    pub(crate) schedule: FeeSchedule,
    /// Its rates in every market.
    pub(crate) markets: Vec<MarketFee>,
    /// How far the data has been seen.
    pub(crate) watermarks: Vec<Watermark>,
}

/// What was traded on a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct DayVolume {
    /// When the day began (UTC).
    pub(crate) day: u64,
    /// In the schedule's unit.
    pub(crate) volume: String,
}

impl FeeSchedule {
    /// As the views know it.
    pub(crate) fn current(shared: &Shared) -> Self {
        let schedule = shared.views.fee_schedule();
        let step = |step: &TierStep| Step { tier: step.tier, least_volume: step.least.to_string() };
        let factor = |factor: &VolumeFactor| {
            let asset = shared.views.asset(factor.quote);
            Factor {
                asset: asset.map_or_else(|| factor.quote.to_string(), |def| def.symbol.clone()),
                numerator: factor.numerator,
                denominator: factor.denominator,
            }
        };
        Self {
            tiers: schedule.steps.iter().map(step).collect(),
            quotes: schedule.factors.iter().map(factor).collect(),
        }
    }

    /// In the exchange's terms. The order of assets is the exchange's own affair.
    pub(crate) fn read(
        &self,
        asset: impl Fn(&str) -> Result<std::sync::Arc<AssetDef>, ApiError>,
    ) -> Result<types::FeeSchedule, ApiError> {
        let step = |step: &Step| {
            let least = step
                .least_volume
                .parse()
                .map_err(|_| ApiError::invalid_field("least_volume", "not a whole number"))?;
            Ok(TierStep { tier: step.tier, least: Amount::new(least) })
        };
        let factor = |factor: &Factor| {
            let &Factor { numerator, denominator, .. } = factor;
            Ok(VolumeFactor { quote: asset(&factor.asset)?.id, numerator, denominator })
        };
        let steps = self.tiers.iter().map(step).collect::<Result<_, ApiError>>()?;
        let mut factors = self.quotes.iter().map(factor).collect::<Result<Vec<_>, ApiError>>()?;
        factors.sort_by_key(|factor| factor.quote);
        Ok(types::FeeSchedule { steps, factors })
    }
}

impl MarketFee {
    pub(crate) fn new(market: String, tier: u8, rates: FeeRates) -> Self {
        Self { market, tier, maker_ppm: rates.maker.0, taker_ppm: rates.taker.0 }
    }

    /// Every tier with rates of its own in a market.
    pub(crate) fn all(shared: &Shared) -> Vec<Self> {
        let fees = shared.views.market_fees().into_iter();
        let fees = fees.filter_map(|(market, tier, rates)| {
            let symbol = shared.views.market_info(market)?.def.symbol.clone();
            Some(Self::new(symbol, tier, rates))
        });
        fees.collect()
    }
}

impl AccountFeesAnswer {
    pub(crate) fn new(shared: &Shared, fees: &AccountFees, watermarks: Vec<Watermark>) -> Self {
        let market = |market: std::sync::Arc<views::MarketInfo>| {
            let rates = shared.views.fee_rates(market.def.id, fees.tier);
            MarketFee::new(market.def.symbol.clone(), fees.tier, rates)
        };
        let day = |&(day, volume): &(u32, Amount)| DayVolume {
            day: u64::from(day) * MILLIS_PER_DAY,
            volume: volume.to_string(),
        };
        Self {
            fee_tier: fees.tier,
            pinned: fees.pinned,
            volume: fees.volume.to_string(),
            days: fees.days.iter().map(day).collect(),
            schedule: FeeSchedule::current(shared),
            markets: shared.views.markets().into_iter().map(market).collect(),
            watermarks,
        }
    }
}
