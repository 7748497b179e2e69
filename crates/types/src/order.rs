//! What an order is: sides, kinds, times in force, why it ended, and the states of a market.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{AccountId, Amount, BoxedConditions, ClientOrderId, MarketId, Price, Quantity};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Side {
    /// Pays quote, receives base.
    Buy = 1,
    /// Pays base, receives quote.
    Sell = 2,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// How long a limit order may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum TimeInForce {
    /// Good till cancelled: what does not match rests.
    Gtc = 1,
    /// Immediate or cancel: what does not match at once is cancelled.
    Ioc = 2,
    /// Fill or kill: matches whole at once or is rejected.
    Fok = 3,
}

/// What happens when an order would match another of the same owner. The mode of the incoming
/// order decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SelfTradePrevention {
    /// They trade.
    #[default]
    None = 1,
    /// What is left of the incoming order is cancelled.
    ExpireTaker = 2,
    /// The resting order is cancelled and matching goes on.
    ExpireMaker = 3,
    /// Both are cancelled.
    ExpireBoth = 4,
    /// Both are reduced by the smaller quantity without a trade; what reaches zero is cancelled.
    Decrement = 5,
}

/// The kind of an order with its quantities. A further kind is a further variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OrderSpec {
    /// At `price` or better.
    Limit {
        /// Worst price, in ticks.
        price: Price,
        /// Quantity, in lots.
        quantity: Quantity,
        /// How long it lives.
        time_in_force: TimeInForce,
        /// Rejected if it would match on arrival. Only with [`TimeInForce::Gtc`].
        post_only: bool,
    } = 1,
    /// `quantity` at whatever price; what the book cannot fill is cancelled.
    MarketByQuantity {
        /// Quantity, in lots.
        quantity: Quantity,
        /// A buyer's limit on quote spent; without it, all available quote is locked meanwhile.
        max_spend: Option<Amount>,
    } = 2,
    /// As many lots as `quote` pays (buy), or as bring at most `quote` (sell).
    MarketByQuote {
        /// Quote to spend or to receive, in atoms.
        quote: Amount,
        /// A seller's limit on base spent; without it, all available base is locked meanwhile.
        max_spend: Option<Amount>,
    } = 3,
}

impl OrderSpec {
    /// Whether what does not match at once may rest.
    #[must_use]
    pub fn may_rest(&self) -> bool {
        matches!(self, Self::Limit { time_in_force: TimeInForce::Gtc, .. })
    }

    /// Whether it is never to take.
    #[must_use]
    #[inline]
    pub fn is_post_only(&self) -> bool {
        matches!(self, Self::Limit { post_only: true, .. })
    }

    /// The worst price of a limit order, else zero.
    #[must_use]
    #[inline]
    pub fn limit_price(&self) -> Price {
        match *self {
            Self::Limit { price, .. } => price,
            Self::MarketByQuantity { .. } | Self::MarketByQuote { .. } => Price::ZERO,
        }
    }

    /// The same with another limit; an order without one stays as it is.
    #[must_use]
    pub fn at_price(mut self, to: Price) -> Self {
        if let Self::Limit { price, .. } = &mut self {
            *price = to;
        }
        self
    }

    /// The quantity asked for, if it is stated in base.
    #[must_use]
    pub fn quantity(&self) -> Option<Quantity> {
        match *self {
            Self::Limit { quantity, .. } | Self::MarketByQuantity { quantity, .. } => {
                Some(quantity)
            }
            Self::MarketByQuote { .. } => None,
        }
    }
}

/// An order as its client sends it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlaceOrder {
    /// The owner.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// The version of the market's definition that its ticks and lots mean.
    pub version: u32,
    /// Idempotency key, or [`ClientOrderId::NONE`].
    pub client_order_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and quantity.
    pub spec: OrderSpec,
    /// What makes it more than a plain order.
    pub conditions: BoxedConditions,
    /// Against trading with oneself.
    pub self_trade_prevention: SelfTradePrevention,
}

/// What a market does with orders.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize,
)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum MarketState {
    /// Orders match on arrival.
    #[default]
    Continuous = 1,
    /// Limit orders collect without matching, also crossed; leaving this state uncrosses them.
    Auction = 2,
    /// Nothing is accepted or matched; cancels pass.
    CancelOnly = 3,
    /// Nothing is accepted, matched or cancelled.
    Halted = 4,
    /// As an auction, but without a price: limit orders collect before the auction opens.
    PreOpen = 5,
    /// The session is over: nothing is accepted or matched; cancels pass.
    Closed = 6,
    /// The market has ended for good and holds no orders.
    Delisted = 7,
}

/// Why an order ended without being filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum CancelCause {
    /// Its owner cancelled it.
    Client = 1,
    /// Its owner cancelled all orders of the market.
    CancelAll = 2,
    /// The remainder of an immediate-or-cancel order.
    ImmediateOrCancel = 3,
    /// The remainder of a market order.
    MarketRemainder = 4,
    /// It would have traded with its own owner.
    SelfTrade = 5,
    /// The book was full when the remainder of a matched order was to rest.
    BookFull = 6,
    /// Its date came.
    Expired = 7,
    /// When its trigger fired it could not enter: it could not be filled as it asked.
    NotFillable = 8,
    /// It would have traded too far from the last price: an auction comes first.
    Interruption = 9,
    /// The other one of its pair traded, was triggered or ended.
    OrderList = 10,
    /// The market's units changed, and its price, a quantity or its trigger is no whole number of the
    /// new ones, or too large.
    Redefined = 11,
    /// The market ended.
    Delisted = 12,
}
