//! What was seen: type of order × state of the market × outcome, and what must be seen.

pub mod operations;
mod required;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use types::{
    CancelCause, Concerns, Decision, Event, Fee, ListEnd, ListLeg, MarketState, OrderSpec,
    PlaceOrder, PlaceOrderList, RejectCode, Request, TimeInForce, Trigger,
};

pub use required::unreachable;

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

/// The states, in the order of the table in section 7, and none for a market that does not exist and for
/// what no command brings.
pub const STATES: [Option<MarketState>; 8] = [
    Some(MarketState::PreOpen),
    Some(MarketState::Auction),
    Some(MarketState::Continuous),
    Some(MarketState::CancelOnly),
    Some(MarketState::Closed),
    Some(MarketState::Halted),
    Some(MarketState::Delisted),
    None,
];

/// A cell of the table.
pub type Cell = (Kind, Option<MarketState>, Outcome);

/// Counts.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By cell of the table.
    pub cells: BTreeMap<Cell, u64>,
    /// By other command and answer.
    pub answers: operations::Answers,
    /// By name of what happened.
    pub facts: BTreeMap<&'static str, u64>,
    /// Commands, orders or not.
    pub commands: u64,
}

impl Coverage {
    /// Counts a command on orders.
    pub fn count(&mut self, kind: Kind, state: Option<MarketState>, outcome: Outcome) {
        *self.cells.entry((kind, state, outcome)).or_default() += 1;
    }

    /// Counts what happened.
    pub fn count_fact(&mut self, event: &Event) {
        if let Some(name) = fact(event) {
            *self.facts.entry(name).or_default() += 1;
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
        for (answer, count) in &other.answers {
            *self.answers.entry(*answer).or_default() += count;
        }
        for (name, count) in &other.facts {
            *self.facts.entry(name).or_default() += count;
        }
        self.commands += other.commands;
    }

    /// Cells that the rules say are reachable and that were not seen.
    pub fn missing(&self) -> Vec<Cell> {
        required::cells().filter(|cell| !self.cells.contains_key(cell)).collect()
    }

    /// Cells that were seen although they are in the list of unreachable ones.
    pub fn impossible(&self) -> Vec<Cell> {
        let listed = |&&(kind, state, outcome): &&Cell| {
            state.is_some() && unreachable(kind, state, outcome).is_some()
        };
        self.cells.keys().filter(listed).copied().collect()
    }

    /// Facts that were never seen.
    pub fn missing_facts(&self) -> Vec<&'static str> {
        FACTS.iter().copied().filter(|name| !self.facts.contains_key(name)).collect()
    }

    /// The table as text: a line per kind and outcome, a column per state.
    pub fn table(&self) -> String {
        let mut rows: BTreeMap<(Kind, Outcome), [u64; 8]> = BTreeMap::new();
        for (&(kind, state, outcome), count) in &self.cells {
            let column = STATES.iter().position(|other| *other == state).expect("all are listed");
            rows.entry((kind, outcome)).or_default()[column] += count;
        }
        let heads = [
            "pre-open",
            "auction",
            "continuous",
            "cancel-only",
            "closed",
            "halted",
            "delisted",
            "none",
        ];
        let mut text = format!("{:<21} {:<23}", "type", "outcome");
        for head in heads {
            let _ = write!(text, " {head:>11}");
        }
        for ((kind, outcome), counts) in rows {
            let _ = write!(text, "\n{:<21} {:<23}", format!("{kind:?}"), outcome.name());
            for count in counts {
                let _ = write!(text, " {count:>11}");
            }
        }
        text += &operations::table(&self.answers);
        for (name, count) in &self.facts {
            let _ = write!(text, "\n{name:<45} {count:>11}");
        }
        text
    }
}

/// What must have happened at least once.
const FACTS: [&str; 54] = [
    "trade",
    "trade in an auction",
    "auction with a price",
    "auction without a price",
    "iceberg refilled",
    "order triggered",
    "order reduced",
    "order replaced",
    "cancelled: immediate_or_cancel",
    "cancelled: market_remainder",
    "cancelled: self_trade",
    "cancelled: book_full",
    "cancelled: expired",
    "cancelled: not_fillable",
    "entry continued",
    "cancelled: interruption",
    "trading interrupted",
    "state changed by the clock",
    "dead man's switch fired",
    "plan refused",
    "rules set",
    "fired order ended without entering",
    "list done",
    "list cancelled",
    "list refused",
    "list went on",
    "cancelled: order_list",
    "fee tier changed by volume",
    "volume counted",
    "rebate paid",
    "trade of an account with itself",
    "fee tier pinned",
    "fee tier unpinned",
    "reserves attested",
    "proposed: ceiling",
    "proposed: large credit",
    "proposed: credits of an hour",
    "proposed: manual",
    "proposed: loosening",
    "approval awaited",
    "proposal endorsed",
    "proposal approved",
    "proposal rejected",
    "proposal expired",
    "redefinition planned",
    "redefinition taken back",
    "redefinition dropped when due",
    "units changed",
    "cancelled: redefined",
    "delisting planned",
    "market delisted",
    "cancelled: delisted",
    "reopening through cancel-only",
    "reopening through an auction",
];

