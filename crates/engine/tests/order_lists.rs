//! Random lists in a random flow: both of a pair never trade, what a list trades never exceeds its lots,
//! and every hold is what the open orders need, after each command and over any wires.

use std::collections::BTreeMap;

use crate::exchange::{Exchange, FIRST_MARKET, PREVENTIONS, limit, order_list};
use chance::Random;
use types::{
    AccountId, CancelCause, ClientOrderId, Conditions, Event, ListEnd, ListLeg, MarketState,
    OrderId, OrderSpec, PartitionId, PlaceOrder, PlaceOrderList, Price, Quantity, Request, Side,
    TimeInForce, Timestamp, Trigger,
};

const ACCOUNTS: u64 = 4;
const SECOND: u64 = 1_000_000_000;

/// What was seen of lists from their events.
#[derive(Default)]
struct Seen {
    /// Lots of each order of a pair, and its list.
    of_pair: BTreeMap<OrderId, OrderId>,
    /// Traded lots by list, and which order of it traded.
    traded: BTreeMap<OrderId, (u64, OrderId)>,
    lots: BTreeMap<OrderId, u64>,
    ends: BTreeMap<&'static str, u32>,
    /// Lists that have begun and not ended.
    open: i64,
    most: u64,
}

impl Seen {
    fn note(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::OrderListPlaced(placed) => {
                    self.open += 1;
                    self.pair(placed.list, &placed.orders);
                }
                Event::OrderListAdvanced { list, orders, .. } => self.pair(*list, orders),
                Event::OrderPlaced { order, spec, .. } => {
                    let lots = spec.quantity().map_or(u64::MAX, Quantity::get);
                    self.lots.insert(*order, lots);
                }
                Event::Trade(trade) => {
                    for order in [trade.buyer.order, trade.seller.order] {
                        self.count(order, trade.quantity.get());
                    }
                }
                Event::OrderListEnded { end, .. } => {
                    self.open -= 1;
                    let name = match end {
                        ListEnd::Done => "done",
                        ListEnd::Cancelled => "cancelled",
                        ListEnd::Refused { .. } => "refused",
                    };
                    *self.ends.entry(name).or_default() += 1;
                }
                Event::OrderCancelled { cause: CancelCause::OrderList, order, .. } => {
                    assert!(self.of_pair.contains_key(order), "order {order} is of no pair");
                }
                _ => {}
            }
        }
    }

    fn pair(&mut self, list: OrderId, orders: &[OrderId]) {
        if let [_, _] = orders {
            self.of_pair.extend(orders.iter().map(|&order| (order, list)));
        }
    }

    fn count(&mut self, order: OrderId, lots: u64) {
        let Some(list) = self.of_pair.get(&order) else { return };
        let (sum, first) = self.traded.entry(*list).or_insert((0, order));
        assert_eq!(*first, order, "both of list {list} traded");
        *sum += lots;
        assert!(*sum <= self.lots[&order], "list {list} traded {sum} of {}", self.lots[&order]);
        self.most = self.most.max(self.traded.len() as u64);
    }
}

fn conditions(trigger: Option<Trigger>) -> Conditions {
    Conditions { trigger, ..Conditions::NONE }
}

fn limit_spec(price: u64, lots: u64) -> OrderSpec {
    OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(lots),
        time_in_force: TimeInForce::Gtc,
        post_only: false,
    }
}

fn named(random: &mut Random, serial: u64, leg: u64) -> ClientOrderId {
    match random.below(3) {
        0 => ClientOrderId::NONE,
        // Some are used again.
        1 => format!("leg-{}", (serial - random.below(3).min(serial)) * 3 + leg).parse().unwrap(),
        _ => format!("leg-{}", serial * 3 + leg).parse().unwrap(),
    }
}

