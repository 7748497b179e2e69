//! What operators allow and plan, replacements, and the dead man's switch.

use gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::client::{Answer, Client, now_millis};
use crate::world::{World, eventually};

const RULES: &str = "/v1/admin/markets/BTC-USDT/rules";
const PLANS: &str = "/v1/admin/markets/BTC-USDT/plans";
/// One partition; account and market apart.
const PARTITIONS: [u16; 2] = [1, 3];

fn limit(side: &str, price: &str, quantity: &str) -> Value {
    json!({
        "market": "BTC-USDT", "side": side, "type": "limit", "price": price, "quantity": quantity,
    })
}

fn with(mut object: Value, more: Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

impl World {
    async fn market(&self) -> Value {
        self.get(&Client::default(), "/v1/markets/BTC-USDT").await.ok()
    }

    /// The market once this holds for it.
    async fn market_when(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(what, async || {
            let market = self.market().await;
            if holds(&market) { Ok(market) } else { Err(market) }
        })
        .await
    }

    async fn replace(
        &self,
        who: &Client,
        cancel: &Value,
        on_failure: &str,
        order: Value,
    ) -> Answer {
        let body = json!({
            "cancel": { "market": "BTC-USDT", "id": cancel }, "on_failure": on_failure, "order": order,
        });
        self.post(who, "/v1/orders/replace", body).await
    }

    async fn count_down(&self, who: &Client, after_ms: u64) -> Answer {
        let body = json!({ "market": "BTC-USDT", "after_ms": after_ms });
        who.send(&self.router, "PUT", "/v1/countdown", &body.to_string()).await
    }

    async fn rules(&self, rules: Value) -> Value {
        let set = self.admin("PUT", RULES, rules).await.ok();
        assert_eq!(self.market().await["rules"], set["rules"]);
        set
    }
}

#[track_caller]
fn refused(answer: &Answer, code: &str, status: u16, message: &str) {
    assert_eq!((answer.code(), answer.status.as_u16()), (code, status), "{:?}", answer.json);
    let said = answer.json["error"]["message"].as_str().unwrap();
    assert!(said.starts_with(message), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_shown_in_the_units_of_the_market_and_stated_anew_each_time() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        assert_eq!(world.market().await["rules"], json!({}));
        let all = json!({
            "limit_quantity": { "least": "0.001", "most": "5" },
            "market_quantity": { "most": "2.5" },
            "notional": { "least": "10", "most": "1000000" },
            "price_band": {
                "window_minutes": 5,
                "buy": { "below_ppm": 500000, "above_ppm": 100000 },
                "sell": { "below_ppm": 100000, "above_ppm": 2000000 },
            },
            "max_iceberg_parts": 10, "max_open_orders": 20, "max_waiting_orders": 5,
            "max_position": "100.5", "max_order_age_seconds": 86400,
            "interruption": { "below_ppm": 50000, "above_ppm": 60000, "auction_seconds": 300 },
        });
        let set = world.rules(all.clone()).await;
        let mut shown = all;
        shown["limit_quantity"] = json!({ "least": "0.0010", "most": "5.0000" });
        shown["market_quantity"] = json!({ "most": "2.5000" });
        shown["notional"] = json!({ "least": "10.000000", "most": "1000000.000000" });
        shown["max_position"] = json!("100.50000000");
        assert_eq!(set["rules"], shown);
        let list = world.get(&Client::default(), "/v1/markets").await.ok();
        assert_eq!(list["markets"][0]["rules"], shown);
        // What is shown can be sent back.
        assert_eq!(world.rules(shown.clone()).await["rules"], shown);
        assert_eq!(
            world.rules(json!({ "max_open_orders": 7 })).await["rules"],
            json!({
                "max_open_orders": 7,
            })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_make_no_sense_are_refused_by_the_name_of_the_field() {
    let world = World::new().await;
    let side = json!({ "below_ppm": 1, "above_ppm": 1 });
    for (rules, code, message) in [
        (
            json!({ "limit_quantity": { "least": "2", "most": "1" } }),
            "InvalidField",
            "limit_quantity: ",
        ),
        (json!({ "notional": { "least": "0.0000001" } }), "InvalidField", "notional.least: "),
        (json!({ "market_quantity": { "most": "x" } }), "InvalidField", "market_quantity.most: "),
        (json!({ "market_quantity": { "most": 1 } }), "InvalidField", "market_quantity: "),
        (
            json!({ "price_band": { "window_minutes": 0, "buy": side, "sell": side } }),
            "InvalidField",
            "price_band.window_minutes: ",
        ),
        (
            json!({ "price_band": { "window_minutes": 1, "buy": side } }),
            "InvalidField",
            "missing field `sell`",
        ),
        (json!({ "max_iceberg_parts": 0 }), "InvalidField", "max_iceberg_parts: "),
        (json!({ "max_order_age_seconds": 0 }), "InvalidField", "max_order_age_seconds: "),
        (
            json!({ "interruption": { "below_ppm": 1, "above_ppm": 1, "auction_seconds": 0 } }),
            "InvalidField",
            "interruption.auction_seconds: ",
        ),
        (json!({ "max_position": "-1" }), "InvalidField", "max_position: "),
        (json!({ "max_lots": 1 }), "UnknownField", "unknown field `max_lots`"),
    ] {
        refused(&world.admin("PUT", RULES, rules).await, code, 400, message);
    }
    let elsewhere = world.admin("PUT", "/v1/admin/markets/NO/rules", json!({})).await;
    refused(&elsewhere, "UnknownMarket", 404, "");
    let trader = world.alice.send(&world.router, "PUT", RULES, "{}").await;
    assert_eq!(trader.code(), "Forbidden");
    assert_eq!(world.market().await["rules"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_is_refused_with_the_bound() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    world.limit(&world.bob, "buy", "50000", "0.1").await.ok();
    let near = json!({ "below_ppm": 100000, "above_ppm": 100000 });
    world
        .rules(json!({
            "limit_quantity": { "least": "0.01", "most": "5" },
            "market_quantity": { "most": "0.5" },
            "notional": { "least": "1000", "most": "200000" },
            "price_band": { "window_minutes": 5, "buy": near, "sell": near },
            "max_iceberg_parts": 4, "max_waiting_orders": 0, "max_position": "1",
        }))
        .await;
    let market = |side: &str, more: Value| {
        with(json!({ "market": "BTC-USDT", "side": side, "type": "market" }), more)
    };
    let iceberg = with(limit("sell", "50000", "1"), json!({ "visible_quantity": "0.2" }));
    let stop = with(
        limit("sell", "49000", "0.1"),
        json!({ "type": "stop_loss_limit", "stop_price": "49000" }),
    );
    for (who, order, code, message) in [
        (
            &world.alice,
            limit("sell", "50000", "0.001"),
            "QuantityBelowMinimum",
            "quantity: must be at least 0.0100",
        ),
        (
            &world.alice,
            limit("sell", "50000", "6"),
            "QuantityAboveMaximum",
            "quantity: must be at most 5.0000",
        ),
        (
            &world.alice,
            market("sell", json!({ "quantity": "0.6" })),
            "QuantityAboveMaximum",
            "quantity: must be at most 0.5000",
        ),
        (
            &world.alice,
            limit("sell", "50000", "0.0199"),
            "NotionalBelowMinimum",
            "price, quantity: the order must be worth at least 1000.000000 USDT",
        ),
        (
            &world.bob,
            market("buy", json!({ "quote_amount": "999" })),
            "NotionalBelowMinimum",
            "quote_amount: ",
        ),
        (
            &world.alice,
            limit("sell", "50000", "4.1"),
            "NotionalAboveMaximum",
            "price, quantity: the order must be worth at most 200000.000000 USDT",
        ),
        (
            &world.alice,
            limit("sell", "55000.01", "1"),
            "PriceOutOfBand",
            "price: too far from the average of the last 5 minutes",
        ),
        (
            &world.alice,
            iceberg,
            "TooManyIcebergParts",
            "visible_quantity: the order may come in at most 4 parts",
        ),
        (&world.alice, stop, "TooManyWaitingOrders", ""),
        (
            &world.bob,
            limit("buy", "50000", "0.9001"),
            "PositionLimit",
            "price, quantity: the account may have and want to buy at most 1.00000000 BTC",
        ),
    ] {
        refused(&world.post(who, "/v1/orders", order).await, code, 422, message);
    }
    let resting = world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let path = format!("/v1/orders/BTC-USDT/{}", resting["id"]);
    let amended = world.patch(&world.alice, &path, json!({ "quantity": "0.001" })).await;
    refused(&amended, "QuantityBelowMinimum", 422, "quantity: must be at least 0.0100");
    world.rules(json!({})).await;
    world.limit(&world.alice, "sell", "70000", "0.001").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_changes_the_state_by_itself_and_can_be_taken_back() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let plan = |at: u64, state: Value| json!({ "at": at, "state": state });
        let late = now_millis() + 3_600_000;
        let later = world.admin("PUT", PLANS, plan(late, json!("closed"))).await.ok();
        assert_eq!((&later["at"], &later["state"]), (&json!(late), &json!("closed")));
        let soon = now_millis() + 3_000;
        world.admin("PUT", PLANS, plan(soon, json!("cancel_only"))).await.ok();
        let market = world.market_when("still to come", |m| m["state"] == "cancel_only").await;
        assert_eq!(market["plans"], json!([{ "at": late, "state": "closed" }]));
        assert_eq!(world.limit(&world.alice, "sell", "1", "1").await.code(), "MarketCancelOnly");
        let back = world.admin("PUT", PLANS, plan(late, Value::Null)).await.ok();
        assert_eq!(back["state"], Value::Null);
        assert_eq!(world.market().await["plans"], json!([]));

        let again = world.admin("PUT", PLANS, plan(late, Value::Null)).await;
        refused(&again, "PlanRefused", 409, "at: nothing is planned for this time");
        let past = world.admin("PUT", PLANS, plan(1_000, json!("closed"))).await;
        refused(&past, "PlanRefused", 409, "at: this time has come already");
        let absent = world.admin("PUT", PLANS, json!({ "at": late })).await;
        refused(&absent, "InvalidField", 400, "missing field `state`");
        let unknown = world.admin("PUT", PLANS, plan(late, json!("asleep"))).await;
        refused(&unknown, "InvalidField", 400, "state: unknown variant `asleep`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_for_the_state_that_is_there_already_is_gone_when_its_time_has_come() {
    let world = World::new().await;
    let at = now_millis() + 3_000;
    world.admin("PUT", PLANS, json!({ "at": at, "state": "continuous" })).await.ok();
    eventually("its time", async || if now_millis() > at { Ok(()) } else { Err(at) }).await;
    world.limit(&world.alice, "sell", "60000", "0.1").await.ok();
    let market = world.market_when("the plan stays", |m| m["plans"] == json!([])).await;
    assert_eq!(market["state"], "continuous");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_uses_what_the_old_order_held_and_is_done_once() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let old = world.limit(&world.alice, "sell", "60000", "10").await.ok();
        let order = with(limit("sell", "61000", "10"), json!({ "client_order_id": "once" }));
        let placed = world.replace(&world.alice, &old["id"], "stop", order.clone()).await.ok();
        assert_eq!((&placed["cancelled"], &placed["repeated"]), (&json!(true), &json!(false)));
        let left = if partitions == 1 { json!("10.0000") } else { Value::Null };
        assert_eq!(placed["cancelled_quantity"], left);
        assert_eq!(placed["order"]["price"], "61000.00");
        let ended = world.becomes(&world.alice, &old["id"], "cancelled").await;
        assert_eq!(ended["cancel_cause"], "client");
        // Again: nothing is cancelled, whatever is named. With several partitions the account hears of
        // its order a moment after the market has answered.
        let mut again = world.replace(&world.alice, &placed["id"], "stop", order.clone()).await;
        while again.status != 200 && again.code() == "ClientIdInFlight" {
            again = world.replace(&world.alice, &placed["id"], "stop", order.clone()).await;
        }
        let again = again.ok();
        assert_eq!((&again["repeated"], &again["id"]), (&json!(true), &placed["id"]));
        assert_eq!(
            (&again["cancelled"], &again["cancelled_quantity"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(again["order"]["status"], "open");
        let filled = world.limit(&world.bob, "buy", "61000", "1").await.ok();
        assert_eq!(filled["fills"][0]["price"], "61000.00");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_cancel_stops_the_placement_unless_it_is_to_go_on() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let order = || limit("sell", "60000", "1");
        let unknown = json!(77);
        let stopped = world.replace(&world.alice, &unknown, "stop", order()).await;
        refused(&stopped, "UnknownOrder", 404, "");
        assert_eq!(world.get(&world.alice, "/v1/orders").await.ok()["orders"], json!([]));
        let placed = world.replace(&world.alice, &unknown, "go_on", order()).await.ok();
        assert_eq!(
            (&placed["cancelled"], &placed["order"]["status"]),
            (&json!(false), &json!("open"))
        );
        let anothers =
            world.replace(&world.bob, &placed["id"], "stop", limit("buy", "1", "1")).await;
        assert_eq!(anothers.code(), "UnknownOrder");
        // The cancel stays done when the placement is refused, and the answer says so.
        let too_much = limit("sell", "60000", "11");
        let refusal = world.replace(&world.alice, &placed["id"], "stop", too_much).await;
        let text = "The available balance does not cover it. (order ";
        refused(&refusal, "InsufficientBalance", 422, text);
        world.becomes(&world.alice, &placed["id"], "cancelled").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_names_what_is_wrong_with_it() {
    let world = World::new().await;
    let order = limit("sell", "60000", "1");
    let body = |cancel: Value, order: &Value| json!({ "cancel": cancel, "order": order });
    let here = json!({ "market": "BTC-USDT", "id": 1 });
    let without_side = json!({ "market": "BTC-USDT", "type": "limit" });
    for (body, message) in [
        (body(json!({ "market": "ETH-USDT", "id": 1 }), &order), "cancel.market: "),
        (body(json!({ "market": "BTC-USDT" }), &order), "missing field `id`"),
        (body(here.clone(), &without_side), "missing field `side`"),
        (body(here.clone(), &with(order.clone(), json!({ "price": 5 }))), "price: "),
        (with(body(here.clone(), &order), json!({ "on_failure": "cry" })), "on_failure: "),
        (json!({ "cancel": here }), "missing field `order`"),
    ] {
        let answer = world.post(&world.alice, "/v1/orders/replace", body).await;
        refused(&answer, "InvalidField", 400, message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_mans_switch_cancels_all_unless_it_is_put_off_or_taken_off() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let mine = world.limit(&world.alice, "sell", "60000", "1").await.ok();
        let bobs = world.limit(&world.bob, "buy", "50000", "1").await.ok();
        let before = now_millis();
        let far = world.count_down(&world.alice, 86_400_000).await.ok();
        assert!(far["at"].as_u64().unwrap() >= before + 86_400_000, "{far}");
        let off = world.count_down(&world.bob, 60_000).await.ok();
        assert!(off["at"].is_u64());
        let off = world.count_down(&world.bob, 0).await.ok();
        assert_eq!((&off["at"], &off["market"]), (&Value::Null, &json!("BTC-USDT")));
        world.count_down(&world.alice, 200).await.ok();
        let ended = world.becomes(&world.alice, &mine["id"], "cancelled").await;
        assert_eq!(ended["cancel_cause"], "cancel_all");
        world.settles(&world.alice, "BTC", "10.00000000", "0.00000000").await;
        world.becomes(&world.bob, &bobs["id"], "open").await;

        let long = world.count_down(&world.alice, 86_400_001).await;
        refused(&long, "InvalidField", 400, "after_ms: must be 0 to 86400000");
        let body = json!({ "market": "NO", "after_ms": 1 }).to_string();
        let nowhere = world.alice.send(&world.router, "PUT", "/v1/countdown", &body).await;
        assert_eq!(nowhere.code(), "UnknownMarket");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_too_far_away_is_an_auction_instead_and_the_market_reopens_by_itself() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    world.limit(&world.bob, "buy", "50000", "0.1").await.ok();
    let rule = |seconds: u32| {
        json!({ "interruption": {
            "below_ppm": 100000, "above_ppm": 100000, "auction_seconds": seconds,
        } })
    };
    world.rules(rule(3_600)).await;
    world.limit(&world.alice, "sell", "56000", "0.1").await.ok();
    let before = now_millis();
    let stopped = world.limit(&world.bob, "buy", "56000", "0.1").await.ok();
    assert_eq!((&stopped["fills"], &stopped["order"]["status"]), (&json!([]), &json!("open")));
    let market = world.market_when("no auction", |m| m["state"] == "auction").await;
    assert!(market["reopens_at"].as_u64().unwrap() >= before + 3_600_000, "{market}");
    // An operator goes on before.
    let path = "/v1/admin/markets/BTC-USDT/state";
    world.admin("PUT", path, json!({ "state": "continuous" })).await.ok();
    let market = world.market().await;
    assert_eq!((&market["state"], &market["reopens_at"]), (&json!("continuous"), &Value::Null));
    world.becomes(&world.bob, &stopped["id"], "filled").await;

    // What may not rest is cancelled, and the answer says why.
    world.rules(rule(1)).await;
    let far = world.limit(&world.alice, "sell", "70000", "0.1").await.ok();
    let taker = with(limit("buy", "70000", "0.1"), json!({ "time_in_force": "ioc" }));
    let taker = world.post(&world.bob, "/v1/orders", taker).await.ok();
    assert_eq!(taker["order"]["cancel_cause"], "interruption");
    let market = world.market_when("it stays", |m| m["state"] == "continuous").await;
    assert_eq!(market["reopens_at"], Value::Null);
    // What rests trades when the market reopens by itself.
    let buyer = world.limit(&world.bob, "buy", "70000", "0.1").await.ok();
    assert_eq!(buyer["fills"], json!([]));
    world.becomes(&world.bob, &buyer["id"], "filled").await;
    let sold = world.becomes(&world.alice, &far["id"], "filled").await;
    assert_eq!(sold["average_price"], "70000.000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_and_lot_change_as_planned_and_the_past_is_shown_in_its_units() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let path = "/v1/admin/markets/BTC-USDT/redefinitions";
        let traded = world.limit(&world.alice, "sell", "50000.01", "0.1").await.ok();
        world.limit(&world.bob, "buy", "50000.01", "0.1").await.ok();
        let fits = world.limit(&world.alice, "sell", "50100", "0.3").await.ok();
        let unfit = world.limit(&world.alice, "sell", "50100.01", "0.3").await.ok();
        let units = json!({
            "tick": "0.5", "lot": "0.01", "max_price": "1000000", "max_quantity": "1000",
        });
        let wrong = with(units.clone(), json!({ "lot": "0.000000001" }));
        let wrong = json!({ "at": now_millis() + 100_000, "redefinition": wrong });
        let wrong = world.admin("PUT", path, wrong).await;
        assert_eq!(wrong.code(), "InvalidDefinition", "{wrong:?}");
        let past = json!({ "at": 1, "redefinition": units });
        assert_eq!(world.admin("PUT", path, past).await.code(), "PlanRefused");
        let later = now_millis() + 100_000;
        let body = json!({ "at": later, "redefinition": units });
        let planned = world.admin("PUT", path, body).await.ok();
        assert_eq!(planned["redefinition"]["tick"], "0.5");
        world.market_when("not planned", |m| m["redefinitions"][0]["at"] == later).await;
        let back = world.admin("PUT", path, json!({ "at": later, "redefinition": null })).await;
        assert_eq!(back.ok()["redefinition"], Value::Null);
        let soon = json!({ "at": now_millis() + 3_000, "redefinition": units });
        world.admin("PUT", path, soon).await.ok();
        let market = world.market_when("unchanged", |m| m["version"] == 2).await;
        assert_eq!((&market["tick"], &market["lot"]), (&json!("0.5"), &json!("0.01")));
        assert_eq!(market["redefinitions"], json!([]));
        let ended = world.becomes(&world.alice, &unfit["id"], "cancelled").await;
        assert_eq!(
            (&ended["cancel_cause"], &ended["price"]),
            (&json!("redefined"), &json!("50100.01"))
        );
        let open = world.becomes(&world.alice, &fits["id"], "open").await;
        assert_eq!(
            (&open["price"], &open["remaining_quantity"]),
            (&json!("50100.0"), &json!("0.30"))
        );
        let sold = world.becomes(&world.alice, &traded["id"], "filled").await;
        assert_eq!(sold["price"], "50000.01");
        let fine = world.limit(&world.bob, "buy", "50000.01", "0.1").await;
        assert_eq!(fine.code(), "InvalidField");
        let taken = world.limit(&world.bob, "buy", "50100", "0.3").await.ok();
        assert_eq!(taken["order"]["status"], "filled");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_is_delisted_as_planned() {
    for partitions in PARTITIONS {
        let world = World::with(partitions, GatewayConfig::default()).await;
        let path = "/v1/admin/markets/BTC-USDT/delisting";
        assert_eq!(world.admin("PUT", path, json!({ "at": null })).await.code(), "PlanRefused");
        let open = world.limit(&world.alice, "sell", "50100", "0.3").await.ok();
        let at = now_millis() + 3_000;
        assert_eq!(world.admin("PUT", path, json!({ "at": at })).await.ok()["at"], at);
        world.market_when("still listed", |m| m["state"] == "delisted").await;
        let ended = world.becomes(&world.alice, &open["id"], "cancelled").await;
        assert_eq!(ended["cancel_cause"], "delisted");
        world.settles(&world.alice, "BTC", "10.00000000", "0.00000000").await;
        let refused = world.limit(&world.alice, "sell", "50100", "0.3").await;
        assert_eq!(refused.code(), "MarketDelisted");
    }
}
