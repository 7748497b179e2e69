//! Orders that depend on each other: placing them together, reading those that have not ended, and
//! cancelling them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use types::{AccountId, Event, MarketId, OrderId, Request, Timestamp};
use utoipa::IntoParams;

use super::cancel::cancelled;
use super::list::market_id;
use super::{market_of, unexpected};
use crate::account::watermarks;
use crate::error::ApiError;
use crate::http::extract::{Params, Segments, SignedRequest, number};
use crate::market_data::market;
use crate::min_seq;
use crate::outcome::Outcome;
use crate::state::Shared;
use crate::wire::answer::{CancelledOrder, OrderList, OrderLists, PlacedOrderList, ids, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::PlaceOrderListBody;
use crate::wire::word::OrderListKind;

/// Which lists.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListOrderListsParams {
    /// Symbol of a market, or any.
    pub(crate) market: Option<String>,
    /// Answer only when this entry is seen: `seq` of the market's partition (without `market`: your
    /// account's), or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// Place orders that depend on each other: all of `legs` are accepted, or none. A retry with the same
/// `client_order_id` never places a second list.
#[utoipa::path(
    post, path = "/v1/order-lists", tag = "Orders", request_body = PlaceOrderListBody,
    responses(
        (status = 200, description = "Durable", body = PlacedOrderList),
        (status = 504, description = "Outcome unknown: repeat with the same client order id", body = ErrorBody),
        (status = "default", body = ErrorBody),
    ),
    security(("signature" = [])),
)]
pub(crate) async fn place_order_list(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<PlacedOrderList>, ApiError> {
    let account = request.trader()?;
    let body = request.json()?;
    let caller = &request.caller;
    place_list(&shared, account, caller.signed_at, caller.valid_until, body).await.map(Json)
}

/// Places a list for `account` that was sent at `sent_at` and is worth nothing after `window_end`.
pub(crate) async fn place_list(
    shared: &Shared,
    account: AccountId,
    sent_at: Timestamp,
    window_end: Timestamp,
    body: PlaceOrderListBody,
) -> Result<PlacedOrderList, ApiError> {
    let market = market(shared, &body.market)?;
    let valid_until = body.valid_until(sent_at, window_end);
    let request = body.into_request(account, &market)?;
    let outcome = shared.submit(valid_until, request).await?;
    match outcome.answer {
        Event::OrderListPlaced(ref placed) => {
            let (kind, orders) = (placed.kind.into(), ids(&placed.orders));
            Ok(answer(&outcome, placed.list, false, Some((kind, orders))))
        }
        Event::Repeated { outcome: Ok(list), .. } => {
            Ok(repeated(shared, account, market.def.id, list, &outcome).await)
        }
        _ => Err(unexpected(&outcome)),
    }
}

/// The views know a list until it has ended.
async fn repeated(
    shared: &Shared,
    account: AccountId,
    market: MarketId,
    list: OrderId,
    outcome: &Outcome,
) -> PlacedOrderList {
    let _ = shared.catch_up.own_writes(account).await;
    let open = shared.views.open_order_lists(account, Some(market));
    let known = open.iter().find(|known| known.list == list);
    let known = known.map(|known| (known.kind.into(), ids(&known.orders)));
    answer(outcome, list, true, known)
}

fn answer(
    outcome: &Outcome,
    list: OrderId,
    repeated: bool,
    known: Option<(OrderListKind, Vec<u64>)>,
) -> PlacedOrderList {
    let (kind, order_ids) = known.unzip();
    PlacedOrderList {
        id: list.0,
        repeated,
        kind,
        order_ids,
        time: millis(outcome.time),
        time_ns: outcome.time.to_string(),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }
}

/// Your lists that have not ended.
#[utoipa::path(
    get, path = "/v1/order-lists", tag = "Orders", params(ListOrderListsParams),
    responses((status = 200, body = OrderLists), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_order_lists(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListOrderListsParams>,
    request: SignedRequest,
) -> Result<Json<OrderLists>, ApiError> {
    let account = request.reader()?;
    let (market, home) = market_id(&shared, account, params.market.as_deref())?;
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, account, &asked).await?;
    let open = shared.views.open_order_lists(account, market);
    let list =
        |view: &views::OrderListView| Ok(OrderList::new(&*market_of(&shared, view.market)?, view));
    let lists = open.iter().map(list).collect::<Result<_, ApiError>>()?;
    Ok(Json(OrderLists { lists, watermarks }))
}

/// Cancel a list: its open orders, and what pends. The answer is about the first order that was open. By
/// the name that you gave it: `DELETE /v1/orders/by-client-id/{client_order_id}`.
#[utoipa::path(
    delete, path = "/v1/order-lists/{market}/{id}", tag = "Orders",
    params(("market" = String, Path, example = "BTC-USDT"), ("id" = u64, Path)),
    responses((status = 200, body = CancelledOrder), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn cancel_order_list(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, id)): Segments<(String, String)>,
    request: SignedRequest,
) -> Result<Json<CancelledOrder>, ApiError> {
    let account = request.trader()?;
    let list = OrderId(number("id", &id)?);
    cancel_list(&shared, account, request.caller.valid_until, &symbol, list).await.map(Json)
}

/// Cancels a list of `account`.
pub(crate) async fn cancel_list(
    shared: &Shared,
    account: AccountId,
    valid_until: Timestamp,
    symbol: &str,
    list: OrderId,
) -> Result<CancelledOrder, ApiError> {
    let market = market(shared, symbol)?.def.id;
    cancelled(shared, valid_until, Request::CancelOrderList { account, market, list }).await
}
