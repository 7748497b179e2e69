//! `GET klines` and `uiKlines`.
//!
//! Put together from the candles of the views, which reach back 1,501 of their own intervals. An interval
//! without a trade repeats the close before it with zeros; before the first trade there are none.

use types::{Price, Timestamp, TradeId};
use views::{Candle, MAX_CANDLES, MarketInfo, Views};

use super::interval::Interval;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::render::{self, Time, TimeUnit};

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;

/// Open time, open, high, low, close, volume, close time, quote volume, trades, what takers bought in base
/// and in quote, and a text without meaning.
type Row =
    (Time, String, String, String, String, String, Time, String, u64, String, String, &'static str);

/// A candle of any interval.
#[derive(Clone, Copy, Debug)]
pub(in crate::binance) struct Kline {
    /// When it begins.
    pub(in crate::binance) start: Timestamp,
    /// When the next one begins.
    pub(in crate::binance) end: Timestamp,
    /// What traded; nothing: the close before it.
    pub(in crate::binance) traded: Result<Candle, Price>,
}

/// `GET klines`.
pub(in crate::binance) async fn klines(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let interval = Interval::of(&call.params)?;
    let limit = call.params.limit(ROWS, MOST_ROWS)?;
    let (from, to) = (call.params.time("startTime")?, call.params.time("endTime")?);
    let (views, now) = (&call.shared.views, call.now);
    let klines = read_klines(views, now, &market, interval, (from, to), limit);
    Answer::of(&klines.iter().map(|kline| kline.row(&market, call.unit)).collect::<Vec<_>>())
}

/// The oldest candles that begin at `from` or later; without `from` the newest up to `to`.
pub(in crate::binance) fn read_klines(
    views: &Views,
    now: Timestamp,
    market: &MarketInfo,
    interval: Interval,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    limit: usize,
) -> Vec<Kline> {
    let last = interval.start_of(to.unwrap_or(now).min(now));
    let first = match from {
        Some(from) => match interval.start_of(from) {
            start if start < from => interval.next(start),
            start => start,
        },
        None => (1..limit).fold(last, |start, _| interval.previous(start)),
    };
    let base = interval.base();
    let candles = views.candles(market.def.id, base, first, interval.next(last), MAX_CANDLES);
    let mut close = views.window(market.def.id, base, first).close_before;
    let (mut candles, mut klines) = (candles.into_iter().peekable(), Vec::new());
    // Where nothing had traded yet, or nothing is known any more, there are no candles.
    let mut start = match (close, candles.peek()) {
        (Some(_), _) => first,
        (None, Some(candle)) => first_whole(interval, candle),
        (None, None) => return klines,
    };
    while let Some(candle) = candles.next_if(|candle| candle.start < start) {
        close = Some(candle.close);
    }
    while start <= last && klines.len() < limit {
        let end = interval.next(start);
        let mut traded: Option<Candle> = None;
        while let Some(candle) = candles.next_if(|candle| candle.start < end) {
            match &mut traded {
                Some(sum) => sum.extend(&candle),
                None => traded = Some(candle),
            }
        }
        close = traded.map(|candle| candle.close).or(close);
        let Some(close) = close else { break };
        klines.push(Kline { start, end, traded: traded.ok_or(close) });
        start = end;
    }
    klines
}

/// When the first interval begins of which all is known, if `oldest` is the oldest candle that is.
fn first_whole(interval: Interval, oldest: &Candle) -> Timestamp {
    let start = interval.start_of(oldest.start);
    let is_whole = start == oldest.start || oldest.first_trade == TradeId(1);
    if is_whole { start } else { interval.next(start) }
}

impl Kline {
    fn row(&self, market: &MarketInfo, unit: TimeUnit) -> Row {
        let price = |price| render::price(market, price);
        let lots = |lots: u128| render::lots(market, lots);
        let quote = |atoms: u128| render::quote(market, types::Amount::new(atoms));
        let (open, close) = (unit.show(self.start), unit.show_before(self.end));
        match self.traded {
            Ok(candle) => (
                open,
                price(candle.open),
                price(candle.high),
                price(candle.low),
                price(candle.close),
                lots(candle.volume),
                close,
                quote(candle.quote_volume),
                candle.trades,
                lots(candle.taker_buy_volume),
                quote(candle.taker_buy_quote),
                "0",
            ),
            Err(last) => {
                let [a, b, c, d] = std::array::from_fn(|_| price(last));
                let [e, f, g, h] = std::array::from_fn(|_| render::ZERO.to_owned());
                (open, a, b, c, d, e, close, f, 0, g, h, "0")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    /// Older candles of a minute are kept no more: what an interval began with may be among them.
    #[test]
    fn an_interval_whose_beginning_is_not_known_is_left_out() {
        let three = Interval::from_name("3m", 0).unwrap();
        let start = |minute: u64, first_trade: u64| {
            let trade = Candle { first_trade: TradeId(first_trade), ..candle(minute) };
            first_whole(three, &trade).0 / MINUTE
        };
        assert_eq!((start(6, 100), start(7, 100), start(8, 100)), (6, 9, 9));
        assert_eq!((start(6, 1), start(7, 1), start(8, 1)), (6, 6, 6), "nothing was before it");
    }

    fn candle(minute: u64) -> Candle {
        Candle {
            start: Timestamp(minute * MINUTE),
            open: Price::new(1),
            high: Price::new(1),
            low: Price::new(1),
            close: Price::new(1),
            volume: 1,
            quote_volume: 1,
            trades: 1,
            first_trade: TradeId(1),
            taker_buy_volume: 0,
            taker_buy_quote: 0,
        }
    }
}
