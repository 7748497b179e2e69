//! Single rules by example: what is traded, paid, released and refused.

use crate::common::desk::Desk;
use crate::common::{SCALING, admit, amend, definition, limit};
use book::{Market, Work};
use types::Side::{Buy, Sell};
use types::*;

fn amended(desk: &mut Desk, amendment: &AmendOrder) {
    desk.fx = Effects::default();
    let mut work = Work { remaining: 1_000 };
    desk.market.amend(amendment, &mut work, &mut desk.fx);
}

fn released(desk: &Desk) -> u128 {
    let amounts = desk.fx.messages.iter().map(|message| match message {
        Message::Released { amount, .. } | Message::Amended { release: amount, .. } => amount.get(),
        _ => 0,
    });
    amounts.sum()
}

fn cause(desk: &Desk) -> Option<CancelCause> {
    desk.fx.events.iter().find_map(|event| match event {
        Event::OrderCancelled { cause, .. } => Some(*cause),
        _ => None,
    })
}

#[test]
fn a_buyer_pays_the_resting_price_and_gets_the_difference_to_his_limit_back() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 10);
    desk.rest(Buy, 103, 4);
    assert_eq!(desk.trades(), [(100, 4)]);
    let fills = desk.fills();
    assert_eq!(fills[0].debit, Amount::new(1_200));
    assert_eq!(fills[0].release, Amount::new(36));
    assert_eq!(fills[0].credit, Amount::new(28));
    assert_eq!(fills[1].debit, Amount::new(28));
    assert_eq!(fills[1].credit, Amount::new(1_200));
    assert_eq!(desk.closed(), [(2, 0)], "the seller's order has lots left");
}

#[test]
fn each_side_pays_its_rate_of_what_it_receives() {
    let mut desk = Desk::new();
    desk.rest(Sell, 1_000, 1_000);
    desk.rest(Buy, 1_000, 1_000);
    let fees: Vec<u128> = desk.fills().iter().map(|fill| fill.fee.total().get()).collect();
    // The buyer takes: 0.2 % of 7,000 base. The seller rested: 0.1 % of 3,000,000 quote.
    assert_eq!(fees, [14, 3_000]);
}

#[test]
fn orders_match_by_price_and_then_by_time() {
    let mut desk = Desk::new();
    desk.rest(Sell, 101, 1);
    desk.rest(Sell, 100, 1);
    desk.rest(Sell, 100, 1);
    desk.rest(Buy, 101, 3);
    assert_eq!(desk.trades(), [(100, 1), (100, 1), (101, 1)]);
    let makers: Vec<u64> = desk.closed().iter().map(|closed| closed.0).collect();
    assert_eq!(makers, [2, 3, 1, 4]);
}

#[test]
fn ioc_remainder_is_cancelled_and_its_hold_released() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 3);
    desk.place(Buy, limit(101, 10, TimeInForce::Ioc));
    assert_eq!(desk.trades(), [(100, 3)]);
    assert_eq!(cause(&desk), Some(CancelCause::ImmediateOrCancel));
    assert_eq!(desk.closed(), [(1, 0), (2, 7 * 101 * 3)]);
}

#[test]
fn fok_trades_whole_or_is_refused() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 3);
    desk.rest(Sell, 101, 3);
    desk.place(Buy, limit(100, 4, TimeInForce::Fok));
    assert_eq!(desk.rejection(), Some(RejectCode::NotFillable));
    desk.place(Buy, limit(101, 4, TimeInForce::Fok));
    assert_eq!(desk.trades(), [(100, 3), (101, 1)]);
}

#[test]
fn fok_does_not_count_what_self_trade_prevention_would_take_away() {
    for (mode, fills) in [
        (SelfTradePrevention::None, true),
        (SelfTradePrevention::ExpireMaker, false),
        (SelfTradePrevention::ExpireTaker, false),
        (SelfTradePrevention::ExpireBoth, false),
        (SelfTradePrevention::Decrement, false),
    ] {
        let mut desk = Desk::new();
        desk.rest(Sell, 100, 3);
        desk.send(&admit(7, 7, Sell, limit(100, 2, TimeInForce::Gtc)));
        let mut order = admit(7, 8, Buy, limit(100, 5, TimeInForce::Fok));
        order.self_trade_prevention = mode;
        desk.send(&order);
        assert_eq!(desk.rejection().is_none(), fills, "{mode:?}");
    }
}

#[test]
fn a_market_buy_that_its_cap_cannot_pay_is_refused_whole() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 3);
    desk.rest(Sell, 200, 3);
    let quantity = Quantity::new(9);
    let spec = OrderSpec::MarketByQuantity { quantity, max_spend: None };
    let mut order = admit(8, 8, Buy, spec);
    order.budget = Amount::new(2_699);
    desk.send(&order);
    assert_eq!(desk.rejection(), Some(RejectCode::InsufficientBalance));
    order.budget = Amount::new(2_700);
    desk.send(&order);
    assert_eq!(desk.trades(), [(100, 3), (200, 3)]);
    assert_eq!(cause(&desk), Some(CancelCause::MarketRemainder));
}

