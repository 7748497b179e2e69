//! Order lists: placed together, cancelling each other, following each other.

use gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::{World, eventually};

/// Sells half a coin at 52000, or at the market when the price falls to 49000.
fn bracket() -> Value {
    json!([
        { "side": "sell", "type": "limit", "price": "52000", "quantity": "0.5", "client_order_id": "take" },
        { "side": "sell", "type": "stop_loss", "stop_price": "49000", "quantity": "0.5" },
    ])
}

fn pair(name: &str) -> Value {
    json!({ "market": "BTC-USDT", "client_order_id": name, "legs": bracket() })
}

/// Buys half a coin, and brackets it then.
fn entry(name: &str) -> Value {
    let buy = json!({ "side": "buy", "type": "limit", "price": "50000", "quantity": "0.5" });
    json!({
        "market": "BTC-USDT", "client_order_id": name, "legs": [buy], "pending": bracket(),
    })
}

impl World {
    async fn place_list(&self, who: &Client, list: Value) -> Answer {
        self.post(who, "/v1/order-lists", list).await
    }

    /// A list again whose name was used: the ledger may not have heard from the market yet.
    async fn repeat_list(&self, who: &Client, list: Value) -> Value {
        eventually("still in flight", async || {
            let answer = self.place_list(who, list.clone()).await;
            let in_flight = answer.json["error"]["code"] == "ClientIdInFlight";
            if in_flight { Err(answer) } else { Ok(answer.ok()) }
        })
        .await
    }

    /// A trade of 0.1 at this price, if the book has nothing better.
    async fn deal_at(&self, price: &str) {
        self.limit(&self.alice, "sell", price, "0.1").await.ok();
        self.limit(&self.bob, "buy", price, "0.1").await.ok();
    }

    async fn open_lists(&self, who: &Client) -> Vec<Value> {
        let lists = self.get(who, "/v1/order-lists?market=BTC-USDT").await.ok();
        lists["lists"].as_array().unwrap().clone()
    }

    /// Waits until no list is open.
    async fn has_no_lists(&self, who: &Client) {
        let path = "/v1/order-lists?market=BTC-USDT";
        self.reads(who, path, |read| read["lists"] == json!([])).await;
    }
}

