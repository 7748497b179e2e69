//! Public trades.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{market, page, reach};
use crate::error::ApiError;
use crate::http::extract::{Params, Segments};
use crate::state::Shared;
use crate::wire::answer::{Trade, Trades};
use crate::wire::error::ErrorBody;

const MOST_TRADES: usize = 1_000;

/// How many trades.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TradesParams {
    /// 1 to 1000, 100 unless given.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq`, or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// The newest trades of a market, newest first.
#[utoipa::path(
    get, path = "/v1/markets/{symbol}/trades", tag = "Market data",
    params(("symbol" = String, Path, example = "BTC-USDT"), TradesParams),
    responses((status = 200, body = Trades), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_trades(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    Params(params): Params<TradesParams>,
) -> Result<Json<Trades>, ApiError> {
    let limit = page(params.limit, 100, MOST_TRADES)?;
    let market = market(&shared, &symbol)?;
    reach(&shared, market.def.home, params.min_seq.as_deref()).await?;
    let seq = shared.views.applied(market.def.home);
    let trades = shared.views.trades(market.def.id, limit);
    Ok(Json(Trades {
        market: market.def.symbol.clone(),
        trades: trades.iter().map(|trade| Trade::new(&market, trade)).collect(),
        partition: market.def.home.0,
        seq: seq.0,
    }))
}
