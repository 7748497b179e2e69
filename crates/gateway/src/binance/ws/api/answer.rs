//! Answers: `{"id":1,"status":200,"result":{...},"rateLimits":[...]}`, or `error` instead of `result`.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use websocket::Text;

use crate::binance::error::{Error, ErrorBody};
use crate::binance::limits::{OrderCount, stated};
use crate::binance::render::Time;
use crate::ws::message::to_text;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    id: &'a Value,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limits: Option<Vec<RateLimit>>,
}

/// A limit with what is used of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    rate_limit_type: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
    count: u32,
}

/// What a client is told of its limits.
#[derive(Clone, Copy)]
pub(super) struct Used {
    /// Weight in this minute.
    pub(super) weight: u32,
    /// Unfilled orders, if it placed some.
    pub(super) orders: Option<OrderCount>,
}

impl Used {
    fn rows(self) -> Vec<RateLimit> {
        let orders = self.orders.map(|count| {
            [
                row("ORDERS", "SECOND", 10, stated::ORDERS_10S, count.ten_seconds),
                row("ORDERS", "DAY", 1, stated::ORDERS_1D, count.day),
            ]
        });
        let weight = row("REQUEST_WEIGHT", "MINUTE", 1, stated::WEIGHT_1M, self.weight);
        orders.into_iter().flatten().chain([weight]).collect()
    }
}

fn row(
    kind: &'static str,
    interval: &'static str,
    number: u32,
    limit: u32,
    count: u32,
) -> RateLimit {
    RateLimit { rate_limit_type: kind, interval, interval_num: number, limit, count }
}

/// A success; `json` is the result.
pub(super) fn success(id: &Value, json: &[u8], used: Option<Used>) -> Text {
    let result = serde_json::from_slice(json).expect("handlers answer with JSON");
    let rate_limits = used.map(Used::rows);
    to_text(&Answer { id, status: 200, result: Some(result), error: None, rate_limits })
}

/// A refusal.
pub(super) fn failure(id: &Value, error: &Error, used: Option<Used>) -> Text {
    let (status, rate_limits) = (error.status.as_u16(), used.map(Used::rows));
    to_text(&Answer { id, status, result: None, error: Some(error.body()), rate_limits })
}

/// An event of no account, as `serverShutdown`.
pub(super) fn event(event: &impl Serialize) -> Text {
    #[derive(Serialize)]
    struct Event<'a, T> {
        event: &'a T,
    }
    to_text(&Event { event })
}

/// An event of a subscription.
pub(super) fn event_of(subscription: u32, event: &impl Serialize) -> Text {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Event<'a, T> {
        subscription_id: u32,
        event: &'a T,
    }
    to_text(&Event { subscription_id: subscription, event })
}

/// What `session.logon`, `session.status` and `session.logout` answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionState<'a> {
    pub(super) api_key: Option<&'a str>,
    pub(super) authorized_since: Option<Time>,
    pub(super) connected_since: Time,
    pub(super) return_rate_limits: bool,
    pub(super) server_time: Time,
    pub(super) user_data_stream: bool,
}

/// A subscription, as it is listed and answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionId {
    pub(super) subscription_id: u32,
}
