//! The order book by price levels.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{market, page, reach};
use crate::error::ApiError;
use crate::http::extract::{Params, Segments};
use crate::state::Shared;
use crate::wire::answer::Depth;
use crate::wire::error::ErrorBody;

const MOST_LEVELS: usize = 5_000;

/// How much of a book.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DepthParams {
    /// Levels of each side: 1 to 5000, 100 unless given.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq`, or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// The best price levels of a market's book.
#[utoipa::path(
    get, path = "/v1/markets/{symbol}/depth", tag = "Market data",
    params(("symbol" = String, Path, example = "BTC-USDT"), DepthParams),
    responses((status = 200, body = Depth), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn get_depth(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    Params(params): Params<DepthParams>,
) -> Result<Json<Depth>, ApiError> {
    let limit = page(params.limit, 100, MOST_LEVELS)?;
    let market = market(&shared, &symbol)?;
    reach(&shared, market.def.home, params.min_seq.as_deref()).await?;
    let depth = shared.views.depth(market.def.id, limit);
    Ok(Json(Depth::new(&market, &depth)))
}
