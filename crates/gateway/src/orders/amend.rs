//! Another price or quantity for an open order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AccountId, ClientOrderId, Event, OrderId, Timestamp};
use views::OrderStatus;

use super::bounds::{Asked, with_bounds};
use super::unexpected;
use crate::error::ApiError;
use crate::http::extract::{Segments, SignedRequest, number};
use crate::market_data::market;
use crate::state::Shared;
use crate::wire::answer::{AmendedOrder, Fill, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::AmendOrderBody;

/// Amend an order. Less quantity at the same price keeps its place in the queue and its id; all else
/// loses the place and gives the order a new id.
#[utoipa::path(
    patch, path = "/v1/orders/{market}/{id}", tag = "Orders",
    params(("market" = String, Path, example = "BTC-USDT"), ("id" = u64, Path)),
    request_body = AmendOrderBody,
    responses((status = 200, body = AmendedOrder), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn amend_order(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, id)): Segments<(String, String)>,
    request: SignedRequest,
) -> Result<Json<AmendedOrder>, ApiError> {
    let account = request.trader()?;
    let order = OrderId(number("id", &id)?);
    let body = request.json()?;
    amend(&shared, account, request.caller.valid_until, &symbol, order, body).await.map(Json)
}

/// Amends an order of `account`.
pub(crate) async fn amend(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    symbol: &str,
    order: OrderId,
    body: AmendOrderBody,
) -> Result<AmendedOrder, ApiError> {
    let market = market(shared, symbol)?;
    let outcome = shared.submit(valid_until, body.into_request(account, &market, order)?).await;
    let outcome = outcome.map_err(|error| with_bounds(error, &market, Asked::Limit))?;
    let lots = |quantity: types::Quantity| market.def.lot.format(quantity.get().into());
    let answer = |id: OrderId, replaces, status: OrderStatus, remaining, fills| AmendedOrder {
        market: market.def.symbol.clone(),
        id: id.0,
        replaces,
        status: status.into(),
        remaining_quantity: lots(remaining),
        fills,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    };
    match outcome.answer {
        Event::OrderReduced { order, remaining, .. } => {
            Ok(answer(order, None, OrderStatus::Open, remaining, Vec::new()))
        }
        Event::OrderReplaced { old_order, order, side, quantity, .. } => {
            let remaining = outcome.remaining().unwrap_or(quantity);
            let fills = outcome.fills(side, ClientOrderId::NONE);
            let fills = fills.iter().map(|fill| Fill::new(&market, fill)).collect();
            Ok(answer(order, Some(old_order.0), outcome.status(remaining), remaining, fills))
        }
        _ => Err(unexpected(&outcome)),
    }
}
