//! Ledger slots and the treasury that fail: what is settled waits for them, what is asked of them is refused.

use types::{
    AccountId, Amount, Bug, ClientOrderId, Component, Done, Event, Message, OrderId, Request,
    RequestKind, Side, Slot, TreasuryReference,
};

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE};
use crate::quarantine::rig::{
    EACH, SLOT_2, available, check, codes, debit, fails_at_fill, place, refused, trades,
};

/// Rule 13.3.
#[test]
fn fills_of_a_slot_that_failed_wait_for_it_while_its_market_goes_on() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        let mut mended = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_fill(2)));
        let traded = [
            place(2, Side::Sell, 100, 9),
            place(2, Side::Sell, 200, 1),
            place(1, Side::Buy, 100, 3),
            place(3, Side::Buy, 100, 4),
            place(3, Side::Sell, 150, 1),
            place(4, Side::Buy, 150, 1),
        ];
        let mut count = 0;
        for request in &traded {
            count += trades(&exchange.submit_quietly(request.clone()));
            mended.submit_quietly(request.clone());
        }
        assert_eq!(count, 3, "the market did not notice");
        assert_eq!(exchange.quarantined(), [SLOT_2]);
        assert_eq!(available(&exchange, 1, BASE), EACH + 3, "the other side is paid");
        assert_eq!(available(&exchange, 2, QUOTE), EACH, "this one is not, yet");
        // By its id an order is cancelled in its market; the slot hears of it later.
        let (account, market, order) = (AccountId(2), FIRST_MARKET, OrderId(2));
        let cancel = Request::CancelOrder { account, market, order };
        let pay = Request::Transfer {
            from: AccountId(1),
            to: account,
            asset: QUOTE,
            amount: Amount::new(11),
            client_id: ClientOrderId::NONE,
        };
        for request in [cancel, pay] {
            assert_eq!(codes(&exchange.submit_quietly(request.clone())), []);
            mended.submit_quietly(request);
        }
        assert_eq!(codes(&exchange.credit(account, BASE, 13)), []);
        mended.credit(account, BASE, 13);
        refused(&exchange.submit_quietly(place(2, Side::Buy, 1, 1)), RequestKind::PlaceOrder);
        let all = Request::CancelAll { account, market };
        refused(&exchange.submit_quietly(all), RequestKind::CancelAll);
        let freeze = Request::FreezeAccount { account, frozen: true };
        refused(&exchange.submit_quietly(freeze), RequestKind::FreezeAccount);
        check(&exchange);
        assert!(exchange.assert_sound().parked >= 5);

        exchange.run_with(None);
        let events = exchange.release(SLOT_2);
        assert!(matches!(events[0], Event::QuarantineReleased { component: SLOT_2, .. }));
        assert_eq!(exchange.balances(), mended.balances());
        assert_eq!(exchange.books(), mended.books());
        assert_eq!(exchange.assert_sound().parked, 0);
        check(&exchange);
    }
}

#[test]
fn a_slot_that_fails_again_keeps_what_it_has_not_handled_in_order() {
    let mut exchange = Exchange::funded(2, 1, 4, EACH);
    exchange.run_with(Some(fails_at_fill(2)));
    exchange.submit_quietly(place(2, Side::Sell, 100, 9));
    exchange.submit_quietly(place(1, Side::Buy, 100, 3));
    exchange.submit_quietly(place(1, Side::Buy, 100, 2));
    let parked = exchange.assert_sound().parked;
    for _ in 0..2 {
        let events = exchange.release(SLOT_2);
        assert!(matches!(events[0], Event::QuarantineReleased { component: SLOT_2, .. }));
        assert!(matches!(events[1], Event::Quarantined { component: SLOT_2, .. }));
        assert_eq!(exchange.assert_sound().parked, parked);
        check(&exchange);
    }
    exchange.run_with(None);
    exchange.release(SLOT_2);
    assert_eq!(available(&exchange, 2, QUOTE), EACH + 500);
    check(&exchange);
}

#[test]
fn what_leaves_at_once_is_refused_by_a_quarantined_slot_and_what_has_left_waits_for_it() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        let (account, amount) = (AccountId(2), Amount::new(40));
        let (asset, client_id) = (QUOTE, "w".parse().unwrap());
        exchange.submit_quietly(Request::ReserveDebit { account, asset, amount, client_id });
        exchange.run_with(Some(fails_at_fill(2)));
        exchange.submit_quietly(place(2, Side::Sell, 100, 9));
        exchange.submit_quietly(place(1, Side::Buy, 100, 3));
        refused(&exchange.submit_quietly(debit(account, amount)), RequestKind::Debit);
        let reference = TreasuryReference { source: 9, number: 2 };
        let settle = Request::SettleDebit { reference, account, client_id };
        assert_eq!(exchange.submit_quietly(settle), [], "no answer yet");
        check(&exchange);
        exchange.run_with(None);
        let events = exchange.release(SLOT_2);
        assert!(events.iter().any(|event| matches!(event, Event::Debited { .. })), "{events:#?}");
        assert_eq!(available(&exchange, 2, QUOTE), EACH + 300 - 40);
        check(&exchange);
    }
}

/// Rule 13.1.
#[test]
fn two_slots_that_fail_in_the_middle_of_a_sweep_are_both_quarantined() {
    let mut exchange = Exchange::funded(1, 1, 3, EACH);
    for _ in 0..4_200 {
        exchange.submit_quietly(place(2, Side::Sell, 10, 1));
    }
    // The last two fills are settled in an entry that continues the sweep.
    exchange.submit_quietly(place(2, Side::Sell, 10, 7));
    exchange.submit_quietly(place(3, Side::Sell, 10, 9));
    exchange.run_with(Some(Bug::new(|done| {
        if let Done::Handled(Message::Filled { fill, .. }) = done {
            let (account, lots) = (fill.account.0, fill.debit.get());
            assert!((account, lots) != (2, 7) && (account, lots) != (3, 9), "a slot too many");
        }
    })));
    let events = exchange.submit_quietly(place(1, Side::Buy, 10, 4_216));
    assert_eq!(trades(&events), 4_202);
    assert_eq!(exchange.quarantined(), [SLOT_2, Component::Ledger(Slot(3))]);
    exchange.run_with(None);
    for component in exchange.quarantined() {
        exchange.release(component);
    }
    assert_eq!(available(&exchange, 2, QUOTE), EACH + 42_070);
    assert_eq!(available(&exchange, 3, QUOTE), EACH + 90);
    check(&exchange);
}

#[test]
fn the_treasury_is_quarantined_like_any_other_and_debits_are_counted_afterwards() {
    for partitions in [1, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(Bug::new(|done| {
            assert!(!matches!(done, Done::Handled(Message::Debited { .. })), "no debits here");
        })));
        let events = exchange.submit_quietly(debit(AccountId(1), Amount::new(40)));
        assert_eq!(exchange.quarantined(), [Component::Treasury]);
        if partitions == 1 {
            // The whole debit was one entry.
            refused(&events, RequestKind::Debit);
        } else {
            assert_eq!(available(&exchange, 1, QUOTE), EACH - 40);
            assert_eq!(exchange.assert_sound().parked, 1);
        }
        refused(&exchange.credit(AccountId(1), QUOTE, 5), RequestKind::Credit);
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert_eq!(trades(&exchange.submit_quietly(place(2, Side::Sell, 100, 5))), 1);
        check(&exchange);
        exchange.run_with(None);
        exchange.release(Component::Treasury);
        assert_eq!(exchange.assert_sound().parked, 0);
        check(&exchange);
    }
}
