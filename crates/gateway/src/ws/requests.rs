//! What each operation does, and its answer. The order verbs are those of REST: the same functions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::OrderId;
use websocket::Text;

use super::batch;
use super::channel_name::ChannelName;
use super::connection::Connection;
use super::message::to_text;
use super::outbox::Out;
use super::protocol::{Op, OrderOp, Request, Unsubscribe};
use super::subscribe;
use crate::error::{ApiError, ErrorCode, GatewayCode};
use crate::orders;
use crate::wire::error::ErrorDetail;
use crate::wire::read_fields;
use crate::wire::request::{AmendOrderBody, PlaceOrderBody};

#[derive(Serialize)]
struct Answer<'a, T> {
    id: &'a Value,
    op: &'static str,
    status: u16,
    result: T,
}

#[derive(Serialize)]
struct Failure<'a> {
    id: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<&'static str>,
    status: u16,
    error: ErrorDetail<'a>,
}

/// Does what is asked and answers, exactly once.
pub async fn perform(connection: &Connection, request: Request) {
    let Request { id, op } = request;
    let name = op.name();
    let out = match op {
        Op::Subscribe(fields) => match subscribe::subscribe(connection, &fields).await {
            Ok(begun) => begun.into_out(&id, name),
            Err(failed) => Out::Text(error(&id, Some(name), &failed)),
        },
        Op::Unsubscribe(fields) => match unsubscribe(connection, &fields) {
            Ok(names) => {
                let answer = answer(&id, name, Channels { channels: fields.channels });
                Out::Unsubscribed { names, answer }
            }
            Err(failed) => Out::Text(error(&id, Some(name), &failed)),
        },
        Op::List => Out::Text(answer(&id, name, list(connection))),
        Op::Ping => {
            let time = connection.shared.exchange.now().as_millis();
            Out::Text(answer(&id, name, Pong { time }))
        }
        Op::Login(fields) => {
            let account = connection.session.login(&connection.shared, &fields);
            let account = account.map(|account| LoggedIn { account: account.0 });
            Out::Text(reply(&id, name, account))
        }
        Op::Order(op, fields) => {
            let answer = order(connection, &id, op, fields).await;
            connection.shared.answers.note(connection.source);
            Out::Text(answer)
        }
        Op::Batch(op, orders) => {
            let answer = batch::perform(connection, &id, op, orders).await;
            connection.shared.answers.note(connection.source);
            Out::Text(answer)
        }
    };
    connection.outbox.push(out);
}

#[derive(Serialize)]
struct Pong {
    time: u64,
}

#[derive(Serialize)]
struct LoggedIn {
    account: u32,
}

#[derive(Serialize)]
struct Channels {
    channels: Vec<String>,
}

