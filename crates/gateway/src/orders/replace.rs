//! A cancel with a placement behind it, in one command.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, CancelCause, Event, OrderId, Quantity, RequestKind, Timestamp};
use views::{EndCause, MarketInfo};

use super::bounds::with_bounds;
use super::place::answer_placement;
use crate::error::ApiError;
use crate::http::extract::SignedRequest;
use crate::market_data::market;
use crate::outcome::Outcome;
use crate::state::{Shared, rejection};
use crate::wire::answer::ReplacedOrder;
use crate::wire::error::ErrorBody;
use crate::wire::request::{OnFailure, PlaceOrderBody, ReplaceOrderBody};

/// Cancel an order and place another in the same market, with nothing of yours in between. A retry with
/// the same `client_order_id` cancels and places nothing: it is answered with what became of the first
/// (`repeated`).
#[utoipa::path(
    post, path = "/v1/orders/replace", tag = "Orders", request_body = ReplaceOrderBody,
    responses(
        (status = 200, description = "Durable and matched", body = ReplacedOrder),
        (status = 504, description = "Outcome unknown: ask by client order id, or repeat with it", body = ErrorBody),
        (status = "default", body = ErrorBody),
    ),
    security(("signature" = [])),
)]
pub(crate) async fn replace_order(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<ReplacedOrder>, ApiError> {
    let account = request.trader()?;
    let body = request.json()?;
    let caller = &request.caller;
    replace(&shared, account, caller.signed_at, caller.valid_until, body).await.map(Json)
}

/// Replaces an order of `account` by a command that was sent at `sent_at` and is worth nothing after
/// `window_end`.
pub(crate) async fn replace(
    shared: &Shared,
    account: AccountId,
    sent_at: Timestamp,
    window_end: Timestamp,
    body: ReplaceOrderBody,
) -> Result<ReplacedOrder, ApiError> {
    let ReplaceOrderBody { cancel, on_failure, order } = body;
    let order: PlaceOrderBody = crate::wire::read_fields(order)?;
    if cancel.market != order.market {
        return Err(ApiError::invalid_field("cancel.market", "must be that of the order"));
    }
    let market = market(shared, &order.market)?;
    let valid_until = order.valid_until(sent_at, window_end);
    let asked = order.asked();
    let cancel = OrderId(cancel.id);
    let request = order.into_replacement(account, &market, cancel, on_failure)?;
    let outcome = shared.ask(valid_until, request).await?;
    if let Some(error) = rejection(&outcome.answer) {
        let error = with_bounds(error, &market, asked);
        if !cancelled_alone(cancel, on_failure, &outcome) {
            return Err(error);
        }
        // The client must know.
        let text = format!("{} (order {cancel} is cancelled)", error.message());
        return Err(error.detail(text));
    }
    let (cancelled, left) = match outcome.answer {
        Event::Repeated { .. } => (None, None),
        _ => cancelled(shared, account, &market, cancel, on_failure, &outcome).await,
    };
    let placed = answer_placement(shared, account, &market, &outcome).await?;
    let left = left.map(|lots| market.def.lot.format(lots.get().into()));
    Ok(ReplacedOrder { placed, cancelled, cancelled_quantity: left })
}

/// Whether a replacement whose placement was refused has cancelled all the same.
pub(crate) fn cancelled_alone(cancel: OrderId, on_failure: OnFailure, outcome: &Outcome) -> bool {
    // Who asked to stop gets as far as the placement only by a cancel that worked.
    let is_placement =
        matches!(outcome.answer, Event::Rejected { request: RequestKind::PlaceOrder, .. });
    is_placement && on_failure == OnFailure::Stop
        || outcome.made_room.iter().any(|(order, _)| *order == cancel)
}

/// Whether a replacement that placed its order has cancelled the other: what cannot be told from an earlier
/// cancel counts as done.
pub(crate) async fn was_cancelled(
    shared: &Shared,
    account: AccountId,
    market: &MarketInfo,
    cancel: OrderId,
    on_failure: OnFailure,
    outcome: &Outcome,
) -> bool {
    cancelled(shared, account, market, cancel, on_failure, outcome).await.0.unwrap_or(true)
}

/// Whether the first half was done, and what was left of the order. The entry that placed the new order
/// says so if it did both.
async fn cancelled(
    shared: &Shared,
    account: AccountId,
    market: &MarketInfo,
    cancel: OrderId,
    on_failure: OnFailure,
    outcome: &Outcome,
) -> (Option<bool>, Option<Quantity>) {
    if let Some(&(_, left)) = outcome.made_room.iter().find(|(order, _)| *order == cancel) {
        return (Some(true), Some(left));
    }
    if on_failure == OnFailure::Stop {
        return (Some(true), None);
    }
    // It failed, or was done in an earlier entry: by this command, or by another before it.
    if shared.catch_up.reach(outcome.partition, outcome.seq).await.is_err() {
        return (None, None);
    }
    let order = shared.views.order(account, market.def.id, cancel);
    let by_client = Some(EndCause::Cancelled(CancelCause::Client));
    let may_be = order.is_some_and(|order| order.cause == by_client);
    ((!may_be).then_some(false), None)
}
