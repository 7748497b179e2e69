//! Order lists whose market or slot is quarantined.

use types::{
    AccountId, Amount, Bug, ClientOrderId, Component, Conditions, Done, Event, ListEnd, ListLeg,
    Message, OrderId, OrderSpec, PartitionId, Price, Quantity, RejectCode, Request, RequestKind,
    Side, TimeInForce, Trigger,
};

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, order_list};
use crate::quarantine::rig::{
    EACH, FIRST, available, balance, check, codes, fails_at_trade, mend_and_release, place, refused,
};

fn leg(side: Side, price: u64, quantity: u64, trigger: Option<Trigger>) -> ListLeg {
    let spec = OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(quantity),
        time_in_force: TimeInForce::Gtc,
        post_only: false,
    };
    let conditions = Conditions { trigger, ..Conditions::NONE };
    ListLeg { client_order_id: ClientOrderId::NONE, side, spec, conditions }
}

/// An account's slot fails when it is paid this much.
fn fails_at_payment(account: u32, credit: u128) -> Bug {
    Bug::new(move |done| {
        if let Done::Handled(Message::Filled { fill, .. }) = done {
            let fails = (fill.account, fill.credit) == (AccountId(account), Amount::new(credit));
            assert!(!fails, "this payment");
        }
    })
}

fn ends(events: &[Event]) -> Vec<ListEnd> {
    let end = |event: &Event| match event {
        Event::OrderListEnded { end, .. } => Some(*end),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

/// Rule 13.2.
#[test]
fn a_quarantined_market_refuses_lists_and_their_cancels_and_what_they_locked_is_free() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 1)));
        let pair = || {
            let falls = Trigger::Falls { to: Price::new(90) };
            vec![leg(Side::Sell, 120, 5, None), leg(Side::Sell, 85, 5, Some(falls))]
        };
        exchange.submit_quietly(order_list(2, vec![leg(Side::Sell, 100, 5, None)], vec![]));
        exchange.submit_quietly(order_list(2, vec![leg(Side::Sell, 100, 5, None)], pair()));
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert_eq!(exchange.quarantined(), [FIRST]);
        let before = exchange.balances();
        refused(
            &exchange.submit_quietly(order_list(3, pair(), vec![])),
            RequestKind::PlaceOrderList,
        );
        let (account, market) = (AccountId(2), FIRST_MARKET);
        let cancel = Request::CancelOrderList { account, market, list: OrderId(1) };
        let kinds = codes(&exchange.submit_quietly(cancel));
        assert_eq!(kinds.len(), 1);
        assert_eq!(kinds[0].1, RejectCode::ComponentQuarantined);
        assert_eq!(exchange.balances(), before);
        assert_eq!(check(&exchange).parked, 0);
        mend_and_release(&mut exchange, FIRST);
    }
}

/// Rule 13.2: pending legs of a list that the market knows wait.
#[test]
fn pending_legs_wait_for_a_quarantined_market_with_their_funds_held_and_enter_when_it_is_released()
{
    let mut exchange = Exchange::funded(2, 1, 4, EACH);
    let (ledgers, market) = (PartitionId(0), PartitionId(1));
    assert_eq!(exchange.partitions[0].market_home(FIRST_MARKET), Some(market));
    // Even slots live with the treasury, odd ones with the market.
    let home = exchange.topology.home_of_slot(AccountId(2).slot());
    assert_eq!(home, ledgers);
    exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 2)));
    let pending = vec![leg(Side::Sell, 120, 5, None)];
    exchange.submit_quietly(order_list(2, vec![leg(Side::Buy, 100, 5, None)], pending));
    exchange.submit_quietly(place(4, Side::Sell, 101, 5));
    // The working leg is filled, then the market fails; the ledger has not heard of either.
    exchange.submit(place(4, Side::Sell, 100, 5));
    exchange.submit(place(2, Side::Buy, 101, 5));
    exchange.carry(ledgers, market, 1);
    exchange.carry(ledgers, market, 1);
    assert_eq!(exchange.quarantined(), [FIRST]);
    exchange.settle(&mut Vec::new());
    assert_eq!(check(&exchange).parked, 1, "the legs");
    assert_eq!(
        balance(&exchange, 2, BASE),
        (EACH, 5),
        "what it bought is held for the pending leg"
    );
    let events = mend_and_release(&mut exchange, FIRST);
    assert!(events.iter().any(|event| matches!(event, Event::OrderListAdvanced { .. })));
    assert_eq!(ends(&events), [ListEnd::Done]);
    assert_eq!(exchange.books()[&(FIRST_MARKET, Side::Sell)].len(), 2);
    assert_eq!(balance(&exchange, 2, BASE), (EACH, 5));
}

