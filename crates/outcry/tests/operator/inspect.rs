use expect_test::expect;
use serde_json::Value;

use types::Side::{Buy, Sell};
use types::TimeInForce::{Gtc, Ioc};
use types::{
    AccountId, Amount, Distance, Interruption, MarketRules, MarketState, OrderId, PartsPerMillion,
    PriceBand, Quantity, Range, ReplaceOrder, Request, Timestamp,
};

use super::exchange::{MARKET, Venue, limit, outcry, written, written_by};
use super::explain::conditional_trading;

#[test]
fn a_log_is_printed_with_decimals_and_events_below_each_entry() {
    let data = written(1);
    let said = outcry(&["inspect", "DATA", "--from", "16", "--to", "21"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    expect![[r#"
        16 2026-01-02T03:04:19.000000000Z term 1 place_order account=1 market=BTC-USDT side=sell type=limit quantity=1.0000 price=100.00 time_in_force=gtc client_order_id=first
            order_placed market=BTC-USDT order=1 account=1 side=sell type=limit quantity=1.0000 price=100.00 time_in_force=gtc client_order_id=first
            order_rested market=BTC-USDT order=1 account=1 side=sell quantity=1.0000 price=100.00
            balance_changed account=1 asset=BTC available=9.00000000 held=1.00000000
        17 2026-01-02T03:04:20.000000000Z term 1 place_order account=2 market=BTC-USDT side=sell type=limit quantity=0.5000 price=100.00 time_in_force=gtc client_order_id=second
            order_placed market=BTC-USDT order=2 account=2 side=sell type=limit quantity=0.5000 price=100.00 time_in_force=gtc client_order_id=second
            order_rested market=BTC-USDT order=2 account=2 side=sell quantity=0.5000 price=100.00
            balance_changed account=2 asset=BTC available=9.50000000 held=0.50000000
        18 2026-01-02T03:04:21.000000000Z term 1 place_order account=3 market=BTC-USDT side=buy type=limit quantity=0.3000 price=101.00 time_in_force=gtc
            order_placed market=BTC-USDT order=3 account=3 side=buy type=limit quantity=0.3000 price=101.00 time_in_force=gtc
            trade market=BTC-USDT trade=1 quantity=0.3000 price=100.00 aggressor=buy buyer=3 buy_order=3 buyer_fee=0.00060000 seller=1 sell_order=1 seller_fee=0.03000000
            balance_changed account=3 asset=USDT available=970.00000000 held=0.00000000
            balance_changed account=3 asset=BTC available=10.29940000 held=0.00000000
            balance_changed account=1 asset=BTC available=9.00000000 held=0.70000000
            balance_changed account=1 asset=USDT available=1029.97000000 held=0.00000000
        19 2026-01-02T03:04:22.000000000Z term 1 amend_order account=1 market=BTC-USDT order=1 quantity=0.8000 priority=keep
            order_reduced market=BTC-USDT order=1 account=1 remaining=0.5000
            balance_changed account=1 asset=BTC available=9.20000000 held=0.50000000
        20 2026-01-02T03:04:23.000000000Z term 1 amend_order account=2 market=BTC-USDT order=2 price=99.50
            order_replaced market=BTC-USDT order=4 account=2 old_order=2 side=sell quantity=0.5000 price=99.50
            order_rested market=BTC-USDT order=4 account=2 side=sell quantity=0.5000 price=99.50
        21 2026-01-02T03:04:24.000000000Z term 1 place_order account=3 market=BTC-USDT side=buy type=limit quantity=0.6000 price=99.50 time_in_force=ioc
            order_placed market=BTC-USDT order=5 account=3 side=buy type=limit quantity=0.6000 price=99.50 time_in_force=ioc
            trade market=BTC-USDT trade=2 quantity=0.5000 price=99.50 aggressor=buy buyer=3 buy_order=5 buyer_fee=0.00100000 seller=2 sell_order=4 seller_fee=0.04975000
            order_cancelled market=BTC-USDT order=5 account=3 remaining=0.1000 cause=immediate_or_cancel
            balance_changed account=3 asset=USDT available=920.25000000 held=0.00000000
            balance_changed account=3 asset=BTC available=10.79840000 held=0.00000000
            balance_changed account=2 asset=BTC available=9.50000000 held=0.00000000
            balance_changed account=2 asset=USDT available=1049.70025000 held=0.00000000
    "#]].assert_eq(&said.out);
}

#[test]
fn a_late_range_is_what_the_whole_log_has_there() {
    let data = written(1);
    let whole = outcry(&["inspect", "DATA"], data.path()).out;
    // The first snapshot lies before it.
    let late = outcry(&["inspect", "DATA", "--from", "23"], data.path());
    let start = whole.find("\n23 ").unwrap() + 1;
    assert_eq!(late.out, whole[start..]);
    let beyond = outcry(&["inspect", "DATA", "--from", "1000"], data.path());
    assert_eq!(beyond.status, 1);
    assert!(beyond.err.contains("the log ends with entry "), "{}", beyond.err);
}

#[test]
fn json_lines_have_every_entry_once() {
    let data = written(1);
    let said = outcry(&["inspect", "DATA", "--json"], data.path());
    let lines: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (seq, line) in (1..).zip(&lines) {
        assert_eq!(line["seq"], seq);
    }
    let placed = lines.iter().find(|line| line["command"]["client_order_id"] == "first").unwrap();
    assert_eq!(placed["command"]["price"], "100.00");
    assert_eq!(placed["events"][0]["kind"], "order_placed");
    assert_eq!(placed["term"], 1);
}

#[test]
fn a_running_exchange_can_be_inspected() {
    let data = tempfile::tempdir().unwrap();
    let venue = Venue::start(data.path(), 1);
    venue.found();
    let said = outcry(&["inspect", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert!(said.out.contains("market_listed market=BTC-USDT"), "{}", said.out);
    venue.node.stop();
}

#[test]
fn what_is_not_there_is_said() {
    let data = written(1);
    let said = outcry(&["inspect", "DATA", "--partition", "7"], data.path());
    assert_eq!(said.status, 1);
    assert!(said.err.contains("has no partition 7"), "{}", said.err);
    let empty = tempfile::tempdir().unwrap();
    let said = outcry(&["inspect", "DATA"], empty.path());
    assert_eq!(said.status, 1);
    assert!(said.err.contains("there is no exchange in"), "{}", said.err);
}

#[test]
fn conditions_parts_and_triggers_are_shown() {
    let data = written_by(1, conditional_trading);
    let said = outcry(&["inspect", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    let shown = |line: &&str| {
        ["trigger=", "visible=", "order_triggered", "order_refilled", "hidden="]
            .iter()
            .any(|word| line.contains(word))
    };
    let lines: Vec<&str> = said.out.lines().filter(shown).collect();
    expect![[r#"
        18 2026-01-02T03:04:21.000000000Z term 1 place_order account=2 market=BTC-USDT side=sell type=limit quantity=0.5000 price=96.00 time_in_force=gtc trigger=falls stop_price=98.00
            order_placed market=BTC-USDT order=3 account=2 side=sell type=limit quantity=0.5000 price=96.00 time_in_force=gtc trigger=falls stop_price=98.00
        19 2026-01-02T03:04:22.000000000Z term 1 place_order account=1 market=BTC-USDT side=sell type=limit quantity=1.0000 price=101.00 time_in_force=gtc visible=0.4000
            order_placed market=BTC-USDT order=4 account=1 side=sell type=limit quantity=1.0000 price=101.00 time_in_force=gtc visible=0.4000
            order_rested market=BTC-USDT order=4 account=1 side=sell quantity=0.4000 hidden=0.6000 price=101.00
        20 2026-01-02T03:04:23.000000000Z term 1 place_order account=2 market=BTC-USDT side=sell type=limit quantity=0.2000 price=90.00 time_in_force=gtc trigger=trails trailing_basis_points=250 activation_price=101.00
            order_placed market=BTC-USDT order=5 account=2 side=sell type=limit quantity=0.2000 price=90.00 time_in_force=gtc trigger=trails trailing_basis_points=250 activation_price=101.00
            order_triggered market=BTC-USDT order=3 account=2
            order_refilled market=BTC-USDT order=4 account=1 quantity=0.4000 hidden=0.2000"#]].assert_eq(&lines.join("\n"));
}

/// Everything that an operator's rules, a plan, a replacement and a dead man's switch say.
fn ruled_trading(venue: &Venue) {
    let market = MARKET;
    let ppm = PartsPerMillion(100_000);
    let distance = Distance { below: ppm, above: PartsPerMillion(200_000) };
    let rules = MarketRules {
        limit_quantity: Range { least: Some(Quantity::new(10)), most: None },
        notional: Range { least: None, most: Some(Amount::new(100_000_000_000)) },
        price_band: Some(PriceBand { window_minutes: 5, buy: distance, sell: distance }),
        max_open_orders: Some(50),
        max_position: Some(Amount::new(2_000_000_000)),
        interruption: Some(Interruption { distance, auction_seconds: 3_600 }),
        ..MarketRules::default()
    };
    let replace = |cancel, price| {
        let Request::PlaceOrder(order) = limit(1, Sell, price, 1_000, Gtc, "") else {
            unreachable!("a limit order is placed")
        };
        let cancel = OrderId(cancel);
        Request::ReplaceOrder(Box::new(ReplaceOrder { cancel, stop_on_failure: true, order }))
    };
    let at = Timestamp(1_767_400_000_000_000_000);
    venue.demand(&limit(1, Sell, 10_000, 1_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 10_000, 1_000, Gtc, ""));
    venue.demand(&limit(1, Sell, 13_000, 1_000, Gtc, ""));
    venue.demand(&replace(3, 12_100));
    venue.ask(replace(3, 12_100));
    venue.demand(&Request::SetMarketRules { market, rules: Box::new(rules) });
    venue.demand(&Request::PlanMarketState { market, at, state: Some(MarketState::Closed) });
    venue.demand(&Request::PlanMarketState { market, at, state: None });
    venue.demand(&Request::SetMarketRules {
        market,
        rules: Box::new(MarketRules { interruption: rules.interruption, ..MarketRules::default() }),
    });
    venue.demand(&limit(3, Buy, 12_100, 1_000, Ioc, ""));
    let account = AccountId(1);
    venue.demand(&Request::SetCountdown { account, market, after_ms: 0 });
    venue.demand(&Request::SetCountdown { account, market, after_ms: 1_500 });
    venue.demand(&limit(2, Sell, 15_000, 1_000, Gtc, ""));
    venue.demand(&limit(2, Sell, 15_000, 1_000, Gtc, ""));
}

#[test]
fn rules_plans_replacements_and_countdowns_are_shown() {
    let data = written_by(1, ruled_trading);
    let said = outcry(&["inspect", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    // Without entry and time: whether the clock's entry or the next command brings a timer is chance.
    let words = [
        "market_rules",
        "market_state",
        "replace_order",
        "countdown",
        "trading_interrupted",
        "order_cancelled",
    ];
    let shown = |line: &&str| words.iter().any(|word| line.contains(word));
    let line = |line: &str| match line.split_once(" term 1 ") {
        Some((_, command)) => command.to_owned(),
        None => line.to_owned(),
    };
    let lines: Vec<String> = said.out.lines().filter(shown).map(line).collect();
    expect![[r#"
        replace_order cancel=3 on_failure=stop account=1 market=BTC-USDT side=sell type=limit quantity=0.1000 price=121.00 time_in_force=gtc
            order_cancelled market=BTC-USDT order=3 account=1 remaining=0.1000 cause=client
        replace_order cancel=3 on_failure=stop account=1 market=BTC-USDT side=sell type=limit quantity=0.1000 price=121.00 time_in_force=gtc
            rejected request=replace_order account=1 market=BTC-USDT code=UnknownOrder
        set_market_rules market=BTC-USDT limit_quantity_least=0.0010 notional_most=1000.00000000 price_band_minutes=5 price_band_buy=-100000+200000ppm price_band_sell=-100000+200000ppm max_open_orders=50 max_position=20.00000000 interruption=-100000+200000ppm auction_seconds=3600
            market_rules_set market=BTC-USDT limit_quantity_least=0.0010 notional_most=1000.00000000 price_band_minutes=5 price_band_buy=-100000+200000ppm price_band_sell=-100000+200000ppm max_open_orders=50 max_position=20.00000000 interruption=-100000+200000ppm auction_seconds=3600
        plan_market_state market=BTC-USDT at=2026-01-03T00:26:40.000000000Z state=closed
            market_state_planned market=BTC-USDT at=2026-01-03T00:26:40.000000000Z state=closed
        plan_market_state market=BTC-USDT at=2026-01-03T00:26:40.000000000Z state=none
            market_state_planned market=BTC-USDT at=2026-01-03T00:26:40.000000000Z state=none
        set_market_rules market=BTC-USDT interruption=-100000+200000ppm auction_seconds=3600
            market_rules_set market=BTC-USDT interruption=-100000+200000ppm auction_seconds=3600
            trading_interrupted market=BTC-USDT last=100.00 would_trade=121.00 until=2026-01-02T04:04:28.000000000Z
            market_state_changed market=BTC-USDT state=auction
            order_cancelled market=BTC-USDT order=5 account=3 remaining=0.1000 cause=interruption
        set_countdown account=1 market=BTC-USDT after_ms=0
            countdown_set account=1 market=BTC-USDT at=never
        set_countdown account=1 market=BTC-USDT after_ms=1500
            countdown_set account=1 market=BTC-USDT at=2026-01-02T03:04:31.500000000Z
            countdown_set account=1 market=BTC-USDT at=never
            order_cancelled market=BTC-USDT order=4 account=1 remaining=0.1000 cause=cancel_all"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_replaced_order_says_that_another_took_its_place() {
    let data = written_by(1, ruled_trading);
    let explained = |order| {
        let said = outcry(&["explain", "order", "1", order, "--data", "DATA"], data.path());
        assert_eq!((said.status, said.err.as_str()), (0, ""));
        said.out
    };
    let old = explained("3");
    assert!(old.contains("ended: cancelled by its owner, to place another instead"), "{old}");
    assert!(old.contains("replace_order was rejected: UnknownOrder"), "{old}");
    assert!(explained("4").contains("placed by request replace_order"));
    let stopped = explained("5");
    let why = "ended: it would have traded too far from the last price: an auction came first";
    assert!(stopped.contains(why), "{stopped}");
}
