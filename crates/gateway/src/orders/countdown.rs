//! The dead man's switch of an account in a market.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, Event, Request, Timestamp};

use super::unexpected;
use crate::error::ApiError;
use crate::http::extract::SignedRequest;
use crate::market_data::market;
use crate::state::Shared;
use crate::wire::answer::{Countdown, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::CountdownBody;

/// Longest countdown: a day.
const MAX_COUNTDOWN_MS: u32 = 86_400_000;

/// Set, put off or take off the dead man's switch: unless it is put off in time, all your orders of the
/// market are cancelled.
#[utoipa::path(
    put, path = "/v1/countdown", tag = "Orders", request_body = CountdownBody,
    responses((status = 200, body = Countdown), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_countdown(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<Countdown>, ApiError> {
    let account = request.trader()?;
    let body = request.json()?;
    count_down(&shared, account, request.caller.valid_until, body).await.map(Json)
}

/// Sets the switch of `account`.
pub(crate) async fn count_down(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    body: CountdownBody,
) -> Result<Countdown, ApiError> {
    let CountdownBody { market: symbol, after_ms } = body;
    if after_ms > MAX_COUNTDOWN_MS {
        let why = format_args!("must be 0 to {MAX_COUNTDOWN_MS}");
        return Err(ApiError::invalid_field("after_ms", why));
    }
    let market = market(shared, &symbol)?;
    let request = Request::SetCountdown { account, market: market.def.id, after_ms };
    let outcome = shared.submit(valid_until, request).await?;
    let Event::CountdownSet { at, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    Ok(Countdown {
        market: market.def.symbol.clone(),
        at: at.map(millis),
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    })
}
