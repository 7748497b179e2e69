//! What an account is told of its orders, lists and balances.

use axum::body::Body;
use axum::http::Request;
use gateway::{GatewayConfig, Limits};
use serde_json::{Value, json};

use crate::client::Client;
use crate::socket::Socket;
use crate::trader::send;
use crate::world::World;

const KEYS: &str = "C E F I L M N O P Q S T V W X Y Z c e f g i l m n o p q r s t w x z";

/// A connection that hears of somebody.
async fn listening(world: &World, who: &Client) -> Socket {
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    let begun = socket.ok(who, "userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(begun, json!({ "subscriptionId": 0 }));
    socket
}

/// The next event, unwrapped.
async fn event(socket: &mut Socket) -> Value {
    let mut message = socket.next().await.unwrap_or_else(|| panic!("{:?}", socket.closed));
    assert_eq!(message["subscriptionId"], 0, "{message}");
    message["event"].take()
}

/// The next report of an order; balances between are checked for their shape only.
async fn report(socket: &mut Socket) -> Value {
    loop {
        let event = event(socket).await;
        if event["e"] == "executionReport" {
            return event;
        }
        assert_eq!(event["e"], "outboundAccountPosition", "{event}");
    }
}

fn steps(report: &Value) -> [&str; 2] {
    ["x", "X"].map(|name| report[name].as_str().unwrap())
}

fn texts<'a>(report: &'a Value, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|name| report[*name].as_str().unwrap_or("none")).collect()
}

