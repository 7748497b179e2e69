//! What time brings about, and what takes the way through a market and back: over several partitions,
//! and the same again from the log.

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit};
use engine::Partition;
use types::*;

const ALICE: u32 = 1;
const BOB: u32 = 2;
const MS: u64 = 1_000_000;

/// One partition; accounts and market apart.
const PARTITIONS: [u16; 2] = [1, 3];

fn funded(partitions: u16) -> Exchange {
    Exchange::funded(partitions, 1, 2, 1_000_000)
}

fn place(exchange: &mut Exchange, order: PlaceOrder) -> OrderId {
    let events = exchange.submit_quietly(Request::PlaceOrder(order));
    let placed = events.iter().find_map(|event| match event {
        Event::OrderPlaced { order, .. } => Some(*order),
        _ => None,
    });
    placed.unwrap_or_else(|| panic!("{events:#?}"))
}

fn cancelled(events: &[Event]) -> Vec<(OrderId, CancelCause)> {
    let cancelled = events.iter().filter_map(|event| match event {
        Event::OrderCancelled { order, cause, .. } => Some((*order, *cause)),
        _ => None,
    });
    cancelled.collect()
}

fn rejected(events: &[Event]) -> Option<(RequestKind, RejectCode)> {
    events.iter().find_map(|event| match event {
        Event::Rejected { request, code, .. } => Some((*request, *code)),
        _ => None,
    })
}

fn later(exchange: &Exchange, ms: u64) -> Timestamp {
    exchange.now.saturating_add_nanos(ms * MS)
}

fn available(exchange: &Exchange, account: u32, asset: AssetId) -> u128 {
    exchange.balances()[&(AccountId(account), asset)].0.get()
}

fn until(at: Timestamp) -> BoxedConditions {
    Conditions { expires_at: Some(at), ..Conditions::NONE }.into()
}

fn triggered(order: PlaceOrder, trigger: Trigger) -> PlaceOrder {
    let conditions = Conditions { trigger: Some(trigger), ..Conditions::NONE }.into();
    PlaceOrder { conditions, ..order }
}

fn replace(cancel: OrderId, stop_on_failure: bool, order: PlaceOrder) -> Request {
    Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure, order }))
}

#[test]
fn an_order_ends_on_its_date_without_anybody_asking() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        let at = later(&exchange, 50);
        let order = PlaceOrder { conditions: until(at), ..limit(ALICE, Side::Sell, 100, 7) };
        let id = place(&mut exchange, order);
        let early = Timestamp(at.0 - 1);
        assert_eq!(cancelled(&exchange.wait_until(early)), []);
        assert_eq!(cancelled(&exchange.wait_until(at)), [(id, CancelCause::Expired)]);
        assert_eq!(available(&exchange, ALICE, BASE), 1_000_000);
        exchange.assert_sound();
        exchange.assert_replays();
    }
}

#[test]
fn a_due_timer_fires_before_the_command_of_its_entry() {
    let mut exchange = funded(1);
    let at = later(&exchange, 50);
    let order = PlaceOrder { conditions: until(at), ..limit(ALICE, Side::Sell, 100, 7) };
    place(&mut exchange, order);
    exchange.now = at;
    let events = exchange.submit_quietly(Request::PlaceOrder(limit(BOB, Side::Buy, 100, 7)));
    assert!(!events.iter().any(|event| matches!(event, Event::Trade(_))), "{events:#?}");
    exchange.assert_replays();
}

