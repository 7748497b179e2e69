//! Fee schedules and rates of markets, in words.

use types::{FeeRates, FeeSchedule, MarketId};

use super::line::Line;
use super::names::Names;

/// `tier>=volume` for each tier, and `asset*numerator/denominator` for what counts.
pub fn fee_schedule(names: Names<'_>, line: Line, schedule: &FeeSchedule) -> Line {
    let steps = schedule.steps.iter().map(|step| format!("{}>={}", step.tier, step.least));
    let factors = schedule.factors.iter().map(|factor| {
        let asset = names.asset(factor.quote);
        format!("{asset}*{}/{}", factor.numerator, factor.denominator)
    });
    let list = |items: Vec<String>| if items.is_empty() { "none".into() } else { items.join(",") };
    line.with("tiers", list(steps.collect())).with("factors", list(factors.collect()))
}

/// A tier's rates in one market, or that it has none of its own.
pub fn market_fees(
    names: Names<'_>,
    line: Line,
    market: MarketId,
    tier: u8,
    rates: Option<FeeRates>,
) -> Line {
    let line = line.with("market", names.market(market)).with("tier", tier);
    match rates {
        Some(rates) => line.with("maker_ppm", rates.maker.0).with("taker_ppm", rates.taker.0),
        None => line.with("rates", "of_the_tier"),
    }
}
