//! Conditions of orders by example: triggers, trailing stops, icebergs, dates, minimums, slides.

use crate::common::desk::Desk;
use crate::common::{amend, limit};
use book::Work;
use types::Side::{Buy, Sell};
use types::*;

const GTC: TimeInForce = TimeInForce::Gtc;

fn rises(to: u64) -> Conditions {
    Conditions { trigger: Some(Trigger::Rises { to: Price::new(to) }), ..Conditions::NONE }
}

fn falls(to: u64) -> Conditions {
    Conditions { trigger: Some(Trigger::Falls { to: Price::new(to) }), ..Conditions::NONE }
}

fn trails(basis_points: u16, activation: Option<u64>) -> Conditions {
    let activation = activation.map(Price::new);
    Conditions { trigger: Some(Trigger::Trails { basis_points, activation }), ..Conditions::NONE }
}

fn visible(lots: u64) -> Conditions {
    Conditions { visible: Some(Quantity::new(lots)), ..Conditions::NONE }
}

fn market(lots: u64) -> OrderSpec {
    OrderSpec::MarketByQuantity { quantity: Quantity::new(lots), max_spend: None }
}

/// A desk where the last trade was at `price`, with an empty book: the next order is number 3.
fn traded_at(price: u64) -> Desk {
    let mut desk = Desk::new();
    trade_at(&mut desk, price);
    desk
}

fn trade_at(desk: &mut Desk, price: u64) {
    desk.rest(Sell, price, 1);
    desk.rest(Buy, price, 1);
}

/// Orders whose triggers the last command fired, in order.
fn triggered(desk: &Desk) -> Vec<u64> {
    let events = desk.fx.events.iter().filter_map(|event| match event {
        Event::OrderTriggered { order, .. } => Some(order.0),
        _ => None,
    });
    events.collect()
}

fn cancelled(desk: &Desk) -> Vec<(u64, CancelCause)> {
    let events = desk.fx.events.iter().filter_map(|event| match event {
        Event::OrderCancelled { order, cause, .. } => Some((order.0, *cause)),
        _ => None,
    });
    events.collect()
}

fn waiting(desk: &Desk) -> Vec<u64> {
    desk.market.waiting().map(|order| order.id.0).collect()
}

/// What a side shows, and who: price, shown lots, order.
fn queue(desk: &Desk, side: Side) -> Vec<(u64, u64, u64)> {
    let orders = desk.market.book().orders(side);
    orders.map(|o| (o.price.get(), o.shown().get(), o.id.0)).collect()
}

#[test]
fn a_stop_waits_outside_of_the_book_and_enters_after_the_trade_that_reaches_it() {
    let mut desk = traded_at(100);
    desk.rest(Buy, 90, 5);
    desk.place_with(Sell, market(3), falls(95));
    assert_eq!((waiting(&desk), queue(&desk, Sell)), (vec![4], vec![]));
    trade_at(&mut desk, 96);
    assert_eq!(triggered(&desk), []);
    desk.reload();
    trade_at(&mut desk, 95);
    assert_eq!(triggered(&desk), [4]);
    assert_eq!(desk.trades(), [(95, 1), (90, 3)]);
    assert_eq!(desk.closed().last(), Some(&(4, 0)));
    assert!(waiting(&desk).is_empty());
}

#[test]
fn a_take_profit_limit_rests_with_what_the_book_does_not_fill() {
    let mut desk = traded_at(100);
    desk.place_with(Sell, limit(108, 4, GTC), rises(110));
    desk.rest(Buy, 109, 1);
    desk.rest(Sell, 111, 1);
    desk.rest(Buy, 111, 1);
    assert_eq!(triggered(&desk), [3]);
    assert_eq!(desk.trades(), [(111, 1), (109, 1)]);
    assert_eq!(queue(&desk, Sell), [(108, 3, 3)]);
}

#[test]
fn fired_orders_enter_by_trigger_price_and_then_by_id_and_may_fire_others() {
    let mut desk = traded_at(100);
    for price in [99, 98, 97, 96, 95] {
        desk.rest(Buy, price, 1);
    }
    desk.place_with(Sell, market(1), falls(97));
    desk.place_with(Sell, market(1), falls(99));
    desk.place_with(Sell, market(1), falls(97));
    desk.place_with(Sell, market(1), falls(96));
    desk.rest(Sell, 99, 1);
    // The trade at 99 fires 9; its trade at 98 none; nothing more trades.
    assert_eq!(triggered(&desk), [9]);
    desk.rest(Sell, 97, 1);
    // 97 fires 8 and 10; 8 trades at 96, which fires 11 behind 10.
    assert_eq!(triggered(&desk), [8, 10, 11]);
    assert_eq!(desk.trades(), [(97, 1), (96, 1), (95, 1)]);
    assert_eq!(cancelled(&desk), [(11, CancelCause::NotFillable)]);
}

