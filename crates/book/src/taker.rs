//! An order on its way through the book: what it still wants, and what its hold still contains.

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, Admit, Amount, CancelCause, FeeRates, HoldId, OrderId, OrderSpec, Price, Quantity,
    Scaling, SelfTradePrevention, Side, TimeInForce, Timestamp,
};

use crate::lists::Member;
use crate::order::{RestingOrder, hidden_at_first};

/// The incoming order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Taker {
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) hold: HoldId,
    pub(crate) self_trade_group: u32,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    pub(crate) fees: FeeRates,
    /// What its hold still contains.
    pub(crate) budget: Amount,
    /// How much of it an iceberg shows at a time, should it rest.
    pub(crate) visible: Quantity,
    pub(crate) expires_at: Option<Timestamp>,
    /// The last price before it came.
    pub(crate) reference: Option<Price>,
    /// It was placed by a list, in which others wait until it is filled.
    pub(crate) of_list: bool,
    pub(crate) aim: Aim,
}

/// What it still wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Aim {
    /// Lots at `price` or better; what is left rests, or is cancelled.
    Limit {
        price: Price,
        remaining: Quantity,
        /// What was filled, also under earlier ids.
        filled: Quantity,
        rests: bool,
    },
    /// Lots at whatever price.
    Quantity { remaining: Quantity },
    /// Lots for so much quote.
    Quote {
        remaining: Amount,
        /// Whether anything was filled: if so, a rest of less than a lot leaves it filled.
        traded: bool,
    },
}

/// What it wants at the best price of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// So many lots, above zero.
    Lots(Quantity),
    /// Nothing more at this or a worse price: what is left of its quote is less than a lot.
    Nothing,
    /// Nothing at this price, or nothing that it can pay.
    NotHere,
}

impl Taker {
    pub(crate) fn new(order: OrderId, admit: &Admit, reference: Option<Price>) -> Self {
        Self {
            order,
            account: admit.account,
            side: admit.side,
            hold: admit.hold,
            self_trade_group: admit.self_trade_group,
            self_trade_prevention: admit.self_trade_prevention,
            fees: admit.fees,
            budget: admit.budget,
            visible: admit.conditions.visible.unwrap_or_default(),
            expires_at: admit.conditions.expires_at,
            reference,
            of_list: false,
            aim: Aim::new(&admit.spec),
        }
    }

    /// An order that enters again after an amendment, with `budget` in its hold.
    pub(crate) fn again(order: &RestingOrder, budget: Amount, reference: Option<Price>) -> Self {
        Self {
            order: order.id,
            account: order.account,
            side: order.side,
            hold: order.hold,
            self_trade_group: order.self_trade_group,
            self_trade_prevention: order.self_trade_prevention,
            fees: order.fees,
            budget,
            visible: order.visible,
            expires_at: order.expires_at,
            reference,
            of_list: order.of_list,
            aim: Aim::Limit {
                price: order.price,
                remaining: order.remaining,
                filled: order.filled,
                rests: true,
            },
        }
    }

    /// The lots it wants at `price`, the best of the other side.
    #[inline]
    pub(crate) fn wish(&self, price: Price, scaling: &Scaling) -> Wish {
        match self.aim {
            Aim::Limit { price: limit, remaining, .. } => {
                let meets = match self.side {
                    Side::Buy => price <= limit,
                    Side::Sell => price >= limit,
                };
                if meets { Wish::Lots(remaining) } else { Wish::NotHere }
            }
            Aim::Quantity { remaining } => Wish::Lots(remaining),
            Aim::Quote { remaining, .. } => self.wish_for_quote(remaining, price, scaling),
        }
    }

    /// How many of `lots` it can pay. A buyer's cap was seen to suffice on arrival; that of an order that
    /// waited for its trigger may not.
    #[inline]
    pub(crate) fn affordable(&self, lots: Quantity, price: Price, scaling: &Scaling) -> Quantity {
        match (self.side, self.aim) {
            (Side::Buy, Aim::Quantity { .. }) if scaling.notional(price, lots) > self.budget => {
                scaling.lots_for(self.budget, price)
            }
            _ => lots,
        }
    }

    fn wish_for_quote(&self, quote: Amount, price: Price, scaling: &Scaling) -> Wish {
        let lots = scaling.lots_for(quote, price);
        let covered = match self.side {
            Side::Buy => lots,
            Side::Sell => lots_in(self.budget, scaling),
        };
        match (lots.is_zero(), covered.is_zero()) {
            (true, _) => Wish::Nothing,
            (false, true) => Wish::NotHere,
            (false, false) => Wish::Lots(lots.min(covered)),
        }
    }

