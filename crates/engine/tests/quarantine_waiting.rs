//! What waits for a quarantined component: the legs of order lists, and changes of units. The audit knows of it.

mod exchange;

use exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit};
use types::{
    AccountId, Amount, AssetId, Bug, ClientOrderId, Component, Conditions, Decimal, Done, Event,
    ListEnd, ListLeg, MarketId, Message, OrderId, OrderSpec, PartitionId, PlaceOrderList, Price,
    Quantity, Redefinition, RejectCode, Request, RequestKind, SelfTradePrevention, Side,
    TimeInForce, TradeId, Trigger,
};

const MARKET: Component = Component::Market(FIRST_MARKET);
const EACH: u128 = 100_000;

fn place(account: u32, side: Side, price: u64, quantity: u64) -> Request {
    Request::PlaceOrder(limit(account, side, price, quantity))
}

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

fn list(account: u32, legs: Vec<ListLeg>, pending: Vec<ListLeg>) -> Request {
    Request::PlaceOrderList(Box::new(PlaceOrderList {
        account: AccountId(account),
        market: FIRST_MARKET,
        version: 1,
        client_order_id: ClientOrderId::NONE,
        self_trade_prevention: SelfTradePrevention::None,
        legs,
        pending,
    }))
}

/// The market fails when it makes its trade of this number.
fn fails_at_trade(number: u64) -> Bug {
    Bug::new(move |done| {
        if let Done::Emits(Event::Trade(trade)) = done {
            assert!(trade.trade != TradeId(number), "a trade too many");
        }
    })
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

fn balance(exchange: &Exchange, account: u32, asset: AssetId) -> (u128, u128) {
    let (available, held) = exchange.balances()[&(AccountId(account), asset)];
    (available.get(), held.get())
}

fn ends(events: &[Event]) -> Vec<ListEnd> {
    let end = |event: &Event| match event {
        Event::OrderListEnded { end, .. } => Some(*end),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}

/// Nothing but what is parked is under way. Gives how much that is.
fn parked(exchange: &Exchange) -> usize {
    let audit = exchange.assert_sound();
    assert!(audit.quiet);
    exchange.assert_replays();
    for partition in &exchange.partitions {
        let restored = engine::Partition::restore(partition.id(), 3, &partition.snapshot());
        let restored = restored.expect("a snapshot of this binary");
        assert_eq!(restored.state_hash(), partition.state_hash());
    }
    audit.parked
}

fn release(exchange: &mut Exchange, component: Component) -> Vec<Event> {
    exchange.run_with(None);
    let events = exchange.release(component);
    assert_eq!(parked(exchange), 0);
    events
}

/// Rule 13.2.
#[test]
fn a_quarantined_market_refuses_lists_and_their_cancels_and_what_they_locked_is_free() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_trade(1)));
        let pair = || {
            let falls = Trigger::Falls { to: Price::new(90) };
            vec![leg(Side::Sell, 120, 5, None), leg(Side::Sell, 85, 5, Some(falls))]
        };
        exchange.submit_quietly(list(2, vec![leg(Side::Sell, 100, 5, None)], vec![]));
        exchange.submit_quietly(list(2, vec![leg(Side::Sell, 100, 5, None)], pair()));
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert_eq!(exchange.quarantined(), [MARKET]);
        let before = exchange.balances();
        refused(&exchange.submit_quietly(list(3, pair(), vec![])), RequestKind::PlaceOrderList);
        let (account, market) = (AccountId(2), FIRST_MARKET);
        let cancel = Request::CancelOrderList { account, market, list: OrderId(1) };
        let kinds = codes(&exchange.submit_quietly(cancel));
        assert_eq!(kinds.len(), 1);
        assert_eq!(kinds[0].1, RejectCode::ComponentQuarantined);
        assert_eq!(exchange.balances(), before);
        assert_eq!(parked(&exchange), 0);
        release(&mut exchange, MARKET);
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
    exchange.run_with(Some(fails_at_trade(2)));
    let pending = vec![leg(Side::Sell, 120, 5, None)];
    exchange.submit_quietly(list(2, vec![leg(Side::Buy, 100, 5, None)], pending));
    exchange.submit_quietly(place(4, Side::Sell, 101, 5));
    // The working leg is filled, then the market fails; the ledger has not heard of either.
    exchange.submit(place(4, Side::Sell, 100, 5));
    exchange.submit(place(2, Side::Buy, 101, 5));
    exchange.carry(ledgers, market, 1);
    exchange.carry(ledgers, market, 1);
    assert_eq!(exchange.quarantined(), [MARKET]);
    exchange.settle(&mut Vec::new());
    assert_eq!(parked(&exchange), 1, "the legs");
    assert_eq!(
        balance(&exchange, 2, BASE),
        (EACH, 5),
        "what it bought is held for the pending leg"
    );
    let events = release(&mut exchange, MARKET);
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
        exchange.submit_quietly(list(2, vec![leg(Side::Sell, 100, 5, None)], pending()));
        exchange.submit_quietly(place(1, Side::Buy, 99, 1));
        let slot = Component::Ledger(AccountId(2).slot());
        assert_eq!(exchange.quarantined(), [slot]);
        let more = list(2, vec![leg(Side::Sell, 100, 5, None)], pending());
        refused(&exchange.submit_quietly(more), RequestKind::PlaceOrderList);
        let before = parked(&exchange);
        exchange.submit_quietly(place(1, Side::Buy, 100, 5));
        assert!(parked(&exchange) > before, "fill, end and pending leg");
        let events = release(&mut exchange, slot);
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
        exchange.submit_quietly(list(2, pair, vec![]));
        exchange.submit_quietly(place(2, Side::Sell, 99, 1));
        exchange.submit_quietly(place(1, Side::Buy, 99, 1));
        let slot = Component::Ledger(AccountId(2).slot());
        assert_eq!(exchange.quarantined(), [slot]);
        let events = exchange.submit_quietly(place(1, Side::Buy, 100, 2));
        assert_eq!(ends(&events), [ListEnd::Done], "its market goes on");
        assert!(parked(&exchange) > 0);
        release(&mut exchange, slot);
        assert_eq!(balance(&exchange, 2, BASE).1, 3, "what is open of the one that traded");
    }
}

/// Rule 13.4: changes of units wait.
#[test]
fn units_that_change_while_a_market_is_quarantined_hold_when_it_is_released_and_not_before() {
    for partitions in [1, 2, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 4, EACH);
        exchange.run_with(Some(fails_at_trade(1)));
        exchange.submit_quietly(place(2, Side::Sell, 100, 10));
        exchange.submit_quietly(place(3, Side::Sell, 101, 7));
        exchange.submit_quietly(place(1, Side::Buy, 100, 10));
        assert_eq!(exchange.quarantined(), [MARKET]);
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
        assert_eq!(parked(&exchange), 1, "orders still count in the old units");
        let quantities = |exchange: &Exchange| {
            let book = &exchange.books()[&(FIRST_MARKET, Side::Sell)];
            book.iter().map(|&(_, _, price, open)| (price.get(), open.get())).collect::<Vec<_>>()
        };
        assert_eq!(quantities(&exchange), [(100, 10), (101, 7)]);
        release(&mut exchange, MARKET);
        assert_eq!(quantities(&exchange), [(50, 2)], "the other one does not fit");
        assert_eq!(balance(&exchange, 3, BASE), (EACH, 0));
    }
}