fn pair(random: &mut Random, serial: u64, now: Timestamp) -> Vec<ListLeg> {
    let (side, lots) = (random.pick(&[Side::Buy, Side::Sell]), 1 + random.below(20));
    let above = Price::new(100 + random.below(8));
    let below = Price::new(100 - random.below(8));
    let (rises, falls) = (Trigger::Rises { to: above }, Trigger::Falls { to: below });
    let trails = Trigger::Trails { basis_points: 100 + random.below(300) as u16, activation: None };
    // What protects and what takes a profit.
    let (resting_at, protects, profits) = match side {
        Side::Sell => (above, falls, rises),
        Side::Buy => (below, rises, falls),
    };
    let protects = if random.below(4) == 0 { trails } else { protects };
    let quantity = Quantity::new(lots);
    let max_spend = (side == Side::Buy).then(|| types::Amount::new(u128::from(lots * 120)));
    let market = OrderSpec::MarketByQuantity { quantity, max_spend };
    let either = |random: &mut Random| match random.below(2) {
        0 => market,
        _ => limit_spec(96 + random.below(9), lots),
    };
    let mut first = match random.below(3) {
        0 => (either(random), conditions(Some(profits))),
        _ => (limit_spec(resting_at.get(), lots), conditions(None)),
    };
    let mut second = (either(random), conditions(Some(protects)));
    if random.below(5) == 0 {
        first.1.visible = Some(Quantity::new(1 + lots / 3));
        first.1.visible = first.1.visible.filter(|_| first.1.trigger.is_none());
    }
    for leg in [&mut first, &mut second] {
        if random.below(6) == 0 {
            let after = random.below(3_000) * SECOND / 1_000;
            leg.1.expires_at = Some(now.saturating_add_nanos(after + 1_000_000));
        }
    }
    let legs = [first, second].into_iter().zip(1..);
    let leg = |((spec, conditions), n)| ListLeg {
        client_order_id: named(random, serial, n),
        side,
        spec,
        conditions,
    };
    legs.map(leg).collect()
}

fn list(random: &mut Random, serial: u64, now: Timestamp) -> Request {
    let account = AccountId(random.below(ACCOUNTS) as u32 + 1);
    let mut working = limit(account.0, random.pick(&[Side::Buy, Side::Sell]), 0, 0);
    working.spec = limit_spec(96 + random.below(9), 1 + random.below(15));
    if random.below(5) == 0
        && let OrderSpec::Limit { time_in_force, .. } = &mut working.spec
    {
        *time_in_force = TimeInForce::Ioc;
    }
    let single = ListLeg {
        client_order_id: named(random, serial, 0),
        side: working.side,
        spec: working.spec,
        conditions: *working.conditions,
    };
    let (legs, pending) = match random.below(4) {
        0 | 1 => (pair(random, serial, now), Vec::new()),
        2 => (vec![single], pair(random, serial, now)),
        _ => (vec![single], pair(random, serial, now).split_off(1)),
    };
    let name = random.below(2) == 0;
    let name = name.then(|| format!("list-{}", serial - random.below(3).min(serial)));
    Request::PlaceOrderList(Box::new(PlaceOrderList {
        account,
        market: FIRST_MARKET,
        version: 1,
        client_order_id: name.map_or(ClientOrderId::NONE, |name| name.parse().unwrap()),
        self_trade_prevention: random.pick(&PREVENTIONS),
        legs,
        pending,
    }))
}

fn request(random: &mut Random, serial: u64, now: Timestamp) -> Request {
    let account = AccountId(random.below(ACCOUNTS) as u32 + 1);
    let (market, order) = (FIRST_MARKET, OrderId(serial.saturating_sub(random.below(40))));
    match random.below(40) {
        0..=11 => list(random, serial, now),
        12..=29 => {
            let side = random.pick(&[Side::Buy, Side::Sell]);
            let mut order = limit(account.0, side, 95 + random.below(11), 1 + random.below(25));
            order.self_trade_prevention = random.pick(&PREVENTIONS);
            Request::PlaceOrder(order)
        }
        30..=31 => Request::CancelOrder { account, market, order },
        32 => Request::CancelOrderList { account, market, list: order },
        33 => {
            let client_order_id = format!("list-{}", serial.saturating_sub(3)).parse().unwrap();
            Request::CancelByClientId { account, client_order_id }
        }
        34..=35 => {
            let price = Some(Price::new(96 + random.below(9)));
            Request::AmendOrder {
                account,
                market,
                version: 1,
                order,
                price,
                quantity: None,
                keep_priority: false,
            }
        }
        36 => Request::CancelAll { account, market },
        37 => Request::SetCountdown { account, market, after_ms: random.below(900) as u32 },
        38 => Request::ReplaceOrder(Box::new(types::ReplaceOrder {
            cancel: order,
            stop_on_failure: random.below(2) == 0,
            order: PlaceOrder { ..limit(account.0, Side::Buy, 98, 3) },
        })),
        _ => {
            let state = random.pick(&[
                MarketState::Continuous,
                MarketState::Continuous,
                MarketState::Continuous,
                MarketState::Auction,
                MarketState::PreOpen,
                MarketState::CancelOnly,
                MarketState::Halted,
            ]);
            Request::SetMarketState { market, state }
        }
    }
}

