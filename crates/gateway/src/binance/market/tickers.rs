//! Tickers: over 24 hours, over any window, of the day, and the last and best prices.

use std::sync::Arc;

use serde::Serialize;
use types::{Amount, Price, Timestamp};
use views::{Candle, DepthLevel, Interval as Base, MarketInfo, Views};

use super::interval::zone;
use super::select::Selection;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::params::Params;
use crate::binance::render::{self, Time};
use crate::binance::symbols::symbol;

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Most symbols of one request for a window.
const MOST_SYMBOLS: usize = 100;

/// What a window says. Fields that a kind of answer does not have are absent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    #[serde(flatten)]
    change: Option<Change>,
    #[serde(flatten)]
    now: Option<Now>,
    open_price: String,
    high_price: String,
    low_price: String,
    last_price: String,
    volume: String,
    quote_volume: String,
    open_time: Time,
    close_time: Time,
    first_id: i64,
    last_id: i64,
    count: u64,
}

/// What only full answers have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    price_change: String,
    price_change_percent: String,
    weighted_avg_price: String,
}

/// What only the ticker of 24 hours has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Now {
    prev_close_price: String,
    last_qty: String,
    bid_price: String,
    bid_qty: String,
    ask_price: String,
    ask_qty: String,
}

/// What is known of a window that begins at `from` and ends now.
pub(in crate::binance) struct Window {
    /// When it begins.
    pub(in crate::binance) from: Timestamp,
    /// What traded in it.
    pub(in crate::binance) traded: Option<Candle>,
    /// The last price before it.
    pub(in crate::binance) close_before: Option<Price>,
}

impl Window {
    /// The window that begins at `from`. Candles of a minute reach back a day and the minute that is not over; for
    /// what is longer it begins at the quarter of an hour before.
    pub(in crate::binance) fn read(
        views: &Views,
        now: Timestamp,
        market: &MarketInfo,
        from: Timestamp,
    ) -> Self {
        let is_long = now.0.saturating_sub(from.0) > DAY + MINUTE;
        let base = if is_long { Base::Minute15 } else { Base::Minute1 };
        let from = base.start_of(from);
        let window = views.window(market.def.id, base, from);
        Self { from, traded: window.traded, close_before: window.close_before }
    }

    /// First, highest, lowest and last price. Without a trade all are the last price before.
    pub(in crate::binance) fn prices(&self) -> [Price; 4] {
        match self.traded {
            Some(candle) => [candle.open, candle.high, candle.low, candle.close],
            None => [self.close_before.unwrap_or(Price::ZERO); 4],
        }
    }

    /// The ids of its first and last trade; -1 without one.
    pub(in crate::binance) fn ids(&self) -> (i64, i64) {
        self.traded.map_or((-1, -1), |candle| {
            let first = candle.first_trade.0 as i64;
            (first, first + candle.trades as i64 - 1)
        })
    }
}

/// How much an answer says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Full,
    Mini,
}

fn kind(params: &Params) -> Result<Kind, Error> {
    const WORDS: [(&str, Kind); 2] = [("FULL", Kind::Full), ("MINI", Kind::Mini)];
    let unknown = || Error::new(-1139, "Invalid ticker type.");
    Ok(params.word("type", &WORDS, unknown)?.unwrap_or(Kind::Full))
}

impl Ticker {
    fn new(call: &Call, market: &MarketInfo, window: &Window, kind: Kind) -> Self {
        let [open, high, low, last] = window.prices();
        let (volume, quote, count) =
            window.traded.map_or((0, 0, 0), |c| (c.volume, c.quote_volume, c.trades));
        let (first_id, last_id) = window.ids();
        let change = (kind == Kind::Full).then(|| Change {
            price_change: render::price_change(market, open, last),
            price_change_percent: render::percent_change(open, last),
            weighted_avg_price: render::average_price(market, volume, quote),
        });
        Self {
            symbol: symbol(market),
            change,
            now: None,
            open_price: render::price(market, open),
            high_price: render::price(market, high),
            low_price: render::price(market, low),
            last_price: render::price(market, last),
            volume: render::lots(market, volume),
            quote_volume: render::quote(market, Amount::new(quote)),
            open_time: call.unit.show(window.from),
            close_time: call.unit.show(call.now),
            first_id,
            last_id,
            count,
        }
    }
}