#[test]
fn dates_of_thousands_go_on_in_later_entries_and_commands_wait_for_them() {
    let mut exchange = funded(1);
    let at = later(&exchange, 1_000);
    for _ in 0..10_000 {
        let order = PlaceOrder { conditions: until(at), ..limit(ALICE, Side::Sell, 100, 1) };
        place(&mut exchange, order);
    }
    exchange.now = at;
    let first = exchange.append_one(PartitionId(0), Command::Tick);
    assert!(cancelled(&first).len() < 10_000 && exchange.partitions[0].needs_continue());
    // In the middle of it the state is whole: a restored partition goes on alike.
    let bytes = exchange.partitions[0].snapshot();
    let restored = Partition::restore(PartitionId(0), 99, &bytes).unwrap();
    assert_eq!(restored.state_hash(), exchange.partitions[0].state_hash());
    assert_eq!(restored.next_deadline(), exchange.partitions[0].next_deadline());
    let events = exchange.submit_quietly(Request::PlaceOrder(limit(BOB, Side::Buy, 100, 1)));
    let is_first = |event: &Event| matches!(event, Event::OrderPlaced { .. });
    let at_last = events.iter().position(is_first).unwrap();
    assert_eq!(cancelled(&events[..at_last]).len() + cancelled(&first).len(), 10_000);
    assert!(!events.iter().any(|event| matches!(event, Event::Trade(_))));
    exchange.assert_sound();
    exchange.assert_replays();
}

#[test]
fn a_stop_settles_over_partitions() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        place(&mut exchange, limit(ALICE, Side::Sell, 100, 1));
        place(&mut exchange, limit(BOB, Side::Buy, 100, 1));
        let mut stop = limit(BOB, Side::Buy, 0, 0);
        stop.spec = OrderSpec::MarketByQuantity { quantity: Quantity::new(5), max_spend: None };
        let stop = triggered(stop, Trigger::Rises { to: Price::new(105) });
        let stop = place(&mut exchange, stop);
        // 105 and a tenth of it, rounded up, for each of five lots.
        assert_eq!(available(&exchange, BOB, QUOTE), 1_000_000 - 100 - 5 * 116);
        exchange.assert_sound();
        place(&mut exchange, limit(ALICE, Side::Sell, 105, 1));
        place(&mut exchange, limit(ALICE, Side::Sell, 110, 9));
        let events = exchange.submit_quietly(Request::PlaceOrder(limit(BOB, Side::Buy, 105, 1)));
        let triggered =
            |e: &Event| matches!(e, Event::OrderTriggered { order, .. } if *order == stop);
        assert!(events.iter().any(triggered), "{events:#?}");
        assert_eq!(available(&exchange, BOB, QUOTE), 1_000_000 - 100 - 105 - 5 * 110);
        assert_eq!(available(&exchange, BOB, BASE), 1_000_007);
        exchange.assert_sound();
        exchange.assert_replays();
    }
}

#[test]
fn a_replacement_uses_what_the_cancelled_order_held() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        let old = place(&mut exchange, limit(ALICE, Side::Sell, 100, 1_000_000));
        let order = limit(ALICE, Side::Sell, 101, 1_000_000);
        let events = exchange.submit_quietly(replace(old, true, order.clone()));
        assert_eq!(cancelled(&events), [(old, CancelCause::Client)]);
        assert_eq!(rejected(&events), None);
        let books = exchange.books();
        assert_eq!(books[&(FIRST_MARKET, Side::Sell)].len(), 1);
        exchange.assert_sound();
        exchange.assert_replays();
    }
}

#[test]
fn a_failed_cancel_stops_the_placement_only_if_it_is_told_to() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        let order = limit(ALICE, Side::Sell, 101, 5);
        let unknown = OrderId(77);
        let events = exchange.submit_quietly(replace(unknown, true, order.clone()));
        let expected = (RequestKind::ReplaceOrder, RejectCode::UnknownOrder);
        assert_eq!(rejected(&events), Some(expected));
        assert!(exchange.books()[&(FIRST_MARKET, Side::Sell)].is_empty());
        let events = exchange.submit_quietly(replace(unknown, false, order));
        assert_eq!(rejected(&events), None);
        assert_eq!(exchange.books()[&(FIRST_MARKET, Side::Sell)].len(), 1);
        // A cancel that works and a placement that does not: the old order is gone, and it is said.
        let resting = exchange.books()[&(FIRST_MARKET, Side::Sell)][0].0;
        let too_much = limit(ALICE, Side::Sell, 101, 2_000_000);
        let events = exchange.submit_quietly(replace(resting, true, too_much));
        let expected = (RequestKind::PlaceOrder, RejectCode::InsufficientBalance);
        assert_eq!(rejected(&events), Some(expected));
        assert!(exchange.books()[&(FIRST_MARKET, Side::Sell)].is_empty());
        exchange.assert_sound();
        exchange.assert_replays();
    }
}