async fn one_cancels_the_other(partitions: u16) {
    let world = World::with(partitions, GatewayConfig::default()).await;
    let carol = world.trader("carol", "BTC", "1").await;
    world.deal_at("50000.00").await;
    let placed = world.place_list(&carol, pair("bracket")).await.ok();
    assert_eq!((&placed["kind"], &placed["repeated"]), (&json!("oco"), &json!(false)));
    let ids: Vec<u64> = serde_json::from_value(placed["order_ids"].clone()).unwrap();
    assert_eq!(placed["id"], ids[0]);
    // One hold for both.
    world.settles(&carol, "BTC", "0.50000000", "0.50000000").await;
    let open = world.get(&carol, "/v1/orders").await.ok()["orders"].clone();
    let states: Vec<_> = open.as_array().unwrap().iter().map(|o| o["status"].clone()).collect();
    assert_eq!(states, ["open", "waiting"]);
    assert!(open.as_array().unwrap().iter().all(|order| order["list_id"] == ids[0]));
    let listed = world.open_lists(&carol).await;
    assert_eq!(listed[0]["order_ids"], placed["order_ids"]);
    assert_eq!(
        (&listed[0]["client_order_id"], &listed[0]["pending"]),
        (&json!("bracket"), &json!([]))
    );
    let again = world.repeat_list(&carol, pair("bracket")).await;
    assert_eq!((&again["id"], &again["repeated"]), (&placed["id"], &json!(true)));
    assert_eq!(again["order_ids"], placed["order_ids"]);

    let first = format!("/v1/orders/BTC-USDT/{}", ids[0]);
    let amended = world.patch(&carol, &first, json!({ "price": "52001" })).await;
    assert_eq!(amended.code(), "NotAmendable");

    // A part of the sale is enough to end the stop.
    world.limit(&world.bob, "buy", "52000", "0.2").await.ok();
    let stop = world.becomes(&carol, ids[1], "cancelled").await;
    assert_eq!(stop["cancel_cause"], "order_list");
    let sale = world.becomes(&carol, ids[0], "partially_filled").await;
    assert_eq!((&sale["remaining_quantity"], &sale["list_id"]), (&json!("0.3000"), &placed["id"]));
    world.has_no_lists(&carol).await;
    world.settles(&carol, "BTC", "0.50000000", "0.30000000").await;
    // The history says the same.
    let has_stop = |read: &Value| read["orders"].as_array().unwrap().contains(&stop);
    world.reads(&carol, "/v1/orders?status=closed", has_stop).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_of_the_sale_cancels_the_stop() {
    one_cancels_the_other(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_of_the_sale_cancels_the_stop_across_three_partitions() {
    one_cancels_the_other(3).await;
}

async fn a_pair_follows(partitions: u16) {
    let world = World::with(partitions, GatewayConfig::default()).await;
    let carol = world.trader("carol", "USDT", "100000").await;
    world.deal_at("50000.00").await;
    let placed = world.place_list(&carol, entry("entry")).await.ok();
    assert_eq!(placed["kind"], "otoco");
    let listed = world.open_lists(&carol).await;
    let pending = listed[0]["pending"].as_array().unwrap();
    assert_eq!(pending.len(), 2);
    assert_eq!(
        (&pending[0]["client_order_id"], &pending[0]["price"]),
        (&json!("take"), &json!("52000.00"))
    );
    assert_eq!(pending[1]["type"], "stop_loss");
    world.settles(&carol, "USDT", "75000.000000", "25000.000000").await;

    world.limit(&world.alice, "sell", "50000", "0.5").await.ok();
    let first = placed["id"].as_u64().unwrap();
    world.becomes(&carol, first, "filled").await;
    world.settles(&carol, "BTC", "0.00000000", "0.50000000").await;
    let are_two = |read: &Value| read["orders"].as_array().unwrap().len() == 2;
    let open = world.reads(&carol, "/v1/orders", are_two).await["orders"].take();
    let (take, stop) = (&open[0], &open[1]);
    assert_eq!((&take["list_id"], &stop["list_id"]), (&placed["id"], &placed["id"]));
    assert_eq!((&take["client_order_id"], &take["status"]), (&json!("take"), &json!("open")));
    assert_eq!(world.open_lists(&carol).await[0]["order_ids"].as_array().unwrap().len(), 3);

    let cancelled = world.delete(&carol, &format!("/v1/order-lists/BTC-USDT/{first}")).await.ok();
    assert_eq!(cancelled["id"], take["id"]);
    world.has_no_lists(&carol).await;
    world.settles(&carol, "BTC", "0.50000000", "0.00000000").await;
    let again = world.delete(&carol, &format!("/v1/order-lists/BTC-USDT/{first}")).await;
    assert_eq!(again.code(), "UnknownOrder");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_purchase_is_followed_by_a_pair() {
    a_pair_follows(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_purchase_is_followed_by_a_pair_across_three_partitions() {
    a_pair_follows(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_cancelled_by_its_name() {
    let world = World::new().await;
    world.deal_at("50000.00").await;
    let placed = world.place_list(&world.alice, pair("mine")).await.ok();
    let cancelled = world.delete(&world.alice, "/v1/orders/by-client-id/mine").await.ok();
    assert_eq!(cancelled["id"], placed["id"]);
    assert_eq!(world.open_lists(&world.alice).await, Vec::<Value>::new());
    assert_eq!(world.get(&world.alice, "/v1/orders").await.ok()["orders"], json!([]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_leg_is_said_with_its_place() {
    let world = World::new().await;
    world.deal_at("50000.00").await;
    let refused = |change: fn(&mut Value)| {
        let mut list = pair("wrong");
        change(&mut list);
        world.place_list(&world.alice, list)
    };
    let answer = refused(|list| list["legs"][1]["stop_price"] = json!("0.001")).await;
    assert_eq!(answer.code(), "InvalidField");
    assert!(answer.json["error"]["message"].as_str().unwrap().contains("legs[1]: "), "{answer:?}");
    let answer = refused(|list| list["legs"][0]["market"] = json!("BTC-USDT")).await;
    assert!(answer.json["error"]["message"].as_str().unwrap().contains("legs[0]: "), "{answer:?}");
    let answer = refused(|list| list["pending"] = json!([{ "price": 1 }])).await;
    assert!(answer.json["error"]["message"].as_str().unwrap().contains("pending[0]: "));
    let answer = refused(|list| list["legs"][1]["quantity"] = json!("0.4")).await;
    assert_eq!((answer.code(), answer.status.as_u16()), ("InvalidCombination", 400));
    let answer = refused(|list| {
        list["legs"][1]["stop_price"] = json!("50000");
        list["client_order_id"] = json!("late");
    });
    assert_eq!(answer.await.code(), "WouldTrigger");
    assert_eq!(world.get(&world.alice, "/v1/orders").await.ok()["orders"], json!([]));
    world.stop().await;
}
