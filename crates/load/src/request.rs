//! What agents ask of the exchange, and how it is said over HTTP and over WebSocket.

use std::fmt::Write;
use std::time::Instant;

use types::Side;

use crate::target::Market;

/// Kinds of requests, which are measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Orders, and replacements of orders.
    Place,
    /// Cancels of one order.
    Cancel,
    /// Reads: balances, orders, books, tickers, trades.
    Read,
}

/// How many kinds there are.
pub(crate) const CLASSES: [&str; 3] = ["place", "cancel", "read"];

/// A new order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Never used twice.
    pub(crate) client_order_id: String,
    pub(crate) side: Side,
    /// In ticks; an order at the market has none.
    pub(crate) ticks: Option<u64>,
    pub(crate) lots: u64,
    /// What does not match at once is cancelled.
    pub(crate) immediate: bool,
    pub(crate) post_only: bool,
    /// Made to be refused: half a tick is added to its price.
    pub(crate) probe: bool,
}

/// A read. Those of an account are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Balances,
    OpenOrders,
    Depth,
    Ticker,
    Trades,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Want {
    Place(Order),
    /// Cancels an order and places another by one command.
    Replace {
        cancel: u64,
        order: Order,
    },
    Cancel {
        order: u64,
    },
    Read(Read),
}

/// A request that somebody makes at a time.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Whose.
    pub(crate) user: usize,
    /// When it was due, which latency counts from.
    pub(crate) due: Instant,
    /// The phase of the run in which it was due.
    pub(crate) phase: usize,
    pub(crate) want: Want,
}

impl Want {
    /// Its kind.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Place(_) | Self::Replace { .. } => Class::Place,
            Self::Cancel { .. } => Class::Cancel,
            Self::Read(_) => Class::Read,
        }
    }

    /// Method, path and body over HTTP, and whether it is signed.
    pub(crate) fn http(&self, market: &Market) -> (&'static str, String, String, bool) {
        let symbol = &market.symbol;
        let get = |path: String, is_signed| ("GET", path, String::new(), is_signed);
        match self {
            Self::Place(order) => {
                ("POST", "/v1/orders".to_owned(), format!("{{{}}}", order.fields(market)), true)
            }
            Self::Replace { cancel, order } => {
                let body = format!("{{{}}}", replacement(market, *cancel, order));
                ("POST", "/v1/orders/replace".to_owned(), body, true)
            }
            Self::Cancel { order } => {
                ("DELETE", format!("/v1/orders/{symbol}/{order}"), String::new(), true)
            }
            Self::Read(Read::Balances) => get("/v1/balances".to_owned(), true),
            Self::Read(Read::OpenOrders) => get("/v1/orders".to_owned(), true),
            Self::Read(Read::Depth) => get(format!("/v1/markets/{symbol}/depth?limit=20"), false),
            Self::Read(Read::Ticker) => get(format!("/v1/markets/{symbol}/ticker"), false),
            Self::Read(Read::Trades) => get(format!("/v1/markets/{symbol}/trades"), false),
        }
    }

    /// As a message over WebSocket; reads are not asked there.
    pub(crate) fn message(&self, id: u64, market: &Market) -> Option<String> {
        let symbol = &market.symbol;
        match self {
            Self::Place(order) => {
                Some(format!(r#"{{"id":{id},"op":"place_order",{}}}"#, order.fields(market)))
            }
            Self::Replace { cancel, order } => {
                let fields = replacement(market, *cancel, order);
                Some(format!(r#"{{"id":{id},"op":"replace_order",{fields}}}"#))
            }
            Self::Cancel { order } => Some(format!(
                r#"{{"id":{id},"op":"cancel_order","market":"{symbol}","order_id":{order}}}"#
            )),
            Self::Read(_) => None,
        }
    }
}

fn replacement(market: &Market, cancel: u64, order: &Order) -> String {
    let (symbol, fields) = (&market.symbol, order.fields(market));
    format!(
        r#""cancel":{{"market":"{symbol}","id":{cancel}}},"on_failure":"stop","order":{{{fields}}}"#
    )
}

impl Order {
    /// Whether what does not match at once enters the book.
    pub(crate) fn rests(&self) -> bool {
        self.ticks.is_some() && !self.immediate
    }

    /// Its fields as JSON, without the braces.
    fn fields(&self, market: &Market) -> String {
        let side = if self.side == Side::Buy { "buy" } else { "sell" };
        let quantity = market.lot.format(self.lots.into());
        let mut text = format!(
            r#""market":"{}","side":"{side}","quantity":"{quantity}","client_order_id":"{}""#,
            market.symbol, self.client_order_id
        );
        match self.ticks {
            None => text += r#","type":"market""#,
            Some(ticks) => {
                let price = market.tick.format(ticks.into());
                // Another digit makes it no whole number of ticks.
                let half = match (self.probe, price.contains('.')) {
                    (false, _) => "",
                    (true, true) => "0005",
                    (true, false) => ".0005",
                };
                let time_in_force = if self.immediate { "ioc" } else { "gtc" };
                let post_only = self.post_only;
                write!(
                    text,
                    r#","type":"limit","price":"{price}{half}","time_in_force":"{time_in_force}","post_only":{post_only}"#
                )
                .expect("a string takes everything");
            }
        }
        text
    }
}