/// Somebody must trade first, so that triggers have a price to be compared with.
fn opened(partitions: u16) -> Exchange {
    let mut exchange = Exchange::funded(partitions, 1, ACCOUNTS as u32, 4_000);
    exchange.set_fees(1_000, 2_000);
    for side in [Side::Sell, Side::Buy] {
        let account = if side == Side::Sell { 1 } else { 2 };
        exchange.submit_quietly(Request::PlaceOrder(limit(account, side, 100, 1)));
    }
    exchange
}

#[test]
fn both_of_a_pair_never_trade_and_holds_are_sound_after_each_command() {
    let mut seen = Seen::default();
    for seed in 0..12 {
        println!("seed {seed}");
        let (mut random, mut exchange) = (Random::new(seed * 7_919 + 3), opened(1));
        seen = Seen { ends: seen.ends, most: seen.most, ..Seen::default() };
        for serial in 3..900 {
            let request = request(&mut random, serial, exchange.now);
            let events = exchange.submit_quietly(request);
            seen.note(&events);
            if random.below(10) == 0 {
                let later = exchange.now.saturating_add_nanos(random.below(SECOND));
                let events = exchange.wait_until(later);
                seen.note(&events);
            }
            assert!(exchange.assert_sound().quiet);
            if serial % 100 == 0 {
                restore(&mut exchange);
            }
        }
        exchange.assert_replays();
        end(&mut exchange, &mut seen);
    }
    println!("{:?}, {} pairs traded in a seed at most", seen.ends, seen.most);
    assert!(seen.ends.len() == 3 && seen.ends.values().all(|&count| count > 20), "{:?}", seen.ends);
    assert!(seen.most > 20, "pairs trade");
}

#[test]
fn over_three_partitions_and_late_messages_the_same_holds() {
    for seed in 0..25 {
        println!("seed {seed}");
        let (mut random, mut exchange) = (Random::new(seed * 104_729 + 11), opened(3));
        let mut seen = Seen::default();
        for serial in 3..600 {
            let request = request(&mut random, serial, exchange.now);
            let events = exchange.submit(request);
            seen.note(&events);
            for _ in 0..random.below(4) {
                let (from, to) = (random.below(3) as u16, random.below(3) as u16);
                let (from, to) = (PartitionId(from), PartitionId(to));
                let events = exchange.carry(from, to, 1 + random.below(6) as usize);
                seen.note(&events);
                exchange.acknowledge(from, to);
            }
            exchange.assert_sound();
            if serial % 60 == 0 {
                restore(&mut exchange);
            }
            if serial % 97 == 0 {
                let mut events = Vec::new();
                exchange.settle(&mut events);
                seen.note(&events);
                assert!(exchange.assert_sound().quiet);
            }
        }
        let mut events = Vec::new();
        exchange.settle(&mut events);
        seen.note(&events);
        end(&mut exchange, &mut seen);
        exchange.assert_replays();
    }
}

fn restore(exchange: &mut Exchange) {
    for partition in &mut exchange.partitions {
        let (bytes, hash) = (partition.snapshot(), partition.state_hash());
        *partition = engine::Partition::restore(partition.id(), 99, &bytes).unwrap();
        assert_eq!(partition.state_hash(), hash);
    }
}

