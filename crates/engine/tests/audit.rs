//! The audit notices what must never be. No command leads there, so that messages are forged which nobody
//! has sent, or a snapshot; each changes one thing, and the audit says which.

use crate::exchange::{BASE, Exchange, QUOTE, limit};
use types::{
    AccountId, Amount, Command, Component, Delivery, Fee, Fill, HoldId, Message, OrderId,
    PartitionId, ReplyTo, Request, Side, TreasuryReference,
};

const OWNER: AccountId = AccountId(1);

/// An exchange where an account offers 5 at 100, under order 1 and its first hold.
fn with_an_order() -> Exchange {
    let mut exchange = Exchange::funded(2, 1, 2, 1_000);
    exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Sell, 100, 5)));
    let audit = exchange.assert_sound();
    assert!(audit.quiet);
    assert_eq!(audit.open_orders, 1);
    exchange
}

/// What the audit says when `message` arrives, which nobody has sent.
fn after(message: Message) -> Vec<String> {
    arrives(with_an_order(), message)
}

fn arrives(mut exchange: Exchange, message: Message) -> Vec<String> {
    let home = match message.to() {
        Component::Ledger(slot) => exchange.topology.home_of_slot(slot),
        Component::Market(market) => exchange.partitions[0].market_home(market).unwrap(),
        Component::Treasury | Component::Registry(_) => exchange.topology.treasury,
    };
    let from = PartitionId(1 - home.0);
    let first = exchange.partitions[usize::from(home.0)].received_from(from) + 1;
    let delivery = Delivery { from, first, messages: vec![message] };
    exchange.append(home, Command::Deliver(delivery));
    engine::audit(&exchange.partitions.iter().collect::<Vec<_>>()).violations
}

fn fill(credit: u128, fee: Fee) -> Message {
    let fill = Fill {
        account: OWNER,
        hold: HoldId(0),
        debit_asset: BASE,
        debit: Amount::ZERO,
        credit_asset: QUOTE,
        credit: Amount::new(credit),
        fee,
        release: Amount::ZERO,
    };
    Message::Filled { fill, is_self_trade: false }
}

#[test]
fn value_from_nowhere_is_noticed() {
    let clearing = "asset 2: clearing accounts and messages under way sum to -7";
    assert_eq!(after(fill(7, Fee::NONE)), [clearing]);
    let from = AccountId(2);
    let amount = Amount::new(7);
    let transfer = Message::TransferIn { from, account: OWNER, asset: QUOTE, amount };
    assert_eq!(after(transfer), [clearing]);
}

#[test]
fn a_credit_that_the_treasury_did_not_let_in_is_noticed() {
    let reference = TreasuryReference { source: 1, number: 5 };
    let (reply, amount) = (ReplyTo::NOBODY, Amount::new(7));
    let credit = Message::Credit { reply, reference, account: OWNER, asset: QUOTE, amount };
    assert_eq!(after(credit), ["asset 2: the treasury let in 2000, the ledgers owe 2007"]);
}

#[test]
fn a_rebate_that_no_fee_pays_for_is_noticed() {
    let rebate = fill(0, Fee::Rebate { amount: Amount::new(3) });
    let component = rebate.to();
    let noticed = ["asset 1: fees less rebates are -3"];
    assert_eq!(after(rebate.clone()), noticed);
    // Also while it waits for its slot.
    let mut exchange = with_an_order();
    let Component::Ledger(slot) = component else { panic!("a fill is for a ledger") };
    let home = exchange.topology.home_of_slot(slot);
    exchange.append(home, Command::Quarantine { component, reason: String::new() });
    assert_eq!(arrives(exchange, rebate), noticed);
}

#[test]
fn an_order_whose_hold_has_too_little_is_noticed() {
    let amount = Amount::new(1);
    let released = Message::Released { account: OWNER, hold: HoldId(0), amount };
    let needs = "market 1, order 1: account 1 must hold 5, found Some((AccountId(1), Amount(4)))";
    assert_eq!(after(released), [needs]);
}

#[test]
fn an_order_without_a_hold_is_noticed() {
    let (hold, order, release) = (HoldId(0), OrderId(1), Amount::new(5));
    let closed = Message::Closed { account: OWNER, hold, order, release };
    assert_eq!(after(closed), ["market 1, order 1: account 1 must hold 5, found None"]);
}

/// No message lifts a supply, so that a snapshot is forged: its ceiling.
#[test]
fn a_supply_above_its_ceiling_is_noticed() {
    let mut exchange = Exchange::funded(1, 1, 2, 1_000);
    let attested: u128 = 0x0123_4567_89ab_cdef;
    exchange.submit_quietly(Request::AttestReserves {
        operator: "ann".parse().unwrap(),
        asset: QUOTE,
        ceiling: Amount::new(attested),
        evidence: [7; 32],
    });
    // What exists when a ceiling comes is tolerated; this is more.
    exchange.credit(OWNER, QUOTE, 10);
    let snapshot = exchange.partitions[0].snapshot();
    let places: Vec<_> = (0..snapshot.len() - 16)
        .filter(|&at| snapshot[at..at + 16] == attested.to_le_bytes())
        .collect();
    assert_eq!(places.len(), 1, "the ceiling stands in one place");
    let with_ceiling = |ceiling: u128| {
        let mut forged = snapshot.clone();
        forged[places[0]..][..16].copy_from_slice(&ceiling.to_le_bytes());
        let partition = engine::Partition::restore(PartitionId(0), 1, &forged).unwrap();
        engine::audit(&[&partition]).violations
    };
    assert!(with_ceiling(2_010).is_empty());
    let above = "asset 2: its supply is above its ceiling without approval";
    assert_eq!(with_ceiling(2_009), [above]);
}
