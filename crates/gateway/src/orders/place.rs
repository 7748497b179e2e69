//! A new order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, Event, OrderId, Timestamp};
use views::MarketInfo;

use super::bounds::with_bounds;
use super::unexpected;
use crate::error::ApiError;
use crate::history;
use crate::http::extract::SignedRequest;
use crate::market_data::market;
use crate::outcome::Outcome;
use crate::state::Shared;
use crate::wire::answer::{Fill, Order, PlacedOrder, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::PlaceOrderBody;

/// Place an order. A retry with the same `client_order_id` never places a second one: it is answered
/// with what became of the first (`repeated`).
#[utoipa::path(
    post, path = "/v1/orders", tag = "Orders", request_body = PlaceOrderBody,
    responses(
        (status = 200, description = "Durable and matched", body = PlacedOrder),
        (status = 504, description = "Outcome unknown: ask by client order id, or repeat with it", body = ErrorBody),
        (status = "default", body = ErrorBody),
    ),
    security(("signature" = [])),
)]
pub(crate) async fn place_order(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<PlacedOrder>, ApiError> {
    let account = request.trader()?;
    let body = request.json()?;
    let caller = &request.caller;
    place(&shared, account, caller.signed_at, caller.valid_until, body).await.map(Json)
}

/// Places an order for `account` that was sent at `sent_at` and is worth nothing after `window_end`.
pub(crate) async fn place(
    shared: &Shared,
    account: AccountId,
    sent_at: Timestamp,
    window_end: Timestamp,
    body: PlaceOrderBody,
) -> Result<PlacedOrder, ApiError> {
    let market = market(shared, &body.market)?;
    let valid_until = body.valid_until(sent_at, window_end);
    let asked = body.asked();
    let outcome = shared.submit(valid_until, body.into_request(account, &market)?).await;
    let outcome = outcome.map_err(|error| with_bounds(error, &market, asked))?;
    answer_placement(shared, account, &market, &outcome).await
}

/// What an accepted placement is answered, the first time or again.
pub(super) async fn answer_placement(
    shared: &Shared,
    account: AccountId,
    market: &Arc<MarketInfo>,
    outcome: &Outcome,
) -> Result<PlacedOrder, ApiError> {
    match outcome.answer {
        Event::OrderPlaced { .. } => placed(market, outcome).ok_or_else(|| unexpected(outcome)),
        Event::Repeated { outcome: Ok(order), .. } => {
            Ok(repeated(shared, account, market, order, outcome).await)
        }
        _ => Err(unexpected(outcome)),
    }
}

fn placed(market: &MarketInfo, outcome: &Outcome) -> Option<PlacedOrder> {
    let order = outcome.placed_order()?;
    let fills = outcome.fills(order.side, order.client_order_id);
    Some(PlacedOrder {
        id: order.order.0,
        repeated: false,
        order: Some(Order::new(market, &order)),
        fills: fills.iter().map(|fill| Fill::new(market, fill)).collect(),
        time: millis(outcome.time),
        time_ns: outcome.time.to_string(),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    })
}

/// What became of the order that the first command placed. The views or the history know; that they
/// may not is said by a null, since the placement itself is certain.
async fn repeated(
    shared: &Shared,
    account: AccountId,
    market: &Arc<MarketInfo>,
    order: OrderId,
    outcome: &Outcome,
) -> PlacedOrder {
    let _ = shared.catch_up.own_writes(account).await;
    let known = match shared.views.order(account, market.def.id, order) {
        Some(view) => Some(Order::new(market, &view)),
        None => history::order(shared, account, market, order).await.ok().flatten(),
    };
    PlacedOrder {
        id: order.0,
        repeated: true,
        order: known,
        fills: Vec::new(),
        time: millis(outcome.time),
        time_ns: outcome.time.to_string(),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }
}
