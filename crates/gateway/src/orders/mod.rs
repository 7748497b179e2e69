//! Orders: one file per verb. Sockets call the same verbs as HTTP.

mod amend;
mod batch;
mod bounds;
mod cancel;
mod cancel_all;
mod countdown;
mod get;
mod list;
mod order_list;
mod place;
mod replace;

use std::sync::Arc;

use types::{Event, RejectCode};
use views::MarketInfo;

use crate::error::{ApiError, GatewayCode};
use crate::http::Routes;
use crate::outcome::Outcome;
use crate::state::Shared;

pub(crate) use amend::*;
pub(crate) use batch::*;
pub(crate) use cancel::*;
pub(crate) use cancel_all::*;
pub(crate) use countdown::*;
pub(crate) use get::*;
pub(crate) use list::*;
pub(crate) use order_list::*;
pub(crate) use place::*;
pub(crate) use replace::*;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .post("/v1/orders", place_order)
        .get("/v1/orders", list_orders)
        .delete("/v1/orders", cancel_all)
        .get("/v1/orders/{market}/{id}", get_order)
        .patch("/v1/orders/{market}/{id}", amend_order)
        .delete("/v1/orders/{market}/{id}", cancel_order)
        .get("/v1/orders/by-client-id/{client_order_id}", get_by_client_id)
        .delete("/v1/orders/by-client-id/{client_order_id}", cancel_by_client_id)
        .post("/v1/orders/replace", replace_order)
        .post("/v1/order-lists", place_order_list)
        .get("/v1/order-lists", list_order_lists)
        .delete("/v1/order-lists/{market}/{id}", cancel_order_list)
        .put("/v1/countdown", set_countdown)
        .get("/v1/fills", list_fills)
}

/// The market that an answer names; it was listed before anybody could use it.
fn market_of(shared: &Shared, market: types::MarketId) -> Result<Arc<MarketInfo>, ApiError> {
    shared.views.market_info(market).ok_or_else(|| ApiError::from(RejectCode::UnknownMarket))
}

/// An answer that does not belong to its question: a bug, said as such.
pub(crate) fn unexpected(outcome: &Outcome) -> ApiError {
    let answer: &Event = &outcome.answer;
    ApiError::with(GatewayCode::Internal, format!("unexpected answer {answer:?}"))
}
