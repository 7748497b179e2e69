//! Orders: one file per verb. Sockets call the same verbs as HTTP.

mod amend;
mod cancel;
mod cancel_all;
mod get;
mod list;
mod place;

use std::sync::Arc;

use types::{Event, RejectCode};
use views::MarketInfo;

use crate::error::{ApiError, ErrorCode, GatewayCode};
use crate::http::Routes;
use crate::outcome::Outcome;
use crate::state::Shared;

pub(crate) use amend::*;
pub(crate) use cancel::*;
pub(crate) use cancel_all::*;
pub(crate) use get::*;
pub(crate) use list::*;
pub(crate) use place::*;

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
        .get("/v1/fills", list_fills)
}

/// The market that an answer names; it was listed before anybody could use it.
fn market_of(shared: &Shared, market: types::MarketId) -> Result<Arc<MarketInfo>, ApiError> {
    shared.views.market_info(market).ok_or_else(|| ApiError::from(RejectCode::UnknownMarket))
}

/// A rejection of a price or a quantity, with the field and what the market allows.
fn with_bounds(error: ApiError, market: &MarketInfo, by_quote: bool) -> ApiError {
    let def = &market.def;
    let what = match error.code {
        ErrorCode::Rejected(RejectCode::InvalidPrice) => {
            let most = def.tick.format(def.max_price.get().into());
            format!("price: must be from {} to {most}", def.tick)
        }
        ErrorCode::Rejected(RejectCode::InvalidQuantity) if by_quote => {
            format!("quote_amount: must pay for at least one lot, which is {}", def.lot)
        }
        ErrorCode::Rejected(RejectCode::InvalidQuantity) => {
            let most = def.lot.format(def.max_quantity.get().into());
            format!("quantity: must be from {} to {most}", def.lot)
        }
        ErrorCode::Rejected(RejectCode::InvalidExpiry) => {
            "expires_at: must lie in the future of the exchange's clock".to_owned()
        }
        _ => return error,
    };
    let repeated = if error.detail.is_some() { " (repeated answer)" } else { "" };
    error.detail(format!("{what}{repeated}"))
}

/// An answer that does not belong to its question: a bug, said as such.
pub(crate) fn unexpected(outcome: &Outcome) -> ApiError {
    let answer: &Event = &outcome.answer;
    ApiError::with(GatewayCode::Internal, format!("unexpected answer {answer:?}"))
}
