//! The rules of a market in the units of its definition: what operators send is what everybody sees.

use serde::{Deserialize, Serialize};
use types::{MAX_WINDOW_MINUTES, PartsPerMillion};
use utoipa::ToSchema;
use views::MarketInfo;

use super::answer;
use super::request::{amount, quantity};
use crate::error::ApiError;

/// What an operator allows in a market besides what its definition can carry. A rule that is absent is
/// none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MarketRules {
    /// Quantity of a limit order, in base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit_quantity: Option<Range>,
    /// Quantity of an order at the market, in base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) market_quantity: Option<Range>,
    /// What an order is worth, in quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notional: Option<Range>,
    /// How far a limit price may be from the average price of the last minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price_band: Option<PriceBand>,
    /// Parts that an iceberg may come in; above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_iceberg_parts: Option<u32>,
    /// Open orders of an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_open_orders: Option<u32>,
    /// Open orders of an account that were placed with a trigger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_waiting_orders: Option<u32>,
    /// Base that an account may have and want to buy, together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1000")]
    pub(crate) max_position: Option<String>,
    /// Resting and waiting orders without a date get one so many seconds ahead; above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_order_age_seconds: Option<u32>,
    /// When a trade would be too far from the last one, an auction comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interruption: Option<Interruption>,
    /// After a start that no orderly stop preceded, a market that was trading comes back in steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reopening: Option<Reopening>,
}

/// Least and most, where there is a bound.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Range {
    /// Not less.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.001")]
    pub(crate) least: Option<String>,
    /// Not more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "100")]
    pub(crate) most: Option<String>,
}

/// Limit prices around the average price.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceBand {
    /// Of how many minutes the average is, the current one included: 1 to 1440.
    #[schema(example = 5)]
    pub(crate) window_minutes: u16,
    /// For buyers.
    pub(crate) buy: Distance,
    /// For sellers.
    pub(crate) sell: Distance,
}

/// How far from a price, in millionths of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Distance {
    /// At most so much below; from 1000000 on there is no lowest price.
    #[schema(example = 100_000)]
    pub(crate) below_ppm: u32,
    /// At most so much above.
    #[schema(example = 100_000)]
    pub(crate) above_ppm: u32,
}

/// A volatility interruption.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interruption {
    /// A trade may be at most so many millionths below the last price before its order came.
    #[schema(example = 50_000)]
    pub(crate) below_ppm: u32,
    /// At most so many above it.
    #[schema(example = 50_000)]
    pub(crate) above_ppm: u32,
    /// How long the auction takes; above zero.
    #[schema(example = 300)]
    pub(crate) auction_seconds: u32,
}

/// The way back to trading after an unclean start.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reopening {
    /// So long orders can only be cancelled; above zero.
    #[schema(example = 60)]
    pub(crate) cancel_only_seconds: u32,
    /// So long an auction collects orders then; above zero.
    #[schema(example = 300)]
    pub(crate) auction_seconds: u32,
}

