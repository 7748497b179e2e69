//! A market that fails: its order is refused whole, what comes for it too, and others trade on.

use types::{
    AccountId, Amount, ClientOrderId, Event, MarketId, OrderId, PartitionId, Price, Quantity,
    RejectCode, Request, RequestKind, Side,
};

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit};
use crate::quarantine::rig::{
    EACH, FIRST, SECOND_MARKET, available, check, codes, fails_at_trade, place, place_in, refused,
    trades, with_failed_market,
};

/// Rule 13.1.
#[test]
fn an_order_on_which_its_market_fails_after_two_fills_is_refused_whole_and_its_funds_are_free() {
    for partitions in [1, 2, 5] {
        let (exchange, events) = with_failed_market(partitions);
        assert_eq!(trades(&events), 0);
        refused(&events, RequestKind::PlaceOrder);
        let quarantined =
            |event: &&Event| matches!(event, Event::Quarantined { component: FIRST, .. });
        assert_eq!(events.iter().filter(quarantined).count(), 1);
        assert_eq!(exchange.quarantined(), [FIRST]);
        let untouched = (Amount::new(EACH), Amount::ZERO);
        assert_eq!(exchange.balances()[&(AccountId(1), QUOTE)], untouched);
        assert_eq!(exchange.books()[&(FIRST_MARKET, Side::Sell)].len(), 3);
        check(&exchange);
    }
}

/// Rule 13.1.
#[test]
fn the_rest_of_the_exchange_goes_on_while_a_market_is_quarantined() {
    for partitions in [1, 2, 5] {
        let (mut exchange, _) = with_failed_market(partitions);
        exchange.submit_quietly(place_in(SECOND_MARKET, 2, Side::Sell, 50, 10));
        let events = exchange.submit_quietly(place_in(SECOND_MARKET, 1, Side::Buy, 50, 10));
        assert_eq!(trades(&events), 1);
        let transfer = Request::Transfer {
            from: AccountId(1),
            to: AccountId(2),
            asset: QUOTE,
            amount: Amount::new(7),
            client_id: ClientOrderId::NONE,
        };
        assert_eq!(codes(&exchange.submit_quietly(transfer)), []);
        assert_eq!(available(&exchange, 2, QUOTE), EACH + 500 + 7);
        check(&exchange);
    }
}

/// Rule 13.2.
#[test]
fn whatever_is_asked_of_a_quarantined_market_is_refused_and_gives_back_what_it_locked() {
    for partitions in [1, 2, 5] {
        let (mut exchange, _) = with_failed_market(partitions);
        let (account, market, order) = (AccountId(2), FIRST_MARKET, OrderId(1));
        let before = exchange.balances();
        let quantity = Some(Quantity::new(50));
        let (price, keep_priority) = (None, false);
        let amend = Request::AmendOrder {
            account,
            market,
            version: 1,
            order,
            price,
            quantity,
            keep_priority,
        };
        refused(&exchange.submit_quietly(amend.clone()), RequestKind::AmendOrder);
        // Another one is possible: the first is not under way any more.
        refused(&exchange.submit_quietly(amend), RequestKind::AmendOrder);
        let cancel = Request::CancelOrder { account, market, order };
        refused(&exchange.submit_quietly(cancel), RequestKind::CancelOrder);
        let replace = types::ReplaceOrder {
            cancel: order,
            stop_on_failure: false,
            order: limit(2, Side::Sell, 110, 1),
        };
        let replace = Request::ReplaceOrder(Box::new(replace));
        refused(&exchange.submit_quietly(replace), RequestKind::ReplaceOrder);
        let state = types::MarketState::Halted;
        let halt = Request::SetMarketState { market, state };
        refused(&exchange.submit_quietly(halt), RequestKind::SetMarketState);
        let (at, state) = (exchange.now.saturating_add_nanos(1_000_000), Some(state));
        let plan = Request::PlanMarketState { market, at, state };
        refused(&exchange.submit_quietly(plan), RequestKind::PlanMarketState);
        let events = exchange.submit_quietly(Request::CancelAll { account, market });
        let each = (RequestKind::CancelOrder, RejectCode::ComponentQuarantined);
        assert_eq!(codes(&events), [each; 3], "as in a halted market");
        assert_eq!(exchange.balances(), before);
        check(&exchange);
    }
}

/// Rule 13.5.
#[test]
fn a_client_id_that_a_quarantined_market_refused_can_be_used_again() {
    let (mut exchange, _) = with_failed_market(2);
    let mut order = limit(3, Side::Sell, 200, 1);
    order.client_order_id = "again".parse().unwrap();
    let request = Request::PlaceOrder(order);
    refused(&exchange.submit_quietly(request.clone()), RequestKind::PlaceOrder);
    exchange.run_with(None);
    exchange.release(FIRST);
    let events = exchange.submit_quietly(request);
    let is_placed = |event: &Event| matches!(event, Event::OrderPlaced { .. });
    assert!(events.iter().any(is_placed), "{events:#?}");
}

