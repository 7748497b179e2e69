//! Rules of requests as a client or an operator sees them: answers, balances, idempotency.

use crate::exchange::{BASE, Exchange, FIRST_MARKET, QUOTE, limit, market};
use types::{
    AccountId, Amount, AssetDef, AssetId, CancelCause, ClientOrderId, Event, MarketId, MarketState,
    OrderId, OrderSpec, Price, Quantity, RejectCode, Request, Side, TreasuryReference,
};

const ALICE: u32 = 1;
const BOB: u32 = 2;

fn id(text: &str) -> ClientOrderId {
    text.parse().unwrap()
}

fn place(exchange: &mut Exchange, order: types::PlaceOrder) -> Vec<Event> {
    exchange.submit_quietly(Request::PlaceOrder(order))
}

/// The one answer among the events.
fn answer(events: &[Event]) -> &Event {
    let answers: Vec<_> = events.iter().filter(|event| event.answers().is_some()).collect();
    assert_eq!(answers.len(), 1, "{events:#?}");
    answers[0]
}

fn rejection(events: &[Event]) -> RejectCode {
    match answer(events) {
        Event::Rejected { code, .. } => *code,
        other => panic!("not rejected: {other:?}"),
    }
}

fn placed(events: &[Event]) -> OrderId {
    match answer(events) {
        Event::OrderPlaced { order, .. } => *order,
        other => panic!("not placed: {other:?}"),
    }
}

fn balance(exchange: &Exchange, account: u32, asset: AssetId) -> (u128, u128) {
    let ledger = exchange.partitions[0].ledger();
    let (available, held) = ledger.balance(AccountId(account), asset).unwrap();
    (available.get(), held.get())
}

#[test]
fn a_trade_settles_both_sides_with_fees_and_price_improvement() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000_000);
    exchange.set_fees(1_000, 2_000);
    place(&mut exchange, limit(ALICE, Side::Sell, 100, 1_000));
    assert_eq!(balance(&exchange, ALICE, BASE), (999_000, 1_000));
    place(&mut exchange, limit(BOB, Side::Buy, 105, 1_500));
    // Bob bought 1,000 at 100 with 0.2 % fee in base; 500 rest at 105.
    assert_eq!(balance(&exchange, BOB, BASE), (1_000_998, 0));
    assert_eq!(balance(&exchange, BOB, QUOTE), (1_000_000 - 100_000 - 52_500, 52_500));
    // Alice received 100,000 with 0.1 % fee in quote.
    assert_eq!(balance(&exchange, ALICE, QUOTE), (1_099_900, 0));
    let audit = exchange.assert_sound();
    assert_eq!(audit.totals[&BASE].house.fees, 2);
    assert_eq!(audit.totals[&QUOTE].house.fees, 100);
}

#[test]
fn a_retry_under_the_same_client_id_gets_the_first_outcome() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000_000);
    let order = types::PlaceOrder { client_order_id: id("a"), ..limit(ALICE, Side::Buy, 10, 5) };
    let first = placed(&place(&mut exchange, order.clone()));
    let repeated = place(&mut exchange, order.clone());
    assert!(
        matches!(answer(&repeated), Event::Repeated { outcome: Ok(order), .. } if *order == first)
    );
    assert_eq!(balance(&exchange, ALICE, QUOTE).1, 50, "held once");
    // Also after its end; another command under this id is refused; another account may use it.
    let account = AccountId(ALICE);
    exchange.submit_quietly(Request::CancelByClientId { account, client_order_id: id("a") });
    assert!(matches!(
        answer(&place(&mut exchange, order.clone())),
        Event::Repeated { outcome: Ok(_), .. }
    ));
    let other = types::PlaceOrder { side: Side::Sell, ..order.clone() };
    assert_eq!(rejection(&place(&mut exchange, other)), RejectCode::ClientIdReused);
    placed(&place(&mut exchange, types::PlaceOrder { account: AccountId(BOB), ..order }));
}

