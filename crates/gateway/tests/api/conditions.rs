//! Orders with conditions: what they wait for, show, ask for, and when they end.

use gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::client::{Answer, Client, now_millis};
use crate::world::{World, eventually};

/// The fields of an order of BTC-USDT, with more of them.
fn order(side: &str, order_type: &str, more: Value) -> Value {
    let mut order = json!({ "market": "BTC-USDT", "side": side, "type": order_type });
    let fields = order.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    order
}

impl World {
    async fn place(&self, who: &Client, side: &str, order_type: &str, more: Value) -> Answer {
        self.post(who, "/v1/orders", order(side, order_type, more)).await
    }

    /// A trade of 0.1 at this price, if the book has nothing better.
    async fn trade_at(&self, price: &str) {
        self.limit(&self.alice, "sell", price, "0.1").await.ok();
        let bought = self.limit(&self.bob, "buy", price, "0.1").await.ok();
        assert_eq!(bought["fills"][0]["price"].as_str(), Some(price), "{bought}");
    }

    /// The order in the history, once it is there with this status.
    async fn kept(&self, who: &Client, id: &Value, status: &str) -> Value {
        let what = format!("the history has no order {id} that is {status}");
        eventually(&what, async || {
            let page = self.get(who, "/v1/orders?status=all").await.ok();
            let orders = page["orders"].as_array().unwrap();
            let is_meant = |order: &&Value| &order["id"] == id && order["status"] == status;
            orders.iter().find(is_meant).cloned().ok_or(page)
        })
        .await
    }

    /// One side of the book, not before the entry of this answer.
    async fn levels(&self, side: &str, after: &Value) -> Value {
        let path = format!("/v1/markets/BTC-USDT/depth?min_seq={}", after["seq"]);
        self.get(&Client::default(), &path).await.ok()[side].clone()
    }
}

