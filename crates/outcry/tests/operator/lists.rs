//! Order lists, and what waits for a second operator, in `inspect`, `explain` and `verify`.

use expect_test::expect;

use types::Side::{Buy, Sell};
use types::TimeInForce::Gtc;
use types::{
    AccountId, Amount, AssetId, ClientOrderId, Conditions, CreditPolicy, Event, ListLeg, OrderSpec,
    PlaceOrderList, Price, Quantity, Request, SelfTradePrevention, Side, SourceKind, TimeInForce,
    TreasuryReference, Trigger,
};

use super::exchange::{MARKET, Venue, limit, outcry, written_by};

const QUOTE: AssetId = AssetId(2);

fn leg(side: Side, price: u64, trigger: Option<Trigger>) -> ListLeg {
    let spec = OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(5_000),
        time_in_force: TimeInForce::Gtc,
        post_only: false,
    };
    let conditions = Conditions { trigger, ..Conditions::NONE };
    ListLeg { client_order_id: ClientOrderId::NONE, side, spec, conditions }
}

fn list(name: &str, legs: Vec<ListLeg>, pending: Vec<ListLeg>) -> Request {
    Request::PlaceOrderList(Box::new(PlaceOrderList {
        account: AccountId(1),
        market: MARKET,
        version: 1,
        client_order_id: name.parse().unwrap(),
        self_trade_prevention: SelfTradePrevention::None,
        legs,
        pending,
    }))
}

fn exit(price: u64, stop: u64) -> Vec<ListLeg> {
    let stop = Trigger::Falls { to: Price::new(stop) };
    vec![leg(Sell, price, None), leg(Sell, 8_000, Some(stop))]
}

/// After a trade: a bracket whose entry is filled and whose profit is taken, and a pair that is cancelled.
fn lists(venue: &Venue) {
    venue.demand(&limit(2, Sell, 10_000, 1_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 10_000, 1_000, Gtc, ""));
    venue.demand(&list("bracket", vec![leg(Buy, 9_900, None)], exit(11_000, 9_000)));
    venue.demand(&limit(2, Sell, 9_900, 5_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 11_000, 2_000, Gtc, ""));
    let placed = venue.demand(&list("exit", exit(12_000, 9_100), vec![]));
    let Event::OrderListPlaced(placed) = &placed[0] else { panic!("{placed:?}") };
    let (account, market, list) = (AccountId(1), MARKET, placed.list);
    venue.demand(&Request::CancelOrderList { account, market, list });
}

