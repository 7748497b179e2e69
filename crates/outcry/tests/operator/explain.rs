use expect_test::expect;
use serde_json::Value;

use types::{Conditions, Price, Quantity, Side, TimeInForce, Trigger};

use super::exchange::{Venue, limit, outcry, under, written, written_by};

#[test]
fn an_order_that_rests_has_its_fills_its_reduction_and_its_place() {
    let data = written(1);
    let said = outcry(&["explain", "order", "BTC-USDT", "1", "--data", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    expect![[r#"
        order 1 of BTC-USDT
        2026-01-02T03:04:19.000000000Z entry 16: placed by request place_order: account 1 asked to sell 1.0000 at 100.00, good till cancelled, client order id first; 1.00000000 BTC held for it
        2026-01-02T03:04:19.000000000Z entry 16: rested: 1.0000 at 100.00; ahead of it: nothing at its price, nothing at better ones; best bid none, best ask 100.00; 1.00000000 BTC held
        2026-01-02T03:04:21.000000000Z entry 18: matched while resting: trade 1, sold 0.3000 at 100.00, against order 3 of account 3, fee 0.03000000 USDT; 0.7000 left
        2026-01-02T03:04:22.000000000Z entry 19: reduced by its owner, and keeps its place: 0.5000 left
        now (entry 27): open, 0.5000 at 100.00; ahead of it: nothing at its price, nothing at better ones; best bid none, best ask 100.00; 0.50000000 BTC held
        now (entry 27): account 1 has 9.20000000 BTC available and 0.50000000 held, 1029.97000000 USDT available and 0.00000000 held
    "#]].assert_eq(&said.out);
}

#[test]
fn an_order_is_followed_through_its_amendments_from_either_id() {
    let data = written(1);
    let by_new = outcry(&["explain", "order", "1", "4", "--data", "DATA"], data.path());
    assert_eq!((by_new.status, by_new.err.as_str()), (0, ""));
    expect![[r#"
        order 4 of BTC-USDT
        2026-01-02T03:04:20.000000000Z entry 17: placed by request place_order: account 2 asked to sell 0.5000 at 100.00, good till cancelled, client order id second; 0.50000000 BTC held for it
        2026-01-02T03:04:20.000000000Z entry 17: rested: 0.5000 at 100.00; ahead of it: 1 order with 1.0000 at its price, nothing at better ones; best bid none, best ask 100.00; 0.50000000 BTC held
        2026-01-02T03:04:23.000000000Z entry 20: amended by request amend_order: goes on as order 4, sell 0.5000 at 99.50, behind all others of that price
        2026-01-02T03:04:23.000000000Z entry 20: rested: 0.5000 at 99.50; ahead of it: nothing at its price, nothing at better ones; best bid none, best ask 99.50; 0.50000000 BTC held
        2026-01-02T03:04:24.000000000Z entry 21: matched while resting: trade 2, sold 0.5000 at 99.50, against order 5 of account 3, fee 0.04975000 USDT; ended: filled
        now (entry 27): ended
        now (entry 27): account 2 has 9.25000000 BTC available and 0.25000000 held, 1049.70024999 USDT available and 0.00000000 held
    "#]].assert_eq(&by_new.out);
    let by_old = outcry(&["explain", "order", "btc-usdt", "2", "--data", "DATA"], data.path());
    let story = |out: &str| out.split_once('\n').unwrap().1.to_owned();
    assert_eq!(story(&by_old.out), story(&by_new.out));
}

#[test]
fn an_order_that_never_rested_says_why_it_ended() {
    let data = written(1);
    let said =
        outcry(&["explain", "order", "BTC-USDT", "5", "--data", "DATA", "--json"], data.path());
    let story: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(story["is_open"], false);
    let texts: Vec<&str> = story["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["text"].as_str().unwrap())
        .collect();
    expect![[r#"
        placed by request place_order: account 3 asked to buy 0.6000 at 99.50, immediate or cancel; 59.70000000 USDT held for it
        matched as it came: trade 2, bought 0.5000 at 99.50, against order 4 of account 2, fee 0.00100000 BTC; 0.1000 left
        ended: what did not match at once was cancelled, as asked, 0.1000 was left"#]].assert_eq(&texts.join("\n"));
}

#[test]
fn an_order_behind_another_is_told_what_is_ahead() {
    let data = written(1);
    let said = outcry(&["explain", "order", "BTC-USDT", "6", "--data", "DATA"], data.path());
    let ahead = "ahead of it: 1 order with 0.5000 at its price, nothing at better ones";
    assert!(said.out.contains(ahead), "{}", said.out);
    assert!(said.out.contains("now (entry "), "{}", said.out);
}

#[test]
fn an_unknown_order_or_market_is_a_clear_no() {
    let data = written(1);
    let said = outcry(&["explain", "order", "BTC-USDT", "77", "--data", "DATA"], data.path());
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert!(said.err.contains("market BTC-USDT has no order 77"), "{}", said.err);
    let said = outcry(&["explain", "order", "ETH-USDT", "1", "--data", "DATA"], data.path());
    assert_eq!(said.status, 1);
    assert!(said.err.contains("there is no market ETH-USDT"), "{}", said.err);
}

#[test]
fn with_several_partitions_the_markets_home_tells_the_story() {
    let data = written(3);
    let said = outcry(&["explain", "order", "BTC-USDT", "4", "--data", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    for part in [
        "from the log of partition 2, the market's home",
        "placed as message of partition",
        "goes on as order 4, sell 0.5000 at 99.50",
        "ended: filled",
        "the balances of account 2 are kept in partition",
    ] {
        assert!(said.out.contains(part), "{part:?} is missing in\n{}", said.out);
    }
}

/// Order 3 is a stop that fires and fills, 4 an iceberg of which two parts trade, 5 a trailing stop that
/// waits to the end.
pub fn conditional_trading(venue: &Venue) {
    use Side::{Buy, Sell};
    use TimeInForce::Gtc;
    let stop = Trigger::Falls { to: Price::new(9_800) };
    let trail = Trigger::Trails { basis_points: 250, activation: Some(Price::new(10_100)) };
    let waits = |trigger| Conditions { trigger: Some(trigger), ..Conditions::NONE };
    let visible = Some(Quantity::new(4_000));
    venue.demand(&limit(1, Sell, 10_000, 1_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 10_000, 1_000, Gtc, ""));
    venue.demand(&under(limit(2, Sell, 9_600, 5_000, Gtc, ""), waits(stop)));
    let iceberg = limit(1, Sell, 10_100, 10_000, Gtc, "");
    venue.demand(&under(iceberg, Conditions { visible, ..Conditions::NONE }));
    venue.demand(&under(limit(2, Sell, 9_000, 2_000, Gtc, ""), waits(trail)));
    venue.snapshot();
    venue.demand(&limit(3, Buy, 9_800, 1_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 9_700, 6_000, Gtc, ""));
    venue.demand(&limit(1, Sell, 9_800, 1_000, Gtc, ""));
    venue.demand(&limit(3, Buy, 10_100, 5_000, Gtc, ""));
}

#[test]
fn a_stop_is_told_from_its_waiting_to_its_end() {
    let data = written_by(1, conditional_trading);
    let said = outcry(&["explain", "order", "BTC-USDT", "3", "--data", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    expect![[r#"
        order 3 of BTC-USDT
        2026-01-02T03:04:21.000000000Z entry 18: placed by request place_order: account 2 asked to sell 0.5000 at 96.00, good till cancelled, waiting for a trade at 98.00 or below; 0.50000000 BTC held for it
        2026-01-02T03:04:26.000000000Z entry 23: a trade fired its trigger: it enters as if it came now
        2026-01-02T03:04:26.000000000Z entry 23: matched as it came: trade 3, sold 0.5000 at 97.00, against order 7 of account 3, fee 0.09700000 USDT; ended: filled
        now (entry 25): ended
        now (entry 25): account 2 has 9.30000000 BTC available and 0.20000000 held, 1048.40300000 USDT available and 0.00000000 held
    "#]].assert_eq(&said.out);
    let said = outcry(&["explain", "order", "BTC-USDT", "5", "--data", "DATA"], data.path());
    expect![[r#"
        order 5 of BTC-USDT
        2026-01-02T03:04:23.000000000Z entry 20: placed by request place_order: account 2 asked to sell 0.2000 at 90.00, good till cancelled, waiting for a trade 2.50 % below the highest since one at 101.00 or above; 0.20000000 BTC held for it
        now (entry 25): open, waits for a trade 2.50 % below the highest since one at 101.00 or above, which is now 98.47: the best since it became active is 101.00
        now (entry 25): account 2 has 9.30000000 BTC available and 0.20000000 held, 1048.40300000 USDT available and 0.00000000 held
    "#]].assert_eq(&said.out);
}

#[test]
fn an_iceberg_is_told_part_by_part() {
    let data = written_by(1, conditional_trading);
    let said = outcry(&["explain", "order", "BTC-USDT", "4", "--data", "DATA"], data.path());
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    expect![[r#"
        order 4 of BTC-USDT
        2026-01-02T03:04:22.000000000Z entry 19: placed by request place_order: account 1 asked to sell 1.0000 at 101.00, good till cancelled, showing 0.4000 at a time; 1.00000000 BTC held for it
        2026-01-02T03:04:22.000000000Z entry 19: rested: 1.0000 (showing 0.4000) at 101.00; ahead of it: nothing at its price, nothing at better ones; best bid none, best ask 101.00; 1.00000000 BTC held
        2026-01-02T03:04:27.000000000Z entry 24: matched while resting: trade 4, sold 0.4000 at 101.00, against order 9 of account 3, fee 0.04040000 USDT; 0.6000 left
        2026-01-02T03:04:27.000000000Z entry 24: shows its next part, 0.4000, behind all others of its price; 0.2000 hidden
        2026-01-02T03:04:27.000000000Z entry 24: matched while resting: trade 5, sold 0.1000 at 101.00, against order 9 of account 3, fee 0.01010000 USDT; 0.5000 left
        now (entry 25): open, 0.5000 (showing 0.3000) at 101.00; ahead of it: nothing at its price, nothing at better ones; best bid 97.00, best ask 101.00; 0.50000000 BTC held
        now (entry 25): account 1 has 8.80000000 BTC available and 0.50000000 held, 1070.21990000 USDT available and 0.00000000 held
    "#]].assert_eq(&said.out);
}

#[test]
fn orders_with_conditions_are_verified_in_log_and_history() {
    for partitions in [1, 3] {
        let data = written_by(partitions, conditional_trading);
        let said = outcry(&["verify", "DATA"], data.path());
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{}", said.out);
    }
}
