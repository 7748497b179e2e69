//! Candles.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use types::Timestamp;
use utoipa::IntoParams;
use views::{Interval, MAX_CANDLES};

use super::{market, page, reach};
use crate::error::ApiError;
use crate::http::extract::{Params, Segments};
use crate::state::Shared;
use crate::wire::answer::{Candle, Candles};
use crate::wire::error::ErrorBody;

/// Which candles.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CandlesParams {
    /// `1s`, `1m`, `5m`, `15m`, `1h`, `4h` or `1d`; `1m` unless given.
    pub(crate) interval: Option<String>,
    /// Candles that begin at or after this time, in milliseconds.
    pub(crate) from: Option<u64>,
    /// Candles that begin before this time, in milliseconds.
    pub(crate) to: Option<u64>,
    /// The newest ones within `from` and `to`: 1 to 1500, 500 unless given.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq`, or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// Candles of a market, oldest first. The last one may still change.
#[utoipa::path(
    get, path = "/v1/markets/{symbol}/candles", tag = "Market data",
    params(("symbol" = String, Path, example = "BTC-USDT"), CandlesParams),
    responses((status = 200, body = Candles), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_candles(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    Params(params): Params<CandlesParams>,
) -> Result<Json<Candles>, ApiError> {
    let word = params.interval.as_deref().unwrap_or(Interval::Minute1.word());
    let interval = Interval::from_word(word)
        .ok_or_else(|| ApiError::invalid_field("interval", "no such interval"))?;
    let limit = page(params.limit, 500, MAX_CANDLES.min(1_500))?;
    let market = market(&shared, &symbol)?;
    reach(&shared, market.def.home, params.min_seq.as_deref()).await?;
    let seq = shared.views.applied(market.def.home);
    let from = params.from.map_or(Timestamp(0), from_millis);
    let to = params.to.map_or(Timestamp(u64::MAX), from_millis);
    let candles = shared.views.candles(market.def.id, interval, from, to, limit);
    Ok(Json(Candles {
        market: market.def.symbol.clone(),
        interval: interval.word(),
        candles: candles.iter().map(|candle| Candle::new(&market, candle)).collect(),
        partition: market.def.home.0,
        seq: seq.0,
    }))
}

fn from_millis(millis: u64) -> Timestamp {
    Timestamp(millis.saturating_mul(1_000_000))
}