/// An order verb by the function that REST calls.
async fn order(
    connection: &Connection,
    id: &Value,
    op: OrderOp,
    fields: Map<String, Value>,
) -> Text {
    let name = op.name();
    let shared = &connection.shared;
    let trader = match connection.session.trader(shared) {
        Ok(trader) => trader,
        Err(failed) => return error(id, Some(name), &failed),
    };
    let (account, valid_until) = (trader.account, trader.valid_until);
    if let Err(failed) = shared.charge(&trader.key, Some(account), op.class()).await {
        return error(id, Some(name), &failed);
    }
    match op {
        OrderOp::Place => {
            let placed = async {
                let body: PlaceOrderBody = read_fields(fields)?;
                orders::place(shared, account, trader.sent_at, valid_until, body).await
            };
            reply(id, name, placed.await)
        }
        OrderOp::Amend => {
            let amended = async {
                let AmendFields { market, order_id, price, quantity, keep_priority } =
                    read_fields(fields)?;
                let body = AmendOrderBody { price, quantity, keep_priority };
                orders::amend(shared, account, valid_until, &market, OrderId(order_id), body).await
            };
            reply(id, name, amended.await)
        }
        OrderOp::Cancel => {
            let cancelled = async {
                let CancelFields { market, order_id } = read_fields(fields)?;
                orders::cancel(shared, account, valid_until, &market, OrderId(order_id)).await
            };
            reply(id, name, cancelled.await)
        }
        OrderOp::CancelByClientId => {
            let cancelled = async {
                let NamedFields { client_order_id } = read_fields(fields)?;
                orders::cancel_named(shared, account, valid_until, &client_order_id).await
            };
            reply(id, name, cancelled.await)
        }
        OrderOp::CancelAll => {
            let cancelled = async {
                let MarketFields { market } = read_fields(fields)?;
                orders::cancel_market(shared, account, valid_until, &market).await
            };
            reply(id, name, cancelled.await)
        }
        OrderOp::Replace => {
            let replaced = async {
                let body = read_fields(fields)?;
                orders::replace(shared, account, trader.sent_at, valid_until, body).await
            };
            reply(id, name, replaced.await)
        }
        OrderOp::PlaceList => {
            let placed = async {
                let body = read_fields(fields)?;
                orders::place_list(shared, account, trader.sent_at, valid_until, body).await
            };
            reply(id, name, placed.await)
        }
        OrderOp::CancelList => {
            let cancelled = async {
                let CancelListFields { market, list_id } = read_fields(fields)?;
                orders::cancel_list(shared, account, valid_until, &market, OrderId(list_id)).await
            };
            reply(id, name, cancelled.await)
        }
        OrderOp::SetCountdown => {
            let set = async {
                orders::count_down(shared, account, valid_until, read_fields(fields)?).await
            };
            reply(id, name, set.await)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmendFields {
    pub(super) market: String,
    pub(super) order_id: u64,
    #[serde(default)]
    pub(super) price: Option<String>,
    #[serde(default)]
    pub(super) quantity: Option<String>,
    #[serde(default)]
    pub(super) keep_priority: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelFields {
    pub(super) market: String,
    pub(super) order_id: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelListFields {
    pub(super) market: String,
    pub(super) list_id: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedFields {
    pub(super) client_order_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarketFields {
    pub(super) market: String,
}

/// Takes channels off the list; all or none.
fn unsubscribe(
    connection: &Connection,
    fields: &Unsubscribe,
) -> Result<Vec<ChannelName>, ApiError> {
    let names = subscribe::read_names(&fields.channels)?;
    let mut channels = connection.channels.lock();
    for name in &names {
        if channels.get(name) != Some(&true) {
            let what = format!("{name} is not subscribed");
            return Err(ApiError::invalid_field("channels", what));
        }
    }
    channels.retain(|name, _| !names.contains(name));
    Ok(names)
}

fn list(connection: &Connection) -> Channels {
    let channels = connection.channels.lock();
    let mut names: Vec<String> = channels.keys().map(ToString::to_string).collect();
    names.sort_unstable();
    Channels { channels: names }
}

/// An answer.
pub fn answer(id: &Value, op: &'static str, result: impl Serialize) -> Text {
    to_text(&Answer { id, op, status: 200, result })
}

fn reply(id: &Value, op: &'static str, result: Result<impl Serialize, ApiError>) -> Text {
    match result {
        Ok(result) => answer(id, op, result),
        Err(failed) => error(id, Some(op), &failed),
    }
}

/// An answer that says what is wrong.
pub fn error(id: &Value, op: Option<&'static str>, error: &ApiError) -> Text {
    let request_id = request_id(id);
    let status = error.code.status().as_u16();
    to_text(&Failure { id, op, status, error: detail(error, &request_id) })
}

/// What is wrong, also told to the operator if it is wrong here.
pub(super) fn detail<'a>(error: &'a ApiError, request_id: &'a str) -> ErrorDetail<'a> {
    let is_internal = error.code == ErrorCode::Gateway(GatewayCode::Internal);
    if is_internal {
        tracing::error!(request_id, error = error.message(), "a request of a socket failed");
    }
    ErrorDetail {
        code: error.code.name(),
        number: error.code.number(),
        // What failed inside concerns the operator, and the log has it.
        message: if is_internal { error.code.text() } else { error.message() },
        retryable: error.code.is_retryable(),
        request_id,
    }
}

/// The client's name for a request, as errors show it.
pub(super) fn request_id(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What every connection is told before the server stops.
pub fn shutdown_notice() -> Text {
    #[derive(Serialize)]
    struct Notice {
        event: &'static str,
    }
    to_text(&Notice { event: "server_shutdown" })
}
