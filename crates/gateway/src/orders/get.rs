//! One order, by its id or by the client's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{OrderId, RejectCode};

use super::market_of;
use crate::account::watermarks;
use crate::error::ApiError;
use crate::history;
use crate::http::extract::{Params, Segments, SignedRequest, number};
use crate::market_data::market;
use crate::min_seq::{self, MinSeq};
use crate::state::Shared;
use crate::wire::answer::{Order, OrderAnswer};
use crate::wire::error::ErrorBody;
use crate::wire::request::client_id;

/// One order of yours, open or ended.
#[utoipa::path(
    get, path = "/v1/orders/{market}/{id}", tag = "Orders",
    params(("market" = String, Path, example = "BTC-USDT"), ("id" = u64, Path), MinSeq),
    responses((status = 200, body = OrderAnswer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_order(
    State(shared): State<Arc<Shared>>,
    Segments((symbol, id)): Segments<(String, String)>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<OrderAnswer>, ApiError> {
    let account = request.reader()?;
    let market = market(&shared, &symbol)?;
    let order = OrderId(number("id", &id)?);
    let asked = min_seq::marks(&shared, market.def.home, params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, account, &asked).await?;
    let order = match shared.views.order(account, market.def.id, order) {
        Some(view) => Order::new(&market, &view),
        None => history::order(&shared, account, &market, order)
            .await?
            .ok_or_else(|| unknown("There is no such order of this account in this market."))?,
    };
    Ok(Json(OrderAnswer { order, watermarks }))
}

/// Your newest order with this client order id, open or ended. This is how to ask for the outcome of a
/// placement that was answered with `OutcomeUnknown`.
#[utoipa::path(
    get, path = "/v1/orders/by-client-id/{client_order_id}", tag = "Orders",
    params(("client_order_id" = String, Path), MinSeq),
    responses((status = 200, body = OrderAnswer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_by_client_id(
    State(shared): State<Arc<Shared>>,
    Segments(id): Segments<String>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<OrderAnswer>, ApiError> {
    let account = request.reader()?;
    let name = client_id("client_order_id", Some(&id))?;
    let home = min_seq::home(&shared, account);
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, account, &asked).await?;
    let order = match shared.views.order_by_client_id(account, &name) {
        Some(view) => Order::new(&*market_of(&shared, view.market)?, &view),
        None => history::order_by_client_id(&shared, account, id)
            .await?
            .ok_or_else(|| unknown("There is no such order of this account in this market."))?,
    };
    Ok(Json(OrderAnswer { order, watermarks }))
}

/// The code's own sentence is about open orders; here ended ones are found too.
fn unknown(what: &'static str) -> ApiError {
    ApiError::from(RejectCode::UnknownOrder).detail(what)
}
