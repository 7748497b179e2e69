//! A resting order: as it is stored, and as others see it.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Admit, Amount, FeeRates, HoldId, OrderId, Price, Quantity, Scaling,
    SelfTradePrevention, Side, Timestamp,
};

/// A resting order with all that the market knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RestingOrder {
    /// Its id.
    pub id: OrderId,
    /// The owner.
    pub account: AccountId,
    /// Buy or sell.
    pub side: Side,
    /// Its limit, in ticks.
    pub price: Price,
    /// What is open, in lots. Above zero.
    pub remaining: Quantity,
    /// What of it an iceberg does not show: less than all.
    pub hidden: Quantity,
    /// How much an iceberg shows at a time; zero if all is shown.
    pub visible: Quantity,
    /// What was filled, also under earlier ids before amendments.
    pub filled: Quantity,
    /// The owner's hold, which contains exactly [`RestingOrder::need`].
    pub hold: HoldId,
    /// Orders of the same group do not trade with each other where prevention is on.
    pub self_trade_group: u32,
    /// Rates stamped at admission.
    pub fees: FeeRates,
    /// What to do when it comes again after an amendment, or is the younger one in an auction.
    pub self_trade_prevention: SelfTradePrevention,
    /// It is never to take: an amendment that would let it match is rejected.
    pub post_only: bool,
    /// It is cancelled when the log's time comes here.
    pub expires_at: Option<Timestamp>,
    /// It was placed by a list, which may have ended.
    pub of_list: bool,
}

impl RestingOrder {
    /// A new order that rests as it comes.
    #[inline]
    pub(crate) fn new(id: OrderId, admit: &Admit, price: Price, quantity: Quantity) -> Self {
        let visible = admit.conditions.visible.unwrap_or_default();
        Self {
            id,
            account: admit.account,
            side: admit.side,
            price,
            remaining: quantity,
            hidden: hidden_at_first(visible, quantity),
            visible,
            filled: Quantity::ZERO,
            hold: admit.hold,
            self_trade_group: admit.self_trade_group,
            fees: admit.fees,
            self_trade_prevention: admit.self_trade_prevention,
            post_only: admit.spec.is_post_only(),
            expires_at: admit.conditions.expires_at,
            of_list: false,
        }
    }

    /// What of it others see.
    #[must_use]
    #[inline]
    pub fn shown(&self) -> Quantity {
        self.remaining - self.hidden
    }

    /// What its hold contains: quote atoms of a buy at its limit, base atoms of a sell.
    #[must_use]
    pub fn need(&self, scaling: &Scaling) -> Amount {
        scaling.need(self.side, self.price, self.remaining)
    }
}

/// What an order with so much left does not show when it comes to rest; zero `visible` shows all.
#[inline]
pub(crate) fn hidden_at_first(visible: Quantity, remaining: Quantity) -> Quantity {
    if visible.is_zero() { Quantity::ZERO } else { remaining.saturating_sub(visible) }
}

/// The order in its place: one cache line, so that a step touches one line per order. The price is
/// that of its level.
#[repr(align(64))]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    /// What is open and shown. Zero only while an iceberg is about to show its next part.
    pub(crate) shown: Quantity,
    pub(crate) filled: Quantity,
    /// The next older order of the level.
    pub(crate) prev: u32,
    /// The next younger order of the level.
    pub(crate) next: u32,
    pub(crate) level: u32,
    pub(crate) account: AccountId,
    pub(crate) hold: HoldId,
    pub(crate) self_trade_group: u32,
    pub(crate) fees: FeeRates,
    pub(crate) side: Side,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    pub(crate) post_only: bool,
    /// Whether [`crate::terms::Terms`] are kept of it.
    pub(crate) has_terms: bool,
    /// Whether it was placed by a list: then [`crate::lists`] is asked when something happens to it.
    pub(crate) of_list: bool,
}

const _: () = assert!(size_of::<Order>() == 64);
