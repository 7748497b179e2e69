//! What a market does with orders, as its channel tells it; replacements and countdowns over the socket.

use node::Exchange;
use serde_json::{Value, json};
use types::{
    Distance, Interruption, MarketRules, MarketState, PartsPerMillion, Request, Side, Timestamp,
};

use super::rig::{MARKET, Options, Rig};

const CHANNEL: &str = "market:BASE-QUOTE";

/// Of each message only what it says.
fn said(messages: &[Value]) -> Vec<&Value> {
    messages.iter().flat_map(|message| message["data"].as_array().unwrap()).collect()
}

/// The market collects orders, is planned to close, uncrosses, and is interrupted by a trade.
async fn eventful(rig: &Rig) -> Vec<Value> {
    let mut client = rig.connect().await;
    client.subscribe(&[CHANNEL]).await;
    let begin = client.next().await.unwrap();
    assert_eq!(begin["type"], "snapshot");
    let expected = json!({
        "state": "continuous", "quarantined": false, "reopens_at": null, "plans": [],
        "redefinitions": [], "delisted_at": null,
    });
    assert_eq!(begin["data"], expected);
    let market = MARKET;
    let state = |state| Request::SetMarketState { market, state };
    let mut messages = Vec::new();
    // One by one, so that a client keeps up that may hardly lie behind.
    rig.submit(state(MarketState::PreOpen));
    messages.push(client.next().await.unwrap());
    let at = Timestamp(4_000_000_000_000_000_000);
    rig.submit(Request::PlanMarketState { market, at, state: Some(MarketState::Closed) });
    messages.push(client.next().await.unwrap());
    rig.place(3, Side::Sell, 1_000, 1);
    rig.place(4, Side::Buy, 1_000, 1);
    rig.submit(state(MarketState::Continuous));
    messages.push(client.next().await.unwrap());
    let ppm = PartsPerMillion(100_000);
    let distance = Distance { below: ppm, above: ppm };
    let interruption = Some(Interruption { distance, auction_seconds: 3_600 });
    let rules = MarketRules { interruption, ..MarketRules::default() };
    rig.submit(Request::SetMarketRules { market, rules: Box::new(rules) });
    rig.trade(1_101, 1);
    messages.push(client.next().await.unwrap());
    messages
}

/// The first snapshot of the interrupted market. Subscribers that come soon after another share its
/// snapshot, and what happened since follows it.
async fn fresh_snapshot(rig: &Rig) -> Value {
    rig.eventually(async |rig| {
        let mut client = rig.connect().await;
        client.subscribe(&[CHANNEL]).await;
        let data = client.next().await.unwrap()["data"].take();
        (data["state"] == "auction").then_some(data)
    })
    .await
}

#[tokio::test]
async fn states_plans_and_interruptions_are_told_and_resumed() {
    let mut forgetful = Options::default();
    forgetful.limits.socket_backlog = 2;
    for rig in [Rig::start().await, Rig::with(forgetful).await] {
        let messages = eventful(&rig).await;
        let told = said(&messages);
        let until = told[4]["until"].clone();
        assert!(until.is_u64(), "{told:?}");
        let expected = [
            json!({ "event": "market_state_changed", "state": "pre_open" }),
            json!({ "event": "market_state_planned", "at": 4_000_000_000_000_u64, "state": "closed" }),
            json!({ "event": "market_state_changed", "state": "continuous" }),
            json!({ "event": "auction_uncrossed", "price": "100.0", "quantity": "0.1" }),
            json!({
                "event": "trading_interrupted", "last_price": "100.0", "would_trade_at": "110.1",
                "until": until,
            }),
            json!({ "event": "market_state_changed", "state": "auction" }),
        ];
        assert_eq!(told, expected.iter().collect::<Vec<_>>());
        let mut late = rig.connect().await;
        assert_eq!(late.resume(CHANNEL, messages[0]["seq"].clone()).await["resumed"], true);
        for message in &messages[1..] {
            assert_eq!(late.next().await.unwrap(), *message);
        }
        let now = fresh_snapshot(&rig).await;
        assert_eq!((&now["state"], &now["reopens_at"]), (&json!("auction"), &until));
        assert_eq!(now["plans"][0]["state"], "closed");
        rig.stop().await;
    }
}

