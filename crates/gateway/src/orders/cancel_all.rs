//! Cancelling all orders that an account placed in a market.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use types::{AccountId, Event, Request, Timestamp};
use utoipa::IntoParams;

use super::unexpected;
use crate::error::ApiError;
use crate::http::extract::{Params, SignedRequest};
use crate::market_data::market;
use crate::state::Shared;
use crate::wire::answer::{CancelledAll, millis};
use crate::wire::error::ErrorBody;

/// Where.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CancelAllParams {
    /// Symbol of the market.
    #[param(example = "BTC-USDT")]
    pub(crate) market: String,
}

/// Cancel all your orders of a market that were placed before this.
#[utoipa::path(
    delete, path = "/v1/orders", tag = "Orders", params(CancelAllParams),
    responses((status = 200, body = CancelledAll), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn cancel_all(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<CancelAllParams>,
    request: SignedRequest,
) -> Result<Json<CancelledAll>, ApiError> {
    let account = request.trader()?;
    cancel_market(&shared, account, request.caller.valid_until, &params.market).await.map(Json)
}

/// Cancels all orders of `account` in a market.
pub(crate) async fn cancel_market(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    symbol: &str,
) -> Result<CancelledAll, ApiError> {
    let market = market(shared, symbol)?;
    let request = Request::CancelAll { account, market: market.def.id };
    let outcome = shared.submit(valid_until, request).await?;
    let Event::CancelAllAccepted { count, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(CancelledAll {
        market: market.def.symbol.clone(),
        count,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    })
}
