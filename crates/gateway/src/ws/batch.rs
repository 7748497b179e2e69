//! Messages with several orders: `{"id":1,"op":"place_orders","orders":[{...},{...}]}`. Each order is what it
//! would be alone: a command, a count in the limits, and a result or an error of its own, in its place of the
//! one answer.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use websocket::Text;

use super::connection::Connection;
use super::protocol::BatchOp;
use super::requests::{answer, detail, error, request_id};
use super::session::Trader;
use crate::error::ApiError;
use crate::limits::Class;
use crate::orders;
use crate::state::Shared;
use crate::wire::error::ErrorDetail;
use crate::wire::read_json;

/// Does what is asked for each order, and gives the answer.
pub(super) async fn perform(
    connection: &Connection,
    id: &Value,
    op: BatchOp,
    orders: Vec<Box<RawValue>>,
) -> Text {
    let shared = &connection.shared;
    let trader = match connection.session.trader(shared) {
        Ok(trader) => trader,
        Err(failed) => return error(id, Some(op.name()), &failed),
    };
    let Trader { account, sent_at, valid_until, .. } = trader;
    match op {
        BatchOp::Place => {
            let bodies = read_all(shared, &trader, Class::Orders, &orders).await;
            let placed = orders::place_all(shared, account, sent_at, valid_until, bodies).await;
            answer_all(id, op, &placed)
        }
        BatchOp::Cancel => {
            let bodies = read_all(shared, &trader, Class::Other, &orders).await;
            let cancelled = orders::cancel_each(shared, account, valid_until, bodies).await;
            answer_all(id, op, &cancelled)
        }
    }
}

/// Each order as far as limits let it through and it can be read.
async fn read_all<T: DeserializeOwned>(
    shared: &Shared,
    trader: &Trader,
    class: Class,
    orders: &[Box<RawValue>],
) -> Vec<Result<T, ApiError>> {
    let mut read = Vec::with_capacity(orders.len());
    for order in orders {
        let charged = shared.charge(&trader.key, Some(trader.account), class).await;
        read.push(charged.and_then(|()| read_json(order.get().as_bytes())));
    }
    read
}

#[derive(Serialize)]
struct Answers<'a, T> {
    orders: Vec<Answer<'a, T>>,
}

/// As a request alone would be answered, without what all have in common.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a, T> {
    Done { status: u16, result: &'a T },
    Refused { status: u16, error: ErrorDetail<'a> },
}

impl<'a, T> Answer<'a, T> {
    fn new(outcome: &'a Result<T, ApiError>, request_id: &'a str) -> Self {
        match outcome {
            Ok(result) => Self::Done { status: 200, result },
            Err(error) => {
                let status = error.code.status().as_u16();
                Self::Refused { status, error: detail(error, request_id) }
            }
        }
    }
}

fn answer_all<T: Serialize>(id: &Value, op: BatchOp, outcomes: &[Result<T, ApiError>]) -> Text {
    let request_id = request_id(id);
    let orders = outcomes.iter().map(|outcome| Answer::new(outcome, &request_id)).collect();
    answer(id, op.name(), Answers { orders })
}
