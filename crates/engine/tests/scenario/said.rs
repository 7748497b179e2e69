//! Events in few words.

use types::{AccountId, CancelCause, Event, ListEnd, MarketState, OrderId, Timestamp};

use super::floor::PEOPLE;
use super::{failures, treasury};

/// What an event says; balances are asked for by `funds` instead.
pub fn said(event: &Event, seconds: impl Fn(Timestamp) -> u64) -> Option<String> {
    Some(match event {
        Event::Rejected { code, .. } => format!("rejected {code}"),
        Event::Repeated { outcome: Ok(OrderId(0)), .. } => "repeated: done".to_owned(),
        Event::Repeated { outcome: Ok(order), .. } => format!("repeated: {order}"),
        Event::Repeated { outcome: Err(code), .. } => format!("repeated: rejected {code}"),
        Event::OrderPlaced { order, .. } => format!("placed {order}"),
        Event::OrderRested { order, price, quantity, hidden, .. } if hidden.is_zero() => {
            format!("rested {order}: {quantity} @ {price}")
        }
        Event::OrderRested { order, price, quantity, hidden, .. } => {
            format!("rested {order}: {quantity}+{hidden} @ {price}")
        }
        Event::Trade(trade) => {
            let (seller, buyer) = (trade.seller.order, trade.buyer.order);
            format!("trade {} @ {}: {seller} to {buyer}", trade.quantity, trade.price)
        }
        Event::OrderCancelled { order, remaining, cause, .. } => {
            format!("cancelled {order} with {remaining} left: {}", why(*cause))
        }
        Event::OrderReduced { order, remaining, visible, .. } if remaining == visible => {
            format!("reduced {order} to {remaining}")
        }
        Event::OrderReduced { order, remaining, visible, .. } => {
            format!("reduced {order} to {remaining}, shows {visible}")
        }
        Event::OrderReplaced { old_order, order, price, quantity, .. } => {
            format!("replaced {old_order} by {order}: {quantity} @ {price}")
        }
        Event::OrderRefilled { order, quantity, hidden, .. } => {
            format!("refilled {order}: {quantity}+{hidden}")
        }
        Event::OrderTriggered { order, .. } => format!("triggered {order}"),
        Event::CancelAllAccepted { count, .. } => format!("cancels {count}"),
        Event::MarketStateChanged { state, .. } => format!("state {}", state_word(*state)),
        Event::AuctionUncrossed { price, quantity, .. } => format!("auction {quantity} @ {price}"),
        Event::TradingInterrupted { last, would_trade, until, .. } => {
            format!("interrupted until {}: {would_trade} after {last}", seconds(*until))
        }
        Event::MarketStatePlanned { at, state: Some(state), .. } => {
            format!("planned {} at {}", state_word(*state), seconds(*at))
        }
        Event::MarketStatePlanned { at, state: None, .. } => {
            format!("nothing planned at {}", seconds(*at))
        }
        Event::OrderListPlaced(placed) => {
            let pending = match placed.pending.len() {
                0 => String::new(),
                count => format!(", {count} pending"),
            };
            format!("list {}: {}{pending}", placed.list, ids(&placed.orders))
        }
        Event::OrderListAdvanced { list, orders, .. } => {
            format!("list {list} goes on: {}", ids(orders))
        }
        Event::OrderListEnded { list, end, .. } => match end {
            ListEnd::Done => format!("list {list} done"),
            ListEnd::Cancelled => format!("list {list} cancelled"),
            ListEnd::Refused { code } => format!("list {list} refused {code}"),
        },
        Event::CountdownSet { at: Some(at), .. } => format!("switch at {}", seconds(*at)),
        Event::CountdownSet { at: None, .. } => "switch off".to_owned(),
        Event::RedefinitionPlanned { at, redefinition: Some(new), .. } => {
            format!("planned tick {}, lot {} at {}", new.tick, new.lot, seconds(*at))
        }
        Event::RedefinitionPlanned { at, redefinition: None, .. } => {
            format!("no redefinition at {}", seconds(*at))
        }
        Event::DelistingPlanned { at: Some(at), .. } => format!("delisted at {}", seconds(*at)),
        Event::DelistingPlanned { at: None, .. } => "no delisting".to_owned(),
        Event::MarketRedefined { market, .. } => {
            format!("version {}: tick {}, lot {}", market.version, market.tick, market.lot)
        }
        Event::MarketReopening { state, until, .. } => {
            format!("reopens: {} until {}", state_word(*state), seconds(*until))
        }
        Event::OrderDecremented { order, quantity, remaining, .. } => {
            format!("decremented {order} by {quantity} to {remaining}")
        }
        Event::MarketRulesSet { .. } => "rules set".to_owned(),
        Event::FeeTierSet { .. } | Event::MarketFeesSet { .. } => "fees set".to_owned(),
        Event::FeeScheduleSet { .. } => "schedule set".to_owned(),
        Event::AccountFeeTierSet { fee_tier, pinned: true, .. } => {
            format!("pinned to tier {fee_tier}")
        }
        Event::AccountFeeTierSet { fee_tier, pinned: false, .. } => {
            format!("not pinned, in tier {fee_tier}")
        }
        Event::FeeTierChanged { account, fee_tier, volume } => {
            format!("{} is in tier {fee_tier} with {volume}", name(*account))
        }
        Event::VolumeChanged { account, day, volume } => {
            format!("{} traded {volume} on day {day}", name(*account))
        }
        Event::AccountFrozen { frozen, .. } => {
            if *frozen { "frozen" } else { "unfrozen" }.to_owned()
        }
        _ => return treasury::said(event).or_else(|| failures::said(event)),
    })
}

fn ids(orders: &[OrderId]) -> String {
    orders.iter().map(OrderId::to_string).collect::<Vec<_>>().join(" and ")
}

fn name(account: AccountId) -> &'static str {
    PEOPLE[account.0 as usize - 1]
}

fn why(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Client => "client",
        CancelCause::CancelAll => "cancel all",
        CancelCause::ImmediateOrCancel => "immediate or cancel",
        CancelCause::MarketRemainder => "market remainder",
        CancelCause::SelfTrade => "self-trade",
        CancelCause::BookFull => "book full",
        CancelCause::Expired => "expired",
        CancelCause::NotFillable => "not fillable",
        CancelCause::Interruption => "interruption",
        CancelCause::OrderList => "order list",
        CancelCause::Redefined => "redefined",
        CancelCause::Delisted => "delisted",
    }
}

pub const STATES: [(&str, MarketState); 7] = [
    ("pre-open", MarketState::PreOpen),
    ("auction", MarketState::Auction),
    ("continuous", MarketState::Continuous),
    ("cancel-only", MarketState::CancelOnly),
    ("closed", MarketState::Closed),
    ("halted", MarketState::Halted),
    ("delisted", MarketState::Delisted),
];

pub fn state_word(state: MarketState) -> &'static str {
    STATES.iter().find(|(_, known)| *known == state).expect("all are listed").0
}