#[test]
fn a_final_rejection_is_remembered_and_a_retryable_one_is_not() {
    let mut exchange = Exchange::funded(1, 1, 2, 100);
    let order =
        types::PlaceOrder { client_order_id: id("dear"), ..limit(ALICE, Side::Buy, 101, 1) };
    assert_eq!(rejection(&place(&mut exchange, order.clone())), RejectCode::InsufficientBalance);
    exchange.credit(AccountId(ALICE), QUOTE, 1_000);
    let again = place(&mut exchange, order.clone());
    let remembered = Err(RejectCode::InsufficientBalance);
    assert!(matches!(answer(&again), Event::Repeated { outcome, .. } if *outcome == remembered));

    let order =
        types::PlaceOrder { client_order_id: id("halted"), ..limit(ALICE, Side::Buy, 1, 1) };
    set_state(&mut exchange, MarketState::Halted);
    assert_eq!(rejection(&place(&mut exchange, order.clone())), RejectCode::MarketHalted);
    set_state(&mut exchange, MarketState::Continuous);
    placed(&place(&mut exchange, order.clone()));
    exchange.assert_sound();
}

fn set_state(exchange: &mut Exchange, state: MarketState) -> Vec<Event> {
    exchange.submit_quietly(Request::SetMarketState { market: FIRST_MARKET, state })
}

#[test]
fn a_command_that_comes_late_is_refused_whatever_it_asks() {
    let mut exchange = Exchange::funded(1, 1, 1, 100);
    let request = Request::PlaceOrder(limit(ALICE, Side::Buy, 1, 1));
    let (reply, valid_until) = (types::ReplyTo::new(1, 9), types::Timestamp(exchange.now.0 - 1));
    let command = types::Command::Request { reply, valid_until, request };
    let events = exchange.append(types::PartitionId(0), command);
    assert_eq!(rejection(&events), RejectCode::Expired);
    assert_eq!(events.len(), 1);
}

#[test]
fn an_amendment_holds_what_it_needs_and_keeps_the_order_when_funds_do_not_suffice() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000);
    let order = placed(&place(&mut exchange, limit(ALICE, Side::Buy, 10, 50)));
    let mut amend = |price: Option<u64>, quantity: Option<u64>, order| {
        let (price, quantity) = (price.map(Price::new), quantity.map(Quantity::new));
        let (account, market) = (AccountId(ALICE), FIRST_MARKET);
        let keep_priority = false;
        let request = Request::AmendOrder {
            account,
            market,
            version: 1,
            order,
            price,
            quantity,
            keep_priority,
        };
        let events = exchange.submit_quietly(request);
        exchange.assert_sound();
        (events, balance(&exchange, ALICE, QUOTE))
    };
    let (events, funds) = amend(Some(21), None, order);
    assert_eq!((rejection(&events), funds), (RejectCode::InsufficientBalance, (500, 500)));
    let (events, funds) = amend(None, Some(40), order);
    assert!(matches!(answer(&events), Event::OrderReduced { .. }));
    assert_eq!(funds, (600, 400));
    let (events, funds) = amend(Some(20), Some(50), order);
    let Event::OrderReplaced { order: new, .. } = *answer(&events) else { panic!("{events:?}") };
    assert_eq!(funds, (0, 1_000));
    let (events, _) = amend(Some(5), None, order);
    assert_eq!(rejection(&events), RejectCode::UnknownOrder, "the old id has ended");
    let (_, funds) = amend(Some(5), None, new);
    assert_eq!(funds, (750, 250));
}

#[test]
fn cancel_all_ends_what_was_placed_before_it() {
    let mut exchange = Exchange::funded(1, 2, 2, 1_000_000);
    for price in 1..=10 {
        place(&mut exchange, limit(ALICE, Side::Buy, price, 1));
    }
    let elsewhere = types::PlaceOrder { market: MarketId(2), ..limit(ALICE, Side::Buy, 3, 1) };
    place(&mut exchange, elsewhere);
    place(&mut exchange, limit(BOB, Side::Buy, 3, 1));
    let account = AccountId(ALICE);
    let events = exchange.submit_quietly(Request::CancelAll { account, market: FIRST_MARKET });
    assert!(matches!(answer(&events), Event::CancelAllAccepted { count: 10, .. }));
    let cause = CancelCause::CancelAll;
    let cancelled =
        |event: &&Event| matches!(event, Event::OrderCancelled { cause: c, .. } if *c == cause);
    assert_eq!(events.iter().filter(cancelled).count(), 10);
    assert_eq!(balance(&exchange, ALICE, QUOTE).1, 3, "the other market's order stays");
    exchange.assert_sound();
}