async fn stop_loss(partitions: u16) {
    let world = World::with(partitions, GatewayConfig::default()).await;
    let carol = world.trader("carol", "BTC", "1").await;
    world.trade_at("50000.00").await;

    let stop = json!({ "quantity": "0.5", "stop_price": "49000", "client_order_id": "guard" });
    let placed = world.place(&carol, "sell", "stop_loss", stop).await.ok();
    let order = &placed["order"];
    assert_eq!((&order["status"], &placed["fills"]), (&json!("waiting"), &json!([])));
    assert_eq!((&order["type"], &order["stop_price"]), (&json!("stop_loss"), &json!("49000.00")));
    assert_eq!(order["remaining_quantity"], "0.5000");
    assert_eq!(world.levels("asks", &placed).await, json!([]), "what waits is not in the book");
    world.settles(&carol, "BTC", "0.50000000", "0.50000000").await;
    let open = world.get(&carol, "/v1/orders").await.ok();
    assert_eq!(open["orders"][0], *order);

    // A trade above the stop price fires nothing, one at it does.
    world.trade_at("49000.01").await;
    world.becomes(&carol, &placed["id"], "waiting").await;
    world.limit(&world.bob, "buy", "48900", "1").await.ok();
    world.trade_at("49000.00").await;
    let filled = world.becomes(&carol, &placed["id"], "filled").await;
    assert_eq!(filled["average_price"], "48900.000000");
    assert_eq!(filled["filled_quantity"], "0.5000");
    assert_eq!(world.get(&carol, "/v1/orders").await.ok()["orders"], json!([]));
    assert_eq!(world.kept(&carol, &placed["id"], "filled").await, filled);
    world.settles(&carol, "BTC", "0.50000000", "0.00000000").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loss_waits_until_anothers_trade_fires_it() {
    stop_loss(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_loss_waits_and_fires_across_three_partitions() {
    stop_loss(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_and_side_waits_for_its_direction() {
    let world = World::new().await;
    let carol = world.trader("carol", "USDT", "100000").await;
    world.trade_at("50000.00").await;
    let mut ids = Vec::new();
    let stop = |price: &str| json!({ "price": "50000", "quantity": "0.1", "stop_price": price });
    for (side, order_type, meets, waits) in [
        ("buy", "stop_loss_limit", "49999", "50001"),
        ("buy", "take_profit_limit", "50001", "49999"),
        ("sell", "stop_loss_limit", "50001", "49999"),
        ("sell", "take_profit_limit", "49999", "50001"),
    ] {
        let who = if side == "buy" { &carol } else { &world.alice };
        let refused = world.place(who, side, order_type, stop(meets)).await;
        assert_eq!((refused.code(), refused.status.as_u16()), ("WouldTrigger", 422));
        let placed = world.place(who, side, order_type, stop(waits)).await.ok();
        assert_eq!(placed["order"]["type"], order_type);
        assert_eq!(placed["order"]["status"], "waiting");
        assert_eq!(placed["order"]["time_in_force"], "gtc");
        ids.push(placed["id"].clone());
    }
    // A trade at 50001 fires those that rise: the buyer's stop-loss rests, and the seller's take-profit
    // meets it there.
    world.limit(&world.alice, "sell", "50001", "0.1").await.ok();
    world.limit(&world.bob, "buy", "50001", "0.1").await.ok();
    world.becomes(&carol, &ids[0], "filled").await;
    world.becomes(&carol, &ids[1], "waiting").await;
    world.becomes(&world.alice, &ids[2], "waiting").await;
    world.becomes(&world.alice, &ids[3], "filled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_cancelled_by_its_id_by_the_clients_and_with_all() {
    let world = World::new().await;
    world.trade_at("50000.00").await;
    let stop =
        |id: &str| json!({ "quantity": "0.5", "stop_price": "40000", "client_order_id": id });
    let mut placed = Vec::new();
    for id in ["a", "b", "c"] {
        placed.push(world.place(&world.alice, "sell", "stop_loss", stop(id)).await.ok());
    }
    let path = |at: usize| format!("/v1/orders/BTC-USDT/{}", placed[at]["id"]);
    let by_id = world.delete(&world.alice, &path(0)).await.ok();
    assert_eq!(by_id["remaining_quantity"], "0.5000");
    let amended = world.patch(&world.alice, &path(1), json!({ "quantity": "0.4" })).await;
    assert_eq!((amended.code(), amended.status.as_u16()), ("NotAmendable", 422));
    let by_name = world.delete(&world.alice, "/v1/orders/by-client-id/b").await.ok();
    assert_eq!(by_name["id"], placed[1]["id"]);
    let all = world.delete(&world.alice, "/v1/orders?market=BTC-USDT").await.ok();
    assert_eq!(all["count"], 1);
    for order in &placed {
        world.becomes(&world.alice, &order["id"], "cancelled").await;
    }
    world.settles(&world.alice, "BTC", "9.90000000", "0.00000000").await;
    let kept = world.kept(&world.alice, &placed[0]["id"], "cancelled").await;
    assert_eq!(
        (&kept["cancel_cause"], &kept["stop_price"]),
        (&json!("client"), &json!("40000.00"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_stop_follows_the_price_up_and_fires_on_its_way_down() {
    let world = World::new().await;
    let carol = world.trader("carol", "BTC", "1").await;
    world.trade_at("50000.00").await;
    let stop = json!({
        "quantity": "0.5", "trailing_basis_points": 200, "activation_price": "51000",
    });
    let placed = world.place(&carol, "sell", "trailing_stop", stop).await.ok();
    assert_eq!(placed["order"]["status"], "waiting");
    assert_eq!(placed["order"]["trailing_basis_points"], 200);
    assert_eq!(placed["order"]["activation_price"], "51000.00");
    // Inactive: a fall of more than 2 % does nothing. Active from 51000 on, lifted by 52000, it fires
    // at 50960.
    for price in ["48000.00", "51000.00", "52000.00", "50960.01"] {
        world.trade_at(price).await;
        world.becomes(&carol, &placed["id"], "waiting").await;
    }
    world.limit(&world.bob, "buy", "40000", "1").await.ok();
    world.trade_at("50960.00").await;
    let filled = world.becomes(&carol, &placed["id"], "filled").await;
    assert_eq!(filled["average_price"], "40000.000000");
    assert_eq!(world.kept(&carol, &placed["id"], "filled").await, filled);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_shows_a_part_at_a_time() {
    let world = World::new().await;
    let iceberg = json!({ "price": "50000", "quantity": "1", "visible_quantity": "0.2" });
    let placed = world.place(&world.alice, "sell", "limit", iceberg).await.ok();
    assert_eq!(placed["order"]["visible_quantity"], "0.2000");
    assert_eq!(placed["order"]["remaining_quantity"], "1.0000");
    let behind = world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    assert_eq!(world.levels("asks", &behind).await, json!([["50000.00", "0.3000"]]));

    // The part, then the order behind it, then some of the next part.
    let bought = world.limit(&world.bob, "buy", "50000", "0.35").await.ok();
    let fills: Vec<_> =
        bought["fills"].as_array().unwrap().iter().map(|f| &f["quantity"]).collect();
    assert_eq!(fills, ["0.2000", "0.1000", "0.0500"]);
    let path = format!("/v1/orders/BTC-USDT/{}?min_seq={}", placed["id"], bought["seq"]);
    let order = world.get(&world.alice, &path).await.ok()["order"].clone();
    assert_eq!(order["remaining_quantity"], "0.7500");
    assert_eq!(world.levels("asks", &bought).await, json!([["50000.00", "0.1500"]]));

    // Less of it: what it hides goes first.
    let path = format!("/v1/orders/BTC-USDT/{}", placed["id"]);
    let less = world.patch(&world.alice, &path, json!({ "quantity": "0.5" })).await.ok();
    assert_eq!((&less["replaces"], &less["remaining_quantity"]), (&json!(null), &json!("0.2500")));
    let cancelled = world.delete(&world.alice, &path).await.ok();
    assert_eq!(world.levels("asks", &cancelled).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_a_date_ends_by_itself() {
    let world = World::new().await;
    let date = now_millis() + 3_000;
    let dated = |expires_at: u64| {
        json!({
            "price": "60000", "quantity": "1", "time_in_force": "gtd", "expires_at": expires_at,
        })
    };
    let late = world.place(&world.alice, "sell", "limit", dated(1_000)).await;
    assert_eq!((late.code(), late.status.as_u16()), ("InvalidExpiry", 400));
    assert!(late.json["error"]["message"].as_str().unwrap().starts_with("expires_at: "));
    let placed = world.place(&world.alice, "sell", "limit", dated(date)).await.ok();
    assert_eq!(placed["order"]["time_in_force"], "gtd");
    assert_eq!(placed["order"]["expires_at"], date);
    let ended = world.becomes(&world.alice, &placed["id"], "cancelled").await;
    assert_eq!(ended["cancel_cause"], "expired");
    assert!(ended["updated_at"].as_u64().unwrap() >= date, "{ended}");
    assert_eq!(world.kept(&world.alice, &placed["id"], "cancelled").await, ended);
    world.settles(&world.alice, "BTC", "10.00000000", "0.00000000").await;
    assert_eq!(world.levels("asks", &placed).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_only_order_slides_away_from_the_other_side() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let mut buy = json!({ "price": "50010", "quantity": "0.1", "post_only": true });
    let refused = world.place(&world.bob, "buy", "limit", buy.clone()).await;
    assert_eq!(refused.code(), "WouldMatch");
    buy["slide"] = json!(true);
    let placed = world.place(&world.bob, "buy", "limit", buy).await.ok();
    assert_eq!(
        (&placed["order"]["price"], &placed["order"]["slide"]),
        (&json!("49999.99"), &json!(true))
    );
    assert_eq!((&placed["order"]["status"], &placed["fills"]), (&json!("open"), &json!([])));
    assert_eq!(world.levels("bids", &placed).await, json!([["49999.99", "0.1000"]]));
    world.settles(&world.bob, "USDT", "995000.001000", "4999.999000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minimum_is_met_on_arrival_or_nothing_happens() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "50000", "0.4").await.ok();
    let buy =
        |minimum: &str| json!({ "price": "50000", "quantity": "1", "minimum_quantity": minimum });
    let refused = world.place(&world.bob, "buy", "limit", buy("0.5")).await;
    assert_eq!((refused.code(), refused.status.as_u16()), ("MinimumNotMet", 422));
    let placed = world.place(&world.bob, "buy", "limit", buy("0.4")).await.ok();
    assert_eq!(placed["order"]["filled_quantity"], "0.4000");
    assert_eq!(placed["order"]["minimum_quantity"], "0.4000");
    assert_eq!(world.levels("bids", &placed).await, json!([["50000.00", "0.6000"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_missing_stray_or_out_of_range_are_named() {
    let world = World::new().await;
    let limit = json!({ "price": "50000", "quantity": "1" });
    let market = json!({ "quantity": "1" });
    let by_quote = json!({ "quote_amount": "100" });
    let cases = [
        ("sell", "stop_loss", &market, json!({}), "InvalidField", "stop_price"),
        ("sell", "take_profit_limit", &limit, json!({}), "InvalidField", "stop_price"),
        ("sell", "stop_loss_limit", &market, json!({"stop_price": "1"}), "InvalidField", "price"),
        ("sell", "trailing_stop", &market, json!({}), "InvalidField", "trailing_basis_points"),
        (
            "buy",
            "trailing_stop",
            &market,
            json!({"trailing_basis_points": 5}),
            "InvalidField",
            "max_spend",
        ),
        ("sell", "stop_loss", &by_quote, json!({"stop_price": "1"}), "InvalidField", "max_spend"),
        ("sell", "limit", &limit, json!({"time_in_force": "gtd"}), "InvalidField", "expires_at"),
        (
            "sell",
            "limit",
            &limit,
            json!({"time_in_force": "gtd", "expires_at": 9_223_372_036_855_u64}),
            "InvalidField",
            "expires_at",
        ),
        ("sell", "stop_loss", &market, json!({"stop_price": "x"}), "InvalidField", "stop_price"),
        ("sell", "limit", &limit, json!({"expires_at": 5}), "InvalidCombination", "expires_at"),
        ("sell", "limit", &limit, json!({"stop_price": "1"}), "InvalidCombination", "stop_price"),
        (
            "sell",
            "trailing_stop",
            &market,
            json!({"trailing_basis_points": 5, "stop_price": "1"}),
            "InvalidCombination",
            "stop_price",
        ),
        (
            "sell",
            "stop_loss",
            &market,
            json!({"stop_price": "1", "activation_price": "1"}),
            "InvalidCombination",
            "activation_price",
        ),
        (
            "sell",
            "market",
            &market,
            json!({"trailing_basis_points": 1}),
            "InvalidCombination",
            "trailing_basis_points",
        ),
        ("sell", "market", &market, json!({"price": "1"}), "InvalidCombination", "price"),
        (
            "sell",
            "market",
            &market,
            json!({"time_in_force": "gtc"}),
            "InvalidCombination",
            "time_in_force",
        ),
        (
            "sell",
            "limit",
            &limit,
            json!({"visible_quantity": "0.1", "time_in_force": "ioc"}),
            "InvalidCombination",
            "visible_quantity",
        ),
        (
            "sell",
            "market",
            &market,
            json!({"visible_quantity": "0.1"}),
            "InvalidCombination",
            "visible_quantity",
        ),
        (
            "sell",
            "limit",
            &limit,
            json!({"minimum_quantity": "0.1", "post_only": true}),
            "InvalidCombination",
            "minimum_quantity",
        ),
        ("sell", "limit", &limit, json!({"slide": true}), "InvalidCombination", "slide"),
        (
            "sell",
            "stop_loss_limit",
            &limit,
            json!({"stop_price": "1", "post_only": true}),
            "InvalidCombination",
            "post_only",
        ),
        ("sell", "stop_loss", &market, json!({"stop_price": "0"}), "InvalidTrigger", "stop_price"),
        (
            "sell",
            "trailing_stop",
            &market,
            json!({"trailing_basis_points": 5001}),
            "InvalidTrigger",
            "trailing_basis_points",
        ),
        (
            "sell",
            "limit",
            &limit,
            json!({"visible_quantity": "1"}),
            "InvalidVisibleQuantity",
            "visible_quantity",
        ),
        (
            "sell",
            "limit",
            &limit,
            json!({"minimum_quantity": "1.1"}),
            "InvalidQuantity",
            "minimum_quantity",
        ),
    ];
    for (side, order_type, base, more, code, field) in cases {
        let mut fields = base.clone();
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = world.place(&world.alice, side, order_type, fields.clone()).await;
        assert_eq!(answer.code(), code, "{order_type} {fields}");
        assert_eq!(answer.status.as_u16(), 400);
        let message = answer.json["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{field}: ")), "{order_type} {fields}: {message}");
    }
    let stop = json!({ "quantity": "1", "stop_price": "1" });
    let early = world.place(&world.alice, "sell", "stop_loss", stop).await;
    assert_eq!((early.code(), early.status.as_u16()), ("NoReferencePrice", 422));
    assert_eq!(world.get(&world.alice, "/v1/orders").await.ok()["orders"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_goes_through_all_its_states_and_says_which() {
    let world = World::new().await;
    for (state, code) in [
        ("pre_open", None),
        ("auction", None),
        ("closed", Some("MarketClosed")),
        ("cancel_only", Some("MarketCancelOnly")),
        ("halted", Some("MarketHalted")),
        ("continuous", None),
    ] {
        let path = "/v1/admin/markets/BTC-USDT/state";
        let changed = world.admin("PUT", path, json!({ "state": state })).await.ok();
        assert_eq!(changed["state"], state);
        let market = world.get(&Client::default(), "/v1/markets/BTC-USDT").await.ok();
        assert_eq!(market["state"], state);
        let placed = world.limit(&world.alice, "sell", "60000", "0.1").await;
        match code {
            Some(code) => assert_eq!((placed.code(), placed.status.as_u16()), (code, 422)),
            None => assert_eq!(placed.ok()["order"]["status"], "open"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_holds_as_many_waiting_orders_as_its_definition_says() {
    let world = World::new().await;
    let market = json!({
        "symbol": "BTC-USDT2", "base": "BTC", "quote": "USDT", "tick": "0.01", "lot": "0.0001",
        "max_price": "10000000", "max_quantity": "10000", "max_waiting": 1,
    });
    world.admin("POST", "/v1/admin/markets", market).await.ok();
    let listed = world.get(&Client::default(), "/v1/markets/BTC-USDT2").await.ok();
    assert_eq!(listed["max_waiting"], 1);
    let on = |mut order: Value| {
        order["market"] = json!("BTC-USDT2");
        order
    };
    for (who, side) in [(&world.alice, "sell"), (&world.bob, "buy")] {
        let limit = order(side, "limit", json!({ "price": "50000", "quantity": "0.1" }));
        world.post(who, "/v1/orders", on(limit)).await.ok();
    }
    let stop = on(order("sell", "stop_loss", json!({ "quantity": "1", "stop_price": "1" })));
    world.post(&world.alice, "/v1/orders", stop.clone()).await.ok();
    let second = world.post(&world.alice, "/v1/orders", stop).await;
    assert_eq!((second.code(), second.status.as_u16()), ("TooManyWaitingOrders", 422));
}
