//! Time, assets, markets and fee tiers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::{market, reach};
use crate::error::ApiError;
use crate::http::extract::{Params, Segments};
use crate::min_seq::MinSeq;
use crate::state::Shared;
use crate::wire::answer::{Asset, Assets, FeeTier, FeeTiers, Market, Markets, ServerTime, millis};
use crate::wire::error::ErrorBody;
use crate::wire::fees::{FeeSchedule, MarketFee};

/// The server's clock, which timestamps of requests are compared with.
#[utoipa::path(
    get, path = "/v1/time", tag = "Market data",
    responses((status = 200, body = ServerTime)),
)]
pub(crate) async fn get_time(State(shared): State<Arc<Shared>>) -> Json<ServerTime> {
    let now = shared.exchange.now();
    Json(ServerTime { time: millis(now), time_ns: now.to_string() })
}

/// All assets.
#[utoipa::path(
    get, path = "/v1/assets", tag = "Market data", params(MinSeq),
    responses((status = 200, body = Assets), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_assets(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
) -> Result<Json<Assets>, ApiError> {
    let home = shared.exchange.topology().treasury;
    reach(&shared, home, params.min_seq.as_deref()).await?;
    let seq = shared.views.applied(home);
    let assets = shared.views.assets().iter().map(|def| Asset::new(def)).collect();
    Ok(Json(Assets { assets, partition: home.0, seq: seq.0 }))
}

/// All markets.
#[utoipa::path(
    get, path = "/v1/markets", tag = "Market data", params(MinSeq),
    responses((status = 200, body = Markets), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_markets(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
) -> Result<Json<Markets>, ApiError> {
    let home = shared.exchange.topology().treasury;
    reach(&shared, home, params.min_seq.as_deref()).await?;
    let seq = shared.views.applied(home);
    let markets = shared.views.markets().iter().map(|info| Market::new(info)).collect();
    Ok(Json(Markets { markets, partition: home.0, seq: seq.0 }))
}

/// One market.
#[utoipa::path(
    get, path = "/v1/markets/{symbol}", tag = "Market data",
    params(("symbol" = String, Path, example = "BTC-USDT"), MinSeq),
    responses((status = 200, body = Market), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn get_market(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    Params(params): Params<MinSeq>,
) -> Result<Json<Market>, ApiError> {
    let home = shared.exchange.topology().treasury;
    reach(&shared, home, params.min_seq.as_deref()).await?;
    Ok(Json(Market::new(&*market(&shared, &symbol)?)))
}

/// Maker and taker fees by tier, those of single markets, and which volume leads to which tier.
#[utoipa::path(
    get, path = "/v1/fee-tiers", tag = "Market data", params(MinSeq),
    responses((status = 200, body = FeeTiers), (status = "default", body = ErrorBody)),
)]
pub(crate) async fn list_fee_tiers(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
) -> Result<Json<FeeTiers>, ApiError> {
    let home = shared.exchange.topology().treasury;
    reach(&shared, home, params.min_seq.as_deref()).await?;
    let seq = shared.views.applied(home);
    let tiers = shared.views.fee_tiers();
    Ok(Json(FeeTiers {
        fee_tiers: tiers.into_iter().map(|(tier, rates)| FeeTier::new(tier, rates)).collect(),
        market_fees: MarketFee::all(&shared),
        schedule: FeeSchedule::current(&shared),
        partition: home.0,
        seq: seq.0,
    }))
}