/// Rule 13.3.
#[test]
fn a_list_that_is_filled_while_its_owners_slot_is_quarantined_goes_on_when_it_is_released() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_payment(2, 99)));
        exchange.submit_quietly(place(2, Side::Sell, 99, 1));
        let pending = || vec![leg(Side::Buy, 90, 5, None)];
        exchange.submit_quietly(order_list(2, vec![leg(Side::Sell, 100, 5, None)], pending()));
        exchange.submit_quietly(place(1, Side::Buy, 99, 1));
        let slot = Component::Ledger(AccountId(2).slot());
        assert_eq!(exchange.quarantined(), [slot]);
        let more = order_list(2, vec![leg(Side::Sell, 100, 5, None)], pending());
        refused(&exchange.submit_quietly(more), RequestKind::PlaceOrderList);
        let before = check(&exchange).parked;
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert!(check(&exchange).parked > before, "fill, end and pending leg");
        let events = mend_and_release(&mut exchange, slot);
        assert!(events.iter().any(|event| matches!(event, Event::OrderListAdvanced { .. })));
        assert_eq!(ends(&events), [ListEnd::Done]);
        assert_eq!(balance(&exchange, 2, QUOTE), (EACH + 99 + 500 - 450, 450));
    }
}

/// Rule 13.3.
#[test]
fn of_a_pair_that_traded_while_its_slot_was_quarantined_one_hold_is_left_after_the_release() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_payment(2, 99)));
        // A last price, which the trigger needs.
        exchange.submit_quietly(place(3, Side::Sell, 98, 1));
        exchange.submit_quietly(place(1, Side::Buy, 98, 1));
        let falls = Trigger::Falls { to: Price::new(90) };
        let pair = vec![leg(Side::Sell, 100, 5, None), leg(Side::Sell, 85, 5, Some(falls))];
        exchange.submit_quietly(order_list(2, pair, vec![]));
        exchange.submit_quietly(place(2, Side::Sell, 99, 1));
        exchange.submit_quietly(place(1, Side::Buy, 99, 1));
        let slot = Component::Ledger(AccountId(2).slot());
        assert_eq!(exchange.quarantined(), [slot]);
        let events = exchange.submit_quietly(place(1, Side::Buy, 100, 2));
        assert_eq!(ends(&events), [ListEnd::Done], "its market goes on");
        assert!(check(&exchange).parked > 0);
        mend_and_release(&mut exchange, slot);
        assert_eq!(balance(&exchange, 2, BASE).1, 3, "what is open of the one that traded");
    }
}

/// Rule 13.2: pending legs that come to a quarantined market wait, and what they hold is theirs meanwhile.
#[test]
fn pending_legs_on_their_way_wait_for_a_quarantined_market() {
    let mut exchange = Exchange::funded(2, 1, 4, EACH);
    exchange.run_with(Some(Bug::new(|done| {
        let advances = matches!(done, Done::Emits(Event::OrderListAdvanced { .. }));
        assert!(!advances, "no list advances");
    })));
    let legs = vec![leg(Side::Buy, 100, 5, None)];
    exchange.submit_quietly(order_list(2, legs, vec![leg(Side::Sell, 110, 5, None)]));
    exchange.submit_quietly(place(1, Side::Sell, 100, 5));
    assert_eq!(exchange.quarantined(), [FIRST]);
    assert_eq!(available(&exchange, 2, BASE), EACH, "the five that were bought are held again");
    check(&exchange);
    exchange.run_with(None);
    let events = exchange.release(FIRST);
    assert!(events.iter().any(|event| matches!(event, Event::OrderListAdvanced { .. })));
    assert_eq!(exchange.assert_sound().open_orders, 1);
    check(&exchange);
}
