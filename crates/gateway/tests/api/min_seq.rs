//! `min_seq`: reads that wait for an entry, also one that another's command made.

use std::time::Duration;

use gateway::{GatewayConfig, Limits};

use crate::client::Client;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_what_another_did_to_the_account_by_naming_the_entry() {
    let world = World::new().await;
    for round in 1..=20 {
        let resting = world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
        let taken = world.limit(&world.bob, "buy", "50000", "0.1").await.ok();
        let (id, seq) = (&resting["id"], &taken["seq"]);
        let order = format!("/v1/orders/BTC-USDT/{id}?min_seq={seq}");
        assert_eq!(world.get(&world.alice, &order).await.ok()["order"]["status"], "filled");
        for (path, list, count) in [
            (format!("/v1/fills?limit=1000&min_seq={seq}"), "fills", round),
            (format!("/v1/fills?market=BTC-USDT&min_seq=0:{seq}"), "fills", round),
            (format!("/v1/orders?status=filled&min_seq={seq}"), "orders", round),
            (format!("/v1/orders?min_seq={seq}"), "orders", 0),
            (format!("/v1/ledger?asset=USDT&min_seq={seq}"), "entries", round),
        ] {
            let answer = world.get(&world.alice, &path).await.ok();
            assert_eq!(answer[list].as_array().unwrap().len(), count, "{path}: {answer}");
        }
        let balances = world.get(&world.alice, &format!("/v1/balances?min_seq={seq}")).await.ok();
        let held = |asset| {
            let list = balances["balances"].as_array().unwrap();
            list.iter().find(|balance| balance["asset"] == asset).unwrap()["held"].clone()
        };
        assert_eq!(held("BTC"), "0.00000000");
    }
}

const PATHS: [&str; 13] = [
    "/v1/markets/BTC-USDT/depth",
    "/v1/markets/BTC-USDT",
    "/v1/tickers",
    "/v1/account",
    "/v1/balances",
    "/v1/withdrawals",
    "/v1/ledger",
    "/v1/fills",
    "/v1/fills?market=BTC-USDT",
    "/v1/orders",
    "/v1/orders?status=all",
    "/v1/orders/BTC-USDT/1",
    "/v1/orders/by-client-id/mine",
];

fn with(path: &str, min_seq: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}min_seq={min_seq}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_does_not_come_is_said_to_be_missing_within_the_bound() {
    let limits = Limits { watermark_timeout: Duration::from_millis(20), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    for path in PATHS {
        let answer = world.get(&world.bob, &with(path, "0:1,99999999")).await;
        assert_eq!((answer.code(), answer.status.as_u16()), ("NotCaughtUp", 503), "{path}");
    }
    let operators = ["/v1/admin/accounts/1", "/v1/admin/accounts/1/balances"];
    for path in operators {
        let answer = world.get(&world.operator, &with(path, "99999999")).await;
        assert_eq!(answer.code(), "NotCaughtUp", "{path}");
        assert_eq!(world.get(&world.operator, &with(path, "9:1")).await.code(), "InvalidField");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_a_partition_that_is_not_there_is_refused_and_not_waited_for() {
    // A wait would last longer than any test may.
    let limits = Limits { watermark_timeout: Duration::from_secs(3_600), ..Limits::default() };
    let world = World::with(2, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    for path in PATHS {
        for wrong in ["2:1", "0:1,65535:1", "x:1", "1:", ""] {
            let answer = world.get(&world.bob, &with(path, wrong)).await;
            let expected = ("InvalidField", 400);
            assert_eq!((answer.code(), answer.status.as_u16()), expected, "{path} {wrong}");
        }
    }
    let answer = world.get(&Client::default(), "/v1/tickers?min_seq=2:1").await;
    let message = answer.json["error"]["message"].as_str().unwrap();
    assert_eq!(message, "min_seq: there is no partition 2, they end at 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_read_what_they_name_and_nothing_unknown() {
    let world = World::with(3, GatewayConfig::default()).await;
    for path in ["/v1/admin/treasury", "/v1/admin/proposals", "/v1/admin/quarantine"] {
        world.get(&world.operator, &with(path, "1")).await.ok();
        let beyond = world.get(&world.operator, &with(path, "3:1")).await;
        assert_eq!(beyond.code(), "InvalidField", "{path}");
        let unknown = world.get(&world.operator, &format!("{path}?before=1")).await;
        assert_eq!(unknown.code(), "UnknownField", "{path}");
    }
}
