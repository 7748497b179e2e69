//! What waits for a quarantined market, and what comes to it by the clock: timers, rules, changes of units.

use types::{
    AccountId, Bug, Conditions, Decimal, Event, MarketId, MarketRules, Price, Quantity,
    Redefinition, RejectCode, Request, RequestKind, Side, Timestamp,
};

use crate::exchange::{BASE, Exchange, FIRST_MARKET, limit};
use crate::quarantine::rig::{
    EACH, FIRST, SECOND_MARKET, SLOT_2, balance, check, codes, fails_at_fill, fails_at_trade,
    mend_and_release, place, place_in, with_failed_market,
};

/// Rule 13.2.
#[test]
fn timers_of_what_is_quarantined_ask_for_one_entry_and_fire_when_it_is_released() {
    for partitions in [1, 2] {
        let mut exchange = Exchange::funded(partitions, 2, 4, EACH);
        let minute = 60_000_000_000;
        let date = exchange.now.saturating_add_nanos(minute);
        let mut order = limit(3, Side::Sell, 500, 5);
        let conditions = Conditions { expires_at: Some(date), ..Conditions::NONE };
        order.conditions = conditions.into();
        exchange.submit_quietly(Request::PlaceOrder(order));
        exchange.submit_quietly(place_in(SECOND_MARKET, 2, Side::Sell, 500, 5));
        let (account, market) = (AccountId(2), SECOND_MARKET);
        exchange.submit_quietly(Request::SetCountdown { account, market, after_ms: 60_000 });
        let fails_at_three = fails_at_trade(FIRST_MARKET, 1);
        let fails_at_two = fails_at_fill(2);
        exchange.run_with(Some(Bug::new(move |done| {
            (fails_at_three.0)(done);
            (fails_at_two.0)(done);
        })));
        exchange.submit_quietly(place_in(SECOND_MARKET, 1, Side::Buy, 500, 1));
        exchange.submit_quietly(place(1, Side::Buy, 500, 1));
        assert_eq!(exchange.quarantined(), [SLOT_2, FIRST]);
        let late = Timestamp(date.0 + 2 * minute);
        exchange.wait_until(late);
        for partition in &exchange.partitions {
            assert_eq!(partition.next_deadline(), None, "no tick after tick");
        }
        let entries: usize = exchange.logs.iter().map(Vec::len).sum();
        assert_eq!(exchange.wait_until(Timestamp(late.0 + minute)), []);
        assert_eq!(exchange.logs.iter().map(Vec::len).sum::<usize>(), entries);
        check(&exchange);

        exchange.run_with(None);
        let cancelled = |events: Vec<Event>| {
            events.iter().filter(|event| matches!(event, Event::OrderCancelled { .. })).count()
        };
        assert_eq!(cancelled(exchange.release(FIRST)), 1, "its date has come");
        assert_eq!(cancelled(exchange.release(SLOT_2)), 1, "its switch has fired");
        check(&exchange);
        assert!(exchange.books().values().all(Vec::is_empty));
    }
}

/// Rule 13.4: until then its orders hold what they need in the units that it still has.
#[test]
fn units_that_change_while_a_market_is_quarantined_change_at_its_release() {
    for partitions in [1, 2] {
        let (mut exchange, _) = with_failed_market(partitions);
        exchange.run_with(None);
        let (market, at) = (FIRST_MARKET, exchange.now.saturating_add_nanos(1_000_000_000));
        let redefinition = Some(Box::new(Redefinition {
            tick: Decimal::new(1, 0),
            lot: Decimal::new(5, 0),
            max_price: Price::new(1_000),
            max_quantity: Quantity::new(1_000),
            bounds: None,
        }));
        exchange.submit_quietly(Request::PlanRedefinition { market, at, redefinition });
        exchange.wait_until(at);
        assert_eq!(exchange.assert_sound().open_orders, 3);
        let events = exchange.release(FIRST);
        let changes = events.iter().filter(|e| matches!(e, Event::MarketRedefined { .. }));
        assert_eq!(changes.count(), 1);
        assert_eq!(exchange.assert_sound().open_orders, 3);
        check(&exchange);
    }
}

/// Rule 13.4: changes of units wait.
#[test]
fn units_that_change_while_a_market_is_quarantined_hold_when_it_is_released_and_not_before() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 1)));
        exchange.submit_quietly(place(2, Side::Sell, 100, 10));
        exchange.submit_quietly(place(3, Side::Sell, 101, 7));
        exchange.submit_quietly(place(1, Side::Buy, 100, 10));
        assert_eq!(exchange.quarantined(), [FIRST]);
        let at = exchange.now.saturating_add_nanos(1_000_000);
        let redefinition = Redefinition {
            tick: Decimal::new(2, 0),
            lot: Decimal::new(5, 0),
            max_price: Price::new(1_000),
            max_quantity: Quantity::new(1_000),
            bounds: None,
        };
        let redefinition = Some(Box::new(redefinition));
        let market = MarketId(1);
        exchange.submit_quietly(Request::PlanRedefinition { market, at, redefinition });
        exchange.wait_until(at);
        assert_eq!(check(&exchange).parked, 1, "orders still count in the old units");
        let quantities = |exchange: &Exchange| {
            let book = &exchange.books()[&(FIRST_MARKET, Side::Sell)];
            book.iter().map(|&(_, _, price, open)| (price.get(), open.get())).collect::<Vec<_>>()
        };
        assert_eq!(quantities(&exchange), [(100, 10), (101, 7)]);
        mend_and_release(&mut exchange, FIRST);
        assert_eq!(quantities(&exchange), [(50, 2)], "the other one does not fit");
        assert_eq!(balance(&exchange, 3, BASE), (EACH, 0));
    }
}

/// Rule 13.4.
#[test]
fn rules_that_are_set_while_a_market_is_quarantined_hold_when_it_is_released() {
    for partitions in [1, 2] {
        let (mut exchange, _) = with_failed_market(partitions);
        let mut rules = MarketRules::default();
        rules.limit_quantity.most = Some(Quantity::new(20));
        let market = FIRST_MARKET;
        let events =
            exchange.submit_quietly(Request::SetMarketRules { market, rules: Box::new(rules) });
        assert!(matches!(events[0], Event::MarketRulesSet { .. }));
        exchange.run_with(None);
        exchange.release(FIRST);
        let events = exchange.submit_quietly(place(3, Side::Sell, 300, 21));
        assert_eq!(codes(&events), [(RequestKind::PlaceOrder, RejectCode::QuantityAboveMaximum)]);
        check(&exchange);
    }
}
