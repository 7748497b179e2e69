//! Small sessions in text: events as the engine says them, and what a reader then sees.

use std::fmt::Write;

use expect_test::expect;
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, CancelCause, ClientOrderId, Decimal,
    Event, EventBatch, Fee, MarketBounds, MarketDef, MarketId, MarketRules, MarketState, OrderId,
    OrderSpec, PartitionId, Price, Quantity, Range, Redefinition, ReplyTo, Seq, Side, TimeInForce,
    Timestamp, Trade, TradeId, TradeSide, TreasuryReference,
};
use views::{Changes, Contradiction, Interval, ViewError, Views};

const MARKET: MarketId = MarketId(1);
const SECOND: u64 = 1_000_000_000;

struct Session {
    views: Views,
    seq: Seq,
    /// Seconds since the epoch.
    now: u64,
}

impl Session {
    fn new() -> Self {
        Self::of(1)
    }

    /// All definitions come from the first of so many partitions.
    fn of(partitions: u16) -> Self {
        let mut session = Self { views: Views::new(partitions), seq: Seq(0), now: 0 };
        for (id, symbol) in [(1, "BTC"), (2, "USDT")] {
            let asset = AssetDef { id: AssetId(id), symbol: symbol.into(), scale: 8 };
            session.entry([Event::AssetDefined { reply: ReplyTo::NOBODY, asset }]);
        }
        let market = MarketDef {
            id: MARKET,
            symbol: "BTC-USDT".into(),
            base: AssetId(1),
            quote: AssetId(2),
            tick: "0.50".parse().unwrap(),
            lot: "0.001".parse().unwrap(),
            max_price: Price::new(1_000_000),
            max_quantity: Quantity::new(1_000_000),
            bounds: MarketBounds::default(),
            home: PartitionId(0),
            version: 1,
        };
        session.entry([Event::MarketListed { reply: ReplyTo::NOBODY, market }]);
        session
    }

    fn entry(&mut self, events: impl IntoIterator<Item = Event>) -> Changes {
        self.seq = self.seq.next();
        let mut batch = EventBatch::new(PartitionId(0));
        let mut events: Vec<_> = events.into_iter().collect();
        batch.push(self.seq, Timestamp(self.now * SECOND), &mut events);
        self.views.on_batch(&batch).unwrap()
    }

    fn rest(&mut self, order: u64, account: u32, side: Side, price: u64, quantity: u64) -> Changes {
        self.entry([
            placed(order, account, side, price, quantity),
            rested(order, account, side, price, quantity),
        ])
    }

    fn depth(&self) -> String {
        let depth = self.views.depth(MARKET, 10);
        let mut text = String::new();
        for (side, levels) in [("bid", &depth.bids), ("ask", &depth.asks)] {
            for level in levels {
                writeln!(text, "{side} {} x {} ({})", level.price, level.quantity, level.orders)
                    .unwrap();
            }
        }
        writeln!(text, "seq {} checksum {:08X}", depth.seq, depth.checksum).unwrap();
        text
    }

    fn orders(&self, account: u32) -> String {
        let account = AccountId(account);
        let open = self.views.open_orders(account, None);
        let closed = self.views.closed_orders(account, None, 10);
        let mut text = String::new();
        for order in open.iter().chain(&closed) {
            let cause = order.cause.map_or("", |cause| cause.word());
            writeln!(
                text,
                "{} {} filled {} for {} left {} {cause}",
                order.order,
                order.status.word(),
                order.filled,
                order.quote_filled,
                order.remaining,
            )
            .unwrap();
        }
        text
    }
}

fn gtc(price: u64, quantity: u64) -> OrderSpec {
    OrderSpec::Limit {
        price: Price::new(price),
        quantity: Quantity::new(quantity),
        time_in_force: TimeInForce::Gtc,
        post_only: false,
    }
}

fn place(order: u64, account: u32, side: Side, spec: OrderSpec) -> Event {
    Event::OrderPlaced {
        reply: ReplyTo::NOBODY,
        market: MARKET,
        order: OrderId(order),
        account: AccountId(account),
        client_order_id: format!("c{order}").parse().unwrap(),
        side,
        spec,
        conditions: BoxedConditions::NONE,
    }
}

