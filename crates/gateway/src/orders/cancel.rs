//! Cancelling one order, by its id or by the client's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, Event, OrderId, Request, Timestamp};

use super::{market_of, unexpected};
use crate::error::ApiError;
use crate::http::extract::{Segments, SignedRequest, number};
use crate::market_data::market;
use crate::outcome::Outcome;
use crate::state::Shared;
use crate::wire::answer::{CancelledOrder, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::client_id;

/// Cancel an order by its id.
#[utoipa::path(
    delete, path = "/v1/orders/{market}/{id}", tag = "Orders",
    params(("market" = String, Path, example = "BTC-USDT"), ("id" = u64, Path)),
    responses((status = 200, body = CancelledOrder), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn cancel_order(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, id)): Segments<(String, String)>,
    request: SignedRequest,
) -> Result<Json<CancelledOrder>, ApiError> {
    let account = request.trader()?;
    let order = OrderId(number("id", &id)?);
    cancel(&shared, account, request.caller.valid_until, &symbol, order).await.map(Json)
}

/// Cancel an order by the id that you placed it with.
#[utoipa::path(
    delete, path = "/v1/orders/by-client-id/{client_order_id}", tag = "Orders",
    params(("client_order_id" = String, Path)),
    responses((status = 200, body = CancelledOrder), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn cancel_by_client_id(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    request: SignedRequest,
) -> Result<Json<CancelledOrder>, ApiError> {
    let account = request.trader()?;
    cancel_named(&shared, account, request.caller.valid_until, &id).await.map(Json)
}

/// Cancels an order of `account`.
pub(crate) async fn cancel(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    symbol: &str,
    order: OrderId,
) -> Result<CancelledOrder, ApiError> {
    let market = market(shared, symbol)?.def.id;
    cancelled(shared, valid_until, Request::CancelOrder { account, market, order }).await
}

/// Cancels the order that `account` placed with this id.
pub(crate) async fn cancel_named(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    id: &str,
) -> Result<CancelledOrder, ApiError> {
    let client_order_id = client_id("client_order_id", Some(id))?;
    cancelled(shared, valid_until, Request::CancelByClientId { account, client_order_id }).await
}

/// Submits a cancel, which is answered by the order that it ended.
pub(super) async fn cancelled(
    shared: &Shared,
    valid_until: Timestamp,
    request: Request,
) -> Result<CancelledOrder, ApiError> {
    let outcome = shared.submit(valid_until, request).await?;
    answer_cancel(shared, &outcome)
}

/// What an accepted cancel is answered.
pub(super) fn answer_cancel(
    shared: &Shared,
    outcome: &Outcome,
) -> Result<CancelledOrder, ApiError> {
    let Event::OrderCancelled { market, order, remaining, .. } = outcome.answer else {
        return Err(unexpected(outcome));
    };
    let market = market_of(shared, market)?;
    Ok(CancelledOrder {
        market: market.def.symbol.clone(),
        id: order.0,
        remaining_quantity: market.def.lot.format(remaining.get().into()),
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    })
}
