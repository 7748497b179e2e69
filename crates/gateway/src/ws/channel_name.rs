//! The names of channels: `depth:BTC-USDT`, `candles:BTC-USDT:1m`, `orders`.

use views::Interval;

/// What a client can subscribe to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ChannelName {
    /// One market's data, for anybody.
    Public(PublicChannel),
    /// The events of the account that the connection is logged in for.
    Private(PrivateKind),
}

/// A channel that all its subscribers share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicChannel {
    /// What of the market.
    pub kind: PublicKind,
    /// The market's symbol.
    pub symbol: String,
}

/// What of a market a public channel carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PublicKind {
    /// Price levels as they change.
    Depth,
    /// Every trade.
    Trades,
    /// The rolling 24 hours.
    Ticker,
    /// Candles of an interval, as `1m`.
    Candles(Interval),
    /// What the market does with orders: states, plans, interruptions, uncrossings.
    Market,
}

/// What of an account a private channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrivateKind {
    /// The life of the account's orders.
    Orders,
    /// The account's side of its trades.
    Fills,
    /// Balances as they change.
    Balances,
}

impl PrivateKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Orders, Self::Fills, Self::Balances];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Fills => "fills",
            Self::Balances => "balances",
        }
    }
}

impl std::str::FromStr for ChannelName {
    type Err = ();

    /// Whether the market exists is another question.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let kind = parts.next().unwrap_or_default();
        if let Some(kind) = PrivateKind::ALL.into_iter().find(|k| k.name() == kind) {
            return parts.next().is_none().then_some(Self::Private(kind)).ok_or(());
        }
        let symbol = parts.next().filter(|symbol| !symbol.is_empty()).ok_or(())?;
        let kind = match (kind, parts.next()) {
            ("depth", None) => PublicKind::Depth,
            ("trades", None) => PublicKind::Trades,
            ("ticker", None) => PublicKind::Ticker,
            ("market", None) => PublicKind::Market,
            ("candles", Some(word)) => PublicKind::Candles(Interval::from_word(word).ok_or(())?),
            _ => return Err(()),
        };
        if parts.next().is_some() {
            return Err(());
        }
        Ok(Self::Public(PublicChannel { kind, symbol: symbol.to_owned() }))
    }
}

impl std::fmt::Display for PublicChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let symbol = &self.symbol;
        match &self.kind {
            PublicKind::Depth => write!(f, "depth:{symbol}"),
            PublicKind::Trades => write!(f, "trades:{symbol}"),
            PublicKind::Ticker => write!(f, "ticker:{symbol}"),
            PublicKind::Market => write!(f, "market:{symbol}"),
            PublicKind::Candles(interval) => write!(f, "candles:{symbol}:{}", interval.word()),
        }
    }
}

impl std::fmt::Display for ChannelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public(channel) => channel.fmt(f),
            Self::Private(kind) => f.write_str(kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for text in [
            "depth:BTC-USDT",
            "trades:BTC-USDT",
            "ticker:X",
            "market:X",
            "candles:BTC-USDT:1m",
            "orders",
            "fills",
            "balances",
        ] {
            assert_eq!(text.parse::<ChannelName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "depth",
            "depth:",
            ":",
            "orders:1",
            "candles:BTC-USDT",
            "candles:A:1m:x",
            "candles:A:2m",
            "trades:A:1m",
            "DEPTH:A",
            "books:A",
            "depth:A:",
        ] {
            assert!(text.parse::<ChannelName>().is_err(), "{text:?}");
        }
    }
}
