//! Prices and quantities in the units of a market, and the filters that they must pass.

use types::{Decimal, DecimalError, OrderSpec, Price, Quantity};
use views::MarketInfo;

use crate::binance::error::Error;
use crate::binance::params::Params;

/// A quantity above zero, in lots.
///
/// # Errors
/// -1102, -1100, -1111 or -1013.
pub(in crate::binance::orders) fn quantity_of(
    params: &Params,
    market: &MarketInfo,
    name: &str,
) -> Result<Quantity, Error> {
    let lots = count(market.def.lot, decimal(params, name)?, "LOT_SIZE")?;
    if lots == 0 { Err(Error::filter("LOT_SIZE")) } else { Ok(Quantity::new(lots)) }
}

/// A price within the market's range, in ticks.
///
/// # Errors
/// -1102, -1100, -1111 or -1013.
pub(in crate::binance::orders) fn price_of(
    params: &Params,
    market: &MarketInfo,
    name: &str,
) -> Result<Price, Error> {
    let text = decimal(params, name)?;
    let price = Price::new(count(market.def.tick, text, "PRICE_FILTER")?);
    if price.is_zero() || price > market.def.max_price {
        return Err(Error::filter("PRICE_FILTER"));
    }
    Ok(price)
}

pub(super) fn decimal<'a>(params: &'a Params, name: &str) -> Result<&'a str, Error> {
    params.required(name)?;
    params.decimal(name)?.ok_or_else(|| Error::mandatory(name))
}

pub(super) fn count(unit: Decimal, text: &str, filter: &str) -> Result<u64, Error> {
    unit.count_u64(text).map_err(|error| match error {
        DecimalError::NotAMultiple | DecimalError::TooLarge => Error::filter(filter),
        DecimalError::Malformed => Error::illegal_characters("number", r"^[0-9]+(\.[0-9]+)?$"),
    })
}

/// The rules of its market that an order can be held against before the engine does: what it names in its
/// refusal is the filter.
///
/// # Errors
/// -1013.
pub(in crate::binance::orders) fn check_filters(
    market: &MarketInfo,
    spec: &OrderSpec,
) -> Result<(), Error> {
    let rules = &market.trading.rules;
    let (range, filter) = match spec {
        OrderSpec::Limit { .. } => (rules.limit_quantity, "LOT_SIZE"),
        _ => (rules.market_quantity, "MARKET_LOT_SIZE"),
    };
    if let Some(quantity) = spec.quantity() {
        if quantity > market.def.max_quantity {
            return Err(Error::filter("LOT_SIZE"));
        }
        if range.is_below(quantity) || range.is_above(quantity) {
            return Err(Error::filter(filter));
        }
    }
    let worth = match *spec {
        OrderSpec::Limit { price, quantity, .. } => market.scaling.notional(price, quantity),
        OrderSpec::MarketByQuote { quote, .. } => quote,
        OrderSpec::MarketByQuantity { .. } => return Ok(()),
    };
    if rules.notional.is_below(worth) || rules.notional.is_above(worth) {
        return Err(Error::filter("NOTIONAL"));
    }
    Ok(())
}
