//! What self-trade prevention leaves of an order, and how that order ends.

use crate::common::admit;
use crate::common::desk::Desk;
use types::Side::{Buy, Sell};
use types::*;

/// Account 1 offers a lot at 5, account 2 offers `others` lots at 6. Then account 1 buys for `ticks`
/// times the quote of a lot at one tick, and is decremented where it meets itself.
fn decremented_buy_by_quote(others: u64, ticks: u128) -> Desk {
    let mut desk = Desk::new();
    desk.rest(Sell, 5, 1);
    desk.rest(Sell, 6, others);
    let quote = Amount::new(ticks * 3);
    let mut order = admit(1, 3, Buy, OrderSpec::MarketByQuote { quote, max_spend: None });
    order.self_trade_prevention = SelfTradePrevention::Decrement;
    desk.send(&order);
    desk
}

/// How the last order ended, if an event says so.
fn cancelled(desk: &Desk) -> Option<CancelCause> {
    desk.fx.events.iter().find_map(|event| match event {
        Event::OrderCancelled { order: OrderId(3), cause, .. } => Some(*cause),
        _ => None,
    })
}

#[test]
fn an_order_by_quote_that_never_traded_is_cancelled_when_less_than_a_lot_remains() {
    let desk = decremented_buy_by_quote(1, 10);
    assert_eq!(desk.trades(), []);
    assert_eq!(cancelled(&desk), Some(CancelCause::MarketRemainder));
    assert_eq!(desk.closed(), [(1, 7), (3, 15)]);
}

#[test]
fn an_order_by_quote_that_traded_is_filled_when_less_than_a_lot_remains() {
    let desk = decremented_buy_by_quote(9, 5 + 6 + 5);
    assert_eq!(desk.trades(), [(6, 1)]);
    assert_eq!(cancelled(&desk), None);
    assert_eq!(desk.closed(), [(1, 7), (3, 15)]);
}