fn order(price: &str) -> Value {
    json!({
        "market": "BASE-QUOTE", "side": "buy", "type": "limit", "price": price, "quantity": "1.0",
    })
}

#[tokio::test]
async fn an_order_is_replaced_as_by_rest() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let old = client.ok("place_order", order("90.0")).await["id"].take();
    let cancel = json!({ "market": "BASE-QUOTE", "id": old });
    let fields = json!({ "cancel": cancel, "order": order("91.0") });
    let replaced = client.ok("replace_order", fields.clone()).await;
    assert_eq!(
        (&replaced["cancelled"], &replaced["cancelled_quantity"]),
        (&json!(true), &json!("1.0"))
    );
    assert_eq!(replaced["order"]["price"], "91.0");
    assert_eq!(client.refusal("replace_order", fields).await, "UnknownOrder");
    let fields = json!({ "cancel": cancel, "order": order("91.0"), "on_failure": "go_on" });
    // It was cancelled, but not by this.
    let replaced = client.ok("replace_order", fields).await;
    assert_eq!(
        (&replaced["cancelled"], &replaced["order"]["status"]),
        (&Value::Null, &json!("open"))
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_countdown_is_told_when_it_is_set_and_when_it_has_run_out() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    rig.place(1, Side::Buy, 900, 5);
    rig.caught_up().await;
    client.subscribe(&["orders"]).await;
    client.next().await.unwrap();
    let fields = json!({ "market": "BASE-QUOTE", "after_ms": 100 });
    let set = client.ok("set_countdown", fields).await;
    let is_cancel = |m: &Value| {
        m["data"].as_array().unwrap().iter().any(|event| event["event"] == "order_cancelled")
    };
    let messages = client.until(is_cancel).await;
    let told = said(&messages);
    let countdowns: Vec<&Value> =
        told.iter().filter(|event| event["event"] == "countdown_set").map(|e| &e["at"]).collect();
    assert_eq!(countdowns, [&set["at"], &Value::Null]);
    assert_eq!(told.last().unwrap()["cause"], "cancel_all");
    rig.stop().await;
}

/// Ticks of 0.1 become ticks of 0.2, lots of 0.1 lots of 0.2: what is conflated begins anew with a snapshot.
#[tokio::test]
async fn when_units_change_books_begin_anew_and_the_market_says_so() {
    let rig = Rig::start().await;
    rig.place(3, Side::Buy, 1_000, 4);
    rig.place(3, Side::Buy, 999, 4);
    rig.caught_up().await;
    let mut books = rig.connect().await;
    books.subscribe(&["depth:BASE-QUOTE"]).await;
    let before = books.next().await.unwrap();
    assert_eq!(before["data"]["bids"], json!([["100.0", "0.4"], ["99.9", "0.4"]]));
    let mut phases = rig.connect().await;
    phases.subscribe(&[CHANNEL]).await;
    phases.next().await.unwrap();
    let at = types::Timestamp(rig.node.now().0 + 300_000_000);
    let redefinition = Some(Box::new(types::Redefinition {
        tick: "0.2".parse().unwrap(),
        lot: "0.2".parse().unwrap(),
        max_price: types::Price::new(100_000),
        max_quantity: types::Quantity::new(100_000),
        bounds: None,
    }));
    rig.submit(Request::PlanRedefinition { market: MARKET, at, redefinition });
    let planned = phases.next().await.unwrap();
    assert_eq!(planned["data"][0]["event"], "redefinition_planned");
    let changed = phases.next().await.unwrap();
    let expected =
        json!({ "event": "market_redefined", "version": 2, "tick": "0.2", "lot": "0.2" });
    assert_eq!(changed["data"], json!([expected]));
    let after = books.next().await.unwrap();
    assert_eq!((&after["type"], &after["seq"]), (&json!("snapshot"), &changed["seq"]));
    assert_eq!(after["data"]["bids"], json!([["100.0", "0.4"]]));
    assert!(after["data"]["checksum"] != before["data"]["checksum"]);
    rig.stop().await;
}
