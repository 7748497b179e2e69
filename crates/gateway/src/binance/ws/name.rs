//! The names of streams: `btcusdt@trade`, `btcusdt@depth@100ms`.

/// Every stream, as the documentation names it.
pub(in crate::binance) const STREAMS: &[&str] = &[
    "<symbol>@trade",
    "<symbol>@bookTicker",
    "<symbol>@depth",
    "<symbol>@depth@1000ms",
    "<symbol>@depth@100ms",
];

/// What of a market a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every trade.
    Trade,
    /// The best bid and ask, whenever they change.
    BookTicker,
    /// Price levels as they change.
    Depth(Speed),
}

/// How often a stream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speed {
    /// Ten times a second.
    Fast,
    /// Once a second.
    Slow,
}

/// Reads a name: the market in the dialect's capitals, and the kind. Nothing for a name that no stream has.
pub(super) fn parse(name: &str) -> Option<(String, Kind)> {
    let (symbol, kind) = name.split_once('@')?;
    if symbol.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let kind = match kind {
        "trade" => Kind::Trade,
        "bookTicker" => Kind::BookTicker,
        "depth" | "depth@1000ms" => Kind::Depth(Speed::Slow),
        "depth@100ms" => Kind::Depth(Speed::Fast),
        _ => return None,
    };
    Some((symbol.to_ascii_uppercase(), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_a_kind() {
        for name in STREAMS {
            assert!(parse(&name.replace("<symbol>", "btcusdt")).is_some(), "{name}");
        }
    }

    #[test]
    fn names_are_read_and_others_are_none() {
        let kind = |name| parse(name).map(|(_, kind)| kind);
        assert_eq!(parse("btcusdt@trade"), Some(("BTCUSDT".into(), Kind::Trade)));
        assert_eq!(kind("btcusdt@depth"), kind("btcusdt@depth@1000ms"));
        assert_eq!(kind("btcusdt@depth@100ms"), Some(Kind::Depth(Speed::Fast)));
        for name in ["", "0", "btcusdt", "BTCUSDT@trade", "btcusdt@trades", "btcusdt@depth@10ms"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
