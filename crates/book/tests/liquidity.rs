//! How far an order may reach whose fill must be known before it is accepted: 10,000 levels, and
//! orders where self-trade prevention looks at them.

use crate::common::desk::Desk;
use crate::common::{admit, limit};
use types::Side::{Buy, Sell};
use types::*;

const FAR: u64 = 10_000;

fn fill_or_kill(lots: u64, mode: SelfTradePrevention) -> Admit {
    let mut order = admit(1_000_000, 1_000_000, Buy, limit(FAR + 9, lots, TimeInForce::Fok));
    order.self_trade_prevention = mode;
    order
}

fn market_buy(lots: u64) -> Admit {
    let quantity = Quantity::new(lots);
    let spec = OrderSpec::MarketByQuantity { quantity, max_spend: None };
    admit(1_000_000, 1_000_000, Buy, spec)
}

/// One lot more than levels may be looked at, each at its own price.
fn deep() -> Desk {
    let mut desk = Desk::new();
    (1..=FAR + 1).for_each(|price| desk.rest(Sell, price, 1));
    desk
}

/// The same lots at one price.
fn long() -> Desk {
    let mut desk = Desk::new();
    (1..=FAR + 1).for_each(|_| desk.rest(Sell, 5, 1));
    desk
}

fn answer(mut desk: Desk, order: &Admit) -> Option<RejectCode> {
    desk.send(order);
    assert_eq!(desk.rejection().is_none(), !desk.trades().is_empty());
    desk.rejection()
}

#[test]
fn fill_or_kill_reaches_so_many_levels_and_is_refused_beyond() {
    let none = SelfTradePrevention::None;
    assert_eq!(answer(deep(), &fill_or_kill(FAR, none)), None);
    let refused = answer(deep(), &fill_or_kill(FAR + 1, none));
    assert_eq!(refused, Some(RejectCode::NotFillable));
}

#[test]
fn orders_count_only_where_self_trade_prevention_looks_at_them() {
    let none = SelfTradePrevention::None;
    assert_eq!(answer(long(), &fill_or_kill(FAR + 1, none)), None);
    let mode = SelfTradePrevention::ExpireMaker;
    assert_eq!(answer(long(), &fill_or_kill(FAR - 1, mode)), None, "a step for the level");
    let refused = answer(long(), &fill_or_kill(FAR, mode));
    assert_eq!(refused, Some(RejectCode::NotFillable));
}

#[test]
fn a_market_buy_by_quantity_reaches_so_many_levels_and_is_refused_beyond() {
    assert_eq!(answer(deep(), &market_buy(FAR)), None);
    let refused = answer(deep(), &market_buy(FAR + 1));
    assert_eq!(refused, Some(RejectCode::NoLiquidity));
    let mut poor = market_buy(FAR + 1);
    poor.budget = Amount::new(3);
    let refused = answer(deep(), &poor);
    assert_eq!(refused, Some(RejectCode::InsufficientBalance), "known long before");
}
