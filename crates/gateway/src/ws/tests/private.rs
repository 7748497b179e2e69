//! Login and the private channels: one's own, whole, and nobody else's.

use serde_json::{Value, json};
use types::{Side, Topology};

use super::client::sign;
use super::rig::{Options, Rig};

#[tokio::test]
async fn private_channels_need_a_login() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    for channel in ["orders", "fills", "balances"] {
        let code = client.refusal("subscribe", json!({ "channels": [channel] })).await;
        assert_eq!(code, "Unauthorized");
    }
    for op in ["place_order", "cancel_order", "cancel_all"] {
        assert_eq!(client.refusal(op, json!({})).await, "Unauthorized");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_login_is_refused_unless_key_signature_and_time_are_right() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    let (key, secret) = rig.key(1);
    let now = client.ok("ping", json!({})).await["time"].as_u64().unwrap();
    let login = |key: &str, time: u64, signature: String| json!({ "key": key, "timestamp": time.to_string(), "signature": signature });
    let text = |time: u64| format!("{time}\n5000\nGET\n/v1/ws\n");
    let good = sign(&secret, &text(now));
    assert_eq!(client.refusal("login", login("nobody", now, good.clone())).await, "UnknownKey");
    assert_eq!(client.refusal("login", login(&key, now + 1, good.clone())).await, "BadSignature");
    let old = now - 60_000;
    let code = client.refusal("login", login(&key, old, sign(&secret, &text(old)))).await;
    assert_eq!(code, "TimestampOutsideWindow");
    assert_eq!(client.ok("login", login(&key, now, good)).await["account"], 1);
    let (other, secret) = rig.key(2);
    let code = client.refusal("login", login(&other, now, sign(&secret, &text(now)))).await;
    assert_eq!(code, "Forbidden");
    rig.stop().await;
}

#[tokio::test]
async fn each_account_is_told_its_own_side_only() {
    let rig = Rig::start().await;
    let mut maker = rig.logged_in(1).await;
    let mut taker = rig.logged_in(2).await;
    let mut third = rig.logged_in(3).await;
    for client in [&mut maker, &mut taker, &mut third] {
        client.subscribe(&["orders", "fills", "balances"]).await;
        for _ in 0..3 {
            assert_eq!(client.next().await.unwrap()["type"], "snapshot");
        }
    }
    rig.trade(1_000, 1);
    let is_fill = |message: &Value| message["channel"] == "fills";
    let maker_fill = maker.until(is_fill).await.pop().unwrap()["data"][0].take();
    let taker_fill = taker.until(is_fill).await.pop().unwrap()["data"][0].take();
    assert_eq!(maker_fill["liquidity"], "maker");
    assert_eq!((&taker_fill["liquidity"], &taker_fill["side"]), (&json!("taker"), &json!("buy")));
    assert_eq!((&maker_fill["order_id"], &taker_fill["order_id"]), (&json!(1), &json!(2)));
    let is_balance = |message: &Value| {
        let items = message["data"].as_array().unwrap();
        message["channel"] == "balances" && items.len() == 2
    };
    let balances = taker.until(is_balance).await;
    let text = serde_json::to_string(&balances).unwrap();
    assert!(text.contains("balance_changed") && !text.contains("account"), "{text}");
    rig.caught_up().await;
    assert_eq!(third.drain().await, Vec::<Value>::new());
    rig.stop().await;
}

#[tokio::test]
async fn an_orders_snapshot_and_what_follows_tell_the_life_of_each_order() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let order = json!({ "market": "BASE-QUOTE", "side": "buy", "type": "limit",
        "price": "90.0", "quantity": "2.0", "client_order_id": "mine" });
    let placed = client.ok("place_order", order).await;
    client.subscribe(&["orders"]).await;
    let snapshot = client.next().await.unwrap();
    assert_eq!(snapshot["data"][0]["client_order_id"], "mine", "{snapshot}");
    rig.place(2, Side::Sell, 900, 5);
    let trade = client.next().await.unwrap();
    assert_eq!(trade["data"][0]["event"], "trade", "{trade}");
    assert_eq!(trade["data"][0]["remaining_quantity"], "1.5");
    let fields = json!({ "market": "BASE-QUOTE", "order_id": placed["id"] });
    client.ok("cancel_order", fields).await;
    let cancelled = client.next().await.unwrap();
    assert_eq!(cancelled["data"][0]["event"], "order_cancelled", "{cancelled}");
    assert_eq!(cancelled["data"][0]["cause"], "client");
    rig.stop().await;
}

#[tokio::test]
async fn the_owner_of_a_stop_and_of_an_iceberg_is_told_what_becomes_of_them() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(3).await;
    rig.trade(1_000, 1);
    rig.caught_up().await;
    client.subscribe(&["orders"]).await;
    assert_eq!(client.next().await.unwrap()["type"], "snapshot");
    let stop = json!({ "market": "BASE-QUOTE", "side": "sell", "type": "stop_loss_limit",
        "price": "80.0", "quantity": "2.0", "visible_quantity": "0.5", "stop_price": "90.0" });
    let placed = client.ok("place_order", stop).await;
    assert_eq!(placed["order"]["status"], "waiting", "{placed}");
    let told = client.next().await.unwrap()["data"].take();
    assert_eq!(told[0]["event"], "order_placed", "{told}");
    assert_eq!(
        (&told[0]["type"], &told[0]["stop_price"]),
        (&json!("stop_loss_limit"), &json!("90.0"))
    );
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");

    // A late subscriber finds it waiting.
    let mut late = rig.logged_in(3).await;
    late.subscribe(&["orders"]).await;
    let snapshot = late.next().await.unwrap();
    assert_eq!(snapshot["data"][0]["status"], "waiting", "{snapshot}");

    rig.trade(900, 1);
    let told = client.next().await.unwrap()["data"].take();
    assert_eq!(told[0]["event"], "order_triggered", "{told}");
    assert_eq!(told[0]["order_id"], placed["id"]);
    assert_eq!(told[1]["event"], "order_rested", "{told}");
    assert_eq!(
        (&told[1]["quantity"], &told[1]["visible_quantity"]),
        (&json!("2.0"), &json!("0.5"))
    );
    rig.place(2, Side::Buy, 800, 7);
    let told = client.next().await.unwrap()["data"].take();
    let events: Vec<_> = told.as_array().unwrap().iter().map(|item| &item["event"]).collect();
    assert_eq!(events, ["trade", "order_refilled", "trade"], "{told}");
    assert_eq!(
        (&told[1]["visible_quantity"], &told[1]["remaining_quantity"]),
        (&json!("0.5"), &json!("1.5"))
    );
    rig.stop().await;
}

#[tokio::test]
async fn with_several_partitions_each_tells_its_part() {
    let options = Options { topology: Topology::spread(2), ..Options::default() };
    let rig = Rig::with(options).await;
    let mut client = rig.logged_in(1).await;
    client.subscribe(&["orders", "balances"]).await;
    let mut snapshots = Vec::new();
    for _ in 0..3 {
        let message = client.next().await.unwrap();
        snapshots.push((message["channel"].clone(), message["partition"].clone()));
    }
    let expected = [("orders", 0), ("orders", 1), ("balances", 0)];
    assert_eq!(snapshots, expected.map(|(channel, partition)| (json!(channel), json!(partition))));
    rig.trade(1_000, 1);
    let is_trade = |m: &Value| m["data"].as_array().unwrap().iter().any(|i| i["event"] == "trade");
    let trade = client.until(is_trade).await.pop().unwrap();
    assert_eq!(trade["partition"], 1);
    rig.stop().await;
}