fn placed(order: u64, account: u32, side: Side, price: u64, quantity: u64) -> Event {
    place(order, account, side, gtc(price, quantity))
}

fn rested(order: u64, account: u32, side: Side, price: u64, quantity: u64) -> Event {
    Event::OrderRested {
        market: MARKET,
        order: OrderId(order),
        account: AccountId(account),
        side,
        price: Price::new(price),
        quantity: Quantity::new(quantity),
        hidden: Quantity::ZERO,
    }
}

fn cancelled(order: u64, account: u32, remaining: u64, cause: CancelCause) -> Event {
    Event::OrderCancelled {
        reply: ReplyTo::NOBODY,
        market: MARKET,
        order: OrderId(order),
        account: AccountId(account),
        remaining: Quantity::new(remaining),
        cause,
    }
}

/// (order, account, remaining)
type Party = (u64, u32, u64);

fn trade(
    id: u64,
    price: u64,
    quantity: u64,
    aggressor: Option<Side>,
    buyer: Party,
    seller: Party,
) -> Event {
    let party = |(order, account, remaining): Party| TradeSide {
        account: AccountId(account),
        order: OrderId(order),
        remaining: Quantity::new(remaining),
        fee: Fee::Paid { income: Amount::new(1), rounded_up: true },
    };
    Event::Trade(Trade {
        market: MARKET,
        trade: TradeId(id),
        price: Price::new(price),
        quantity: Quantity::new(quantity),
        base_amount: Amount::new(u128::from(quantity) * 100_000),
        quote_amount: Amount::new(u128::from(price * quantity) * 50_000),
        aggressor,
        buyer: party(buyer),
        seller: party(seller),
    })
}

#[test]
fn the_documented_checksum_is_what_the_code_computes() {
    let mut session = Session::new();
    // Ticks of 0.5 and lots of 0.001: the example of the module's text.
    session.rest(1, 1, Side::Buy, 201, 2_000);
    session.rest(2, 1, Side::Buy, 200, 1_250);
    session.rest(3, 1, Side::Sell, 202, 500);
    assert_eq!(session.views.depth(MARKET, 1).checksum, 0x2F17_5681);
    let tick: Decimal = "0.50".parse().unwrap();
    assert_eq!(tick.format(201), "100.5");
    assert_eq!(Session::new().views.depth(MARKET, 1).checksum, 0);
}

