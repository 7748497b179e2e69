//! A component that fails is quarantined: the rest goes on, and nothing is lost, doubled or decided twice.

mod exchange;

use exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, Random, limit};
use types::{
    AccountId, Amount, Bug, ClientOrderId, Component, Conditions, Decimal, Done, Event, ListLeg,
    MarketId, MarketRules, Message, OrderId, PartitionId, PlaceOrderList, Price, Quantity,
    Redefinition, RejectCode, Request, RequestKind, SelfTradePrevention, Side, Slot, Timestamp,
    Trade, TradeId, TreasuryReference,
};

const SECOND_MARKET: MarketId = MarketId(2);
const FIRST: Component = Component::Market(FIRST_MARKET);
const SLOT_2: Component = Component::Ledger(Slot(2));
const EACH: u128 = 100_000;

fn place(account: u32, side: Side, price: u64, quantity: u64) -> Request {
    Request::PlaceOrder(limit(account, side, price, quantity))
}

fn place_in(market: MarketId, account: u32, side: Side, price: u64, quantity: u64) -> Request {
    let mut order = limit(account, side, price, quantity);
    order.market = market;
    Request::PlaceOrder(order)
}

/// A market that fails when it makes its trade of this number.
fn fails_at_trade(market: MarketId, number: u64) -> Bug {
    Bug::new(move |done| {
        if let Done::Emits(Event::Trade(Trade { market: at, trade, .. })) = done {
            assert!((*at, *trade) != (market, TradeId(number)), "a trade too many");
        }
    })
}

/// A ledger slot that fails when an account is paid: what the fill changed is changed by then.
fn fails_at_fill(account: u32) -> Bug {
    let nobody: [u8; 0] = [];
    Bug::new(move |done| {
        if let Done::Handled(Message::Filled { fill, .. }) = done
            && fill.account == AccountId(account)
        {
            println!("{}", nobody[fill.credit.get() as usize]);
        }
    })
}

fn codes(events: &[Event]) -> Vec<(RequestKind, RejectCode)> {
    let rejected = |event: &Event| match *event {
        Event::Rejected { request, code, .. } => Some((request, code)),
        _ => None,
    };
    events.iter().filter_map(rejected).collect()
}

fn refused(events: &[Event], request: RequestKind) {
    assert_eq!(codes(events), [(request, RejectCode::ComponentQuarantined)], "{events:#?}");
}

fn trades(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Trade(_))).count()
}

fn available(exchange: &Exchange, account: u32, asset: types::AssetId) -> u128 {
    exchange.balances()[&(AccountId(account), asset)].0.get()
}

fn check(exchange: &Exchange) {
    let audit = exchange.assert_sound();
    assert!(audit.quiet, "nothing but what is parked is under way");
    exchange.assert_replays();
    for partition in &exchange.partitions {
        let restored = engine::Partition::restore(partition.id(), 3, &partition.snapshot());
        let restored = restored.expect("a snapshot of this binary");
        assert_eq!(restored.state_hash(), partition.state_hash());
        assert_eq!(restored.next_deadline(), partition.next_deadline());
    }
}

/// Three offers of account 2 in the first market, and a bid of account 1 for all of them that fails after two
/// fills.
fn with_failed_market(partitions: u16) -> (Exchange, Vec<Event>) {
    let mut exchange = Exchange::funded(partitions, 2, 4, EACH);
    exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 3)));
    for price in [100, 101, 102] {
        exchange.submit_quietly(place(2, Side::Sell, price, 5));
    }
    let events = exchange.submit_quietly(place(1, Side::Buy, 102, 15));
    (exchange, events)
}

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
        let price = None;
        let amend = Request::AmendOrder { account, market, version: 1, order, price, quantity };
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
        let (account, asset, amount) = (AccountId(2), QUOTE, Amount::new(40));
        let client_id: ClientOrderId = "w".parse().unwrap();
        exchange.submit_quietly(Request::ReserveDebit { account, asset, amount, client_id });
        exchange.run_with(Some(fails_at_fill(2)));
        exchange.submit_quietly(place(2, Side::Sell, 100, 9));
        exchange.submit_quietly(place(1, Side::Buy, 100, 3));
        let reference = TreasuryReference { source: 9, number: 1 };
        let debit = Request::Debit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset,
            amount,
        };
        refused(&exchange.submit_quietly(debit), RequestKind::Debit);
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

/// Rule 13.4.
#[test]
fn a_sweep_that_fails_in_its_second_entry_is_finished_after_the_release() {
    let sweep = |exchange: &mut Exchange| {
        for n in 0..6_000 {
            exchange.submit_quietly(place(2, Side::Sell, 100 + n % 7, 1));
        }
        // The funds of 6,000 makers take more than one entry.
        exchange.submit_quietly(place(1, Side::Buy, 200, 6_100))
    };
    let mut mended = Exchange::funded(2, 1, 4, 10_000_000);
    sweep(&mut mended);
    for in_partitions in [1, 2] {
        let mut exchange = Exchange::funded(in_partitions, 1, 4, 10_000_000);
        exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 5_900)));
        let before = exchange.logs.iter().map(Vec::len).sum::<usize>();
        let events = sweep(&mut exchange);
        assert!(exchange.logs.iter().map(Vec::len).sum::<usize>() > before + 6_001);
        assert_eq!(exchange.quarantined(), [FIRST]);
        let done = trades(&events);
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