fn limit(side: &str, quantity: &str, price: &str) -> Value {
    json!({ "symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": "GTC",
        "quantity": quantity, "price": price })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taker_is_told_that_its_order_is_new_before_it_trades() {
    let world = World::new().await;
    let mut bob = listening(&world, &world.bob).await;
    let mut alice = listening(&world, &world.alice).await;
    alice.ok(&world.alice, "order.place", limit("SELL", "0.3", "50000")).await;
    let rests = report(&mut alice).await;
    let keys: Vec<&str> = rests.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.join(" "), KEYS);
    assert_eq!(steps(&rests), ["NEW", "NEW"]);
    assert_eq!((&rests["w"], &rests["t"], &rests["N"]), (&json!(true), &json!(-1), &Value::Null));
    assert_eq!(
        texts(&rests, &["n", "q", "p", "P", "F", "C", "r", "f", "o", "S", "V"]),
        [
            "0",
            "0.30000000",
            "50000.00000000",
            "0.00000000",
            "0.00000000",
            "",
            "NONE",
            "GTC",
            "LIMIT",
            "SELL",
            "NONE"
        ]
    );
    let position = event(&mut alice).await;
    assert_eq!(position["e"], "outboundAccountPosition");
    assert_eq!(
        position["B"],
        json!([{ "a": "BTC", "f": "9.70000000", "l": "0.30000000" }]),
        "after the report"
    );

    let mut order = limit("BUY", "0.5", "50000");
    order["newClientOrderId"] = json!("mine");
    let placed = bob.ok(&world.bob, "order.place", order).await;
    let [new, trade] = [report(&mut bob).await, report(&mut bob).await];
    assert_eq!([steps(&new), steps(&trade)], [["NEW", "NEW"], ["TRADE", "PARTIALLY_FILLED"]]);
    assert!(new["I"].as_u64().unwrap() < trade["I"].as_u64().unwrap());
    for told in [&new, &trade] {
        assert_eq!((&told["i"], &told["c"]), (&placed["orderId"], &json!("mine")));
    }
    assert_eq!(
        texts(&trade, &["l", "L", "Y", "z", "Z", "N", "n"]),
        [
            "0.30000000",
            "50000.00000000",
            "15000.00000000",
            "0.30000000",
            "15000.00000000",
            "BTC",
            "0.00000000"
        ]
    );
    assert_eq!((&trade["m"], &trade["w"], &trade["t"]), (&json!(false), &json!(true), &json!(1)));
    let filled = report(&mut alice).await;
    assert_eq!(steps(&filled), ["TRADE", "FILLED"]);
    assert_eq!(
        (&filled["m"], &filled["w"], &filled["N"]),
        (&json!(true), &json!(false), &json!("USDT"))
    );

    // Whoever cancels is named by c, what is cancelled by C.
    let cancel = json!({ "symbol": "BTCUSDT", "origClientOrderId": "mine",
        "newClientOrderId": "my-cancel" });
    bob.ok(&world.bob, "order.cancel", cancel).await;
    let cancelled = report(&mut bob).await;
    assert_eq!(steps(&cancelled), ["CANCELED", "CANCELED"]);
    assert_eq!((&cancelled["c"], &cancelled["C"]), (&json!("my-cancel"), &json!("mine")));
    assert_eq!(cancelled["w"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_expire_wait_or_are_amended_are_told_step_by_step() {
    let world = World::new().await;
    let mut alice = listening(&world, &world.alice).await;
    let mut bob = listening(&world, &world.bob).await;
    alice.ok(&world.alice, "order.place", limit("SELL", "0.2", "50000")).await;
    report(&mut alice).await;
    let mut order = limit("BUY", "0.5", "50000");
    order["timeInForce"] = json!("IOC");
    bob.ok(&world.bob, "order.place", order).await;
    let told = [report(&mut bob).await, report(&mut bob).await, report(&mut bob).await];
    let expected = [["NEW", "NEW"], ["TRADE", "PARTIALLY_FILLED"], ["EXPIRED", "EXPIRED"]];
    assert_eq!(told.each_ref().map(steps), expected);
    assert_eq!(told[2]["eR"], "UNFILLED_IOC_QUANTITY_EXPIRED");
    report(&mut alice).await;

    let amended = alice.ok(&world.alice, "order.place", limit("SELL", "1", "60000")).await;
    report(&mut alice).await;
    let less = json!({ "symbol": "BTCUSDT", "orderId": amended["orderId"], "newQty": "0.4" });
    alice.ok(&world.alice, "order.amend.keepPriority", less).await;
    let replaced = report(&mut alice).await;
    assert_eq!(steps(&replaced), ["REPLACED", "NEW"]);
    assert_eq!(replaced["q"], "0.40000000");

    // By quote: what was asked for is known at the end only.
    let by_quote = json!({ "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET",
        "quoteOrderQty": "6000" });
    bob.ok(&world.bob, "order.place", by_quote).await;
    let told = [report(&mut bob).await, report(&mut bob).await];
    assert_eq!(told.each_ref().map(steps), [["NEW", "NEW"], ["TRADE", "FILLED"]]);
    assert_eq!(texts(&told[1], &["q", "Q", "o"]), ["0.10000000", "6000.00000000", "MARKET"]);
    report(&mut alice).await;

    // A waiting order enters when its trigger fires.
    let stop = json!({ "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS_LIMIT",
        "timeInForce": "GTC", "quantity": "0.1", "price": "40000", "stopPrice": "45000" });
    alice.ok(&world.alice, "order.place", stop).await;
    let waits = report(&mut alice).await;
    assert_eq!((steps(&waits), &waits["w"]), (["NEW", "NEW"], &json!(false)));
    assert!(waits.get("W").is_none() && waits["P"] == "45000.00000000");
    bob.ok(&world.bob, "order.place", limit("BUY", "0.1", "44000")).await;
    alice.ok(&world.alice, "order.place", limit("SELL", "0.1", "44000")).await;
    let id = &waits["i"];
    loop {
        let told = report(&mut alice).await;
        if told["i"] == *id {
            assert_eq!((steps(&told), &told["w"]), (["NEW", "NEW"], &json!(true)));
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_value_from_elsewhere_are_told() {
    let world = World::new().await;
    world.dealt("50000").await;
    let mut alice = listening(&world, &world.alice).await;
    let credit = json!({ "account": 1, "asset": "USDT", "amount": "7.5", "reference": "gift" });
    world.admin("POST", "/v1/admin/credits", credit).await.ok();
    let update = event(&mut alice).await;
    assert_eq!(
        (&update["e"], &update["a"], &update["d"]),
        (&json!("balanceUpdate"), &json!("USDT"), &json!("7.50000000"))
    );
    assert_eq!(event(&mut alice).await["e"], "outboundAccountPosition");

    let pair = json!({ "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.5",
        "aboveType": "LIMIT_MAKER", "abovePrice": "60000", "belowType": "STOP_LOSS_LIMIT",
        "belowStopPrice": "40000", "belowPrice": "39900", "belowTimeInForce": "GTC",
        "listClientOrderId": "both" });
    let placed = alice.ok(&world.alice, "orderList.place.oco", pair).await;
    let both = [report(&mut alice).await, report(&mut alice).await];
    assert!(both.iter().all(|told| told["g"] == placed["orderListId"]));
    let status = event(&mut alice).await;
    assert_eq!(
        texts(&status, &["e", "c", "l", "L", "r", "C"]),
        ["listStatus", "OCO", "EXEC_STARTED", "EXECUTING", "NONE", "both"]
    );
    for (told, listed) in both.iter().zip(status["O"].as_array().unwrap()) {
        assert_eq!((&told["i"], &told["c"]), (&listed["i"], &listed["c"]));
    }
    assert_eq!(event(&mut alice).await["e"], "outboundAccountPosition");
    let cancel = json!({ "symbol": "BTCUSDT", "listClientOrderId": "both",
        "newClientOrderId": "off" });
    alice.ok(&world.alice, "orderList.cancel", cancel).await;
    for _ in 0..2 {
        let told = report(&mut alice).await;
        assert_eq!(steps(&told), ["CANCELED", "CANCELED"], "{told}");
        assert_eq!(told["c"], "off");
    }
    let status = event(&mut alice).await;
    assert_eq!(texts(&status, &["l", "L"]), ["ALL_DONE", "ALL_DONE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listen_key_opens_a_stream_that_ends_with_it() {
    let limits = Limits { socket_silence: std::time::Duration::from_secs(10), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let asked = async |method: &str, query: &str| {
        let request =
            Request::builder().method(method).uri(format!("/api/v3/userDataStream{query}"));
        let request = request.header("x-mbx-apikey", &world.alice.key);
        send(&world.router, request.body(Body::empty()).unwrap()).await.ok()
    };
    let key = asked("POST", "").await["listenKey"].as_str().unwrap().to_owned();
    let mut raw = Socket::open(world.address, &format!("/ws/{key}")).await;
    let mut combined = Socket::open(world.address, &format!("/stream?streams={key}")).await;
    for socket in [&mut raw, &mut combined] {
        assert_eq!(socket.call("LIST_SUBSCRIPTIONS", Value::Null).await["result"], json!([key]));
    }
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    let told = raw.next().await.unwrap();
    assert_eq!(told["e"], "executionReport");
    assert_eq!(combined.next().await.unwrap(), json!({ "stream": key, "data": told }));
    asked("DELETE", &format!("?listenKey={key}")).await;
    while raw.next().await.unwrap()["e"] != "eventStreamTerminated" {}
    assert_eq!(raw.call("LIST_SUBSCRIPTIONS", Value::Null).await["result"], json!([]));
}