#[test]
fn references_are_used_once_and_in_order() {
    let mut exchange = Exchange::funded(1, 1, 1, 100);
    let mut credit = |number, amount| {
        let reference = TreasuryReference { source: 9, number };
        let (account, amount) = (AccountId(ALICE), Amount::new(amount));
        let request = Request::Credit {
            reference,
            operator: types::OperatorName::NONE,
            account,
            asset: BASE,
            amount,
        };
        let events = exchange.submit_quietly(request);
        (events, balance(&exchange, ALICE, BASE).0)
    };
    assert!(matches!(answer(&credit(1, 5).0), Event::Credited { .. }));
    let (events, total) = credit(1, 5);
    assert!(matches!(answer(&events), Event::Repeated { outcome: Ok(_), .. }));
    assert_eq!(total, 105);
    assert_eq!(rejection(&credit(3, 5).0), RejectCode::ReferenceGap);
    // A refused credit uses its number up, and a repetition is told why.
    assert_eq!(rejection(&credit(2, 0).0), RejectCode::InvalidAmount);
    let (events, _) = credit(2, 0);
    let outcome = Err(RejectCode::InvalidAmount);
    assert!(matches!(answer(&events), Event::Repeated { outcome: o, .. } if *o == outcome));
    assert_eq!(rejection(&credit(1, 5).0), RejectCode::ReferenceUsed);
    assert_eq!(credit(3, 7).1, 112);
}

#[test]
fn a_withdrawal_is_reserved_then_settled_or_released() {
    for partitions in [1, 5] {
        let mut exchange = Exchange::funded(partitions, 1, 2, 100);
        let account = AccountId(ALICE);
        let reserve = |name: &str, amount| Request::ReserveDebit {
            account,
            asset: BASE,
            amount: Amount::new(amount),
            client_id: id(name),
        };
        exchange.submit_quietly(reserve("w1", 60));
        let events = exchange.submit_quietly(reserve("w2", 50));
        assert_eq!(rejection(&events), RejectCode::InsufficientBalance);
        exchange.submit_quietly(reserve("w3", 40));
        let settle = |number, name: &str| Request::SettleDebit {
            reference: TreasuryReference { source: 2, number },
            account,
            client_id: id(name),
        };
        let events = exchange.submit_quietly(settle(1, "w1"));
        assert!(matches!(answer(&events), Event::Debited { .. }));
        let events = exchange.submit_quietly(settle(1, "w1"));
        assert!(matches!(answer(&events), Event::Repeated { outcome: Ok(_), .. }));
        let events = exchange.submit_quietly(settle(2, "w1"));
        assert_eq!(rejection(&events), RejectCode::UnknownPendingDebit);
        let release = Request::ReleaseDebit { account, client_id: id("w3") };
        let events = exchange.submit_quietly(release);
        assert!(matches!(answer(&events), Event::DebitReleased { .. }));
        assert_eq!(exchange.balances()[&(account, BASE)], (Amount::new(40), Amount::ZERO));
        let audit = exchange.assert_sound();
        assert_eq!(audit.totals[&BASE].house.outside, -140);
    }
}

#[test]
fn credits_and_transfers_to_nobody_wait_in_suspense() {
    let mut exchange = Exchange::funded(2, 1, 1, 100);
    let events = exchange.credit(AccountId(500), BASE, 7);
    assert!(matches!(answer(&events), Event::Credited { suspense: true, .. }));
    let events = exchange.submit_quietly(Request::Transfer {
        from: AccountId(ALICE),
        to: AccountId(501),
        asset: BASE,
        amount: Amount::new(3),
        client_id: ClientOrderId::NONE,
    });
    assert!(matches!(answer(&events), Event::TransferredOut { .. }));
    assert_eq!(exchange.assert_sound().totals[&BASE].house.suspense, 10);
}

#[test]
fn a_payer_who_does_not_exist_is_told_so_first() {
    let mut exchange = Exchange::funded(1, 1, 1, 100);
    let nobody = AccountId(500);
    let (asset, amount, client_id) = (BASE, Amount::ZERO, id("t"));
    let transfer = Request::Transfer { from: nobody, to: nobody, asset, amount, client_id };
    assert_eq!(rejection(&exchange.submit_quietly(transfer)), RejectCode::UnknownAccount);
}