#[test]
fn a_buy_by_quote_takes_whole_lots_and_gives_the_rest_back() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 3);
    desk.rest(Sell, 200, 9);
    let spec = |quote| OrderSpec::MarketByQuote { quote: Amount::new(quote), max_spend: None };
    desk.place(Buy, spec(299));
    assert_eq!(desk.rejection(), Some(RejectCode::InvalidQuantity), "less than a lot");
    desk.place(Buy, spec(900 + 2 * 600 + 599));
    assert_eq!(desk.trades(), [(100, 3), (200, 2)]);
    assert_eq!(desk.closed(), [(1, 0), (3, 599)]);
    assert_eq!(cause(&desk), None, "it has what it asked for");
}

#[test]
fn a_sale_by_quote_ends_where_its_base_ends() {
    let mut desk = Desk::new();
    desk.rest(Buy, 100, 50);
    let quote = Amount::new(300 * 50);
    let mut order = admit(8, 8, Sell, OrderSpec::MarketByQuote { quote, max_spend: None });
    order.budget = Amount::new(4 * 7 + 6);
    desk.send(&order);
    assert_eq!(desk.trades(), [(100, 4)]);
    assert_eq!(cause(&desk), Some(CancelCause::MarketRemainder));
    assert_eq!(desk.closed(), [(2, 6)]);
}

#[test]
fn market_orders_need_something_to_match() {
    let mut desk = Desk::new();
    let quantity = Quantity::new(1);
    desk.place(Sell, OrderSpec::MarketByQuantity { quantity, max_spend: None });
    assert_eq!(desk.rejection(), Some(RejectCode::NoLiquidity));
    let messages: Vec<_> = desk.fx.messages.iter().cloned().collect();
    assert_eq!(
        messages,
        [Message::Refused {
            account: AccountId(1),
            hold: HoldId(1),
            code: RejectCode::NoLiquidity
        }]
    );
    desk.rest(Sell, 5, 1);
    assert_eq!(desk.market.book().order(OrderId(1)).unwrap().hold, HoldId(2), "no id was used up");
}

#[test]
fn less_quantity_keeps_the_place_and_more_loses_it() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        desk.rest(Buy, 100, 10);
    }
    let mut less = amend(1, 1, 1, 0);
    less.quantity = Some(Quantity::new(4));
    amended(&mut desk, &less);
    assert_eq!(released(&desk), 6 * 300);
    let mut more = amend(2, 2, 2, 5 * 300);
    more.quantity = Some(Quantity::new(15));
    amended(&mut desk, &more);
    assert_eq!(released(&desk), 0);
    let queue: Vec<_> = desk.market.book().orders(Buy).collect();
    let queue: Vec<_> = queue.iter().map(|o| (o.id.0, o.remaining.get())).collect();
    assert_eq!(queue, [(1, 4), (3, 10), (4, 15)]);
}

#[test]
fn an_amended_total_includes_what_was_filled_under_all_earlier_ids() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 10);
    desk.rest(Buy, 100, 4);
    let mut change = amend(1, 1, 1, 0);
    change.price = Some(Price::new(90));
    amended(&mut desk, &change);
    desk.rest(Buy, 90, 1);
    change = amend(1, 1, 3, 0);
    change.quantity = Some(Quantity::new(5));
    amended(&mut desk, &change);
    assert_eq!(desk.rejection(), Some(RejectCode::QuantityBelowFilled));
    change.quantity = Some(Quantity::new(6));
    amended(&mut desk, &change);
    assert_eq!(released(&desk), 4 * 7);
    assert_eq!(desk.market.book().order(OrderId(3)).unwrap().remaining, Quantity::new(1));
}

#[test]
fn an_amendment_may_match_and_pays_the_taker_rate() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 1_000);
    desk.rest(Buy, 90, 1_000);
    let mut change = amend(2, 2, 2, 1_000 * 15 * 3);
    change.price = Some(Price::new(105));
    amended(&mut desk, &change);
    assert_eq!(desk.trades(), [(100, 1_000)]);
    assert_eq!(desk.fills()[0].fee.total(), Amount::new(14));
    assert_eq!(desk.fills()[0].release, Amount::new(1_000 * 5 * 3));
    assert_eq!(desk.closed(), [(1, 0), (3, 0)]);
}

#[test]
fn a_post_only_order_stays_one_when_it_is_amended() {
    let mut desk = Desk::new();
    desk.rest(Sell, 300, 2);
    let (price, quantity) = (Price::new(200), Quantity::new(3));
    let time_in_force = TimeInForce::Gtc;
    desk.place(Buy, OrderSpec::Limit { price, quantity, time_in_force, post_only: true });
    let mut change = amend(2, 2, 2, 100 * 3 * 3);
    change.price = Some(Price::new(300));
    amended(&mut desk, &change);
    assert_eq!(desk.rejection(), Some(RejectCode::WouldMatch));
    change.price = Some(Price::new(299));
    amended(&mut desk, &change);
    assert_eq!(desk.market.book().best(Buy), Some(Price::new(299)));
    // It keeps the rule under its new id.
    change = amend(2, 2, 3, 3 * 3);
    change.price = Some(Price::new(300));
    amended(&mut desk, &change);
    assert_eq!(desk.rejection(), Some(RejectCode::WouldMatch));
}

