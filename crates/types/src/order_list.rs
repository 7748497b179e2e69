//! Lists: orders of one account in one market that depend on each other.
//!
//! The legs that are *placed at once* are one order, or a pair of which one cancels the other. Behind a
//! single one may *pend* one more leg or a pair, placed when it is filled. That gives three kinds:
//! one-cancels-the-other, one-triggers-the-other, and one-triggers-a-one-cancels-the-other. A list is
//! named by the id of its first order. The rules are in `docs/trading-rules.md`, section 12.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AccountId, Admit, ClientOrderId, Conditions, HoldId, MarketId, OrderId, OrderSpec, PlaceOrder,
    RejectCode, ReplyTo, SelfTradePrevention, Side, TimeInForce, Trigger,
};

/// How the legs of a list depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OrderListKind {
    /// One cancels the other (OCO).
    OneCancelsOther = 1,
    /// One triggers the other (OTO): the second is placed when the first is filled.
    OneTriggersOther = 2,
    /// One triggers a pair of which one cancels the other (OTOCO).
    OneTriggersPair = 3,
}

/// An order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ListLeg {
    /// Its own name, or none.
    pub client_order_id: ClientOrderId,
    /// Buy or sell.
    pub side: Side,
    /// Kind, price and quantity.
    pub spec: OrderSpec,
    /// What makes it more than a plain order.
    pub conditions: Conditions,
}

/// A list as its client sends it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlaceOrderList {
    /// The owner.
    pub account: AccountId,
    /// Where: all legs are there.
    pub market: MarketId,
    /// The version of the market's definition that ticks and lots mean.
    pub version: u32,
    /// Idempotency key and name of the list, or [`ClientOrderId::NONE`].
    pub client_order_id: ClientOrderId,
    /// Against trading with oneself, for each leg.
    pub self_trade_prevention: SelfTradePrevention,
    /// Placed at once: one, or a pair.
    pub legs: Vec<ListLeg>,
    /// Placed when the first is filled: none, one, or a pair.
    pub pending: Vec<ListLeg>,
}

/// How a list came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ListEnd {
    /// As it was meant: one of the pair traded or was triggered, or the pending leg was placed.
    Done = 1,
    /// A leg ended before, or lost lots to self-trade prevention.
    Cancelled = 2,
    /// The pending legs were refused when they were to be placed.
    Refused {
        /// Why.
        code: RejectCode,
    } = 3,
}

/// Ledger → market: the funded legs of a list.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AdmitList {
    /// Who waits.
    pub reply: ReplyTo,
    /// The owner.
    pub account: AccountId,
    /// Where.
    pub market: MarketId,
    /// The list whose pending legs these are; zero if they begin a list.
    pub list: OrderId,
    /// The client's name of the list, for events only.
    pub client_order_id: ClientOrderId,
    /// One order or a pair, each with what it needs as its budget. The hold of the first contains the
    /// larger need of a pair, that of the second nothing.
    pub legs: Vec<Admit>,
    /// What is to be placed when the one order is filled.
    pub pending: Vec<ListLeg>,
}

/// Market → ledger: the order that others waited for is filled, and its hold is closed, in which nothing
/// is left. Now place the others.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PlacePending {
    /// The filled order, which names the list.
    pub list: OrderId,
    /// Its hold.
    pub hold: HoldId,
    /// The pending legs as if they were a list, without pending ones of their own.
    pub orders: PlaceOrderList,
}

impl PlaceOrderList {
    /// A leg as an order by itself.
    #[must_use]
    pub fn order(&self, leg: &ListLeg) -> PlaceOrder {
        PlaceOrder {
            account: self.account,
            market: self.market,
            version: self.version,
            client_order_id: leg.client_order_id,
            side: leg.side,
            spec: leg.spec,
            conditions: leg.conditions.into(),
            self_trade_prevention: self.self_trade_prevention,
        }
    }

    /// All legs, those placed at once first.
    pub fn all_legs(&self) -> impl Iterator<Item = &ListLeg> + Clone {
        self.legs.iter().chain(&self.pending)
    }

    /// The kind, if legs of this number and form make a list.
    #[must_use]
    pub fn kind(&self) -> Option<OrderListKind> {
        match (&self.legs[..], &self.pending[..]) {
            ([first, second], []) if is_pair(first, second) => Some(OrderListKind::OneCancelsOther),
            ([first], [_]) if may_be_waited_for(first) => Some(OrderListKind::OneTriggersOther),
            ([first], [a, b]) if may_be_waited_for(first) && is_pair(a, b) => {
                Some(OrderListKind::OneTriggersPair)
            }
            _ => None,
        }
    }
}

/// Where a leg of a pair acts when seen from the last price.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Above,
    Below,
}

/// Others may wait until this one is filled: a limit order without a trigger.
fn may_be_waited_for(leg: &ListLeg) -> bool {
    matches!(leg.spec, OrderSpec::Limit { .. }) && leg.conditions.trigger.is_none()
}

/// Same side and lots; the first rests or waits, the second waits; one acts above, the other below.
fn is_pair(first: &ListLeg, second: &ListLeg) -> bool {
    let alike = first.side == second.side
        && first.spec.quantity().is_some()
        && first.spec.quantity() == second.spec.quantity();
    let apart = match (direction(first), direction(second)) {
        (Some(first), Some(second)) => first != second,
        _ => false,
    };
    alike && apart && second.conditions.trigger.is_some()
}

fn direction(leg: &ListLeg) -> Option<Direction> {
    use Direction::{Above, Below};
    match (leg.conditions.trigger, leg.side) {
        (Some(Trigger::Rises { .. }), _) | (Some(Trigger::Trails { .. }), Side::Buy) => Some(Above),
        (Some(Trigger::Falls { .. }), _) | (Some(Trigger::Trails { .. }), Side::Sell) => {
            Some(Below)
        }
        (None, side) => {
            let rests =
                matches!(leg.spec, OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. });
            let Conditions { minimum, slide, .. } = leg.conditions;
            let stays = rests && minimum.is_none() && !slide;
            stays.then_some(if side == Side::Sell { Above } else { Below })
        }
    }
}

/// A list that was accepted, as the event tells it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OrderListPlaced {
    /// Who waits.
    pub reply: ReplyTo,
    /// Where.
    pub market: MarketId,
    /// Its id: that of its first order.
    pub list: OrderId,
    /// The owner.
    pub account: AccountId,
    /// The client's name of it, or none.
    pub client_order_id: ClientOrderId,
    /// How its legs depend on each other.
    pub kind: OrderListKind,
    /// The orders that are placed at once; their `OrderPlaced` follow.
    pub orders: Vec<OrderId>,
    /// What is placed when the first is filled.
    pub pending: Vec<ListLeg>,
}
