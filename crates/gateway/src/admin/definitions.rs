//! Assets, markets, and their states.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AssetId, DefinitionError, Event, MarketId, RejectCode, Request};

use super::operate;
use crate::account::asset;
use crate::error::{ApiError, ErrorCode};
use crate::http::extract::{Segments, SignedRequest};
use crate::market_data::market;
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{
    Asset, ChangedMarketRules, ChangedMarketState, DefinedAsset, ListedMarket, Market,
    PlannedMarketState, millis,
};
use crate::wire::error::ErrorBody;
use crate::wire::request::{
    DefineAssetBody, ListMarketBody, PlanMarketStateBody, SetMarketStateBody, from_millis,
};
use crate::wire::rules::MarketRules;

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
    let def = body.into_def(AssetId(last + 1));
    let rule = def.validate();
    let command = Request::DefineAsset(def);
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let outcome = outcome.map_err(|error| {
        with_rule(error, rule, |broken| match broken {
            DefinitionError::Scale => "scale: at most 18",
            _ => "symbol: must be 1 to 24 of A-Z and 0-9",
        })
    })?;
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
    let base = asset(&shared, &body.base)?;
    let quote = asset(&shared, &body.quote)?;
    let def = body.into_def(MarketId(last + 1), base.id, quote.id)?;
    let rule = def.scaling(&base, &quote).map(|_| ());
    let outcome =
        operate(&shared, request.caller.valid_until, Request::ListMarket(Box::new(def))).await;
    let outcome = outcome.map_err(|error| with_rule(error, rule, market_rule))?;
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

/// Set all rules of a market anew, for orders and amendments that come later. A rule that is absent is
/// none.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/rules", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT")), request_body = MarketRules,
    responses((status = 200, body = ChangedMarketRules), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_market_rules(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<ChangedMarketRules>, ApiError> {
    request.operator()?;
    let body: MarketRules = request.json()?;
    let market = market(&shared, &symbol)?;
    let rules = body.read(&market)?;
    let command = Request::SetMarketRules { market: market.def.id, rules: Box::new(rules) };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    let Event::MarketRulesSet { rules, .. } = &outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(ChangedMarketRules {
        market: market.def.symbol.clone(),
        rules: MarketRules::new(&market, rules),
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// Plan a state of a market for a time to come, or take the plan for that time back.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/plans", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT")), request_body = PlanMarketStateBody,
    responses((status = 200, body = PlannedMarketState), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn plan_market_state(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<PlannedMarketState>, ApiError> {
    request.operator()?;
    let body: PlanMarketStateBody = request.json()?;
    let market = market(&shared, &symbol)?;
    let at = from_millis("at", body.at)?;
    let state = body.state.map(Into::into);
    let command = Request::PlanMarketState { market: market.def.id, at, state };
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let outcome = outcome.map_err(|error| match (error.code, state) {
        (ErrorCode::Rejected(RejectCode::PlanRefused), None) => {
            error.detail("at: nothing is planned for this time")
        }
        (ErrorCode::Rejected(RejectCode::PlanRefused), Some(_)) => {
            error.detail("at: this time has come already, or 64 changes are planned")
        }
        _ => error,
    })?;
    let Event::MarketStatePlanned { at, state, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(PlannedMarketState {
        market: market.def.symbol.clone(),
        at: millis(at),
        state: state.map(Into::into),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// A rejected definition, with the fields and the rule that it breaks.
pub(super) fn with_rule(
    error: ApiError,
    rule: Result<(), DefinitionError>,
    text: impl FnOnce(DefinitionError) -> &'static str,
) -> ApiError {
    match (error.code, rule) {
        (ErrorCode::Rejected(RejectCode::InvalidDefinition), Err(broken)) => {
            error.detail(text(broken))
        }
        _ => error,
    }
}

pub(super) fn market_rule(broken: DefinitionError) -> &'static str {
    match broken {
        DefinitionError::Name => "symbol: must be 1 to 24 of A-Z, 0-9 and -",
        DefinitionError::SameAsset => "quote: must be another asset than base",
        DefinitionError::Scale => "tick, lot: too many decimal places",
        DefinitionError::Unit => {
            "tick, lot: a lot must be a whole number of the base's smallest unit, and tick times lot \
             one of the quote's"
        }
        DefinitionError::Bounds => {
            "max_orders, max_levels, max_orders_per_account, max_waiting: must be above zero"
        }
        DefinitionError::Range | DefinitionError::Rate | DefinitionError::Schedule => {
            "max_price, max_quantity: must be above zero, and an order of both must not exceed an \
             asset's largest supply"
        }
    }
}
