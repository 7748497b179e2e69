//! What streams say anew each time: best prices, windows that roll, averages, candles.

use serde::Serialize;
use types::{Amount, Timestamp};
use views::{Candle, Interval as Base, MarketInfo, Views};

use super::name::Whole;
use crate::binance::market::{
    self, Kline, a_day_before, average_price_of, best_level, last_quantity,
};
use crate::binance::render::{self, Time, TimeUnit, ZERO};

/// Of which market, and when.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) views: &'a Views,
    pub(super) market: &'a MarketInfo,
    pub(super) symbol: &'a str,
    pub(super) now: Timestamp,
    pub(super) unit: TimeUnit,
}

/// A message.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told<'a> {
    BookTicker(BookTicker<'a>),
    MiniTicker(MiniTicker<'a>),
    Ticker(Box<Ticker<'a>>),
    AvgPrice(AvgPrice<'a>),
}

/// What there is to tell now.
pub(super) fn tell<'a>(what: Whole, of: Subject<'a>) -> Told<'a> {
    match what {
        Whole::BookTicker => Told::BookTicker(BookTicker::new(of)),
        Whole::MiniTicker => Told::MiniTicker(MiniTicker::new(of)),
        Whole::Ticker => {
            let window = market::Window::read(of.views, of.now, of.market, a_day_before(of.now));
            let ticker = Ticker::new("24hrTicker", of, &window);
            Told::Ticker(Box::new(Ticker { now: Some(Now::new(of, &window)), ..ticker }))
        }
        Whole::Window(window) => {
            let minute = Base::Minute1.start_of(of.now);
            let from = Timestamp(minute.0.saturating_sub(window.length));
            let rolled = market::Window::read(of.views, of.now, of.market, from);
            Told::Ticker(Box::new(Ticker::new(window.event, of, &rolled)))
        }
        Whole::AvgPrice => Told::AvgPrice(AvgPrice::new(of)),
    }
}

/// `<symbol>@bookTicker`.
#[derive(Serialize)]
pub(super) struct BookTicker<'a> {
    u: u64,
    s: &'a str,
    #[serde(flatten)]
    best: Best,
}

/// The best prices and what is there.
#[derive(Serialize)]
struct Best {
    b: String,
    #[serde(rename = "B")]
    bid_quantity: String,
    a: String,
    #[serde(rename = "A")]
    ask_quantity: String,
}

impl<'a> BookTicker<'a> {
    fn new(of: Subject<'a>) -> Self {
        let depth = of.views.depth(of.market.def.id, 1);
        let [b, bid_quantity] = best_level(of.market, depth.bids.first());
        let [a, ask_quantity] = best_level(of.market, depth.asks.first());
        let best = Best { b, bid_quantity, a, ask_quantity };
        Self { u: depth.seq.0, s: of.symbol, best }
    }
}

/// What was paid and traded in a window.
#[derive(Serialize)]
struct Sums {
    c: String,
    o: String,
    h: String,
    l: String,
    v: String,
    q: String,
}

impl Sums {
    fn new(market: &MarketInfo, window: &market::Window) -> Self {
        let [o, h, l, c] = window.prices().map(|price| render::price(market, price));
        let (volume, quote) = window.traded.map_or((0, 0), |sum| (sum.volume, sum.quote_volume));
        let (v, q) = (render::lots(market, volume), render::quote(market, Amount::new(quote)));
        Self { c, o, h, l, v, q }
    }
}

/// `<symbol>@miniTicker`.
#[derive(Serialize)]
pub(super) struct MiniTicker<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    #[serde(flatten)]
    sums: Sums,
}

impl<'a> MiniTicker<'a> {
    fn new(of: Subject<'a>) -> Self {
        let window = market::Window::read(of.views, of.now, of.market, a_day_before(of.now));
        let (event_time, sums) = (of.unit.show(of.now), Sums::new(of.market, &window));
        Self { e: "24hrMiniTicker", event_time, s: of.symbol, sums }
    }
}

/// `<symbol>@ticker` and `<symbol>@ticker_<window>`.
#[derive(Serialize)]
pub(super) struct Ticker<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    p: String,
    #[serde(rename = "P")]
    percent: String,
    w: String,
    #[serde(flatten)]
    now: Option<Now>,
    #[serde(flatten)]
    sums: Sums,
    #[serde(rename = "O")]
    open_time: Time,
    #[serde(rename = "C")]
    close_time: Time,
    #[serde(rename = "F")]
    first: i64,
    #[serde(rename = "L")]
    last: i64,
    n: u64,
}

/// What only the ticker of 24 hours says.
#[derive(Serialize)]
struct Now {
    x: String,
    #[serde(rename = "Q")]
    last_quantity: String,
    #[serde(flatten)]
    best: Best,
}

