//! `data` of the messages about markets: the shapes of REST, with the name of the event where there
//! is one.

use serde::Serialize;
use types::Seq;
use views::{MarketInfo, TradeView};

use crate::wire::answer;

/// A trade in the stream.
#[derive(Serialize)]
pub(super) struct TradeItem {
    event: &'static str,
    #[serde(flatten)]
    trade: answer::Trade,
}

/// A candle in the stream.
#[derive(Serialize)]
pub(super) struct CandleItem {
    #[serde(flatten)]
    candle: answer::Candle,
    /// Whether it will not change any more.
    closed: bool,
}

/// Trades in the given order.
pub(super) fn trades(market: &MarketInfo, trades: &[TradeView]) -> Vec<TradeItem> {
    let item = |trade| TradeItem { event: "trade", trade: answer::Trade::new(market, trade) };
    trades.iter().map(item).collect()
}

/// The ticker.
pub(super) fn ticker(market: &MarketInfo, ticker: &views::Ticker, seq: Seq) -> answer::Ticker {
    answer::Ticker::new(market, ticker, seq)
}

/// One candle.
pub(super) fn candle(market: &MarketInfo, candle: &views::Candle, closed: bool) -> CandleItem {
    CandleItem { candle: answer::Candle::new(market, candle), closed }
}

/// Candles, oldest first: the last one may still change.
pub(super) fn candles(market: &MarketInfo, candles: &[views::Candle]) -> Vec<CandleItem> {
    let last = candles.len().saturating_sub(1);
    let item = |(position, one)| candle(market, one, position < last);
    candles.iter().enumerate().map(item).collect()
}
