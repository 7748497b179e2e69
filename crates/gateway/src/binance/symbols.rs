//! Markets under the dialect's names: `BTC-USDT` here is `BTCUSDT` there.
//!
//! A market whose tick, lot or assets have more than 8 decimals cannot be told exactly: the dialect does
//! not know it. Of two markets whose names are alike without hyphens it knows the one listed first.

use std::sync::Arc;

use types::Decimal;
use views::{MarketInfo, Views};

use super::error::Error;
use super::render::PLACES;

/// The dialect's name of a market.
pub(crate) fn symbol(market: &MarketInfo) -> String {
    market.def.symbol.replace('-', "")
}

/// A market by the dialect's name.
///
/// # Errors
/// -1100 for characters that no name has, -1121 for a name that no market has.
pub(crate) fn market(views: &Views, name: &str) -> Result<Arc<MarketInfo>, Error> {
    let legal = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if name.is_empty() || name.len() > 20 || !name.bytes().all(legal) {
        return Err(Error::illegal_characters("symbol", "^[A-Z0-9-_.]{1,20}$"));
    }
    let found = views.market_by_compact_symbol(name).filter(|market| is_exact(market));
    found.ok_or_else(Error::invalid_symbol)
}

/// Every market that has a name here, by id.
pub(crate) fn markets(views: &Views) -> Vec<Arc<MarketInfo>> {
    let mut markets = views.markets();
    markets.retain(|market| is_known(views, market));
    markets
}

/// Whether a market has a name here.
pub(crate) fn is_known(views: &Views, market: &MarketInfo) -> bool {
    let named = views.market_by_compact_symbol(&symbol(market));
    is_exact(market) && named.is_some_and(|named| named.def.id == market.def.id)
}

/// Whether 8 decimals tell everything of it.
fn is_exact(market: &MarketInfo) -> bool {
    let fits = |unit: Decimal| {
        let finest = 10_u128.pow(unit.scale.saturating_sub(PLACES).into());
        u128::from(unit.units).is_multiple_of(finest)
    };
    fits(market.def.tick)
        && fits(market.def.lot)
        && market.base.scale <= PLACES
        && market.quote.scale <= PLACES
}
