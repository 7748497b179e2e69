//! Messages of a socket, read without a connection: for fuzzers.

use serde_json::Value;
use serde_json::value::RawValue;
use types::{OrderId, Request};
use views::MarketInfo;

use super::protocol::{self, BatchOp, Op, OrderOp};
use super::requests::{
    AmendFields, CancelFields, CancelListFields, MarketFields, NamedFields, error,
};
use super::subscribe::read_names;
use crate::error::ApiError;
use crate::fuzzing::{ACCOUNT, replacement};
use crate::orders::CancelInBatch;
use crate::wire::request::{
    AmendOrderBody, CountdownBody, PlaceOrderBody, PlaceOrderListBody, client_id,
};
use crate::wire::{read_fields, read_json};

/// The command that a message stands for, if it is one, or the answer that refuses it.
pub(crate) fn read_message(text: &str, market: &MarketInfo) -> Result<Option<Request>, String> {
    let refused = |id: &Value, op, failed: &ApiError| error(id, op, failed).to_string();
    let request = protocol::parse(text).map_err(|bad| refused(&bad.id, None, &bad.error))?;
    let op = request.op.name();
    read_op(request.op, market).map_err(|failed| refused(&request.id, Some(op), &failed))
}

/// The last of the commands.
fn read_batch(
    op: BatchOp,
    orders: &[Box<RawValue>],
    market: &MarketInfo,
) -> Result<Option<Request>, ApiError> {
    let mut last = None;
    for order in orders.iter().map(|order| order.get().as_bytes()) {
        last = match op {
            BatchOp::Place => {
                Some(read_json::<PlaceOrderBody>(order)?.into_request(ACCOUNT, market)?)
            }
            BatchOp::Cancel => Some(
                read_json::<CancelInBatch>(order)?.into_request(ACCOUNT, |_| Ok(market.def.id))?,
            ),
        };
    }
    Ok(last)
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
        Op::Batch(op, orders) => return read_batch(op, &orders, market),
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
            let AmendFields { order_id, price, quantity, keep_priority, .. } = read_fields(fields)?;
            let body = AmendOrderBody { price, quantity, keep_priority };
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