#[test]
fn bounds_are_rejections_with_codes_of_their_own() {
    let mut exchange = Exchange::funded(1, 1, 1, 1_000_000_000);
    let account = AccountId(1 << 20);
    let events = exchange.submit_quietly(Request::CreateAccount { account, fee_tier: 0 });
    assert_eq!(rejection(&events), RejectCode::TooManyAccounts);
    let asset = AssetDef { id: AssetId(70_000), symbol: "FAR".into(), scale: 2 };
    let events = exchange.submit_quietly(Request::DefineAsset(asset));
    assert_eq!(rejection(&events), RejectCode::InvalidDefinition);
    let mut small = market(MarketId(2));
    small.bounds.max_orders_per_account = 2;
    exchange.submit_quietly(Request::ListMarket(Box::new(small)));
    let order = types::PlaceOrder { market: MarketId(2), ..limit(ALICE, Side::Buy, 1, 1) };
    let first = placed(&place(&mut exchange, order.clone()));
    placed(&place(&mut exchange, order.clone()));
    assert_eq!(rejection(&place(&mut exchange, order.clone())), RejectCode::TooManyOpenOrders);
    let (account, market) = (AccountId(ALICE), MarketId(2));
    exchange.submit_quietly(Request::CancelOrder { account, market, order: first });
    placed(&place(&mut exchange, order.clone()));
}

#[test]
fn a_frozen_account_may_cancel_but_neither_place_nor_pay() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000);
    let account = AccountId(ALICE);
    let order = placed(&place(&mut exchange, limit(ALICE, Side::Buy, 10, 5)));
    exchange.submit_quietly(Request::FreezeAccount { account, frozen: true });
    let events = place(&mut exchange, limit(ALICE, Side::Buy, 10, 5));
    assert_eq!(rejection(&events), RejectCode::AccountFrozen);
    let (to, asset, amount) = (AccountId(BOB), BASE, Amount::new(1));
    let client_id = ClientOrderId::NONE;
    let transfer = Request::Transfer { from: account, to, asset, amount, client_id };
    assert_eq!(rejection(&exchange.submit_quietly(transfer)), RejectCode::AccountFrozen);
    let cancel = Request::CancelOrder { account, market: FIRST_MARKET, order };
    assert!(matches!(answer(&exchange.submit_quietly(cancel)), Event::OrderCancelled { .. }));
}

#[test]
fn options_that_do_not_go_together_are_refused_before_funds_are_held() {
    let mut exchange = Exchange::funded(1, 1, 1, 1_000);
    let quantity = Quantity::new(1);
    let time_in_force = types::TimeInForce::Ioc;
    let specs = [
        OrderSpec::Limit { price: Price::new(1), quantity, time_in_force, post_only: true },
        OrderSpec::MarketByQuote { quote: Amount::new(9), max_spend: Some(Amount::new(9)) },
    ];
    for spec in specs {
        let order = types::PlaceOrder { spec, ..limit(ALICE, Side::Buy, 1, 1) };
        assert_eq!(rejection(&place(&mut exchange, order.clone())), RejectCode::InvalidCombination);
    }
    // A waiting sale by quote without a cap: its combination comes before its trigger and its date.
    let spec = OrderSpec::MarketByQuote { quote: Amount::new(9), max_spend: None };
    let trigger = Some(types::Trigger::Falls { to: Price::ZERO });
    let expires_at = Some(types::Timestamp(0));
    let conditions = types::Conditions { trigger, expires_at, ..types::Conditions::NONE }.into();
    let order = types::PlaceOrder { spec, conditions, ..limit(ALICE, Side::Sell, 1, 1) };
    assert_eq!(rejection(&place(&mut exchange, order.clone())), RejectCode::InvalidCombination);
    let zero = limit(ALICE, Side::Buy, 0, 1);
    assert_eq!(rejection(&place(&mut exchange, zero)), RejectCode::InvalidPrice);
    assert_eq!(balance(&exchange, ALICE, QUOTE), (1_000, 0));
}

#[test]
fn accounts_go_only_into_fee_tiers_that_exist() {
    let mut exchange = Exchange::funded(1, 1, 1, 100);
    let account = AccountId(ALICE);
    let events = exchange.submit_quietly(Request::SetAccountFeeTier { account, fee_tier: Some(7) });
    assert_eq!(rejection(&events), RejectCode::UnknownFeeTier);
    let account = AccountId(9);
    let events = exchange.submit_quietly(Request::CreateAccount { account, fee_tier: 7 });
    assert_eq!(rejection(&events), RejectCode::UnknownFeeTier);
    exchange.submit_quietly(Request::SetFeeTier { tier: 7, rates: types::FeeRates::default() });
    let events = exchange.submit_quietly(Request::CreateAccount { account, fee_tier: 7 });
    assert!(matches!(answer(&events), Event::AccountCreated { fee_tier: 7, .. }));
}