#[test]
fn a_rejected_amendment_gives_back_what_was_added_for_it_unless_the_order_is_unknown() {
    let mut desk = Desk::new();
    desk.rest(Buy, 100, 10);
    let mut change = amend(1, 1, 1, 50);
    change.price = Some(Price::new(101));
    change.quantity = Some(Quantity::new(11));
    amended(&mut desk, &change);
    assert_eq!(desk.rejection(), Some(RejectCode::InsufficientBalance));
    assert_eq!(released(&desk), 50);
    change.order = OrderId(8);
    amended(&mut desk, &change);
    assert_eq!(desk.rejection(), Some(RejectCode::UnknownOrder));
    assert!(desk.fx.messages.is_empty());
}

#[test]
fn a_sweep_beyond_the_work_of_an_entry_goes_on_where_it_stopped() {
    let mut desk = Desk::new();
    for price in 100..105 {
        desk.rest(Sell, price, 1);
    }
    desk.fx = Effects::default();
    let order = admit(9, 9, Buy, limit(110, 6, TimeInForce::Gtc));
    desk.market.admit(&order, &mut Work { remaining: 2 }, &mut desk.fx);
    assert_eq!(desk.trades(), [(100, 1), (101, 1)]);
    let bytes = borsh::to_vec(&desk.market).unwrap();
    desk.market = borsh::from_slice(&bytes).unwrap();
    desk.resume(2);
    assert_eq!(desk.trades(), [(102, 1), (103, 1)]);
    assert!(desk.market.is_interrupted());
    desk.resume(2);
    assert_eq!(desk.trades(), [(104, 1)]);
    assert!(!desk.market.is_interrupted());
    assert_eq!(desk.market.book().best(Buy), Some(Price::new(110)));
}

#[test]
fn a_full_book_refuses_what_would_rest_but_not_what_matches() {
    let bounds = MarketBounds { max_orders: 2, max_levels: 2, ..MarketBounds::default() };
    let mut desk = Desk::new();
    desk.market = Market::new(definition(1_000, 1_000, bounds), SCALING);
    desk.rest(Sell, 100, 1);
    desk.rest(Sell, 101, 1);
    desk.rest(Sell, 101, 1);
    assert_eq!(desk.rejection(), Some(RejectCode::BookFull));
    desk.rest(Buy, 100, 5);
    assert_eq!(desk.trades(), [(100, 1)]);
    assert_eq!(desk.market.book().best(Buy), Some(Price::new(100)), "the remainder found room");
}

#[test]
fn the_quantity_of_a_level_may_exceed_64_bits() {
    let mut desk = Desk::new();
    let largest = 1 << 63;
    desk.market = Market::new(definition(10, largest, MarketBounds::default()), SCALING);
    for _ in 0..4 {
        desk.rest(Sell, 5, largest);
    }
    let level = desk.market.book().levels(Sell).next().unwrap();
    assert_eq!(level.quantity, 4 << 63);
    desk.rest(Buy, 5, largest);
    let level = desk.market.book().levels(Sell).next().unwrap();
    assert_eq!(level.quantity, 3 << 63);
}

#[test]
fn others_may_not_cancel_and_a_halted_market_cancels_nothing() {
    let mut desk = Desk::new();
    desk.rest(Buy, 100, 1);
    let cancel = |desk: &mut Desk, account| {
        desk.fx = Effects::default();
        let (reply, order) = (ReplyTo::new(1, 1), OrderId(1));
        let account = AccountId(account);
        desk.market.cancel(reply, account, order, CancelCause::Client, &mut desk.fx);
    };
    cancel(&mut desk, 2);
    assert_eq!(desk.rejection(), Some(RejectCode::UnknownOrder));
    desk.state(MarketState::Halted);
    cancel(&mut desk, 1);
    assert_eq!(desk.rejection(), Some(RejectCode::MarketHalted));
    desk.state(MarketState::CancelOnly);
    cancel(&mut desk, 1);
    assert_eq!(desk.closed(), [(1, 300)]);
}

#[test]
fn bytes_with_an_order_that_cannot_rest_are_refused() {
    let mut desk = Desk::new();
    desk.rest(Buy, 0x5EED, 1);
    let bytes = borsh::to_vec(&desk.market).unwrap();
    let price = 0x5EED_u64.to_le_bytes();
    let at = bytes.windows(8).position(|window| window == price).unwrap();
    let mut damaged = bytes.clone();
    damaged[at..at + 8].fill(0);
    assert!(borsh::from_slice::<Market>(&bytes).is_ok());
    assert!(borsh::from_slice::<Market>(&damaged).is_err());
}