fn fact(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Trade(trade) if trade.buyer.account == trade.seller.account => {
            "trade of an account with itself"
        }
        Event::Trade(trade) if is_rebate(trade.buyer.fee) || is_rebate(trade.seller.fee) => {
            "rebate paid"
        }
        Event::Trade(trade) if trade.aggressor.is_none() => "trade in an auction",
        Event::Trade(_) => "trade",
        Event::AuctionUncrossed { price, .. } if price.get() == 0 => "auction without a price",
        Event::AuctionUncrossed { .. } => "auction with a price",
        Event::OrderRefilled { .. } => "iceberg refilled",
        Event::OrderTriggered { .. } => "order triggered",
        Event::OrderReduced { .. } => "order reduced",
        Event::TradingInterrupted { .. } => "trading interrupted",
        Event::MarketStateChanged { state: MarketState::Delisted, .. } => "market delisted",
        Event::MarketStateChanged { reply, .. } if reply.is_nobody() => {
            "state changed by the clock"
        }
        Event::CountdownSet { reply, .. } if reply.is_nobody() => "dead man's switch fired",
        Event::Rejected { code: RejectCode::PlanRefused, .. } => "plan refused",
        Event::OrderListEnded { end: ListEnd::Done, .. } => "list done",
        Event::OrderListEnded { end: ListEnd::Cancelled, .. } => "list cancelled",
        Event::OrderListEnded { end: ListEnd::Refused { .. }, .. } => "list refused",
        Event::OrderListAdvanced { .. } => "list went on",
        Event::MarketRulesSet { .. } => "rules set",
        Event::FeeTierChanged { .. } => "fee tier changed by volume",
        Event::VolumeChanged { .. } => "volume counted",
        Event::RedefinitionPlanned { redefinition: Some(_), .. } => "redefinition planned",
        Event::RedefinitionPlanned { reply, .. } if reply.is_nobody() => {
            "redefinition dropped when due"
        }
        Event::RedefinitionPlanned { .. } => "redefinition taken back",
        Event::MarketRedefined { .. } => "units changed",
        Event::DelistingPlanned { .. } => "delisting planned",
        Event::MarketReopening { state: MarketState::CancelOnly, .. } => {
            "reopening through cancel-only"
        }
        Event::MarketReopening { .. } => "reopening through an auction",
        Event::ReservesAttested { .. } => "reserves attested",
        Event::ProposalMade { proposal, .. } => match proposal.concerns {
            Concerns { ceiling: true, .. } => "proposed: ceiling",
            Concerns { large: true, .. } => "proposed: large credit",
            Concerns { hourly: true, .. } => "proposed: credits of an hour",
            Concerns { manual: true, .. } => "proposed: manual",
            _ => "proposed: loosening",
        },
        Event::ApprovalAwaited { .. } => "approval awaited",
        Event::ProposalDecided { decision, .. } => match decision {
            Decision::Endorsed => "proposal endorsed",
            Decision::Approved => "proposal approved",
            Decision::Rejected => "proposal rejected",
            Decision::Expired => "proposal expired",
        },
        Event::AccountFeeTierSet { pinned: true, .. } => "fee tier pinned",
        Event::AccountFeeTierSet { pinned: false, .. } => "fee tier unpinned",
        Event::OrderReplaced { .. } => "order replaced",
        Event::OrderCancelled { cause, .. } => match cause {
            CancelCause::ImmediateOrCancel => "cancelled: immediate_or_cancel",
            CancelCause::MarketRemainder => "cancelled: market_remainder",
            CancelCause::SelfTrade => "cancelled: self_trade",
            CancelCause::BookFull => "cancelled: book_full",
            CancelCause::Expired => "cancelled: expired",
            CancelCause::NotFillable => "cancelled: not_fillable",
            CancelCause::Interruption => "cancelled: interruption",
            CancelCause::OrderList => "cancelled: order_list",
            CancelCause::Redefined => "cancelled: redefined",
            CancelCause::Delisted => "cancelled: delisted",
            CancelCause::Client | CancelCause::CancelAll => return None,
        },
        _ => return None,
    })
}

fn is_rebate(fee: Fee) -> bool {
    matches!(fee, Fee::Rebate { .. })
}
