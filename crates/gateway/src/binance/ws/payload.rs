//! What streams say of trades and levels, as JSON, and how a message is made.

use serde::Serialize;
use types::Seq;
use views::{MarketInfo, TradeView};
use websocket::Text;

use crate::binance::market::{Aggregate, AggregateTrade, is_buyer_maker};
use crate::binance::render::{self, Time, TimeUnit};
use crate::ws::depth::DepthUpdate;
use crate::ws::message::to_text;
use crate::ws::ring::{Conflation, Slot};

/// Price and quantity.
type Level = [String; 2];

/// A message of a stream, encoded once: bare, and with the stream's name around it.
pub(super) fn slot(
    stream: &str,
    seq: Seq,
    payload: &impl Serialize,
    conflation: Conflation,
) -> Slot {
    let mut text = format!(r#"{{"stream":"{stream}","data":"#).into_bytes();
    let begin = text.len();
    serde_json::to_writer(&mut text, payload).expect("plain structs of texts and numbers");
    let end = text.len();
    text.push(b'}');
    let named = Text::from(String::from_utf8(text).expect("JSON is text"));
    Slot { seq, text: named.slice(begin..end), named: Some(named), conflation }
}

/// A message that has no name of its own: who reads it knows what to put around it.
pub(super) fn bare_slot(seq: Seq, payload: &impl Serialize, conflation: Conflation) -> Slot {
    Slot::new(seq, to_text(payload), conflation)
}

/// `<symbol>@trade`.
#[derive(Serialize)]
pub(super) struct TradeEvent<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    t: u64,
    p: String,
    q: String,
    #[serde(rename = "T")]
    trade_time: Time,
    m: bool,
    #[serde(rename = "M")]
    is_best_match: bool,
}

impl<'a> TradeEvent<'a> {
    pub(super) fn new(
        symbol: &'a str,
        market: &MarketInfo,
        trade: &TradeView,
        unit: TimeUnit,
    ) -> Self {
        let market = &*market.at(trade.seq);
        let time = unit.show(trade.time);
        Self {
            e: "trade",
            event_time: time,
            s: symbol,
            t: trade.trade.0,
            p: render::price(market, trade.price),
            q: render::lots(market, trade.quantity.get()),
            trade_time: time,
            m: is_buyer_maker(trade.aggressor),
            is_best_match: true,
        }
    }
}

/// `<symbol>@aggTrade`.
#[derive(Serialize)]
pub(super) struct AggTradeEvent<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    #[serde(flatten)]
    trade: AggregateTrade,
}

impl<'a> AggTradeEvent<'a> {
    pub(super) fn new(
        symbol: &'a str,
        market: &MarketInfo,
        aggregate: &Aggregate,
        unit: TimeUnit,
    ) -> Self {
        let event_time = unit.show(aggregate.time);
        Self { e: "aggTrade", event_time, s: symbol, trade: aggregate.show(market, unit) }
    }
}

/// `<symbol>@depth`.
#[derive(Serialize)]
pub(super) struct DepthEvent<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    #[serde(rename = "U")]
    first_update: u64,
    u: u64,
    b: Vec<Level>,
    a: Vec<Level>,
}

impl<'a> DepthEvent<'a> {
    pub(super) fn new(
        symbol: &'a str,
        market: &MarketInfo,
        update: &DepthUpdate,
        time: Time,
    ) -> Self {
        let level =
            |(price, quantity)| [render::price(market, price), render::lots(market, quantity)];
        Self {
            e: "depthUpdate",
            event_time: time,
            s: symbol,
            first_update: update.first_seq.0,
            u: update.seq.0,
            b: update.changes.bids().map(level).collect(),
            a: update.changes.asks().map(level).collect(),
        }
    }
}

/// What every connection is told before the server ends it.
#[derive(Serialize)]
pub(super) struct ServerShutdown {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
}

impl ServerShutdown {
    pub(super) fn new(time: Time) -> Self {
        Self { e: "serverShutdown", event_time: time }
    }
}

/// An account's events are not told any more.
#[derive(Serialize)]
pub(super) struct EventStreamTerminated {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
}

impl EventStreamTerminated {
    pub(super) fn new(time: Time) -> Self {
        Self { e: "eventStreamTerminated", event_time: time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binance::render::TimeUnit;
    use types::Timestamp;

    #[test]
    fn a_message_has_its_two_forms_in_the_same_bytes() {
        let payload = ServerShutdown::new(TimeUnit::Milli.show(Timestamp(5_000_000)));
        let slot = slot("x@y", Seq(1), &payload, Conflation::Never);
        assert_eq!(&**slot.form(false), r#"{"e":"serverShutdown","E":5}"#);
        let named = r#"{"stream":"x@y","data":{"e":"serverShutdown","E":5}}"#;
        assert_eq!(&**slot.form(true), named);
    }
}