#[test]
fn a_market_that_fails_again_is_quarantined_again_and_a_mended_one_trades_on() {
    for partitions in [1, 2, 5] {
        let (mut exchange, _) = with_failed_market(partitions);
        let events = exchange.release(FIRST);
        assert!(matches!(events[0], Event::QuarantineReleased { component: FIRST, .. }));
        assert_eq!(exchange.quarantined(), []);
        refused(&exchange.submit_quietly(place(1, Side::Buy, 102, 15)), RequestKind::PlaceOrder);
        assert_eq!(exchange.quarantined(), [FIRST]);
        exchange.run_with(None);
        assert_eq!(exchange.quarantined(), [FIRST], "the log decides, not the binary");
        exchange.release(FIRST);
        assert_eq!(trades(&exchange.submit_quietly(place(1, Side::Buy, 102, 15))), 3);
        assert_eq!(available(&exchange, 1, BASE), EACH + 15);
        assert_eq!(exchange.assert_sound().parked, 0);
        check(&exchange);
        let code = RejectCode::NotQuarantined;
        let events = exchange.release(FIRST);
        assert_eq!(codes(&events), [(RequestKind::ReleaseQuarantine, code)]);
        assert!(matches!(events[0], Event::Rejected { market: FIRST_MARKET, .. }));
    }
}

/// An order of account 1 that takes all that account 2 sells, at once or when it is amended.
fn sweep(exchange: &mut Exchange, is_amended: bool) -> Vec<Event> {
    for n in 0..6_000 {
        exchange.submit_quietly(place(2, Side::Sell, 100 + n % 7, 1));
    }
    if !is_amended {
        return exchange.submit_quietly(place(1, Side::Buy, 200, 6_100));
    }
    exchange.submit_quietly(place(1, Side::Buy, 1, 6_100));
    exchange.submit_quietly(Request::AmendOrder {
        account: AccountId(1),
        market: FIRST_MARKET,
        version: 1,
        order: OrderId(6_001),
        price: Some(Price::new(200)),
        quantity: None,
        keep_priority: false,
    })
}

/// Rule 13.4. An amended order has a hold by its id while it is in no book.
#[test]
fn a_sweep_that_fails_in_its_second_entry_is_finished_after_the_release() {
    for (in_partitions, is_amended) in [(1, false), (2, false), (1, true), (2, true)] {
        let mut mended = Exchange::funded(2, 1, 4, 10_000_000);
        sweep(&mut mended, is_amended);
        let mut exchange = Exchange::funded(in_partitions, 1, 4, 10_000_000);
        exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 5_900)));
        let events = sweep(&mut exchange, is_amended);
        assert_eq!(exchange.quarantined(), [FIRST]);
        let done = trades(&events);
        // The first entry went through: the sweep takes more than one.
        assert!((1..5_900).contains(&done), "{done}");
        check(&exchange);
        // What comes for it meanwhile is refused, though it is in the middle of an order.
        refused(&exchange.submit_quietly(place(3, Side::Buy, 1, 1)), RequestKind::PlaceOrder);
        exchange.run_with(None);
        let events = exchange.release(FIRST);
        assert_eq!(done + trades(&events), 6_000);
        assert_eq!(exchange.books(), mended.books());
        assert_eq!(exchange.balances(), mended.balances());
        check(&exchange);
    }
}

#[test]
fn an_amendment_that_a_quarantined_market_refuses_frees_nothing_of_an_order_that_has_ended() {
    // The order's end and the amendment cross each other between two partitions.
    let mut exchange = Exchange::funded(2, 1, 4, EACH);
    let (ledger, market_home) = (PartitionId(0), PartitionId(1));
    exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 2)));
    exchange.submit_quietly(place(2, Side::Sell, 100, 5));
    exchange.submit_quietly(place(3, Side::Sell, 101, 5));
    // The market fills account 2's order, then fails; its ledger knows of neither.
    exchange.submit(place(1, Side::Buy, 100, 5));
    exchange.submit(place(1, Side::Buy, 101, 5));
    exchange.carry(ledger, market_home, usize::MAX);
    assert_eq!(exchange.quarantined(), [FIRST]);
    let (account, market, order) = (AccountId(2), FIRST_MARKET, OrderId(1));
    let (price, quantity) = (Some(Price::new(90)), Some(Quantity::new(30)));
    let keep_priority = false;
    exchange.submit(Request::AmendOrder {
        account,
        market,
        version: 1,
        order,
        price,
        quantity,
        keep_priority,
    });
    // Its hold ends, and its place in the slab is another order's before the refusal comes.
    exchange.carry(market_home, ledger, usize::MAX);
    let mut again = limit(2, Side::Sell, 300, 7);
    again.market = MarketId(1);
    exchange.submit(Request::PlaceOrder(again));
    let mut events = Vec::new();
    exchange.settle(&mut events);
    assert_eq!(available(&exchange, 2, BASE), EACH - 5);
    check(&exchange);
}
