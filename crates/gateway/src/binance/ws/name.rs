//! The names of streams: `btcusdt@trade`, `btcusdt@depth@100ms`, `!miniTicker@arr`.

use crate::binance::market::{Interval, read_zone, window_size};

/// Every stream, as the documentation names it; `<...>` stands for each of some words.
pub(in crate::binance) const STREAMS: &[&str] = &[
    "<symbol>@trade",
    "<symbol>@aggTrade",
    "<symbol>@kline_<interval>",
    "<symbol>@kline_<interval>@+08:00",
    "<symbol>@miniTicker",
    "<symbol>@ticker",
    "<symbol>@ticker_<window>",
    "<symbol>@bookTicker",
    "<symbol>@avgPrice",
    "<symbol>@depth<levels>",
    "<symbol>@depth<levels>@1000ms",
    "<symbol>@depth<levels>@100ms",
    "<symbol>@depth",
    "<symbol>@depth@1000ms",
    "<symbol>@depth@100ms",
    "!miniTicker@arr",
    "!miniTicker@arr@1000ms",
    "!ticker@arr",
    "!ticker@arr@1000ms",
    "!ticker_<window>@arr",
    "!bookTicker",
];

/// What accounts and connections are told.
pub(in crate::binance) const EVENTS: &[&str] = &[
    "executionReport",
    "outboundAccountPosition",
    "balanceUpdate",
    "listStatus",
    "eventStreamTerminated",
    "serverShutdown",
];

/// What a name names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Something of the market with this symbol of the dialect.
    Market(String, Kind),
    /// Something of all markets.
    All(Whole),
}

/// What of a market a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every trade.
    Trade,
    /// What each taker traded at one price.
    AggTrade,
    /// Candles, by the name of their interval.
    Kline(&'static str, Interval),
    /// What can be told at any time.
    Whole(Whole),
    /// The best levels, so many of a side.
    PartialDepth(usize, Speed),
    /// Price levels as they change.
    Depth(Speed),
}

/// What a stream tells anew each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// The best bid and ask, whenever they change.
    BookTicker,
    /// The last 24 hours in short.
    MiniTicker,
    /// The last 24 hours.
    Ticker,
    /// The last hour, four hours or day.
    Window(Window),
    /// The average price.
    AvgPrice,
}

/// A window that rolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The name of its events.
    pub(super) event: &'static str,
    /// Its length in nanoseconds.
    pub(super) length: u64,
}

/// How often a stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speed {
    /// Ten times a second.
    Fast,
    /// Once a second.
    Slow,
}

/// Reads a name. Nothing for one that no stream has.
pub(super) fn parse(name: &str) -> Option<Name> {
    if let Some(all) = name.strip_prefix('!') {
        return all_markets(all).map(Name::All);
    }
    let (symbol, kind) = name.split_once('@')?;
    let is_lower = !symbol.bytes().any(|byte| byte.is_ascii_uppercase());
    let kind = kind_of(kind)?;
    is_lower.then(|| Name::Market(symbol.to_ascii_uppercase(), kind))
}

fn all_markets(name: &str) -> Option<Whole> {
    match name {
        "miniTicker@arr" | "miniTicker@arr@1000ms" => Some(Whole::MiniTicker),
        "ticker@arr" | "ticker@arr@1000ms" => Some(Whole::Ticker),
        "bookTicker" => Some(Whole::BookTicker),
        other => window(other.strip_suffix("@arr")?.strip_prefix("ticker_")?),
    }
}

fn window(name: &str) -> Option<Whole> {
    let event = match name {
        "1h" => "1hTicker",
        "4h" => "4hTicker",
        "1d" => "1dTicker",
        _ => return None,
    };
    Some(Whole::Window(Window { event, length: window_size(name)? }))
}

fn kind_of(kind: &str) -> Option<Kind> {
    Some(match kind {
        "trade" => Kind::Trade,
        "aggTrade" => Kind::AggTrade,
        "bookTicker" => Kind::Whole(Whole::BookTicker),
        "miniTicker" => Kind::Whole(Whole::MiniTicker),
        "ticker" => Kind::Whole(Whole::Ticker),
        "avgPrice" => Kind::Whole(Whole::AvgPrice),
        other => {
            if let Some(interval) = other.strip_prefix("kline_") {
                return kline(interval);
            }
            if let Some(size) = other.strip_prefix("ticker_") {
                return window(size).map(Kind::Whole);
            }
            return depth(other.strip_prefix("depth")?);
        }
    })
}

/// The interval, in the zone that there is besides UTC if that is asked for.
fn kline(text: &str) -> Option<Kind> {
    const NAMES: [&str; 16] = [
        "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d",
        "1w", "1M",
    ];
    const ZONE: &str = "@+08:00";
    let (text, offset) = match text.strip_suffix(ZONE) {
        Some(text) => (text, read_zone(&ZONE[1..])?),
        None => (text, 0),
    };
    let name = NAMES.into_iter().find(|&name| name == text)?;
    Some(Kind::Kline(name, Interval::from_name(name, offset)?))
}

fn depth(text: &str) -> Option<Kind> {
    let (levels, speed) = match text.split_once('@') {
        None => (text, Speed::Slow),
        Some((levels, "1000ms")) => (levels, Speed::Slow),
        Some((levels, "100ms")) => (levels, Speed::Fast),
        Some(_) => return None,
    };
    match levels {
        "" => Some(Kind::Depth(speed)),
        "5" => Some(Kind::PartialDepth(5, speed)),
        "10" => Some(Kind::PartialDepth(10, speed)),
        "20" => Some(Kind::PartialDepth(20, speed)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_a_kind() {
        for &name in STREAMS {
            for (interval, window, levels) in
                [("1s", "1h", "5"), ("1M", "4h", "10"), ("3d", "1d", "20")]
            {
                let name = name
                    .replace("<symbol>", "btcusdt")
                    .replace("<interval>", interval)
                    .replace("<window>", window)
                    .replace("<levels>", levels);
                assert!(parse(&name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn names_are_read_and_others_are_none() {
        assert_eq!(parse("btcusdt@trade"), Some(Name::Market("BTCUSDT".into(), Kind::Trade)));
        assert_eq!(parse("btcusdt@depth"), parse("btcusdt@depth@1000ms"));
        let fast = Name::Market("A".into(), Kind::PartialDepth(20, Speed::Fast));
        assert_eq!(parse("a@depth20@100ms"), Some(fast));
        assert_ne!(parse("a@kline_1d"), parse("a@kline_1d@+08:00"));
        for name in [
            "",
            "0",
            "btcusdt",
            "BTCUSDT@trade",
            "btcusdt@trades",
            "btcusdt@depth@10ms",
            "btcusdt@depth15",
            "btcusdt@kline_2m",
            "btcusdt@kline_1d@+09:00",
            "!trade@arr",
            "btcusdt@ticker_2h",
            "!ticker_1h",
            "!",
            "!avgPrice@arr",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
