//! Types of orders and of commands on orders, and what may become of one: the lines of the table.

use types::{
    ListLeg, OrderSpec, PlaceOrder, PlaceOrderList, RejectCode, Request, TimeInForce, Trigger,
};

/// A type of order, or of a command on orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Gtc,
    Dated,
    Iceberg,
    GtcMinimum,
    PostOnly,
    Slide,
    Ioc,
    IocMinimum,
    Fok,
    MarketByQuantity,
    MarketByQuote,
    StopLimit,
    StopIoc,
    StopFok,
    StopMarketByQuantity,
    StopMarketByQuote,
    TrailingLimit,
    TrailingMarket,
    Amend,
    Cancel,
    CancelByClientId,
    CancelAll,
    Replace,
    Pair,
    PairOfTriggers,
    OneTriggersOther,
    OneTriggersPair,
    CancelList,
    PendingOrder,
    PendingPair,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 30] = [
        Self::Gtc,
        Self::Dated,
        Self::Iceberg,
        Self::GtcMinimum,
        Self::PostOnly,
        Self::Slide,
        Self::Ioc,
        Self::IocMinimum,
        Self::Fok,
        Self::MarketByQuantity,
        Self::MarketByQuote,
        Self::StopLimit,
        Self::StopIoc,
        Self::StopFok,
        Self::StopMarketByQuantity,
        Self::StopMarketByQuote,
        Self::TrailingLimit,
        Self::TrailingMarket,
        Self::Amend,
        Self::Cancel,
        Self::CancelByClientId,
        Self::CancelAll,
        Self::Replace,
        Self::Pair,
        Self::PairOfTriggers,
        Self::OneTriggersOther,
        Self::OneTriggersPair,
        Self::CancelList,
        Self::PendingOrder,
        Self::PendingPair,
    ];

    /// The kind of a request, if it is about orders.
    pub fn of(request: &Request) -> Option<Self> {
        Some(match request {
            Request::PlaceOrder(order) => Self::of_order(order),
            Request::AmendOrder { .. } => Self::Amend,
            Request::CancelOrder { .. } => Self::Cancel,
            Request::CancelByClientId { .. } => Self::CancelByClientId,
            Request::CancelAll { .. } => Self::CancelAll,
            Request::ReplaceOrder(_) => Self::Replace,
            Request::PlaceOrderList(list) => Self::of_list(list),
            Request::CancelOrderList { .. } => Self::CancelList,
            _ => return None,
        })
    }

    /// The kind of a list. What makes none counts as what its numbers of legs are nearest to.
    fn of_list(list: &PlaceOrderList) -> Self {
        let waits = |leg: &ListLeg| leg.conditions.trigger.is_some();
        match list.pending.len() {
            0 if list.legs.first().is_some_and(waits) => Self::PairOfTriggers,
            0 => Self::Pair,
            1 => Self::OneTriggersOther,
            _ => Self::OneTriggersPair,
        }
    }

    /// The kind of an order.
    pub fn of_order(order: &PlaceOrder) -> Self {
        let conditions = &order.conditions;
        let trails = matches!(conditions.trigger, Some(Trigger::Trails { .. }));
        let waits = conditions.trigger.is_some();
        match order.spec {
            OrderSpec::Limit { .. } if trails => Self::TrailingLimit,
            _ if trails => Self::TrailingMarket,
            OrderSpec::MarketByQuantity { .. } if waits => Self::StopMarketByQuantity,
            OrderSpec::MarketByQuote { .. } if waits => Self::StopMarketByQuote,
            OrderSpec::MarketByQuantity { .. } => Self::MarketByQuantity,
            OrderSpec::MarketByQuote { .. } => Self::MarketByQuote,
            OrderSpec::Limit { time_in_force: TimeInForce::Ioc, .. } if waits => Self::StopIoc,
            OrderSpec::Limit { time_in_force: TimeInForce::Fok, .. } if waits => Self::StopFok,
            OrderSpec::Limit { time_in_force: TimeInForce::Fok, .. } => Self::Fok,
            OrderSpec::Limit { time_in_force: TimeInForce::Ioc, .. } => {
                if conditions.minimum.is_some() { Self::IocMinimum } else { Self::Ioc }
            }
            OrderSpec::Limit { .. } if waits => Self::StopLimit,
            OrderSpec::Limit { post_only: true, .. } => {
                if conditions.slide {
                    Self::Slide
                } else {
                    Self::PostOnly
                }
            }
            OrderSpec::Limit { .. } if conditions.minimum.is_some() => Self::GtcMinimum,
            OrderSpec::Limit { .. } if conditions.visible.is_some() => Self::Iceberg,
            OrderSpec::Limit { .. } if conditions.expires_at.is_some() => Self::Dated,
            OrderSpec::Limit { .. } => Self::Gtc,
        }
    }

    /// Whether it is an order that waits for a trigger.
    pub fn waits(self) -> bool {
        Self::StopLimit <= self && self <= Self::TrailingMarket
    }

    /// Whether it is a list that comes.
    pub fn is_list(self) -> bool {
        Self::Pair <= self && self <= Self::OneTriggersPair
    }

    /// Whether it is an order, not a command on orders.
    pub fn is_order(self) -> bool {
        self < Self::Amend
    }
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was done.
    Accepted,
    /// Its client id was seen before.
    Repeated,
    /// It was rejected.
    Rejected(RejectCode),
}

impl Outcome {
    /// The code's name, or what else became of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Rejected(code) => code.name(),
        }
    }
}
