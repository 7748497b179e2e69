//! What streams say, as JSON.

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use types::{Seq, Side};
use views::{DepthLevel, MarketInfo, TradeView};

use crate::binance::render::{self, Time, TimeUnit, ZERO};
use crate::ws::depth::DepthUpdate;
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
    let named = Bytes::from(text);
    let text = |bytes| Utf8Bytes::try_from(bytes).expect("JSON is text");
    let bare = text(named.slice(begin..end));
    Slot { seq, text: bare, named: Some(text(named)), conflation }
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
            m: trade.aggressor == Some(Side::Sell),
            is_best_match: true,
        }
    }
}

/// Best bid and ask.
pub(super) type Best = [Option<DepthLevel>; 2];

/// `<symbol>@bookTicker`.
#[derive(Serialize)]
pub(super) struct BookTicker<'a> {
    u: u64,
    s: &'a str,
    b: String,
    #[serde(rename = "B")]
    bid_quantity: String,
    a: String,
    #[serde(rename = "A")]
    ask_quantity: String,
}

impl<'a> BookTicker<'a> {
    pub(super) fn new(symbol: &'a str, market: &MarketInfo, seq: Seq, best: &Best) -> Self {
        let [[b, bid_quantity], [a, ask_quantity]] = best.map(|level| best_level(market, level));
        Self { u: seq.0, s: symbol, b, bid_quantity, a, ask_quantity }
    }
}

/// The best level of a side, or zeros if there is none.
fn best_level(market: &MarketInfo, level: Option<DepthLevel>) -> Level {
    match level {
        Some(DepthLevel { price, quantity, .. }) => {
            [render::price(market, price), render::lots(market, quantity)]
        }
        None => [ZERO.to_owned(), ZERO.to_owned()],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binance::render::TimeUnit;
    use types::Timestamp;

    #[test]
    fn a_message_has_its_two_forms_in_the_same_bytes() {
        let payload = ServerShutdown::new(TimeUnit::Milli.show(Timestamp(5_000_000)));
        let slot = slot("x@y", Seq(1), &payload, Conflation::Never);
        assert_eq!(slot.form(false).as_str(), r#"{"e":"serverShutdown","E":5}"#);
        let named = r#"{"stream":"x@y","data":{"e":"serverShutdown","E":5}}"#;
        assert_eq!(slot.form(true).as_str(), named);
    }
}
