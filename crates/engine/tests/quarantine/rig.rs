//! What these tests share: bugs made on purpose, and what must hold around them.

use engine::{Audit, Partition};
use types::{
    AccountId, Amount, AssetId, Bug, Component, Done, Event, MarketId, Message, OperatorName,
    RejectCode, Request, RequestKind, Side, Slot, Trade, TradeId, TreasuryReference,
};

use crate::exchange::{Exchange, FIRST_MARKET, QUOTE, limit};

pub const SECOND_MARKET: MarketId = MarketId(2);
pub const FIRST: Component = Component::Market(FIRST_MARKET);
pub const SLOT_2: Component = Component::Ledger(Slot(2));
pub const EACH: u128 = 100_000;

pub fn place(account: u32, side: Side, price: u64, quantity: u64) -> Request {
    Request::PlaceOrder(limit(account, side, price, quantity))
}

pub fn place_in(market: MarketId, account: u32, side: Side, price: u64, quantity: u64) -> Request {
    let mut order = limit(account, side, price, quantity);
    order.market = market;
    Request::PlaceOrder(order)
}

/// Takes quote from an account for the treasury.
pub fn debit(account: AccountId, amount: Amount) -> Request {
    Request::Debit {
        reference: TreasuryReference { source: 9, number: 1 },
        operator: OperatorName::NONE,
        account,
        asset: QUOTE,
        amount,
    }
}

/// A market that fails when it makes its trade of this number.
pub fn fails_at_trade(market: MarketId, number: u64) -> Bug {
    Bug::new(move |done| {
        if let Done::Emits(Event::Trade(Trade { market: at, trade, .. })) = done {
            assert!((*at, *trade) != (market, TradeId(number)), "a trade too many");
        }
    })
}

/// A ledger slot that fails when an account is paid: what the fill changed is changed by then.
pub fn fails_at_fill(account: u32) -> Bug {
    let nobody: [u8; 0] = [];
    Bug::new(move |done| {
        if let Done::Handled(Message::Filled { fill, .. }) = done
            && fill.account == AccountId(account)
        {
            println!("{}", nobody[fill.credit.get() as usize]);
        }
    })
}

pub fn codes(events: &[Event]) -> Vec<(RequestKind, RejectCode)> {
    let rejected = |event: &Event| match *event {
        Event::Rejected { request, code, .. } => Some((request, code)),
        _ => None,
    };
    events.iter().filter_map(rejected).collect()
}

pub fn refused(events: &[Event], request: RequestKind) {
    assert_eq!(codes(events), [(request, RejectCode::ComponentQuarantined)], "{events:#?}");
}

pub fn trades(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Trade(_))).count()
}

/// Available and held, in atoms.
pub fn balance(exchange: &Exchange, account: u32, asset: AssetId) -> (u128, u128) {
    let (available, held) = exchange.balances()[&(AccountId(account), asset)];
    (available.get(), held.get())
}

pub fn available(exchange: &Exchange, account: u32, asset: AssetId) -> u128 {
    balance(exchange, account, asset).0
}

/// Nothing but what is parked is under way, and replays and snapshots come to the same.
pub fn check(exchange: &Exchange) -> Audit {
    let audit = exchange.assert_sound();
    assert!(audit.quiet, "nothing but what is parked is under way");
    exchange.assert_replays();
    for partition in &exchange.partitions {
        let restored = Partition::restore(partition.id(), 3, &partition.snapshot());
        let restored = restored.expect("a snapshot of this binary");
        assert_eq!(restored.state_hash(), partition.state_hash());
        assert_eq!(restored.next_deadline(), partition.next_deadline());
    }
    audit
}

/// Goes on with a mended binary and releases a component, which then has nothing that waits.
pub fn mend_and_release(exchange: &mut Exchange, component: Component) -> Vec<Event> {
    exchange.run_with(None);
    let events = exchange.release(component);
    assert_eq!(check(exchange).parked, 0);
    events
}

/// Three offers of account 2 in the first market, and a bid of account 1 for all of them that fails after two
/// fills.
pub fn with_failed_market(partitions: u16) -> (Exchange, Vec<Event>) {
    let mut exchange = Exchange::funded(partitions, 2, 4, EACH);
    exchange.run_with(Some(fails_at_trade(FIRST_MARKET, 3)));
    for price in [100, 101, 102] {
        exchange.submit_quietly(place(2, Side::Sell, price, 5));
    }
    let events = exchange.submit_quietly(place(1, Side::Buy, 102, 15));
    (exchange, events)
}
