//! Placing, amending and cancelling: what is accepted, and what is said of what is not.

use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_wrong_are_named() {
    let world = World::new().await;
    let good = json!({
        "market": "BTC-USDT", "side": "sell", "type": "limit", "price": "60000", "quantity": "1",
    });
    let cases = [
        ("price", json!("60000.001"), "InvalidField"),
        ("price", json!(60000), "InvalidField"),
        ("price", json!("-1"), "InvalidField"),
        ("price", json!("1e3"), "InvalidField"),
        ("price", json!("0"), "InvalidPrice"),
        ("price", json!("99999999999"), "InvalidPrice"),
        ("quantity", json!("0.00001"), "InvalidField"),
        ("quantity", json!("0"), "InvalidQuantity"),
        ("quantity", json!(null), "InvalidField"),
        ("side", json!("long"), "InvalidField"),
        ("type", json!("stop"), "InvalidField"),
        ("market", json!("DOGE-USDT"), "UnknownMarket"),
        ("quote_amount", json!("5"), "InvalidCombination"),
        ("client_order_id", json!("with space"), "InvalidField"),
        ("client_order_id", json!("outcry0000000000000007"), "InvalidField"),
        ("leverage", json!(100), "UnknownField"),
    ];
    for (field, value, code) in cases {
        let mut order = good.clone();
        order[field] = value;
        let answer = world.post(&world.alice, "/v1/orders", order.clone()).await;
        assert_eq!(answer.code(), code, "{order}");
    }
    for body in ["{", "[]", "null", ""] {
        let answer = world.alice.send(&world.router, "POST", "/v1/orders", body).await;
        assert_eq!(answer.code(), "InvalidJson", "{body}");
    }
    for (field, value, message) in [
        ("price", json!(60000), "price: invalid type: integer `60000`, expected a text"),
        ("price", json!("0"), "price: must be from 0.01 to 10000000.00"),
        ("quantity", json!("10000.0001"), "quantity: must be from 0.0001 to 10000.0000"),
    ] {
        let mut order = good.clone();
        order[field] = value;
        let answer = world.post(&world.alice, "/v1/orders", order).await;
        assert_eq!(answer.json["error"]["message"], message);
    }
    world.post(&world.alice, "/v1/orders", good).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn market_orders_by_quantity_and_by_quote_say_what_they_got() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let order = json!({"market": "BTC-USDT", "side": "buy", "type": "market", "quantity": "0.4", "max_spend": "30000"});
    let answer = world.post(&world.bob, "/v1/orders", order).await.ok();
    assert_eq!(answer["order"]["status"], "filled");
    assert_eq!(answer["order"]["filled_quote"], "20000.000000");
    let order =
        json!({"market": "BTC-USDT", "side": "buy", "type": "market", "quote_amount": "5000"});
    let answer = world.post(&world.bob, "/v1/orders", order).await.ok();
    assert_eq!(answer["order"]["status"], "filled");
    assert_eq!(answer["order"]["filled_quantity"], "0.1000");
    let order = json!({"market": "BTC-USDT", "side": "buy", "type": "market", "quantity": "2"});
    let answer = world.post(&world.bob, "/v1/orders", order).await.ok();
    assert_eq!(answer["order"]["status"], "cancelled");
    assert_eq!(answer["order"]["cancel_cause"], "market_remainder");
    assert_eq!(answer["order"]["filled_quantity"], "0.5000");
    let order = json!({"market": "BTC-USDT", "side": "buy", "type": "market", "quantity": "2"});
    assert_eq!(world.post(&world.bob, "/v1/orders", order).await.code(), "NoLiquidity");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amendment_keeps_its_place_or_gets_a_new_id() {
    let world = World::new().await;
    let placed = world.limit(&world.alice, "sell", "60000", "1").await.ok();
    let path = format!("/v1/orders/BTC-USDT/{}", placed["id"]);
    let less = world.patch(&world.alice, &path, json!({"quantity": "0.6"})).await.ok();
    assert_eq!((&less["id"], &less["replaces"]), (&placed["id"], &json!(null)));
    assert_eq!(less["remaining_quantity"], "0.6000");
    for change in [json!({"quantity": "0.7"}), json!({"price": "61000"})] {
        let mut keeping = change;
        keeping["keep_priority"] = json!(true);
        let refused = world.patch(&world.alice, &path, keeping).await;
        assert_eq!((refused.code(), refused.status.as_u16()), ("LosesPriority", 422));
    }
    let keeping = json!({"quantity": "0.5", "keep_priority": true});
    let less = world.patch(&world.alice, &path, keeping).await.ok();
    assert_eq!((&less["id"], &less["replaces"]), (&placed["id"], &json!(null)));
    let dearer = world.patch(&world.alice, &path, json!({"price": "61000"})).await.ok();
    assert_eq!(dearer["replaces"], placed["id"]);
    assert_ne!(dearer["id"], placed["id"]);
    assert_eq!(dearer["status"], "open");
    let old = world.get(&world.alice, &path).await.ok();
    assert_eq!(old["order"]["replaced_by"], dearer["id"]);
    assert_eq!(
        world.patch(&world.alice, &path, json!({"price": "1"})).await.code(),
        "UnknownOrder"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_id_beyond_all_is_that_of_no_order() {
    let world = World::new().await;
    for id in [i64::MAX as u64 + 1, u64::MAX] {
        let order = world.get(&world.alice, &format!("/v1/orders/BTC-USDT/{id}")).await;
        assert_eq!((order.code(), order.status.as_u16()), ("UnknownOrder", 404));
        let fills = format!("/v1/fills?market=BTC-USDT&order_id={id}");
        assert_eq!(world.get(&world.alice, &fills).await.ok()["fills"], serde_json::json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_orders_can_be_neither_read_nor_touched() {
    let world = World::new().await;
    let placed = world.limit(&world.alice, "sell", "60000", "1").await.ok();
    let path = format!("/v1/orders/BTC-USDT/{}", placed["id"]);
    let unseen = world.get(&world.bob, &path).await;
    assert_eq!(
        (unseen.code(), &unseen.json["error"]["retryable"]),
        ("UnknownOrder", &json!(false))
    );
    assert_eq!(
        unseen.json["error"]["message"],
        "There is no such order of this account in this market."
    );
    assert_eq!(world.delete(&world.bob, &path).await.code(), "UnknownOrder");
    assert_eq!(
        world.patch(&world.bob, &path, json!({"quantity": "0.5"})).await.code(),
        "UnknownOrder"
    );
    world.delete(&world.alice, &path).await.ok();
    assert_eq!(world.delete(&world.alice, &path).await.code(), "UnknownOrder");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_all_ends_every_open_order_of_the_market() {
    let world = World::new().await;
    for price in ["60000", "60001", "60002"] {
        world.limit(&world.alice, "sell", price, "1").await.ok();
    }
    assert_eq!(
        world.get(&world.alice, "/v1/orders").await.ok()["orders"].as_array().unwrap().len(),
        3
    );
    let answer = world.delete(&world.alice, "/v1/orders?market=BTC-USDT").await.ok();
    assert_eq!(answer["count"], 3);
    assert_eq!(world.get(&world.alice, "/v1/orders").await.ok()["orders"], json!([]));
    assert_eq!(world.balance(&world.alice, "BTC").await.1, "0.00000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_exchange_rejects_is_answered_with_its_code() {
    let world = World::new().await;
    let poor = world.limit(&world.alice, "buy", "60000", "1").await;
    assert_eq!((poor.code(), poor.status.as_u16()), ("InsufficientBalance", 422));
    assert_eq!(poor.json["error"]["number"], 502);
    let order = json!({
        "market": "BTC-USDT", "side": "sell", "type": "limit", "price": "60000", "quantity": "1",
        "client_order_id": "same",
    });
    world.post(&world.alice, "/v1/orders", order.clone()).await.ok();
    let mut other = order;
    other["price"] = json!("61000");
    assert_eq!(world.post(&world.alice, "/v1/orders", other).await.code(), "ClientIdReused");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_read_page_by_page() {
    let world = World::new().await;
    for price in 0..5 {
        let placed = world.limit(&world.alice, "sell", &format!("6000{price}"), "1").await.ok();
        world.delete(&world.alice, &format!("/v1/orders/BTC-USDT/{}", placed["id"])).await.ok();
    }
    let mut path = "/v1/orders?status=cancelled&limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = world.get(&world.alice, &path).await.ok();
        let orders = page["orders"].as_array().unwrap();
        seen.extend(orders.iter().map(|order| order["price"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/orders?status=cancelled&limit=2&before={next}");
    }
    assert_eq!(seen, ["60004.00", "60003.00", "60002.00", "60001.00", "60000.00"]);
    assert_eq!(
        world.get(&world.alice, "/v1/orders?limit=0&status=all").await.code(),
        "InvalidField"
    );
    assert_eq!(world.get(&world.alice, "/v1/orders?colour=red").await.code(), "UnknownField");
}