/// When everybody cancels everything, no list and no hold is left.
fn end(exchange: &mut Exchange, seen: &mut Seen) {
    let state = MarketState::CancelOnly;
    exchange.submit_quietly(Request::SetMarketState { market: FIRST_MARKET, state });
    for account in (1..=ACCOUNTS as u32).map(AccountId) {
        let request = Request::CancelAll { account, market: FIRST_MARKET };
        seen.note(&exchange.submit_quietly(request));
    }
    let audit = exchange.assert_sound();
    assert!(audit.quiet && audit.open_orders == 0, "{} orders are left", audit.open_orders);
    assert!(exchange.balances().values().all(|(_, held)| held.is_zero()));
    assert_eq!(seen.open, 0, "lists that have not ended");
}

/// A sweep that takes several entries fills the first of a pair and an order that others wait for, both
/// deep in the book.
#[test]
fn legs_that_trade_in_a_later_entry_end_their_lists_there() {
    let mut exchange = Exchange::funded(1, 1, 4, 1_000_000_000);
    for side in [Side::Sell, Side::Buy] {
        exchange.submit_quietly(Request::PlaceOrder(limit(1, side, 100, 1)));
    }
    for _ in 0..5_000 {
        exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Sell, 101, 1)));
    }
    let rests = leg(Side::Sell, limit_spec(102, 3), None);
    let waits = leg(Side::Sell, limit_spec(90, 3), Some(Trigger::Falls { to: Price::new(91) }));
    let follows = leg(Side::Buy, limit_spec(95, 3), None);
    exchange.submit_quietly(order_list(3, vec![rests, waits], Vec::new()));
    exchange.submit_quietly(order_list(4, vec![rests], vec![follows]));
    let request = Request::PlaceOrder(limit(2, Side::Buy, 103, 5_006));
    let (reply, valid_until) = (types::ReplyTo::new(2, 1), Timestamp(u64::MAX));
    let mut command = types::Command::Request { reply, valid_until, request };
    let (mut events, mut entries) = (Vec::new(), 0);
    loop {
        events.extend(exchange.append_one(PartitionId(0), command));
        exchange.assert_sound();
        restore(&mut exchange);
        entries += 1;
        command = types::Command::Continue;
        if !exchange.partitions[0].needs_continue() {
            break;
        }
    }
    assert!(entries > 2, "{entries}");
    let is_end = |event: &&Event| matches!(event, Event::OrderListEnded { end: ListEnd::Done, .. });
    assert_eq!(events.iter().filter(is_end).count(), 2);
    let books = exchange.books();
    assert!(books[&(FIRST_MARKET, Side::Sell)].is_empty());
    assert_eq!(books[&(FIRST_MARKET, Side::Buy)].len(), 1, "what followed rests");
    assert!(exchange.partitions[0].market(FIRST_MARKET).unwrap().waiting().next().is_none());
}

/// The list of a single pending leg is done before that enters, however many entries its trades take.
#[test]
fn a_list_is_done_before_its_last_leg_enters() {
    let mut exchange = Exchange::funded(1, 1, 4, 1_000_000_000);
    for _ in 0..5_000 {
        exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Buy, 100, 1)));
    }
    exchange.submit_quietly(Request::PlaceOrder(limit(1, Side::Buy, 101, 1)));
    let legs = [limit_spec(101, 1), limit_spec(100, 5_000)];
    let [working, pending] = legs.map(|spec| vec![leg(Side::Sell, spec, None)]);
    let events = exchange.submit_quietly(order_list(2, working, pending));
    let place = |is: fn(&Event) -> bool| events.iter().position(is).unwrap();
    let trades = events.iter().filter(|event| matches!(event, Event::Trade(_))).count();
    assert_eq!(trades, 5_001);
    let advanced = place(|event| matches!(event, Event::OrderListAdvanced { .. }));
    let done = place(|event| matches!(event, Event::OrderListEnded { end: ListEnd::Done, .. }));
    assert_eq!(done, advanced + 1);
    assert!(matches!(events[done + 1], Event::OrderPlaced { .. }), "{:?}", events[done + 1]);
}

fn leg(side: Side, spec: OrderSpec, trigger: Option<Trigger>) -> ListLeg {
    let client_order_id = ClientOrderId::NONE;
    ListLeg { client_order_id, side, spec, conditions: conditions(trigger) }
}