#[test]
fn a_trigger_needs_a_last_price_that_does_not_meet_it() {
    let mut desk = Desk::new();
    desk.place_with(Sell, market(1), falls(95));
    assert_eq!(desk.rejection(), Some(RejectCode::NoReferencePrice));
    let mut desk = traded_at(100);
    desk.place_with(Sell, market(1), falls(100));
    assert_eq!(desk.rejection(), Some(RejectCode::WouldTrigger));
    desk.place_with(Buy, limit(100, 1, GTC), rises(100));
    assert_eq!(desk.rejection(), Some(RejectCode::WouldTrigger));
    desk.place_with(Sell, market(1), falls(0));
    assert_eq!(desk.rejection(), Some(RejectCode::InvalidTrigger));
    desk.place_with(Sell, market(1), trails(5_001, None));
    assert_eq!(desk.rejection(), Some(RejectCode::InvalidTrigger));
}

#[test]
fn a_waiting_order_is_cancelled_with_all_that_it_holds_and_cannot_be_amended() {
    let mut desk = traded_at(100);
    desk.place_with(Sell, limit(90, 4, GTC), falls(95));
    desk.fx = Effects::default();
    let (mut work, more) = (Work { remaining: 9 }, amend(3, 3, 3, 50));
    desk.market.amend(&AmendOrder { price: Some(Price::new(91)), ..more }, &mut work, &mut desk.fx);
    assert_eq!(desk.rejection(), Some(RejectCode::NotAmendable));
    let [Message::Amended { release, .. }] = desk.fx.messages.iter().collect::<Vec<_>>()[..] else {
        panic!("the ledger is told");
    };
    assert_eq!(*release, Amount::new(50));
    desk.cancel(3, 3);
    assert_eq!(desk.closed(), [(3, 4 * 7)]);
    desk.cancel(3, 3);
    assert_eq!(desk.rejection(), Some(RejectCode::UnknownOrder));
}

#[test]
fn a_trailing_stop_follows_the_best_price_and_fires_at_its_distance() {
    let mut desk = traded_at(1_000);
    desk.rest(Buy, 10, 9);
    desk.place_with(Sell, market(1), trails(500, None));
    trade_at(&mut desk, 1_200);
    trade_at(&mut desk, 1_141);
    assert_eq!(triggered(&desk), []);
    desk.reload();
    trade_at(&mut desk, 1_140);
    assert_eq!(triggered(&desk), [4]);
}

#[test]
fn a_buyers_trailing_stop_is_the_mirror_and_waits_for_its_activation() {
    let mut desk = traded_at(1_000);
    desk.rest(Sell, 5_000, 9);
    desk.place_with(Buy, limit(5_000, 1, GTC), trails(1_000, Some(900)));
    trade_at(&mut desk, 1_200);
    desk.reload();
    trade_at(&mut desk, 900);
    trade_at(&mut desk, 850);
    trade_at(&mut desk, 934);
    assert_eq!(triggered(&desk), []);
    trade_at(&mut desk, 935);
    assert_eq!(triggered(&desk), [4]);
}

#[test]
fn a_buyer_who_waited_pays_no_more_than_he_locked() {
    let mut desk = traded_at(100);
    desk.rest(Sell, 110, 2);
    desk.rest(Sell, 120, 9);
    let mut order = desk.admission(Buy, market(5), rises(105));
    order.budget = Amount::new(3 * (2 * 110 + 2 * 120 + 100));
    desk.send(&order);
    trade_at(&mut desk, 105);
    assert_eq!(desk.trades(), [(105, 1), (110, 2), (120, 2)]);
    assert_eq!(cancelled(&desk), [(5, CancelCause::MarketRemainder)]);
    assert_eq!(desk.closed().last(), Some(&(5, 300)));
}

#[test]
fn a_fired_order_that_cannot_do_what_it_asks_is_cancelled() {
    let mut desk = traded_at(100);
    desk.rest(Buy, 90, 2);
    desk.place_with(Sell, limit(90, 3, TimeInForce::Fok), falls(95));
    let minimum = Some(Quantity::new(3));
    desk.place_with(Sell, limit(90, 5, GTC), Conditions { minimum, ..falls(95) });
    trade_at(&mut desk, 95);
    assert_eq!(triggered(&desk), [4, 5]);
    let not_fillable = CancelCause::NotFillable;
    assert_eq!(cancelled(&desk), [(4, not_fillable), (5, not_fillable)]);
    assert_eq!(&desk.closed()[2..], [(4, 21), (5, 35)]);
}