/// One object for `symbol`, a list for anything else.
fn answer<T: Serialize>(
    selection: &Selection,
    show: impl Fn(&Arc<MarketInfo>) -> T,
) -> Result<Answer, Error> {
    match selection {
        Selection::One(market) => Answer::of(&show(market)),
        Selection::Many(markets) => Answer::of(&markets.iter().map(show).collect::<Vec<_>>()),
    }
}

/// `GET ticker/24hr`.
pub(in crate::binance) async fn ticker_24hr(call: Call) -> Result<Answer, Error> {
    let kind = kind(&call.params)?;
    let from = a_day_before(call.now);
    answer(&call.selection()?, |market| {
        let window = Window::read(&call.shared.views, call.now, market, from);
        let ticker = Ticker::new(&call, market, &window, kind);
        let now = (kind == Kind::Full).then(|| now(&call, market, &window));
        Ticker { now, ..ticker }
    })
}

/// Where the window of 24 hours begins: the current minute and the 1,439 before it.
pub(in crate::binance) fn a_day_before(now: Timestamp) -> Timestamp {
    Timestamp(Base::Minute1.start_of(now).0.saturating_sub(DAY - MINUTE))
}

fn now(call: &Call, market: &MarketInfo, window: &Window) -> Now {
    let views = &call.shared.views;
    let depth = views.depth(market.def.id, 1);
    let ([bid_price, bid_qty], [ask_price, ask_qty]) =
        (best_level(market, depth.bids.first()), best_level(market, depth.asks.first()));
    Now {
        prev_close_price: render::price_or_zero(market, window.close_before),
        last_qty: last_quantity(views, market),
        bid_price,
        bid_qty,
        ask_price,
        ask_qty,
    }
}

/// How much the last trade was of.
pub(in crate::binance) fn last_quantity(views: &Views, market: &MarketInfo) -> String {
    let last = views.trades(market.def.id, 1);
    last.first().map_or_else(
        || render::ZERO.to_owned(),
        |trade| render::lots(&market.at(trade.seq), trade.quantity.get()),
    )
}

/// The best level of a side; zeros if there is none.
pub(in crate::binance) fn best_level(
    market: &MarketInfo,
    level: Option<&DepthLevel>,
) -> [String; 2] {
    level.map_or_else(
        || [render::ZERO.to_owned(), render::ZERO.to_owned()],
        |level| super::depth::level(market, level),
    )
}

/// `GET ticker`: over a window that begins at a full minute.
pub(in crate::binance) async fn ticker_window(call: Call) -> Result<Answer, Error> {
    let kind = kind(&call.params)?;
    let size = window_size(call.params.text("windowSize")?.unwrap_or("1d"))
        .ok_or_else(|| Error::invalid_data("windowSize"))?;
    let minute = Base::Minute1.start_of(call.now);
    let from = Timestamp(minute.0.saturating_sub(size));
    answer(&named(&call)?, |market| {
        Ticker::new(&call, market, &Window::read(&call.shared.views, call.now, market, from), kind)
    })
}

/// `GET ticker/tradingDay`: since midnight.
pub(in crate::binance) async fn ticker_trading_day(call: Call) -> Result<Answer, Error> {
    let kind = kind(&call.params)?;
    let offset = zone(&call.params)?;
    let day = super::interval::Interval::from_name("1d", offset).expect("a day is an interval");
    let from = day.start_of(call.now);
    // The day's last moment, although most of it may be to come.
    let close_time = call.unit.show(Timestamp(day.next(from).0 - 1));
    answer(&named(&call)?, |market| {
        let window = Window::read(&call.shared.views, call.now, market, from);
        Ticker { close_time, ..Ticker::new(&call, market, &window, kind) }
    })
}

/// The markets that are named, of which there must be some.
fn named(call: &Call) -> Result<Selection, Error> {
    if !call.params.has("symbol") && !call.params.has("symbols") {
        return Err(Error::one_of("symbol", "symbols"));
    }
    match call.selection()? {
        Selection::Many(markets) if markets.len() > MOST_SYMBOLS => {
            Err(Error::invalid_data("symbols"))
        }
        selection => Ok(selection),
    }
}