#[test]
fn a_repeated_replacement_cancels_nothing() {
    let mut exchange = funded(1);
    let old = place(&mut exchange, limit(ALICE, Side::Sell, 100, 5));
    let mut order = limit(ALICE, Side::Sell, 101, 5);
    order.client_order_id = "once".parse().unwrap();
    exchange.submit_quietly(replace(old, true, order.clone()));
    let other = place(&mut exchange, limit(ALICE, Side::Sell, 102, 5));
    let events = exchange.submit_quietly(replace(other, true, order));
    assert!(matches!(events[..], [Event::Repeated { outcome: Ok(_), .. }]), "{events:#?}");
}

#[test]
fn a_dead_mans_switch_cancels_all_unless_it_is_put_off() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        let (account, market) = (AccountId(ALICE), FIRST_MARKET);
        let id = place(&mut exchange, limit(ALICE, Side::Sell, 100, 5));
        place(&mut exchange, limit(BOB, Side::Sell, 100, 5));
        let set = |after_ms| Request::SetCountdown { account, market, after_ms };
        exchange.submit_quietly(set(100));
        let first = later(&exchange, 100);
        exchange.submit_quietly(set(500));
        assert_eq!(cancelled(&exchange.wait_until(first)), []);
        let second = later(&exchange, 500);
        assert_eq!(cancelled(&exchange.wait_until(second)), [(id, CancelCause::CancelAll)]);
        assert_eq!(exchange.books()[&(market, Side::Sell)].len(), 1, "Bob's stays");
        // Taken off, it does nothing.
        let stays = place(&mut exchange, limit(ALICE, Side::Sell, 100, 5));
        exchange.submit_quietly(set(100));
        exchange.submit_quietly(set(0));
        let end = later(&exchange, 10_000);
        assert!(!cancelled(&exchange.wait_until(end)).iter().any(|(order, _)| *order == stays));
        exchange.assert_sound();
        exchange.assert_replays();
    }
}

#[test]
fn rules_reach_the_market_and_every_ledger() {
    for partitions in PARTITIONS {
        let mut exchange = funded(partitions);
        let rules = MarketRules {
            limit_quantity: Range { least: Some(Quantity::new(2)), most: None },
            max_open_orders: Some(2),
            max_waiting_orders: Some(1),
            max_position: Some(Amount::new(1_000_010)),
            ..MarketRules::default()
        };
        exchange.submit_quietly(Request::SetMarketRules {
            market: FIRST_MARKET,
            rules: Box::new(rules),
        });
        let ask = |exchange: &mut Exchange, order| {
            rejected(&exchange.submit_quietly(Request::PlaceOrder(order))).map(|(_, code)| code)
        };
        let small = limit(ALICE, Side::Sell, 100, 1);
        assert_eq!(ask(&mut exchange, small), Some(RejectCode::QuantityBelowMinimum));
        let buy = |lots| limit(BOB, Side::Buy, 10, lots);
        assert_eq!(ask(&mut exchange, buy(11)), Some(RejectCode::PositionLimit));
        assert_eq!(ask(&mut exchange, buy(6)), None);
        assert_eq!(ask(&mut exchange, buy(5)), Some(RejectCode::PositionLimit));
        assert_eq!(ask(&mut exchange, buy(4)), None);
        let sell = limit(BOB, Side::Sell, 100, 2);
        assert_eq!(ask(&mut exchange, sell), Some(RejectCode::TooManyOpenOrders));
        place(&mut exchange, limit(ALICE, Side::Sell, 10, 2));
        let stop = triggered(limit(ALICE, Side::Sell, 5, 2), Trigger::Falls { to: Price::new(5) });
        assert_eq!(ask(&mut exchange, stop.clone()), None);
        assert_eq!(ask(&mut exchange, stop), Some(RejectCode::TooManyWaitingOrders));
        exchange.assert_sound();
        exchange.assert_replays();
    }
}
