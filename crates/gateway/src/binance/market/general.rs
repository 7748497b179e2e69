//! Whether the exchange is there, and what time it is.

use serde::Serialize;
use serde_json::json;

use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::render::Time;

/// `GET ping`.
pub(in crate::binance) async fn ping(_: Call) -> Result<Answer, Error> {
    Answer::of(&json!({}))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerTime {
    server_time: Time,
}

/// `GET time`: the clock that timestamps are compared with.
pub(in crate::binance) async fn time(call: Call) -> Result<Answer, Error> {
    Answer::of(&ServerTime { server_time: call.unit.show(call.now) })
}