#[test]
fn a_list_is_shown_from_its_placement_to_its_end() {
    let data = written_by(1, lists);
    let said = outcry(&["inspect", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let is_shown = |line: &&str| line.contains("list=") || line.contains("_list ");
    let lines: Vec<_> = said.out.lines().filter(is_shown).collect();
    expect![[r#"
        18 2026-01-02T03:04:21.000000000Z term 1 place_order_list account=1 market=BTC-USDT list_kind=otoco legs=[{"kind":"leg","price":"99.00","quantity":"0.5000","side":"buy","time_in_force":"gtc","type":"limit"}] pending=[{"kind":"leg","price":"110.00","quantity":"0.5000","side":"sell","time_in_force":"gtc","type":"limit"},{"kind":"leg","price":"80.00","quantity":"0.5000","side":"sell","stop_price":"90.00","time_in_force":"gtc","trigger":"falls","type":"limit"}] client_order_id=bracket
            order_list_placed market=BTC-USDT list=3 account=1 list_kind=otoco orders=[3] pending=[{"kind":"leg","price":"110.00","quantity":"0.5000","side":"sell","time_in_force":"gtc","type":"limit"},{"kind":"leg","price":"80.00","quantity":"0.5000","side":"sell","stop_price":"90.00","time_in_force":"gtc","trigger":"falls","type":"limit"}] client_order_id=bracket
            order_list_advanced market=BTC-USDT list=3 account=1 orders=[5,6]
            order_list_ended market=BTC-USDT list=3 account=1 end=done
        21 2026-01-02T03:04:24.000000000Z term 1 place_order_list account=1 market=BTC-USDT list_kind=oco legs=[{"kind":"leg","price":"120.00","quantity":"0.5000","side":"sell","time_in_force":"gtc","type":"limit"},{"kind":"leg","price":"80.00","quantity":"0.5000","side":"sell","stop_price":"91.00","time_in_force":"gtc","trigger":"falls","type":"limit"}] client_order_id=exit
            order_list_placed market=BTC-USDT list=8 account=1 list_kind=oco orders=[8,9] client_order_id=exit
        22 2026-01-02T03:04:25.000000000Z term 1 cancel_order_list account=1 market=BTC-USDT list=8
            order_list_ended market=BTC-USDT list=8 account=1 end=cancelled"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn an_order_of_a_list_is_told_with_its_list() {
    let data = written_by(1, lists);
    let story = |order| {
        let said = outcry(&["explain", "order", "BTC-USDT", order, "--data", "DATA"], data.path());
        assert_eq!((said.status, said.err.as_str()), (0, ""));
        said.out
    };
    expect![[r#"
        order 3 of BTC-USDT
        2026-01-02T03:04:21.000000000Z entry 18: placed by list 3
        2026-01-02T03:04:21.000000000Z entry 18: placed by request place_order_list: account 1 asked to buy 0.5000 at 99.00, good till cancelled; 49.50000000 USDT held for it
        2026-01-02T03:04:21.000000000Z entry 18: rested: 0.5000 at 99.00; ahead of it: nothing at its price, nothing at better ones; best bid 99.00, best ask none; 49.50000000 USDT held
        2026-01-02T03:04:22.000000000Z entry 19: matched while resting: trade 2, bought 0.5000 at 99.00, against order 4 of account 2, fee 0.00050000 BTC; ended: filled
        now (entry 23): ended
        now (entry 23): account 1 has 9.99950000 BTC available and 0.30000000 held, 972.47800000 USDT available and 0.00000000 held
    "#]].assert_eq(&story("3"));
    expect![[r#"
        order 6 of BTC-USDT
        2026-01-02T03:04:22.000000000Z entry 19: placed by list 3; it and order 5 cancel each other
        2026-01-02T03:04:22.000000000Z entry 19: placed when the order that it waited for in its list was filled: account 1 asked to sell 0.5000 at 80.00, good till cancelled, waiting for a trade at 90.00 or below; 0.50000000 BTC held for it
        2026-01-02T03:04:23.000000000Z entry 20: ended: the other order of its list traded, was triggered or ended, 0.5000 was left
        now (entry 23): ended
        now (entry 23): account 1 has 9.99950000 BTC available and 0.30000000 held, 972.47800000 USDT available and 0.00000000 held
    "#]].assert_eq(&story("6"));
    expect![[r#"
        order 8 of BTC-USDT
        2026-01-02T03:04:24.000000000Z entry 21: placed by list 8; it and order 9 cancel each other
        2026-01-02T03:04:24.000000000Z entry 21: placed by request place_order_list: account 1 asked to sell 0.5000 at 120.00, good till cancelled; 0.50000000 BTC held for it
        2026-01-02T03:04:24.000000000Z entry 21: rested: 0.5000 at 120.00; ahead of it: nothing at its price, 1 order with 0.3000 at better ones; best bid none, best ask 110.00; 0.50000000 BTC held
        2026-01-02T03:04:25.000000000Z entry 22: ended: cancelled by its owner, 0.5000 was left
        now (entry 23): ended
        now (entry 23): account 1 has 9.99950000 BTC available and 0.30000000 held, 972.47800000 USDT available and 0.00000000 held
    "#]].assert_eq(&story("8"));
}

#[test]
fn logs_and_history_with_lists_and_proposals_are_verified() {
    for partitions in [1, 3] {
        for trade in [lists, guarded] {
            let data = written_by(partitions, trade);
            let said = outcry(&["verify", "DATA"], data.path());
            assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
        }
    }
}

/// A credit that needs approval and gets it, one that is rejected, and a policy that would be loosened.
fn guarded(venue: &Venue) {
    let [ann, ben] = ["ann", "ben"].map(|name| name.parse().unwrap());
    let policy = |large: u128| {
        let large_credit = Some(Amount::new(large));
        let policy = Box::new(CreditPolicy { large_credit, ..CreditPolicy::default() });
        Request::SetCreditPolicy { operator: ann, asset: QUOTE, policy }
    };
    let credit = |number| Request::Credit {
        reference: TreasuryReference { source: 2, number },
        operator: ann,
        account: AccountId(1),
        asset: QUOTE,
        amount: Amount::new(700_000_000),
    };
    let ceiling = Amount::new(1 << 50);
    let evidence = [7; 32];
    venue.demand(&Request::AttestReserves { operator: ann, asset: QUOTE, ceiling, evidence });
    venue.demand(&policy(500_000_000));
    venue.demand(&credit(1));
    venue.ask(Request::ApproveProposal { operator: ann, proposal: 1 });
    venue.demand(&credit(1));
    venue.demand(&Request::ApproveProposal { operator: ben, proposal: 1 });
    venue.demand(&credit(2));
    venue.demand(&Request::RejectProposal { operator: ben, proposal: 2 });
    venue.demand(&policy(900_000_000));
    let kind = SourceKind::Machine;
    venue.demand(&Request::SetSourceKind { operator: ben, source: 3, kind });
}

#[test]
fn proposals_are_shown_with_who_asked_why_and_what_became_of_them() {
    let data = written_by(1, guarded);
    let said = outcry(&["inspect", "DATA", "--from", "16"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let is_shown = |line: &&str| !line.contains("end_term");
    let lines: Vec<_> = said.out.lines().filter(is_shown).collect();
    expect![[r#"
        16 2026-01-02T03:04:19.000000000Z term 1 attest_reserves operator=ann asset=USDT ceiling=11258999.06842624 evidence=0707070707070707070707070707070707070707070707070707070707070707
            reserves_attested operator=ann asset=USDT ceiling=11258999.06842624 evidence=0707070707070707070707070707070707070707070707070707070707070707
        17 2026-01-02T03:04:20.000000000Z term 1 set_credit_policy operator=ann asset=USDT large_credit=5.00000000 manual_needs_approval=false expiry_hours=24
            credit_policy_set operator=ann asset=USDT large_credit=5.00000000 manual_needs_approval=false expiry_hours=24
        18 2026-01-02T03:04:21.000000000Z term 1 credit reference=2:1 operator=ann account=1 asset=USDT amount=7.00000000
            proposal_made proposal=1 operator=ann act=credit reference=2:1 account=1 asset=USDT amount=7.00000000 concerns=large_credit expires=2026-01-03T03:04:21.000000000Z
        19 2026-01-02T03:04:22.000000000Z term 1 approve_proposal operator=ann proposal=1
            rejected request=approve_proposal code=SameOperator
        20 2026-01-02T03:04:23.000000000Z term 1 credit reference=2:1 operator=ann account=1 asset=USDT amount=7.00000000
            approval_awaited account=1 proposal=1
        21 2026-01-02T03:04:24.000000000Z term 1 approve_proposal operator=ben proposal=1
            proposal_decided proposal=1 decision=approved operator=ben
            credited account=1 asset=USDT amount=7.00000000 reference=2:1
            balance_changed account=1 asset=USDT available=1007.00000000 held=0.00000000
        22 2026-01-02T03:04:25.000000000Z term 1 credit reference=2:2 operator=ann account=1 asset=USDT amount=7.00000000
            proposal_made proposal=2 operator=ann act=credit reference=2:2 account=1 asset=USDT amount=7.00000000 concerns=large_credit expires=2026-01-03T03:04:25.000000000Z
        23 2026-01-02T03:04:26.000000000Z term 1 reject_proposal operator=ben proposal=2
            proposal_decided proposal=2 decision=rejected operator=ben
        24 2026-01-02T03:04:27.000000000Z term 1 set_credit_policy operator=ann asset=USDT large_credit=9.00000000 manual_needs_approval=false expiry_hours=24
            proposal_made proposal=3 operator=ann act=set_credit_policy asset=USDT large_credit=9.00000000 manual_needs_approval=false expiry_hours=24 concerns=loosening expires=2026-01-03T03:04:27.000000000Z
        25 2026-01-02T03:04:28.000000000Z term 1 set_source_kind operator=ben source=3 source_kind=machine
            proposal_made proposal=4 operator=ben act=set_source_kind source=3 source_kind=machine concerns=loosening expires=2026-01-03T03:04:28.000000000Z"#]].assert_eq(&lines.join("\n"));
}
