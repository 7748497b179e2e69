//! The rows of a canonical session.

use types::{Price, Quantity, Side};

use super::by_seq::Sequenced;
use super::table::Row;
use super::time::parse_time;
use super::{Record, SessionError};

/// One input: what a participant asked of the venue.
#[derive(Clone, Debug)]
pub struct InputRow {
    /// Its number in the recording.
    pub seq: u64,
    /// When it came, in nanoseconds since an unknown start; `None` if not told.
    pub time: Option<u64>,
    /// The recorded order that it is about.
    pub id: u64,
    /// What is asked.
    pub action: Action,
}

/// What an input asks.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// A new order.
    New(OrderTerms),
    /// Cancel and enter anew under the same id; if the order has ended, just enter.
    Amend(OrderTerms),
    /// Take the order out; `remaining` is what the venue said was left of it.
    Cancel {
        /// Left of the order.
        remaining: Quantity,
    },
    /// Less quantity, the place is kept.
    Reduce {
        /// By how much.
        by: Quantity,
    },
}

/// What an order says.
#[derive(Clone, Copy, Debug)]
pub struct OrderTerms {
    /// Buy or sell.
    pub side: Side,
    /// Worst price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// How long.
    pub tif: Tif,
}

/// The recorded times in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tif {
    /// What does not match rests.
    Gtc,
    /// What does not match is dropped.
    Ioc,
    /// Rejected whole if it would match.
    Po,
}

/// An order that rests: a seed, or a row of the final book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingRow {
    /// The recorded order.
    pub id: u64,
    /// Buy or sell.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much is left of it.
    pub quantity: Quantity,
}

/// A trade of continuous trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRow {
    /// The input that caused it.
    pub seq: u64,
    /// The order that came.
    pub taker: u64,
    /// The order that rested.
    pub maker: u64,
    /// The maker's price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// A trade of the opening auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuctionTradeRow {
    /// The buying order.
    pub buy: u64,
    /// The selling order.
    pub sell: u64,
    /// The auction's price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// The best levels of a book, as the venue showed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRow {
    /// The input that it follows.
    pub after_seq: u64,
    /// Best first.
    pub bids: Vec<LevelRow>,
    /// Best first.
    pub asks: Vec<LevelRow>,
    /// Quantity of all bids, if told.
    pub total_bids: Option<u64>,
    /// Quantity of all asks, if told.
    pub total_asks: Option<u64>,
}

/// One price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRow {
    /// Its price.
    pub price: Price,
    /// All that rests there.
    pub quantity: Quantity,
    /// How many orders, if told.
    pub orders: Option<u64>,
}

impl BookRow {
    /// How many levels a side shows at most: books come with 10 or 20, and one with fewer has no more.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self.bids.len().max(self.asks.len()) {
            0..=10 => 10,
            11..=20 => 20,
            deeper => deeper,
        }
    }
}

impl Record for InputRow {
    fn read(row: &Row<'_>) -> Result<Self, SessionError> {
        let action = match row.required("op")? {
            "NEW" => Action::New(terms(row)?),
            "AMEND" => Action::Amend(terms(row)?),
            "CANCEL" => Action::Cancel { remaining: Quantity::new(row.number("qty")?) },
            "REDUCE" => Action::Reduce { by: Quantity::new(row.number("qty")?) },
            "SEED" => return Err(row.wrong("SEED belongs into seed.csv")),
            other => {
                return Err(
                    row.wrong(format!("op {other:?} is none of NEW, CANCEL, AMEND, REDUCE"))
                );
            }
        };
        Ok(Self {
            seq: row.number("seq")?,
            time: row.text("ts").and_then(parse_time),
            id: row.number("id")?,
            action,
        })
    }
}