impl MarketRules {
    /// The rules in the units of `market`.
    ///
    /// # Errors
    /// A field that is no number of its unit, or that no order could satisfy.
    pub(crate) fn read(&self, market: &MarketInfo) -> Result<types::MarketRules, ApiError> {
        let lots = |name: &str, text: &str| quantity(market, name, text);
        let limit_quantity = range("limit_quantity", self.limit_quantity.as_ref(), lots)?;
        let market_quantity = range("market_quantity", self.market_quantity.as_ref(), lots)?;
        let quote = |name: &str, text: &str| amount(&market.quote, name, text);
        let notional = range("notional", self.notional.as_ref(), quote)?;
        let base = |text: &String| amount(&market.base, "max_position", text);
        let window = 1..=MAX_WINDOW_MINUTES;
        if self.price_band.is_some_and(|band| !window.contains(&band.window_minutes)) {
            let why = format_args!("must be 1 to {MAX_WINDOW_MINUTES}");
            return Err(ApiError::invalid_field("price_band.window_minutes", why));
        }
        let seconds = self.interruption.map(|rule| rule.auction_seconds);
        for (name, value) in [
            ("max_iceberg_parts", self.max_iceberg_parts),
            ("max_order_age_seconds", self.max_order_age_seconds),
            ("interruption.auction_seconds", seconds),
            ("reopening.cancel_only_seconds", self.reopening.map(|r| r.cancel_only_seconds)),
            ("reopening.auction_seconds", self.reopening.map(|r| r.auction_seconds)),
        ] {
            if value == Some(0) {
                return Err(ApiError::invalid_field(name, "must be above zero"));
            }
        }
        Ok(types::MarketRules {
            limit_quantity,
            market_quantity,
            notional,
            price_band: self.price_band.map(|band| types::PriceBand {
                window_minutes: band.window_minutes,
                buy: distance(band.buy.below_ppm, band.buy.above_ppm),
                sell: distance(band.sell.below_ppm, band.sell.above_ppm),
            }),
            max_iceberg_parts: self.max_iceberg_parts,
            max_open_orders: self.max_open_orders,
            max_waiting_orders: self.max_waiting_orders,
            max_position: self.max_position.as_ref().map(base).transpose()?,
            max_order_age_seconds: self.max_order_age_seconds,
            interruption: self.interruption.map(|rule| types::Interruption {
                distance: distance(rule.below_ppm, rule.above_ppm),
                auction_seconds: rule.auction_seconds,
            }),
            reopening: self.reopening.map(|steps| types::Reopening {
                cancel_only_seconds: steps.cancel_only_seconds,
                auction_seconds: steps.auction_seconds,
            }),
        })
    }

    /// `rules` in the units of `market`, whose they are.
    pub(crate) fn new(market: &MarketInfo, rules: &types::MarketRules) -> Self {
        let lots = |lots: types::Quantity| market.def.lot.format(lots.get().into());
        Self {
            limit_quantity: shown(rules.limit_quantity, lots),
            market_quantity: shown(rules.market_quantity, lots),
            notional: shown(rules.notional, |atoms| answer::amount(&market.quote, atoms)),
            price_band: rules.price_band.map(|band| PriceBand {
                window_minutes: band.window_minutes,
                buy: band.buy.into(),
                sell: band.sell.into(),
            }),
            max_iceberg_parts: rules.max_iceberg_parts,
            max_open_orders: rules.max_open_orders,
            max_waiting_orders: rules.max_waiting_orders,
            max_position: rules.max_position.map(|atoms| answer::amount(&market.base, atoms)),
            max_order_age_seconds: rules.max_order_age_seconds,
            interruption: rules.interruption.map(|rule| Interruption {
                below_ppm: rule.distance.below.0,
                above_ppm: rule.distance.above.0,
                auction_seconds: rule.auction_seconds,
            }),
            reopening: rules.reopening.map(|steps| Reopening {
                cancel_only_seconds: steps.cancel_only_seconds,
                auction_seconds: steps.auction_seconds,
            }),
        }
    }
}

impl From<types::Distance> for Distance {
    fn from(distance: types::Distance) -> Self {
        Self { below_ppm: distance.below.0, above_ppm: distance.above.0 }
    }
}

fn distance(below: u32, above: u32) -> types::Distance {
    types::Distance { below: PartsPerMillion(below), above: PartsPerMillion(above) }
}

fn range<T: PartialOrd>(
    name: &str,
    range: Option<&Range>,
    count: impl Fn(&str, &str) -> Result<T, ApiError>,
) -> Result<types::Range<T>, ApiError> {
    let Some(range) = range else {
        return Ok(types::Range { least: None, most: None });
    };
    let bound = |which: &str, text: &Option<String>| {
        text.as_deref().map(|text| count(&format!("{name}.{which}"), text)).transpose()
    };
    let (least, most) = (bound("least", &range.least)?, bound("most", &range.most)?);
    if least.as_ref().zip(most.as_ref()).is_some_and(|(least, most)| least > most) {
        return Err(ApiError::invalid_field(name, "least must not be above most"));
    }
    Ok(types::Range { least, most })
}

/// Nothing if there is no bound.
fn shown<T>(range: types::Range<T>, text: impl Fn(T) -> String) -> Option<Range> {
    let range = Range { least: range.least.map(&text), most: range.most.map(&text) };
    (range.least.is_some() || range.most.is_some()).then_some(range)
}
