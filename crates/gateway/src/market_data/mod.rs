//! What everybody may read: definitions and market data, answered from the views.
//!
//! The mark of an answer is read before its data: the answer has seen at least that entry.

mod candles;
mod definitions;
mod depth;
mod ticker;
mod trades;

use std::sync::Arc;

use types::{PartitionId, RejectCode};
use views::MarketInfo;

use crate::cache::Life;
use crate::error::ApiError;
use crate::http::Routes;
use crate::min_seq;
use crate::state::Shared;

pub(crate) use candles::*;
pub(crate) use definitions::*;
pub(crate) use depth::*;
pub(crate) use ticker::*;
pub(crate) use trades::*;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/v1/time", get_time)
        .get_kept("/v1/assets", Life::Definitions, list_assets)
        .get_kept("/v1/fee-tiers", Life::Definitions, list_fee_tiers)
        .get_kept("/v1/markets", Life::Definitions, list_markets)
        .get_kept("/v1/markets/{symbol}", Life::Definitions, get_market)
        .get_kept("/v1/markets/{symbol}/ticker", Life::Ticker, get_ticker)
        .get_kept("/v1/markets/{symbol}/depth", Life::Depth, get_depth)
        .get_kept("/v1/markets/{symbol}/trades", Life::Trades, list_trades)
        .get("/v1/markets/{symbol}/candles", list_candles)
        .get_kept("/v1/tickers", Life::Ticker, list_tickers)
        // Beside the names that the Binance dialect has there.
        .get_kept("/api/v1/markets", Life::Definitions, list_markets)
}

/// A market by its symbol.
pub(crate) fn market(shared: &Shared, symbol: &str) -> Result<Arc<MarketInfo>, ApiError> {
    shared.views.market_by_symbol(symbol).ok_or_else(|| ApiError::from(RejectCode::UnknownMarket))
}

/// Waits for what a reader asked to see. A number without a partition means `own`.
pub(crate) async fn reach(
    shared: &Shared,
    own: PartitionId,
    min_seq: Option<&str>,
) -> Result<(), ApiError> {
    let marks = min_seq::marks(shared, own, min_seq)?;
    shared.catch_up.reach_all(&marks).await
}

/// A page's size: `wanted` or `default`, within 1 and `most`.
pub(crate) fn page(wanted: Option<usize>, default: usize, most: usize) -> Result<usize, ApiError> {
    match wanted.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(ApiError::invalid_field("limit", format_args!("must be 1 to {most}"))),
    }
}