impl Sequenced for InputRow {
    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Record for RestingRow {
    fn read(row: &Row<'_>) -> Result<Self, SessionError> {
        if let Some(op) = row.text("op").filter(|&op| op != "SEED") {
            return Err(row.wrong(format!("op {op:?} where only SEED may be")));
        }
        Ok(Self {
            id: row.number("id")?,
            side: side(row)?,
            price: Price::new(row.number("price")?),
            quantity: Quantity::new(row.number("qty")?),
        })
    }
}

impl Record for TradeRow {
    fn read(row: &Row<'_>) -> Result<Self, SessionError> {
        Ok(Self {
            seq: row.number("seq")?,
            taker: row.number("taker_id")?,
            maker: row.number("maker_id")?,
            price: Price::new(row.number("price")?),
            quantity: Quantity::new(row.number("qty")?),
        })
    }
}

impl Sequenced for TradeRow {
    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Record for AuctionTradeRow {
    fn read(row: &Row<'_>) -> Result<Self, SessionError> {
        Ok(Self {
            buy: row.number("buy_id")?,
            sell: row.number("sell_id")?,
            price: Price::new(row.number("price")?),
            quantity: Quantity::new(row.number("qty")?),
        })
    }
}

impl Record for BookRow {
    fn read(row: &Row<'_>) -> Result<Self, SessionError> {
        let total = |column| {
            let text = row.text(column);
            text.map(|text| row.parse(column, text)).transpose()
        };
        Ok(Self {
            after_seq: row.number("after_seq")?,
            bids: levels(row, "bids")?,
            asks: levels(row, "asks")?,
            total_bids: total("total_bid_qty")?,
            total_asks: total("total_ask_qty")?,
        })
    }
}

impl Sequenced for BookRow {
    fn seq(&self) -> u64 {
        self.after_seq
    }
}

fn terms(row: &Row<'_>) -> Result<OrderTerms, SessionError> {
    let tif = match row.text("tif") {
        None | Some("GTC") => Tif::Gtc,
        Some("IOC") => Tif::Ioc,
        Some("PO") => Tif::Po,
        Some(other) => {
            return Err(row.wrong(format!("tif {other:?} is none of GTC, IOC, PO")));
        }
    };
    Ok(OrderTerms {
        side: side(row)?,
        price: Price::new(row.number("price")?),
        quantity: Quantity::new(row.number("qty")?),
        tif,
    })
}

fn side(row: &Row<'_>) -> Result<Side, SessionError> {
    match row.required("side")? {
        "B" => Ok(Side::Buy),
        "S" => Ok(Side::Sell),
        other => Err(row.wrong(format!("side {other:?} is neither B nor S"))),
    }
}

/// `price:qty|price:qty` or `price:qty:count|…`; nothing for an empty side.
fn levels(row: &Row<'_>, column: &str) -> Result<Vec<LevelRow>, SessionError> {
    let text = row.text(column).unwrap_or_default();
    let parts = text.split('|').filter(|part| !part.is_empty());
    parts.map(|part| level(row, column, part)).collect()
}

fn level(row: &Row<'_>, column: &str, text: &str) -> Result<LevelRow, SessionError> {
    let mut numbers = text.split(':').map(|number| row.parse(column, number));
    let mut next = || numbers.next().transpose();
    match (next()?, next()?, next()?, next()?) {
        (Some(price), Some(quantity), orders, None) => {
            Ok(LevelRow { price: Price::new(price), quantity: Quantity::new(quantity), orders })
        }
        _ => Err(row.wrong(format!("{column}: {text:?} is neither price:qty nor price:qty:count"))),
    }
}

impl std::fmt::Display for Tif {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Po => "PO",
        })
    }
}

impl std::fmt::Display for OrderTerms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { side, price, quantity, tif } = self;
        write!(f, "{side:?} {quantity} at {price} {tif}")
    }
}

impl std::fmt::Display for InputRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seq {}: ", self.seq)?;
        match self.action {
            Action::New(terms) => write!(f, "NEW {} {terms}", self.id),
            Action::Amend(terms) => write!(f, "AMEND {} {terms}", self.id),
            Action::Cancel { remaining } => write!(f, "CANCEL {} with {remaining} left", self.id),
            Action::Reduce { by } => write!(f, "REDUCE {} by {by}", self.id),
        }
    }
}