    /// Whether nothing more is wanted, whatever the book has.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        match self.aim {
            Aim::Limit { remaining, .. } | Aim::Quantity { remaining } => remaining.is_zero(),
            Aim::Quote { remaining, .. } => remaining.is_zero(),
        }
    }

    /// As one of a list.
    pub(crate) fn member(&self) -> Member {
        Member { order: self.order, account: self.account, hold: self.hold, need: self.budget }
    }

    /// Open quantity as events say it: zero when it is not stated in lots.
    #[inline]
    pub(crate) fn remaining(&self) -> Quantity {
        match self.aim {
            Aim::Limit { remaining, .. } | Aim::Quantity { remaining } => remaining,
            Aim::Quote { .. } => Quantity::ZERO,
        }
    }

    /// Takes `lots` at `price` off what it wants.
    #[inline]
    pub(crate) fn want_less(&mut self, lots: Quantity, price: Price, scaling: &Scaling) {
        match &mut self.aim {
            Aim::Limit { remaining, .. } | Aim::Quantity { remaining } => *remaining -= lots,
            Aim::Quote { remaining, .. } => *remaining -= scaling.notional(price, lots),
        }
    }

    /// Notes that `lots` were traded at `price`, for which `debit` left its hold.
    #[inline]
    pub(crate) fn fill(&mut self, lots: Quantity, price: Price, debit: Amount, scaling: &Scaling) {
        self.want_less(lots, price, scaling);
        self.budget -= debit;
        match &mut self.aim {
            Aim::Limit { filled, .. } => *filled += lots,
            Aim::Quote { traded, .. } => *traded = true,
            Aim::Quantity { .. } => {}
        }
    }

    /// Whether an order by quote was filled at all. Others are filled when no lot remains.
    pub(crate) fn has_traded(&self) -> bool {
        matches!(self.aim, Aim::Quote { traded: true, .. })
    }

    /// What its hold contained for `lots` that it pays with `debit`: the rest is improvement.
    #[inline]
    pub(crate) fn improvement(&self, lots: Quantity, debit: Amount, scaling: &Scaling) -> Amount {
        match (self.side, self.aim) {
            (Side::Buy, Aim::Limit { price, .. }) => scaling.notional(price, lots) - debit,
            _ => Amount::ZERO,
        }
    }

    /// What its hold does not need any more when it wants `lots` less without a trade. Nothing for a
    /// buy by quantity, whose cap is not bound to lots.
    pub(crate) fn share_of(&self, lots: Quantity, price: Price, scaling: &Scaling) -> Amount {
        match (self.side, self.aim) {
            (Side::Sell, _) => scaling.base(lots),
            (Side::Buy, Aim::Limit { price: limit, .. }) => scaling.notional(limit, lots),
            (Side::Buy, Aim::Quote { .. }) => scaling.notional(price, lots),
            (Side::Buy, Aim::Quantity { .. }) => Amount::ZERO,
        }
    }

    /// Why its remainder is cancelled, if it does not rest.
    pub(crate) fn remainder_cause(&self) -> CancelCause {
        match self.aim {
            Aim::Limit { .. } => CancelCause::ImmediateOrCancel,
            Aim::Quantity { .. } | Aim::Quote { .. } => CancelCause::MarketRemainder,
        }
    }

    /// Its remainder as it would rest, if it does.
    #[inline]
    pub(crate) fn resting(&self, scaling: &Scaling) -> Option<RestingOrder> {
        let Aim::Limit { price, remaining, filled, rests: true } = self.aim else {
            return None;
        };
        assert_eq!(
            self.budget,
            scaling.need(self.side, price, remaining),
            "the hold of order {} contains what it needs",
            self.order
        );
        Some(RestingOrder {
            id: self.order,
            account: self.account,
            side: self.side,
            price,
            remaining,
            hidden: hidden_at_first(self.visible, remaining),
            visible: self.visible,
            filled,
            hold: self.hold,
            self_trade_group: self.self_trade_group,
            fees: self.fees,
            self_trade_prevention: self.self_trade_prevention,
            post_only: false,
            expires_at: self.expires_at,
            of_list: self.of_list,
        })
    }
}

impl Aim {
    fn new(spec: &OrderSpec) -> Self {
        match *spec {
            OrderSpec::Limit { price, quantity, time_in_force, .. } => {
                let rests = time_in_force == TimeInForce::Gtc;
                Self::Limit { price, remaining: quantity, filled: Quantity::ZERO, rests }
            }
            OrderSpec::MarketByQuantity { quantity, .. } => Self::Quantity { remaining: quantity },
            OrderSpec::MarketByQuote { quote, .. } => {
                Self::Quote { remaining: quote, traded: false }
            }
        }
    }
}

/// Whole lots in an amount of base.
pub(crate) fn lots_in(base: Amount, scaling: &Scaling) -> Quantity {
    let lots = base.get() / u128::from(scaling.base_atoms_per_lot);
    Quantity::new(u64::try_from(lots).unwrap_or(u64::MAX))
}
