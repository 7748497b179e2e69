//! One order from the client's text to the balances of both sides.

use serde_json::{Value, json};

use crate::world::World;

async fn walk(partitions: u16) {
    let world = World::with(partitions, gateway::GatewayConfig::default()).await;

    let sell = world.limit(&world.alice, "sell", "60000.00", "0.5").await.ok();
    assert_eq!(sell["order"]["status"], "open");
    assert_eq!(sell["order"]["remaining_quantity"], "0.5000");
    assert_eq!(
        world.balance(&world.alice, "BTC").await,
        ("9.50000000".into(), "0.50000000".into())
    );

    let buy = json!({
        "market": "BTC-USDT", "side": "buy", "type": "limit", "price": "61000", "quantity": "0.8",
        "client_order_id": "first-buy",
    });
    let bought = world.post(&world.bob, "/v1/orders", buy.clone()).await.ok();
    assert_eq!(bought["repeated"], false);
    assert_eq!(bought["order"]["status"], "partially_filled");
    assert_eq!(bought["order"]["filled_quantity"], "0.5000");
    assert_eq!(bought["order"]["average_price"], "60000.000000");
    assert_eq!(bought["fills"][0]["price"], "60000.00");
    assert_eq!(bought["fills"][0]["liquidity"], "taker");

    // Both sides read what happened. In one partition that needs no waiting.
    if partitions == 1 {
        assert_eq!(world.balance(&world.bob, "BTC").await.0, "0.50000000");
    }
    world.settles(&world.bob, "BTC", "0.50000000", "0.00000000").await;
    world.settles(&world.bob, "USDT", "951700.000000", "18300.000000").await;
    let maker = format!("/v1/orders/BTC-USDT/{}", sell["id"]);
    let seen =
        format!("/v1/markets/BTC-USDT/trades?min_seq={}:{}", bought["partition"], bought["seq"]);
    let trades = world.get(&Default::default(), &seen).await.ok();
    assert_eq!(trades["trades"][0]["quantity"], "0.5000");
    assert_eq!(world.get(&world.alice, &maker).await.ok()["order"]["status"], "filled");
    let depth = world.get(&Default::default(), "/v1/markets/BTC-USDT/depth").await.ok();
    assert_eq!(depth["bids"], json!([["61000.00", "0.3000"]]));
    assert_eq!(depth["asks"], json!([]));

    // The same client order id is the same order.
    let again = world.post(&world.bob, "/v1/orders", buy).await.ok();
    assert_eq!(again["repeated"], true);
    assert_eq!(again["id"], bought["id"]);
    assert_eq!(again["order"]["status"], "partially_filled");

    let cancelled = world.delete(&world.bob, "/v1/orders/by-client-id/first-buy").await.ok();
    assert_eq!(cancelled["remaining_quantity"], "0.3000");
    world.settles(&world.bob, "USDT", "970000.000000", "0.000000").await;
    let open = world.get(&world.bob, "/v1/orders").await.ok();
    assert_eq!(open["orders"], json!([]));

    // The history has it too.
    let closed = world.get(&world.bob, "/v1/orders?status=closed&market=BTC-USDT").await.ok();
    assert_eq!(closed["orders"][0]["cancel_cause"], "client");
    assert_eq!(closed["orders"][0]["filled_quantity"], "0.5000");
    let fills = world.get(&world.bob, "/v1/fills?limit=1").await.ok();
    assert_eq!(fills["fills"][0]["order_id"], bought["id"]);
    let ledger = world.get(&world.bob, "/v1/ledger").await.ok();
    let changes: Vec<&Value> =
        ledger["entries"].as_array().unwrap().iter().map(|e| &e["change"]).collect();
    for change in ["1000000.000000", "-30000.000000", "0.50000000"] {
        assert!(changes.iter().any(|&found| found == change), "{change} not in {changes:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_in_one_partition() {
    walk(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_lives_across_three_partitions() {
    walk(3).await;
}