#[test]
fn an_order_meets_the_book_and_its_remainder_rests() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Sell, 100, 5);
    session.rest(2, 1, Side::Sell, 101, 5);
    session.rest(3, 2, Side::Sell, 101, 5);
    let changes = session.entry([
        placed(4, 3, Side::Buy, 101, 12),
        trade(1, 100, 5, Some(Side::Buy), (4, 3, 7), (1, 1, 0)),
        trade(2, 101, 5, Some(Side::Buy), (4, 3, 2), (2, 1, 0)),
        trade(3, 101, 1, Some(Side::Buy), (4, 3, 1), (3, 2, 4)),
        cancelled(3, 2, 4, CancelCause::SelfTrade),
        rested(4, 3, Side::Buy, 101, 1),
    ]);
    let market = &changes.markets[0];
    assert_eq!((market.previous_depth_seq, market.depth_seq), (Seq(6), Seq(7)));
    assert_eq!(market.levels.len(), 3, "one bid and two emptied asks, each once");
    assert_eq!(market.trades.len(), 3);
    assert_eq!(changes.contradictions, []);
    expect![[r#"
        bid 101 x 1 (1)
        seq 7 checksum BB188C50
    "#]]
    .assert_eq(&session.depth());
    expect![[r#"
        4 partially_filled filled 11 for 55300000 left 1 
    "#]]
    .assert_eq(&session.orders(3));
    expect![[r#"
        2 filled filled 5 for 25250000 left 0 
        1 filled filled 5 for 25000000 left 0 
    "#]]
    .assert_eq(&session.orders(1));
    expect![[r#"
        3 cancelled filled 1 for 5050000 left 4 self_trade
    "#]]
    .assert_eq(&session.orders(2));
}

#[test]
fn an_auction_takes_from_both_sides() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Buy, 105, 5);
    session.rest(2, 2, Side::Sell, 100, 8);
    let state = MarketState::Continuous;
    let changed = Event::MarketStateChanged { reply: ReplyTo::NOBODY, market: MARKET, state };
    let (price, quantity) = (Price::new(102), Quantity::new(5));
    let uncrossed = Event::AuctionUncrossed { market: MARKET, price, quantity };
    let changes = session.entry([
        changed.clone(),
        uncrossed.clone(),
        trade(1, 102, 5, None, (1, 1, 0), (2, 2, 3)),
    ]);
    assert_eq!(changes.contradictions, []);
    let phases: Vec<&Event> = changes.markets[0].phases.iter().map(|phase| &phase.event).collect();
    assert_eq!(phases, [&changed, &uncrossed]);
    expect![[r#"
        ask 100 x 3 (1)
        seq 6 checksum 072EC2DB
    "#]]
    .assert_eq(&session.depth());
    let fills = session.views.fills(AccountId(1), None, 10);
    assert_eq!(fills[0].liquidity.word(), "auction");
}

#[test]
fn a_replacement_keeps_the_client_id_and_ends_the_old_order() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Buy, 100, 5);
    session.entry([
        Event::OrderReplaced {
            reply: ReplyTo::NOBODY,
            market: MARKET,
            old_order: OrderId(1),
            order: OrderId(2),
            account: AccountId(1),
            side: Side::Buy,
            price: Price::new(99),
            quantity: Quantity::new(9),
        },
        rested(2, 1, Side::Buy, 99, 9),
        Event::OrderReduced {
            reply: ReplyTo::NOBODY,
            market: MARKET,
            order: OrderId(2),
            account: AccountId(1),
            remaining: Quantity::new(4),
            visible: Quantity::new(4),
        },
    ]);
    let client_id: ClientOrderId = "c1".parse().unwrap();
    let order = session.views.order_by_client_id(AccountId(1), &client_id).unwrap();
    assert_eq!((order.order, order.replaces), (OrderId(2), Some(OrderId(1))));
    assert_eq!(order.spec.quantity(), Some(Quantity::new(4)));
    expect![[r#"
        2 open filled 0 for 0 left 4 
        1 cancelled filled 0 for 0 left 5 replaced
    "#]]
    .assert_eq(&session.orders(1));
    expect![[r#"
        bid 99 x 4 (1)
        seq 5 checksum 8813A5BA
    "#]]
    .assert_eq(&session.depth());
}

#[test]
fn an_order_by_quote_is_filled_when_its_entry_ends_and_grows_if_its_sweep_goes_on() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Sell, 100, 5);
    session.rest(2, 1, Side::Sell, 101, 5);
    let spec = OrderSpec::MarketByQuote { quote: Amount::new(60_000_000), max_spend: None };
    session.entry([
        place(3, 2, Side::Buy, spec),
        trade(1, 100, 5, Some(Side::Buy), (3, 2, 0), (1, 1, 0)),
    ]);
    expect![[r#"
        3 filled filled 5 for 25000000 left 0 
    "#]]
    .assert_eq(&session.orders(2));
    session.entry([
        trade(2, 101, 5, Some(Side::Buy), (3, 2, 0), (2, 1, 0)),
        cancelled(3, 2, 0, CancelCause::MarketRemainder),
    ]);
    expect![[r#"
        3 cancelled filled 10 for 50250000 left 0 market_remainder
    "#]]
    .assert_eq(&session.orders(2));
    assert_eq!(session.views.contradictions(), 0);
}

#[test]
fn candles_are_aligned_and_empty_intervals_have_none() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Sell, 1, 1_000);
    // (second, price, lots)
    let prints = [(59, 10, 1), (60, 12, 2), (61, 9, 3), (119, 11, 4), (3_600, 20, 5)];
    let mut left = 1_000;
    for (id, (second, price, lots)) in (2..).zip(prints) {
        session.now = second;
        left -= lots;
        let changes = session.entry([
            placed(id, 2, Side::Buy, price, lots),
            trade(id, price, lots, Some(Side::Buy), (id, 2, 0), (1, 1, left)),
        ]);
        assert_eq!(changes.contradictions, []);
    }
    let candles = |interval| {
        let all = session.views.candles(MARKET, interval, Timestamp(0), Timestamp(u64::MAX), 99);
        let mut text = String::new();
        for c in all {
            let start = c.start.0 / SECOND;
            let prices = format!("{} {} {} {}", c.open, c.high, c.low, c.close);
            writeln!(text, "{start}: {prices} volume {} trades {}", c.volume, c.trades).unwrap();
        }
        text
    };
    expect![[r#"
        0: 10 10 10 10 volume 1 trades 1
        60: 12 12 9 11 volume 9 trades 3
        3600: 20 20 20 20 volume 5 trades 1
    "#]]
    .assert_eq(&candles(Interval::Minute1));
    expect![[r#"
        0: 10 12 9 11 volume 10 trades 4
        3600: 20 20 20 20 volume 5 trades 1
    "#]]
    .assert_eq(&candles(Interval::Hour1));
    let window = |from: u64, to: u64, limit| {
        let (from, to) = (Timestamp(from * SECOND), Timestamp(to * SECOND));
        let found = session.views.candles(MARKET, Interval::Second1, from, to, limit);
        found.iter().map(|candle| candle.start.0 / SECOND).collect::<Vec<_>>()
    };
    assert_eq!(window(60, 3_600, 99), [60, 61, 119], "the end is not included");
    assert_eq!(window(0, 3_600, 2), [61, 119], "the newest come first to the limit");
    assert_eq!(window(200, 100, 9), []);
}

#[test]
fn the_ticker_forgets_what_is_older_than_a_day() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Sell, 1, 1_000);
    let day = 86_400;
    let mut left = 1_000;
    for (id, (second, price)) in (2..).zip([(30, 50), (600, 10), (day, 20)]) {
        session.now = second;
        left -= 1;
        session.entry([
            placed(id, 2, Side::Buy, price, 1),
            trade(id, price, 1, Some(Side::Buy), (id, 2, 0), (1, 1, left)),
        ]);
    }
    let ticker = session.views.ticker(MARKET);
    let prices = [ticker.open, ticker.high, ticker.low, ticker.last].map(|p| p.unwrap().get());
    assert_eq!((prices, ticker.volume, ticker.trades), ([10, 20, 10, 20], 2, 2));
    // Log time goes on without a trade.
    session.now = 3 * day;
    session.entry([]);
    let ticker = session.views.ticker(MARKET);
    assert_eq!((ticker.open, ticker.volume, ticker.trades), (None, 0, 0));
    assert_eq!(ticker.last, Some(Price::new(20)));
    assert_eq!(ticker.ask.unwrap().quantity, 997);
}

#[test]
fn a_contradiction_is_named_and_counted_and_the_view_goes_on() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Sell, 100, 5);
    let changes = session.entry([
        placed(2, 2, Side::Buy, 100, 3),
        trade(1, 100, 3, Some(Side::Buy), (2, 2, 0), (1, 1, 4)),
        cancelled(9, 1, 4, CancelCause::Client),
        placed(3, 2, Side::Buy, 90, 1),
        rested(3, 2, Side::Buy, 90, 1),
    ]);
    let expected = [
        (
            1,
            Contradiction::Remaining {
                order: OrderId(1),
                expected: Quantity::new(2),
                found: Quantity::new(4),
            },
        ),
        (2, Contradiction::UnknownOrderOfAccount(AccountId(1), OrderId(9))),
    ];
    let expected = expected.map(|(index, what)| ViewError::Contradiction {
        partition: PartitionId(0),
        seq: Seq(5),
        index,
        what,
    });
    assert_eq!(changes.contradictions, expected);
    assert_eq!(
        changes.contradictions[1].to_string(),
        "partition 0, entry 5, event 2: account 1 has no open order 9"
    );
    assert_eq!(session.views.contradictions(), 2);
    assert_eq!(session.views.applied(PartitionId(0)), Seq(5));
    assert_eq!(session.views.depth(MARKET, 9).bids.len(), 1, "what came after is in");
}

#[test]
fn pending_debits_references_and_freezes_are_seen() {
    let mut session = Session::new();
    let (reply, account, asset) = (ReplyTo::NOBODY, AccountId(5), AssetId(1));
    let client_id: ClientOrderId = "w-1".parse().unwrap();
    let reference = |number| TreasuryReference { source: 9, number };
    let amount = Amount::new(7);
    session.entry([Event::AccountCreated { reply, account, fee_tier: 2 }]);
    session.entry([Event::Credited {
        reply,
        reference: reference(3),
        account,
        asset,
        amount,
        suspense: false,
    }]);
    session.entry([Event::DebitReserved { reply, account, asset, amount, client_id }]);
    assert_eq!(session.views.pending_debits(account)[0].amount, amount);
    assert_eq!(session.views.last_reference(9), 3);
    session.entry([Event::Debited {
        reply,
        reference: reference(4),
        account,
        asset,
        amount,
        client_id,
    }]);
    assert_eq!(session.views.pending_debits(account), []);
    assert_eq!((session.views.last_reference(9), session.views.last_reference(1)), (4, 0));
    session.entry([Event::AccountFrozen { reply, account, frozen: true }]);
    let view = session.views.account(account).unwrap();
    assert_eq!((view.frozen, view.fee_tier), (true, 2));
    assert_eq!(session.views.accounts(), [account]);
    assert_eq!(session.views.account(AccountId(6)), None);
    let again = session.entry([Event::DebitReleased { reply, account, asset, amount, client_id }]);
    assert_eq!(again.contradictions.len(), 1, "it has ended before");
}

#[test]
fn markets_are_found_by_id_and_symbol_with_their_state() {
    let mut session = Session::new();
    let market = session.views.market_by_symbol("BTC-USDT").unwrap();
    assert_eq!(market.scaling.base_atoms_per_lot, 100_000);
    assert_eq!(
        (market.base.symbol.as_str(), market.trading.state),
        ("BTC", MarketState::Continuous)
    );
    let (reply, state) = (ReplyTo::NOBODY, MarketState::Halted);
    session.entry([Event::MarketStateChanged { reply, market: MARKET, state }]);
    assert_eq!(session.views.market_info(MARKET).unwrap().trading.state, state);
    assert_eq!(session.views.markets().len(), 1);
    assert_eq!(session.views.asset_by_symbol("USDT").unwrap().id, AssetId(2));
    assert!(session.views.market_by_symbol("X").is_none());
}

#[test]
fn a_plan_for_the_state_that_is_there_ends_an_interruption() {
    let mut session = Session::new();
    let (reply, market) = (ReplyTo::NOBODY, MARKET);
    let now = session.views.log_time();
    let in_seconds = |seconds: u64| now.saturating_add_nanos(seconds * 1_000_000_000);
    let (at, until) = (in_seconds(100), in_seconds(300));
    let (last, would_trade) = (Price::new(100), Price::new(120));
    let state = MarketState::Auction;
    session.entry([
        Event::TradingInterrupted { market, last, would_trade, until },
        Event::MarketStateChanged { reply, market, state },
    ]);
    session.entry([Event::MarketStatePlanned { reply, market, at, state: Some(state) }]);
    let trading = |session: &Session| session.views.market_info(MARKET).unwrap().trading.clone();
    let before = trading(&session);
    assert_eq!((before.state, before.reopens_at, before.plans.len()), (state, Some(until), 1));
    session.now += 100;
    session.entry([Event::MarketStateChanged { reply, market, state }]);
    let after = trading(&session);
    assert_eq!((after.state, after.reopens_at, after.plans.len()), (state, None, 0));
}

/// From ticks of 0.50 and lots of 0.001 to ticks of 1 and lots of 0.002.
fn redefined(session: &Session) -> Event {
    let mut market = session.views.market_info(MARKET).unwrap().def.clone();
    let (old_tick, old_lot) = (market.tick, market.lot);
    (market.tick, market.lot, market.version) =
        ("1".parse().unwrap(), "0.002".parse().unwrap(), market.version + 1);
    Event::MarketRedefined { market, old_tick, old_lot }
}

#[test]
fn after_a_change_of_units_what_is_open_counts_in_the_new_ones_and_the_past_in_the_old() {
    let mut session = Session::new();
    session.rest(1, 1, Side::Buy, 200, 10);
    session.rest(2, 2, Side::Sell, 201, 7);
    let cancel = Event::OrderCancelled {
        reply: ReplyTo::NOBODY,
        market: MARKET,
        order: OrderId(2),
        account: AccountId(2),
        remaining: Quantity::new(7),
        cause: CancelCause::Redefined,
    };
    let change = redefined(&session);
    let changes = session.entry([cancel, change]);
    assert!(changes.contradictions.is_empty(), "{:?}", changes.contradictions);
    assert!(changes.markets[0].redefined);
    let book = session.views.depth(MARKET, 10);
    let bid = book.bids[0];
    assert_eq!((bid.price, bid.quantity, book.asks.len()), (Price::new(100), 5, 0));
    let market = session.views.market_info(MARKET).unwrap();
    assert_eq!((market.def.version, market.def.tick.to_string()), (2, "1".into()));
    let open = session.views.open_orders(AccountId(1), None)[0];
    assert_eq!((open.price(), open.remaining), (Some(Price::new(100)), Quantity::new(5)));
    let ended = session.views.closed_orders(AccountId(2), None, 10)[0];
    let then = market.at(ended.updated_seq);
    assert_eq!((then.def.lot.to_string(), ended.remaining), ("0.001".into(), Quantity::new(7)));
    assert_eq!(market.at(ended.updated_seq.next()).def.lot.to_string(), "0.002");
    // The next entry counts in the new units, also for views that were saved in between.
    let saved = session.views.snapshot();
    session.views = Views::restore(&saved, 1).unwrap();
    let changes = session.rest(3, 2, Side::Sell, 101, 3);
    assert!(changes.contradictions.is_empty());
    assert_eq!(session.views.market_info(MARKET).unwrap(), market);
}

/// The rules that are shown when the registry's partition has told of a change of units at second 10, and of
/// rules at another, before the market's own partition is heard.
fn rules_after_a_change(rules_at: u64) -> MarketRules {
    let mut session = Session::of(2);
    let (reply, market, at) = (ReplyTo::NOBODY, MARKET, Timestamp(10 * SECOND));
    let def = session.views.market_info(MARKET).unwrap().def.clone();
    let redefinition = Some(Redefinition {
        tick: "1".parse().unwrap(),
        lot: "0.002".parse().unwrap(),
        max_price: def.max_price,
        max_quantity: def.max_quantity,
        bounds: None,
    });
    session.entry([Event::RedefinitionPlanned { reply, market, at, redefinition }]);
    session.now = rules_at;
    let least = Some(Quantity::new(10));
    let rules =
        MarketRules { limit_quantity: Range { least, most: None }, ..MarketRules::default() };
    session.entry([Event::MarketRulesSet { reply, market, rules: Box::new(rules) }]);
    let mut batch = EventBatch::new(PartitionId(1));
    batch.push(Seq(1), at, &mut vec![redefined(&session)]);
    session.views.on_batch(&batch).unwrap();
    let market = session.views.market_info(MARKET).unwrap();
    assert_eq!((market.def.version, market.trading.redefinitions.len()), (2, 0));
    market.trading.rules
}

#[test]
fn rules_count_in_the_units_of_the_time_when_they_were_set_whichever_partition_is_heard_first() {
    let least = |rules: MarketRules| rules.limit_quantity.least.unwrap().get();
    assert_eq!(least(rules_after_a_change(9)), 5);
    assert_eq!(least(rules_after_a_change(10)), 10);
    assert_eq!(least(rules_after_a_change(15)), 10);
}
