//! From JSON to commands: decimals become counts of the definition's units, or are refused by name.

mod account;
mod admin;
mod conditions;
mod market_life;
mod order_list;
mod orders;
mod treasury;

pub(crate) use account::*;
pub(crate) use admin::*;
pub(crate) use market_life::*;
pub(crate) use order_list::*;
pub(crate) use orders::*;
pub(crate) use treasury::*;

use types::{Amount, AssetDef, ClientOrderId, Decimal, DecimalError, Price, Quantity, Timestamp};
use views::MarketInfo;

use crate::binance;
use crate::error::ApiError;

/// A price in ticks.
pub(crate) fn price(market: &MarketInfo, name: &str, text: &str) -> Result<Price, ApiError> {
    let unit = market.def.tick;
    let count = unit.count_u64(text).map_err(|error| refuse(name, "tick", unit, error))?;
    Ok(Price::new(count))
}

/// A quantity in lots.
pub(crate) fn quantity(market: &MarketInfo, name: &str, text: &str) -> Result<Quantity, ApiError> {
    let unit = market.def.lot;
    let count = unit.count_u64(text).map_err(|error| refuse(name, "lot", unit, error))?;
    Ok(Quantity::new(count))
}

/// An amount in atoms.
pub(crate) fn amount(asset: &AssetDef, name: &str, text: &str) -> Result<Amount, ApiError> {
    let unit = Decimal::atom(asset.scale);
    let count = unit.count(text).map_err(|error| refuse(name, "smallest unit", unit, error))?;
    Ok(Amount::new(count))
}

/// A time in milliseconds since the Unix epoch, up to the year 2262: nanoseconds after it fit no signed
/// integer, which is what the history keeps.
pub(crate) fn from_millis(name: &str, millis: u64) -> Result<Timestamp, ApiError> {
    let nanos = millis.checked_mul(1_000_000).filter(|&nanos| nanos <= i64::MAX as u64);
    nanos.map(Timestamp).ok_or_else(|| ApiError::invalid_field(name, "too far in the future"))
}

/// A client's own id, or none.
pub(crate) fn client_id(name: &str, text: Option<&str>) -> Result<ClientOrderId, ApiError> {
    match text {
        None => Ok(ClientOrderId::NONE),
        Some(text) => text.parse().map_err(|error| ApiError::invalid_field(name, error)),
    }
}

/// The client's own id of an order or a list, or none.
pub(crate) fn client_order_id(name: &str, text: Option<&str>) -> Result<ClientOrderId, ApiError> {
    if text.is_some_and(binance::ids::is_made) {
        let what = "is a name of orders to which no client gave one";
        return Err(ApiError::invalid_field(name, what));
    }
    client_id(name, text)
}

fn refuse(name: &str, what: &str, unit: Decimal, error: DecimalError) -> ApiError {
    match error {
        DecimalError::NotAMultiple => {
            ApiError::invalid_field(name, format_args!("not a multiple of the {what} {unit}"))
        }
        DecimalError::Malformed | DecimalError::TooLarge => ApiError::invalid_field(name, error),
    }
}
