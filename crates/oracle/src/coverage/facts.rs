//! What happens besides answers to orders, by name: each must be seen.

use types::{
    CancelCause, Concerns, Decision, Event, Fee, ListEnd, MarketBounds, MarketState, RejectCode,
    Request,
};

use super::Outcome;

/// What must have happened at least once.
pub(super) const FACTS: [&str; 56] = [
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
    "listing without room refused",
    "redefinition without room refused",
];

/// The name of what happened, if it is counted.
pub(super) fn fact(event: &Event) -> Option<&'static str> {
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

/// Why a command was refused, if it is counted.
pub(super) fn reason(request: &Request, outcome: Outcome) -> Option<&'static str> {
    let no_room = |bounds: &MarketBounds| {
        let MarketBounds { max_orders, max_levels, max_orders_per_account, max_waiting } = *bounds;
        [max_orders, max_levels, max_orders_per_account, max_waiting].contains(&0)
    };
    if outcome != Outcome::Rejected(RejectCode::InvalidDefinition) {
        return None;
    }
    match request {
        Request::ListMarket(def) => no_room(&def.bounds).then_some("listing without room refused"),
        Request::PlanRedefinition { redefinition: Some(new), .. } => {
            let no_room = new.bounds.as_ref().is_some_and(no_room);
            no_room.then_some("redefinition without room refused")
        }
        _ => None,
    }
}

fn is_rebate(fee: Fee) -> bool {
    matches!(fee, Fee::Rebate { .. })
}
