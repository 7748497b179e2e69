//! Order lists in a line: their kind, and each leg as a line within it.

use serde_json::Value;
use types::{ListLeg, MarketId, OrderListKind, PlaceOrderList};

use super::command::{conditions, id, spec};
use super::event::side_word;
use super::{Line, Names};

/// What a list asks for.
pub(super) fn place_order_list(names: Names<'_>, line: Line, list: &PlaceOrderList) -> Line {
    let legs = |legs: &[ListLeg]| -> Vec<Value> {
        legs.iter().map(|leg| leg_line(names, list.market, leg).json()).collect()
    };
    line.with("account", list.account.0)
        .with("market", names.market(list.market))
        .with_some("list_kind", list.kind().map(list_kind_word))
        .with("legs", legs(&list.legs))
        .with_some("pending", some_of(legs(&list.pending)))
        .with_some("client_order_id", id(list.client_order_id))
}

/// A leg.
pub(super) fn leg_line(names: Names<'_>, market: MarketId, leg: &ListLeg) -> Line {
    let line = Line::new("leg").with("side", side_word(leg.side));
    let line = spec(names, line, market, leg.side, &leg.spec);
    conditions(names, line, market, &leg.conditions)
        .with_some("client_order_id", id(leg.client_order_id))
}

/// Legs, if there are any.
pub(super) fn some_of(legs: Vec<Value>) -> Option<Vec<Value>> {
    (!legs.is_empty()).then_some(legs)
}

pub(super) fn list_kind_word(kind: OrderListKind) -> &'static str {
    match kind {
        OrderListKind::OneCancelsOther => "oco",
        OrderListKind::OneTriggersOther => "oto",
        OrderListKind::OneTriggersPair => "otoco",
    }
}
