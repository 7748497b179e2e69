//! A trade: who bought, who sold, and what each paid.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{AccountId, Amount, Fee, MarketId, OrderId, Price, Quantity, Side, TradeId};

/// One side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TradeSide {
    /// The owner.
    pub account: AccountId,
    /// Its order.
    pub order: OrderId,
    /// Quantity of that order that is still open after this trade. Zero: it is filled. Zero also
    /// for market orders by quote, whose quantity is not known beforehand.
    pub remaining: Quantity,
    /// Taken from what this side received (base for the buyer, quote for the seller), or a rebate in
    /// what it paid.
    pub fee: Fee,
}

/// A trade with both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Trade {
    /// Where.
    pub market: MarketId,
    /// Rising within the market.
    pub trade: TradeId,
    /// The maker's price, or the auction's.
    pub price: Price,
    /// How many lots.
    pub quantity: Quantity,
    /// Base atoms that the seller paid.
    pub base_amount: Amount,
    /// Quote atoms that the buyer paid.
    pub quote_amount: Amount,
    /// The taker's side, or none in an auction.
    pub aggressor: Option<Side>,
    /// Who bought.
    pub buyer: TradeSide,
    /// Who sold.
    pub seller: TradeSide,
}

impl Trade {
    /// The order that came and matched; none in an auction.
    #[must_use]
    pub fn taker(&self) -> Option<OrderId> {
        Some(match self.aggressor? {
            Side::Buy => self.buyer.order,
            Side::Sell => self.seller.order,
        })
    }
}
