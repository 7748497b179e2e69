//! Messages of a socket, read without a connection: for fuzzers.

use serde_json::Value;
use types::{OrderId, Request};
use views::MarketInfo;

use super::protocol::{self, Op, OrderOp};
use super::requests::{
    AmendFields, CancelFields, CancelListFields, MarketFields, NamedFields, error,
};
use super::subscribe::read_names;
use crate::error::ApiError;
use crate::fuzzing::{ACCOUNT, replacement};
use crate::wire::read_fields;
use crate::wire::request::{
    AmendOrderBody, CountdownBody, PlaceOrderBody, PlaceOrderListBody, client_id,
};

/// The command that a message stands for, if it is one, or the answer that refuses it.
pub(crate) fn read_message(text: &str, market: &MarketInfo) -> Result<Option<Request>, String> {
    let refused = |id: &Value, op, failed: &ApiError| error(id, op, failed).to_string();
    let request = protocol::parse(text).map_err(|bad| refused(&bad.id, None, &bad.error))?;
    let op = request.op.name();
    read_op(request.op, market).map_err(|failed| refused(&request.id, Some(op), &failed))
}

fn read_op(op: Op, market: &MarketInfo) -> Result<Option<Request>, ApiError> {
    let id = market.def.id;
    let (op, fields) = match op {
        Op::Subscribe(subscribe) => {
            subscribe.resume_from()?;
            return read_names(&subscribe.channels).map(|_| None);
        }
        Op::Unsubscribe(unsubscribe) => return read_names(&unsubscribe.channels).map(|_| None),
        Op::Order(op, fields) => (op, fields),
        Op::Login(_) | Op::List | Op::Ping => return Ok(None),
    };
    Ok(Some(match op {
        OrderOp::Place => read_fields::<PlaceOrderBody>(fields)?.into_request(ACCOUNT, market)?,
        OrderOp::PlaceList => {
            read_fields::<PlaceOrderListBody>(fields)?.into_request(ACCOUNT, market)?
        }
        OrderOp::CancelList => {
            let CancelListFields { list_id, .. } = read_fields(fields)?;
            Request::CancelOrderList { account: ACCOUNT, market: id, list: OrderId(list_id) }
        }
        OrderOp::Replace => replacement(read_fields(fields)?, market)?,
        OrderOp::Amend => {
            let AmendFields { order_id, price, quantity, .. } = read_fields(fields)?;
            let body = AmendOrderBody { price, quantity };
            body.into_request(ACCOUNT, market, OrderId(order_id))?
        }
        OrderOp::Cancel => {
            let CancelFields { order_id, .. } = read_fields(fields)?;
            Request::CancelOrder { account: ACCOUNT, market: id, order: OrderId(order_id) }
        }
        OrderOp::CancelByClientId => {
            let NamedFields { client_order_id } = read_fields(fields)?;
            let client_order_id = client_id("client_order_id", Some(&client_order_id))?;
            Request::CancelByClientId { account: ACCOUNT, client_order_id }
        }
        OrderOp::CancelAll => {
            let MarketFields { .. } = read_fields(fields)?;
            Request::CancelAll { account: ACCOUNT, market: id }
        }
        OrderOp::SetCountdown => {
            let CountdownBody { after_ms, .. } = read_fields(fields)?;
            Request::SetCountdown { account: ACCOUNT, market: id, after_ms }
        }
    }))
}
