//! Tickers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use views::MarketInfo;

use super::{market, reach};
use crate::error::ApiError;
use crate::http::extract::{Params, Segments};
use crate::min_seq::MinSeq;
use crate::state::Shared;
use crate::wire::answer::{Ticker, Tickers};
use crate::wire::error::ErrorBody;

/// A market at a glance, over the last 24 hours.
#[utoipa::path(
    get, path = "/v1/markets/{symbol}/ticker", tag = "Market data",
    params(("symbol" = String, Path, example = "BTC-USDT"), MinSeq),
    responses((status = 200, body = Ticker), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn get_ticker(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    Params(params): Params<MinSeq>,
) -> Result<Json<Ticker>, ApiError> {
    let market = market(&shared, &symbol)?;
    reach(&shared, market.def.home, params.min_seq.as_deref()).await?;
    Ok(Json(ticker(&shared, &market)))
}

/// All markets at a glance, over the last 24 hours.
#[utoipa::path(
    get, path = "/v1/tickers", tag = "Market data", params(MinSeq),
    responses((status = 200, body = Tickers), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_tickers(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
) -> Result<Json<Tickers>, ApiError> {
    let home = shared.exchange.topology().treasury;
    reach(&shared, home, params.min_seq.as_deref()).await?;
    let markets = shared.views.markets();
    let tickers = markets.iter().map(|market| ticker(&shared, market)).collect();
    Ok(Json(Tickers { tickers }))
}

fn ticker(shared: &Shared, market: &MarketInfo) -> Ticker {
    let seq = shared.views.applied(market.def.home);
    Ticker::new(market, &shared.views.ticker(market.def.id), seq)
}