#[test]
fn triggers_wait_while_the_work_of_an_entry_is_used_up() {
    let mut desk = traded_at(100);
    desk.rest(Buy, 80, 50);
    for _ in 0..5 {
        desk.place_with(Sell, market(1), falls(90));
    }
    desk.rest(Sell, 90, 1);
    let order = desk.admission(Buy, limit(90, 1, GTC), Conditions::NONE);
    desk.send_with(&order, 4);
    assert!(desk.market.is_interrupted());
    let mut all = triggered(&desk);
    while desk.market.is_interrupted() {
        desk.reload();
        desk.resume(2);
        all.extend(triggered(&desk));
    }
    assert_eq!(all, [4, 5, 6, 7, 8]);
}

#[test]
fn an_iceberg_shows_a_part_at_a_time_and_each_part_queues_again() {
    let mut desk = Desk::new();
    desk.place_with(Sell, limit(100, 10, GTC), visible(4));
    desk.rest(Sell, 100, 5);
    assert_eq!(queue(&desk, Sell), [(100, 4, 1), (100, 5, 2)]);
    assert_eq!(desk.market.book().levels(Sell).next().unwrap().quantity, 9);
    desk.reload();
    desk.rest(Buy, 100, 6);
    assert_eq!(desk.trades(), [(100, 4), (100, 2)]);
    assert_eq!(queue(&desk, Sell), [(100, 3, 2), (100, 4, 1)]);
    desk.rest(Buy, 100, 8);
    assert_eq!(desk.trades(), [(100, 3), (100, 4), (100, 1)]);
    assert_eq!(queue(&desk, Sell), [(100, 1, 1)]);
    assert_eq!(desk.market.book().order(OrderId(1)).unwrap().hidden, Quantity::ZERO);
    desk.rest(Buy, 100, 1);
    assert_eq!(desk.closed(), [(1, 0), (5, 0)]);
}

#[test]
fn what_an_iceberg_hides_counts_for_what_must_be_filled_whole() {
    let mut desk = Desk::new();
    desk.place_with(Sell, limit(100, 10, GTC), visible(1));
    desk.place(Buy, limit(100, 11, TimeInForce::Fok));
    assert_eq!(desk.rejection(), Some(RejectCode::NotFillable));
    desk.place(Buy, limit(100, 10, TimeInForce::Fok));
    assert_eq!(desk.trades().len(), 10);
}

#[test]
fn an_iceberg_takes_part_in_an_auction_with_all_it_has() {
    let mut desk = Desk::new();
    desk.state(MarketState::Auction);
    desk.place_with(Sell, limit(100, 10, GTC), visible(2));
    desk.rest(Buy, 101, 7);
    desk.state(MarketState::Continuous);
    assert_eq!(desk.uncrossed(), Some((100, 7)));
    assert_eq!(desk.trades(), [(100, 2), (100, 2), (100, 2), (100, 1)]);
    assert_eq!(queue(&desk, Sell), [(100, 1, 1)]);
}

#[test]
fn less_of_an_iceberg_is_first_taken_off_what_it_hides() {
    let mut desk = Desk::new();
    desk.place_with(Sell, limit(100, 10, GTC), visible(4));
    desk.rest(Sell, 100, 1);
    for (total, shown, hidden) in [(7, 4, 3), (3, 3, 0)] {
        let less = AmendOrder { quantity: Some(Quantity::new(total)), ..amend(1, 1, 1, 0) };
        desk.fx = Effects::default();
        desk.market.amend(&less, &mut Work { remaining: 9 }, &mut desk.fx);
        assert_eq!(queue(&desk, Sell), [(100, shown, 1), (100, 1, 2)]);
        assert_eq!(desk.market.book().order(OrderId(1)).unwrap().hidden, Quantity::new(hidden));
        let levels: Vec<_> = desk.market.book().levels(Sell).collect();
        assert_eq!(levels[0].quantity, u128::from(shown) + 1);
    }
}

#[test]
fn orders_end_when_their_date_comes_in_the_order_of_dates_and_ids() {
    let mut desk = traded_at(100);
    let until = |at, conditions| Conditions { expires_at: Some(Timestamp(at)), ..conditions };
    desk.place_with(Sell, limit(110, 1, GTC), until(70, Conditions::NONE));
    desk.place_with(Sell, limit(90, 1, GTC), until(60, falls(95)));
    desk.place_with(Sell, limit(120, 1, GTC), until(60, visible(1)));
    assert_eq!(desk.rejection(), Some(RejectCode::InvalidVisibleQuantity));
    desk.place_with(Sell, limit(120, 2, GTC), until(60, visible(1)));
    desk.reload();
    assert_eq!(desk.market.next_deadline(), Some(Timestamp(60)));
    desk.timers(59);
    assert_eq!(cancelled(&desk), []);
    desk.timers(60);
    assert_eq!(cancelled(&desk), [(4, CancelCause::Expired), (5, CancelCause::Expired)]);
    assert_eq!(desk.closed(), [(4, 7), (5, 14)]);
    desk.state(MarketState::Halted);
    assert_eq!(desk.market.next_deadline(), Some(Timestamp(70)));
    desk.timers(100);
    assert_eq!(cancelled(&desk), [(3, CancelCause::Expired)]);
    assert_eq!(desk.market.next_deadline(), None);
}