impl Now {
    fn new(of: Subject<'_>, window: &market::Window) -> Self {
        Self {
            x: render::price_or_zero(of.market, window.close_before),
            last_quantity: last_quantity(of.views, of.market),
            best: BookTicker::new(of).best,
        }
    }
}

impl<'a> Ticker<'a> {
    fn new(event: &'static str, of: Subject<'a>, window: &market::Window) -> Self {
        let market = of.market;
        let [open, _, _, last] = window.prices();
        let (volume, quote, n) =
            window.traded.map_or((0, 0, 0), |sum| (sum.volume, sum.quote_volume, sum.trades));
        let (first_id, last_id) = window.ids();
        Self {
            e: event,
            event_time: of.unit.show(of.now),
            s: of.symbol,
            p: render::price_change(market, open, last),
            percent: render::percent_change(open, last),
            w: render::average_price(market, volume, quote),
            now: None,
            sums: Sums::new(market, window),
            open_time: of.unit.show(window.from),
            close_time: of.unit.show(of.now),
            first: first_id,
            last: last_id,
            n,
        }
    }
}

/// `<symbol>@avgPrice`.
#[derive(Serialize)]
pub(super) struct AvgPrice<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    i: &'static str,
    w: String,
    #[serde(rename = "T")]
    last_trade: Time,
}

impl<'a> AvgPrice<'a> {
    fn new(of: Subject<'a>) -> Self {
        let last = of.views.trades(of.market.def.id, 1);
        Self {
            e: "avgPrice",
            event_time: of.unit.show(of.now),
            s: of.symbol,
            i: "5m",
            w: average_price_of(of.views, of.now, of.market),
            last_trade: last.first().map_or(Time(0), |trade| of.unit.show(trade.time)),
        }
    }
}

/// `<symbol>@kline_<interval>`.
#[derive(Serialize)]
pub(super) struct KlineEvent<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: Time,
    s: &'a str,
    k: KlineBody<'a>,
}

#[derive(Serialize)]
struct KlineBody<'a> {
    t: Time,
    #[serde(rename = "T")]
    close_time: Time,
    s: &'a str,
    i: &'a str,
    f: i64,
    #[serde(rename = "L")]
    last: i64,
    o: String,
    c: String,
    h: String,
    l: String,
    v: String,
    n: u64,
    x: bool,
    q: String,
    #[serde(rename = "V")]
    taker_volume: String,
    #[serde(rename = "Q")]
    taker_quote: String,
    #[serde(rename = "B")]
    ignored: &'static str,
}

impl<'a> KlineEvent<'a> {
    /// A candle of the interval with this name, which will not change any more if it is closed.
    pub(super) fn new(of: Subject<'a>, interval: &'a str, kline: &Kline, is_closed: bool) -> Self {
        let k = KlineBody::new(of, interval, kline, is_closed);
        Self { e: "kline", event_time: of.unit.show(of.now), s: of.symbol, k }
    }
}

impl<'a> KlineBody<'a> {
    fn new(of: Subject<'a>, interval: &'a str, kline: &Kline, is_closed: bool) -> Self {
        let price = |price| render::price(of.market, price);
        let quote = |atoms| render::quote(of.market, Amount::new(atoms));
        let idle = Self {
            t: of.unit.show(kline.start),
            close_time: of.unit.show_before(kline.end),
            s: of.symbol,
            i: interval,
            f: -1,
            last: -1,
            o: String::new(),
            c: String::new(),
            h: String::new(),
            l: String::new(),
            v: ZERO.to_owned(),
            n: 0,
            x: is_closed,
            q: ZERO.to_owned(),
            taker_volume: ZERO.to_owned(),
            taker_quote: ZERO.to_owned(),
            ignored: "0",
        };
        match kline.traded {
            Ok(Candle {
                open,
                high,
                low,
                close,
                volume,
                quote_volume,
                trades,
                first_trade,
                taker_buy_volume,
                taker_buy_quote,
                ..
            }) => {
                let first = first_trade.0 as i64;
                Self {
                    f: first,
                    last: first + trades as i64 - 1,
                    o: price(open),
                    c: price(close),
                    h: price(high),
                    l: price(low),
                    v: render::lots(of.market, volume),
                    n: trades,
                    q: quote(quote_volume),
                    taker_volume: render::lots(of.market, taker_buy_volume),
                    taker_quote: quote(taker_buy_quote),
                    ..idle
                }
            }
            Err(last) => {
                Self { o: price(last), c: price(last), h: price(last), l: price(last), ..idle }
            }
        }
    }
}
