use expect_test::expect;
use serde_json::Value;

use crate::exchange::{Venue, outcry, written, written_by};
use crate::explain::conditional_trading;

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
        19 2026-01-02T03:04:22.000000000Z term 1 amend_order account=1 market=BTC-USDT order=1 quantity=0.8000
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