/// `1m` to `59m`, `1h` to `23h`, `1d` to `7d`, in nanoseconds.
pub(in crate::binance) fn window_size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let (unit, most) = match unit {
        "m" => (MINUTE, 59),
        "h" => (HOUR, 23),
        "d" => (DAY, 7),
        _ => return None,
    };
    let digits = number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = if digits { number.parse().ok()? } else { return None };
    (1..=most).contains(&number).then_some(number * unit)
}

#[derive(Serialize)]
struct LastPrice {
    symbol: String,
    price: String,
}

/// `GET ticker/price`.
pub(in crate::binance) async fn ticker_price(call: Call) -> Result<Answer, Error> {
    answer(&call.selection()?, |market| {
        let last = call.shared.views.depth(market.def.id, 0).last_price;
        LastPrice { symbol: symbol(market), price: render::price_or_zero(market, last) }
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BookTicker {
    symbol: String,
    bid_price: String,
    bid_qty: String,
    ask_price: String,
    ask_qty: String,
}

/// `GET ticker/bookTicker`.
pub(in crate::binance) async fn ticker_book(call: Call) -> Result<Answer, Error> {
    answer(&call.selection()?, |market| {
        let depth = call.shared.views.depth(market.def.id, 1);
        let ([bid_price, bid_qty], [ask_price, ask_qty]) =
            (best_level(market, depth.bids.first()), best_level(market, depth.asks.first()));
        BookTicker { symbol: symbol(market), bid_price, bid_qty, ask_price, ask_qty }
    })
}

/// Minutes of the average price: the current one and those before it.
const AVERAGE_MINUTES: u64 = 5;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AveragePrice {
    mins: u64,
    price: String,
    close_time: Time,
}

/// `GET avgPrice`: without a trade in the window, the last price.
pub(in crate::binance) async fn average_price(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let price = average_price_of(&call.shared.views, call.now, &market);
    let last = call.shared.views.trades(market.def.id, 1);
    let close_time = last.first().map_or(Time(0), |trade| call.unit.show(trade.time));
    Answer::of(&AveragePrice { mins: AVERAGE_MINUTES, price, close_time })
}

/// The average price of the last minutes.
pub(in crate::binance) fn average_price_of(
    views: &Views,
    now: Timestamp,
    market: &MarketInfo,
) -> String {
    let minute = Base::Minute1.start_of(now);
    let from = Timestamp(minute.0.saturating_sub((AVERAGE_MINUTES - 1) * MINUTE));
    let window = Window::read(views, now, market, from);
    match window.traded {
        Some(candle) => render::average_price(market, candle.volume, candle.quote_volume),
        None => render::price_or_zero(market, window.close_before),
    }
}

/// Symbols that a request names; none: all.
fn symbols_in(params: &Params) -> Option<usize> {
    match (params.has("symbol"), params.list("symbols")) {
        (true, _) => Some(1),
        (false, Ok(Some(names))) => Some(names.len()),
        (false, _) => None,
    }
}

/// Of `ticker/24hr`.
pub(in crate::binance) fn weight_24hr(params: &Params) -> u32 {
    match symbols_in(params) {
        Some(0..=20) => 2,
        Some(21..=100) => 40,
        _ => 80,
    }
}

/// Of `ticker/price` and `ticker/bookTicker`.
pub(in crate::binance) fn weight_of_prices(params: &Params) -> u32 {
    if params.has("symbol") { 2 } else { 4 }
}

/// Of `ticker` and `ticker/tradingDay`.
pub(in crate::binance) fn weight_of_windows(params: &Params) -> u32 {
    (4 * symbols_in(params).unwrap_or(1) as u32).min(200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_sizes_are_those_of_the_list() {
        assert_eq!(window_size("1m"), Some(MINUTE));
        assert_eq!(window_size("59m"), Some(59 * MINUTE));
        assert_eq!(window_size("7d"), Some(7 * DAY));
        for text in ["", "m", "0m", "60m", "24h", "8d", "1w", "-1h", "1", "100m"] {
            assert_eq!(window_size(text), None, "{text}");
        }
    }
}