#[test]
fn a_post_only_order_slides_next_to_the_other_side() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 1);
    let (price, quantity) = (Price::new(103), Quantity::new(2));
    let post = OrderSpec::Limit { price, quantity, time_in_force: GTC, post_only: true };
    desk.place_with(Buy, post, Conditions { slide: true, ..Conditions::NONE });
    assert_eq!(queue(&desk, Buy), [(99, 2, 2)]);
    let released = desk.fx.messages.iter().any(
        |m| matches!(m, Message::Released { amount, .. } if *amount == Amount::new(4 * 2 * 3)),
    );
    assert!(released, "the price improvement: {:?}", desk.fx.messages);
    let Event::OrderPlaced { spec, .. } = desk.fx.events[0] else { panic!("accepted") };
    assert_eq!(spec.limit_price(), Price::new(99));
    // At the lowest price there is nowhere to slide to.
    let mut desk = Desk::new();
    desk.rest(Sell, 1, 1);
    desk.place_with(Buy, post, Conditions { slide: true, ..Conditions::NONE });
    assert_eq!(desk.rejection(), Some(RejectCode::WouldMatch));
}

#[test]
fn an_order_with_a_minimum_takes_that_much_at_once_or_is_refused() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 4);
    let at_least = |lots| Conditions { minimum: Some(Quantity::new(lots)), ..Conditions::NONE };
    desk.place_with(Buy, limit(100, 9, GTC), at_least(5));
    assert_eq!(desk.rejection(), Some(RejectCode::MinimumNotMet));
    desk.place_with(Buy, limit(99, 9, GTC), at_least(1));
    assert_eq!(desk.rejection(), Some(RejectCode::MinimumNotMet));
    desk.place_with(Buy, limit(100, 9, GTC), at_least(4));
    assert_eq!(desk.trades(), [(100, 4)]);
    assert_eq!(queue(&desk, Buy), [(100, 5, 2)]);
}

#[test]
fn a_minimum_counts_what_trades_after_a_decrement_of_the_owner_s_order() {
    let mut desk = Desk::new();
    desk.rest(Sell, 100, 1);
    let own = desk.market.book().orders(Sell).next().unwrap().account;
    desk.rest(Sell, 101, 1);
    let conditions = Conditions { minimum: Some(Quantity::new(1)), ..Conditions::NONE };
    let admission = desk.admission(Buy, limit(101, 2, GTC), conditions);
    let self_trade_prevention = SelfTradePrevention::Decrement;
    let order = Admit { account: own, self_trade_group: own.0, self_trade_prevention, ..admission };
    desk.send(&order);
    assert_eq!(desk.trades(), [(101, 1)], "one lot went without a trade, the other is the minimum");
}

#[test]
fn conditions_that_do_not_go_with_the_order_are_refused() {
    let mut desk = traded_at(100);
    let combination = Some(RejectCode::InvalidCombination);
    let date = Conditions { expires_at: Some(Timestamp(9)), ..Conditions::NONE };
    let minimum = Conditions { minimum: Some(Quantity::new(1)), ..Conditions::NONE };
    let slide = Conditions { slide: true, ..Conditions::NONE };
    let (ioc, fok) = (limit(100, 5, TimeInForce::Ioc), limit(100, 5, TimeInForce::Fok));
    for (spec, conditions) in [
        (ioc, date),
        (market(5), date),
        (ioc, visible(1)),
        (fok, minimum),
        (market(5), minimum),
        (limit(100, 5, GTC), slide),
    ] {
        desk.place_with(Sell, spec, conditions);
        assert_eq!(desk.rejection(), combination, "{spec:?} {conditions:?}");
    }
}

#[test]
fn waiting_orders_are_bounded_and_collect_in_an_auction() {
    let mut desk = Desk::bounded(MarketBounds { max_waiting: 1, ..MarketBounds::default() });
    trade_at(&mut desk, 100);
    desk.state(MarketState::Auction);
    desk.place_with(Sell, market(1), falls(95));
    assert_eq!(waiting(&desk), [3]);
    desk.place_with(Sell, market(1), falls(95));
    assert_eq!(desk.rejection(), Some(RejectCode::TooManyWaitingOrders));
    desk.rest(Sell, 94, 2);
    desk.rest(Buy, 94, 3);
    desk.state(MarketState::Continuous);
    assert_eq!(triggered(&desk), [3]);
    assert_eq!(desk.trades(), [(94, 2), (94, 1)]);
}
