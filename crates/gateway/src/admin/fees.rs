//! Fees: rates of tiers, rates of tiers in one market, and the schedule that leads accounts to tiers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{FeeRates, RejectCode, Request};

use super::{done, operate, with_rule};
use crate::account::asset;
use crate::error::{ApiError, ErrorCode};
use crate::http::extract::{Segments, SignedRequest, number};
use crate::market_data::market;
use crate::state::Shared;
use crate::wire::answer::Done;
use crate::wire::error::ErrorBody;
use crate::wire::fees::FeeSchedule;
use crate::wire::request::SetFeeTierBody;

const RATES_RULE: &str = "maker_ppm: -1000000 to 1000000, taker_ppm: 0 to 1000000";
const SCHEDULE_RULE: &str = "tiers: at most 64, each once, the first with a least_volume of 0 and each \
     with a higher one than that before it; quotes: each asset once, ratios above zero";

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
    let rates = body.rates();
    let command = Request::SetFeeTier { tier: number("tier", &tier)?, rates };
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let outcome = outcome.map_err(|error| with_rule(error, rates.validate(), |_| RATES_RULE))?;
    Ok(Json(done(&outcome)))
}

/// Set the rates of a fee tier in one market, in place of the tier's own, for orders placed from now on.
#[utoipa::path(
    put, path = "/v1/admin/markets/{symbol}/fee-tiers/{tier}", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT"), ("tier" = u8, Path)),
    request_body = SetFeeTierBody,
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_market_fees(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, tier)): Segments<(String, String)>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    let body: SetFeeTierBody = request.json()?;
    set_rates_in_market(&shared, &request, &symbol, &tier, Some(body.rates())).await
}

/// Take the rates of a fee tier in one market back: the tier's own hold there again.
#[utoipa::path(
    delete, path = "/v1/admin/markets/{symbol}/fee-tiers/{tier}", tag = "Operators",
    params(("symbol" = String, Path, example = "BTC-USDT"), ("tier" = u8, Path)),
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn remove_market_fees(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, tier)): Segments<(String, String)>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    set_rates_in_market(&shared, &request, &symbol, &tier, None).await
}

async fn set_rates_in_market(
    shared: &Arc<Shared>,
    request: &SignedRequest,
    symbol: &str,
    tier: &str,
    rates: Option<FeeRates>,
) -> Result<Json<Done>, ApiError> {
    let market = market(shared, symbol)?.def.id;
    let command = Request::SetMarketFees { market, tier: number("tier", tier)?, rates };
    let outcome = operate(shared, request.caller.valid_until, command).await;
    let rule = rates.map_or(Ok(()), |rates| rates.validate());
    let outcome = outcome.map_err(|error| with_rule(error, rule, |_| RATES_RULE))?;
    Ok(Json(done(&outcome)))
}

/// Set which volume of the last 30 days leads to which fee tier, from now on.
#[utoipa::path(
    put, path = "/v1/admin/fee-schedule", tag = "Operators", request_body = FeeSchedule,
    responses((status = 200, body = Done), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_fee_schedule(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<Done>, ApiError> {
    request.operator()?;
    let body: FeeSchedule = request.json()?;
    let schedule = body.read(|symbol| asset(&shared, symbol))?;
    let rule = schedule.validate();
    let command = Request::SetFeeSchedule(schedule);
    let outcome = operate(&shared, request.caller.valid_until, command).await;
    let outcome = outcome.map_err(|error| match error.code {
        ErrorCode::Rejected(RejectCode::UnknownFeeTier) => {
            error.detail("tiers: each must have rates first; only tier 0 needs none")
        }
        _ => with_rule(error, rule, |_| SCHEDULE_RULE),
    })?;
    Ok(Json(done(&outcome)))
}
