//! Assets, markets, their states, and fee tiers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AssetId, Event, MarketId, RejectCode, Request};

use super::{done, operate};
use crate::account::asset;
use crate::error::ApiError;
use crate::http::extract::{Segments, SignedRequest, number};
use crate::market_data::market;
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{Asset, ChangedMarketState, DefinedAsset, Done, ListedMarket, Market};
use crate::wire::error::ErrorBody;
use crate::wire::request::{DefineAssetBody, ListMarketBody, SetFeeTierBody, SetMarketStateBody};

/// Define an asset.
#[utoipa::path(
    post, path = "/v1/admin/assets", tag = "Operators", request_body = DefineAssetBody,
    responses((status = 200, body = DefinedAsset), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn define_asset(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<DefinedAsset>, ApiError> {
    request.operator()?;
    let body: DefineAssetBody = request.json()?;
    // One at a time, so that two operators do not take the same id.
    let _defining = shared.defining.lock().await;
    let last = shared.views.assets().last().map_or(0, |asset| asset.id.0);
    let command = Request::DefineAsset(body.into_def(AssetId(last + 1)));
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    let Event::AssetDefined { asset, .. } = &outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(DefinedAsset {
        asset: Asset::new(asset),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// List a market. It opens at once, in the state `continuous`.
#[utoipa::path(
    post, path = "/v1/admin/markets", tag = "Operators", request_body = ListMarketBody,
    responses((status = 200, body = ListedMarket), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_market(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<ListedMarket>, ApiError> {
    request.operator()?;
    let body: ListMarketBody = request.json()?;
    let _defining = shared.defining.lock().await;
    let last = shared.views.markets().last().map_or(0, |market| market.def.id.0);
    let base = asset(&shared, &body.base)?.id;
    let quote = asset(&shared, &body.quote)?.id;
    let def = body.into_def(MarketId(last + 1), base, quote)?;
    let outcome = operate(&shared, request.caller.valid_until, Request::ListMarket(def)).await?;
    let Event::MarketListed { market, .. } = &outcome.answer else {
        return Err(unexpected(&outcome));
    };
    let info = shared.views.market_info(market.id).ok_or(RejectCode::UnknownMarket)?;
    Ok(Json(ListedMarket {
        market: Market::new(&info),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// Halt a market, let it cancel only, open an auction, or go on. Leaving an auction uncrosses it.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/state", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT")), request_body = SetMarketStateBody,
    responses((status = 200, body = ChangedMarketState), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_market_state(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<ChangedMarketState>, ApiError> {
    request.operator()?;
    let body: SetMarketStateBody = request.json()?;
    let market = market(&shared, &symbol)?;
    let command = Request::SetMarketState { market: market.def.id, state: body.state.into() };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    let Event::MarketStateChanged { state, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(ChangedMarketState {
        market: market.def.symbol.clone(),
        state: state.into(),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// Set the rates of a fee tier, for orders placed from now on.
#[utoipa::path(
    put, path = "/v1/admin/fee-tiers/{tier}", tag = "Operators",
    params(("tier" = u8, Path)), request_body = SetFeeTierBody,
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_fee_tier(
    State(shared): State<Arc<Shared>>,
    Segments(tier): Segments<String>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    let body: SetFeeTierBody = request.json()?;
    let command = Request::SetFeeTier { tier: number("tier", &tier)?, rates: body.rates() };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done(&outcome)))
}
