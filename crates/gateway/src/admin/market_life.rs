//! Changes of tick and lot, and delisting: planned, and carried out by the log's clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{Event, RejectCode, Request};
use views::MarketInfo;

use super::definitions::{market_rule, with_rule};
use super::operate;
use crate::error::{ApiError, ErrorCode};
use crate::http::extract::{Segments, SignedRequest};
use crate::market_data::market;
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{PlannedDelisting, PlannedRedefinition, PlannedUnits, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::{PlanDelistingBody, PlanRedefinitionBody, from_millis};

/// Plan a change of tick and lot, or take the plan for that time back. What is open then is converted, or
/// cancelled where it is no whole number of the new units.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/redefinitions", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT")), request_body = PlanRedefinitionBody,
    responses((status = 200, body = PlannedRedefinition), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn plan_redefinition(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<PlannedRedefinition>, ApiError> {
    request.operator()?;
    let body: PlanRedefinitionBody = request.json()?;
    let market = market(&shared, &symbol)?;
    let at = from_millis("at", body.at)?;
    let redefinition = body.redefinition.as_ref().map(|units| units.read()).transpose()?;
    let planned = redefinition.map(Box::new);
    let command = Request::PlanRedefinition { market: market.def.id, at, redefinition: planned };
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let outcome = outcome.map_err(|error| refused(error, &market, redefinition.as_ref()))?;
    let Event::RedefinitionPlanned { at, redefinition, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(PlannedRedefinition {
        market: market.def.symbol.clone(),
        at: millis(at),
        redefinition: redefinition.map(|units| PlannedUnits::new(at, &units)),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// Says which rule a refused plan breaks.
fn refused(
    error: ApiError,
    market: &MarketInfo,
    redefinition: Option<&types::Redefinition>,
) -> ApiError {
    let Some(redefinition) = redefinition else {
        return refused_plan(error, "at: nothing is planned for this time");
    };
    let def = market.def.redefined(redefinition);
    let rule = def.scaling(&market.base, &market.quote).map(|_| ());
    let error = with_rule(error, rule, market_rule);
    refused_plan(error, "at: this time has come already, or 16 changes are planned")
}

/// Plan the end of a market, or take that plan back. What is open then is cancelled, and nothing is accepted
/// any more; its symbol stays taken.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/delisting", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT")), request_body = PlanDelistingBody,
    responses((status = 200, body = PlannedDelisting), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn plan_delisting(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<PlannedDelisting>, ApiError> {
    request.operator()?;
    let body: PlanDelistingBody = request.json()?;
    let market = market(&shared, &symbol)?;
    let at = body.at.map(|at| from_millis("at", at)).transpose()?;
    let command = Request::PlanDelisting { market: market.def.id, at };
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let why = match at {
        Some(_) => "at: this time has come already",
        None => "at: no delisting is planned",
    };
    let outcome = outcome.map_err(|error| refused_plan(error, why))?;
    let Event::DelistingPlanned { at, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Json(PlannedDelisting {
        market: market.def.symbol.clone(),
        at: at.map(millis),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

fn refused_plan(error: ApiError, why: &'static str) -> ApiError {
    match error.code {
        ErrorCode::Rejected(RejectCode::PlanRefused) => error.detail(why),
        _ => error,
    }
}
