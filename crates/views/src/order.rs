//! An order as its owner sees it, and the fills of it.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Amount, CancelCause, ClientOrderId, Conditions, Event, MarketId, OrderId, OrderSpec,
    PartitionId, Price, Quantity, Seq, Side, Timestamp, TradeId,
};

/// Where a count of filled lots stops: the largest integer of SQL, so that views, answers and history
/// tell the same. Only a market order can sum up to more.
pub const MOST_FILLED: Quantity = Quantity::new(i64::MAX as u64);

/// Lots filled before and now, at most [`MOST_FILLED`].
#[must_use]
pub fn add_filled(before: Quantity, now: Quantity) -> Quantity {
    before.checked_add(now).unwrap_or(MOST_FILLED).min(MOST_FILLED)
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum OrderStatus {
    /// Accepted, and outside of the book until its trigger fires.
    Waiting,
    /// Accepted, nothing filled.
    Open,
    /// Accepted, something filled, something open.
    PartiallyFilled,
    /// Ended: nothing is left. Also a market order by quote that spent what it could.
    Filled,
    /// Ended with something left.
    Cancelled,
}

impl OrderStatus {
    /// Where an order with these conditions stands when it is accepted.
    #[must_use]
    pub fn on_arrival(conditions: &Conditions) -> Self {
        if conditions.trigger.is_some() { Self::Waiting } else { Self::Open }
    }

    /// The word that streams, answers and SQL use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it may still change by a trade or a cancel.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Open | Self::PartiallyFilled)
    }
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum EndCause {
    /// As the market says.
    Cancelled(CancelCause),
    /// An amendment gave it a new id and a new place: this one.
    Replaced(OrderId),
}

impl EndCause {
    /// The word that streams, answers and SQL use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancelled(CancelCause::Client) => "client",
            Self::Cancelled(CancelCause::CancelAll) => "cancel_all",
            Self::Cancelled(CancelCause::ImmediateOrCancel) => "immediate_or_cancel",
            Self::Cancelled(CancelCause::MarketRemainder) => "market_remainder",
            Self::Cancelled(CancelCause::SelfTrade) => "self_trade",
            Self::Cancelled(CancelCause::BookFull) => "book_full",
            Self::Cancelled(CancelCause::Expired) => "expired",
            Self::Cancelled(CancelCause::NotFillable) => "not_fillable",
            Self::Cancelled(CancelCause::Interruption) => "interruption",
            Self::Cancelled(CancelCause::OrderList) => "order_list",
            Self::Cancelled(CancelCause::Redefined) => "redefined",
            Self::Cancelled(CancelCause::Delisted) => "delisted",
            Self::Replaced(_) => "replaced",
        }
    }
}

/// An order with what became of it so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrderView {
    /// Where.
    pub market: MarketId,
    /// Its id.
    pub order: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The client's id, or none. A replacement keeps that of the order it replaces.
    pub client_order_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and quantity as placed; those of the replacement for a replacement.
    pub spec: OrderSpec,
    /// What makes it more than a plain order.
    pub conditions: Conditions,
    /// What is still open, in lots. Zero for market orders by quote.
    pub remaining: Quantity,
    /// Filled so far, in lots; at most [`MOST_FILLED`].
    pub filled: Quantity,
    /// Filled so far, in quote atoms. Average price = this over `filled`, scaled.
    pub quote_filled: Amount,
    /// Fees so far, in atoms of what the order receives (buy: base, sell: quote).
    pub fee: Amount,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it is cancelled; only then.
    pub cause: Option<EndCause>,
    /// Whether it has entered the book.
    pub rested: bool,
    /// The order that this one replaced.
    pub replaces: Option<OrderId>,
    /// The list that placed it: the id of the list's first order. The list may have ended.
    pub list: Option<OrderId>,
    /// When it was accepted.
    pub placed_at: Timestamp,
    /// The entry that accepted it.
    pub placed_seq: Seq,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The entry that changed it last.
    pub updated_seq: Seq,
}

impl OrderView {
    /// The order that an [`Event::OrderPlaced`] of this entry begins; nothing of it is filled yet.
    #[must_use]
    pub fn of_placed(time: Timestamp, seq: Seq, event: &Event) -> Option<Self> {
        let Event::OrderPlaced {
            market,
            order,
            account,
            client_order_id,
            side,
            spec,
            ref conditions,
            ..
        } = *event
        else {
            return None;
        };
        Some(Self {
            market,
            order,
            account,
            client_order_id,
            side,
            spec,
            conditions: **conditions,
            remaining: spec.quantity().unwrap_or_default(),
            filled: Quantity::ZERO,
            quote_filled: Amount::ZERO,
            fee: Amount::ZERO,
            status: OrderStatus::on_arrival(conditions),
            cause: None,
            rested: false,
            replaces: None,
            list: None,
            placed_at: time,
            placed_seq: seq,
            updated_at: time,
            updated_seq: seq,
        })
    }

    /// The limit price, if it has one.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        match self.spec {
            OrderSpec::Limit { price, .. } => Some(price),
            OrderSpec::MarketByQuantity { .. } | OrderSpec::MarketByQuote { .. } => None,
        }
    }

    /// Whether its quantity is stated in quote, so that `remaining` says nothing.
    #[must_use]
    pub fn is_by_quote(&self) -> bool {
        matches!(self.spec, OrderSpec::MarketByQuote { .. })
    }
}

/// The part that an order played in a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Liquidity {
    /// It rested and was matched.
    Maker,
    /// It came and matched.
    Taker,
    /// Both rested until an auction uncrossed.
    Auction,
}

impl Liquidity {
    /// The word that streams, answers and SQL use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
            Self::Auction => "auction",
        }
    }

    /// The part of `side` in a trade with this aggressor.
    #[must_use]
    pub fn of(side: Side, aggressor: Option<Side>) -> Self {
        match aggressor {
            None => Self::Auction,
            Some(aggressor) if aggressor == side => Self::Taker,
            Some(_) => Self::Maker,
        }
    }
}

/// One side of a trade, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct FillView {
    /// Where.
    pub market: MarketId,
    /// The trade. Both sides of a trade of an account with itself carry the same id.
    pub trade: TradeId,
    /// Whose order.
    pub account: AccountId,
    /// The order.
    pub order: OrderId,
    /// The order's client id, or none.
    pub client_order_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// Lots.
    pub quantity: Quantity,
    /// Base atoms, before the fee.
    pub base_amount: Amount,
    /// Quote atoms, before the fee.
    pub quote_amount: Amount,
    /// Taken from what was received, in its atoms (buy: base, sell: quote).
    pub fee: Amount,
    /// A maker's rebate, in atoms of what it paid (buy: quote, sell: base). Then there is no fee.
    pub rebate: Amount,
    /// Maker, taker or auction.
    pub liquidity: Liquidity,
    /// When.
    pub time: Timestamp,
    /// The partition whose log says so.
    pub partition: PartitionId,
    /// The entry.
    pub seq: Seq,
    /// The event's index within the entry.
    pub index: u32,
}