/// Rule 13.2: pending legs that come to a quarantined market wait, and what they hold is theirs meanwhile.
#[test]
fn pending_legs_on_their_way_wait_for_a_quarantined_market() {
    let mut exchange = Exchange::funded(2, 1, 4, EACH);
    exchange.run_with(Some(Bug::new(|done| {
        let advances = matches!(done, Done::Emits(Event::OrderListAdvanced { .. }));
        assert!(!advances, "no list advances");
    })));
    let leg = |side, price| ListLeg {
        client_order_id: ClientOrderId::NONE,
        side,
        spec: limit(2, side, price, 5).spec,
        conditions: Conditions::NONE,
    };
    exchange.submit_quietly(Request::PlaceOrderList(Box::new(PlaceOrderList {
        account: AccountId(2),
        market: FIRST_MARKET,
        version: 1,
        client_order_id: ClientOrderId::NONE,
        self_trade_prevention: SelfTradePrevention::None,
        legs: vec![leg(Side::Buy, 100)],
        pending: vec![leg(Side::Sell, 110)],
    })));
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
    exchange.submit(Request::AmendOrder { account, market, version: 1, order, price, quantity });
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

#[test]
fn the_treasury_is_quarantined_like_any_other_and_debits_are_counted_afterwards() {
    for partitions in [1, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(Bug::new(|done| {
            assert!(!matches!(done, Done::Handled(Message::Debited { .. })), "no debits here");
        })));
        let (account, asset, amount) = (AccountId(1), QUOTE, Amount::new(40));
        let reference = TreasuryReference { source: 9, number: 1 };
        let debit = Request::Debit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset,
            amount,
        };
        let events = exchange.submit_quietly(debit);
        assert_eq!(exchange.quarantined(), [Component::Treasury]);
        if partitions == 1 {
            // The whole debit was one entry.
            refused(&events, RequestKind::Debit);
        } else {
            assert_eq!(available(&exchange, 1, QUOTE), EACH - 40);
            assert_eq!(exchange.assert_sound().parked, 1);
        }
        refused(&exchange.credit(account, asset, 5), RequestKind::Credit);
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert_eq!(trades(&exchange.submit_quietly(place(2, Side::Sell, 100, 5))), 1);
        check(&exchange);
        exchange.run_with(None);
        exchange.release(Component::Treasury);
        assert_eq!(exchange.assert_sound().parked, 0);
        check(&exchange);
    }
}

/// Fails here and there in markets and slots, before and after what a step changes.
fn unsound() -> Bug {
    Bug::new(|done| {
        let fails = match done {
            Done::Emits(Event::Trade(trade)) => trade.trade.0 % 23 == 5,
            Done::Emits(Event::OrderCancelled { order, .. }) => order.0 % 19 == 7,
            Done::Sends(Message::Admit(admit)) => admit.budget.get() % 97 == 11,
            Done::Handled(Message::Filled { fill, .. }) => fill.credit.get() % 31 == 3,
            Done::Handled(Message::Closed { order, .. }) => order.0 % 17 == 4,
            _ => false,
        };
        assert!(!fails, "unsound");
    })
}

fn random_request(random: &mut Random) -> Request {
    let account = random.below(9) as u32 + 1;
    let side = random.pick(&[Side::Buy, Side::Sell]);
    let market = random.pick(&[FIRST_MARKET, SECOND_MARKET]);
    let order = OrderId(random.below(80));
    let price = 95 + random.below(10);
    let quantity = 1 + random.below(40);
    match random.below(20) {
        0..=11 => place_in(market, account, side, price, quantity),
        12..=13 => Request::CancelOrder { account: AccountId(account), market, order },
        14..=15 => Request::AmendOrder {
            account: AccountId(account),
            market,
            version: 1,
            order,
            price: Some(Price::new(price)),
            quantity: Some(Quantity::new(quantity)),
        },
        16 => Request::CancelAll { account: AccountId(account), market },
        17..=18 => Request::Transfer {
            from: AccountId(account),
            to: AccountId(random.below(9) as u32 + 1),
            asset: random.pick(&[BASE, QUOTE]),
            amount: Amount::new(u128::from(quantity)),
            client_id: ClientOrderId::NONE,
        },
        _ => {
            let order = limit(account, side, price, quantity);
            Request::ReplaceOrder(Box::new(types::ReplaceOrder {
                cancel: OrderId(random.below(80)),
                stop_on_failure: random.below(2) == 0,
                order,
            }))
        }
    }
}

#[test]
fn whatever_fails_and_whenever_messages_come_money_is_conserved_and_all_goes_on_after_the_release()
{
    for seed in 0..6 {
        for partitions in [1, 2, 5] {
            println!("seed {seed}, {partitions} partitions");
            let mut random = Random(seed * 7 + u64::from(partitions));
            let mut exchange = Exchange::funded(partitions, 2, 9, EACH);
            exchange.set_fees(1_000, 2_500);
            exchange.run_with(Some(unsound()));
            let mut failures = 0;
            for _ in 0..400 {
                exchange.submit(random_request(&mut random));
                let ids = u64::from(partitions);
                let (from, to) = (random.below(ids) as u16, random.below(ids) as u16);
                exchange.carry(PartitionId(from), PartitionId(to), random.below(9) as usize);
                exchange.acknowledge(PartitionId(from), PartitionId(to));
                exchange.assert_sound();
                let quarantined = exchange.quarantined();
                failures = failures.max(quarantined.len());
                if let Some(&component) = quarantined.first()
                    && random.below(8) == 0
                {
                    exchange.submit(Request::ReleaseQuarantine { component });
                }
            }
            exchange.settle(&mut Vec::new());
            check(&exchange);
            assert!(failures > 1, "it was a bad binary");
            exchange.run_with(None);
            while let Some(&component) = exchange.quarantined().first() {
                exchange.release(component);
                check(&exchange);
            }
            let events = exchange.submit_quietly(place(1, Side::Buy, 200, 1));
            assert_eq!(codes(&events), []);
            assert_eq!(exchange.assert_sound().parked, 0);
        }
    }
}
