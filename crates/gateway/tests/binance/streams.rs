//! Market streams, their control messages, and the life of a connection.

use std::time::Duration;

use gateway::{GatewayConfig, Limits};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::socket::{Socket, refusal};
use crate::world::World;

fn limited(limits: Limits) -> GatewayConfig {
    GatewayConfig { limits, ..GatewayConfig::default() }
}

/// Names of an object's fields, in order.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_is_told_raw_and_combined_with_exactly_its_fields() {
    let world = World::new().await;
    let mut raw = Socket::open(world.address, "/ws/btcusdt@trade").await;
    let mut combined = Socket::open(world.address, "/stream?streams=btcusdt%40trade").await;
    let mut micros = Socket::open(world.address, "/ws/btcusdt@trade?timeUnit=MICROSECOND").await;
    for socket in [&mut raw, &mut combined, &mut micros] {
        let listed = socket.call("LIST_SUBSCRIPTIONS", Value::Null).await;
        assert_eq!(listed["result"], json!(["btcusdt@trade"]));
    }
    world.limit(&world.bob, "buy", "50000", "0.5").await.ok();
    world.limit(&world.alice, "sell", "50000", "0.2").await.ok();
    let trade = raw.next().await.unwrap();
    assert_eq!(keys(&trade), ["E", "M", "T", "e", "m", "p", "q", "s", "t"]);
    assert_eq!((&trade["e"], &trade["s"]), (&json!("trade"), &json!("BTCUSDT")));
    assert_eq!((&trade["p"], &trade["q"]), (&json!("50000.00000000"), &json!("0.20000000")));
    assert_eq!((&trade["m"], &trade["M"], &trade["t"]), (&json!(true), &json!(true), &json!(1)));
    assert_eq!(combined.next().await.unwrap(), json!({ "stream": "btcusdt@trade", "data": trade }));
    let told = micros.next().await.unwrap();
    assert_eq!(told["T"].as_u64().unwrap() / 1_000, trade["T"].as_u64().unwrap());
    // What is sent is counted once it is sent.
    world.counts(r#"exchange_ws_messages_sent_total{pair="BTC-USDT"} 3"#).await;
    world.counts(r#"exchange_ws_connections_active{server="gateway"} 3"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_prices_are_told_at_once_and_whenever_they_change() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws").await;
    socket.subscribe(&["btcusdt@bookTicker"]).await;
    let empty = socket.next().await.unwrap();
    assert_eq!(keys(&empty), ["A", "B", "a", "b", "s", "u"]);
    assert_eq!((&empty["b"], &empty["A"]), (&json!("0.00000000"), &json!("0.00000000")));
    world.limit(&world.bob, "buy", "50000", "0.5").await.ok();
    let bid = socket.next().await.unwrap();
    assert_eq!((&bid["b"], &bid["B"]), (&json!("50000.00000000"), &json!("0.50000000")));
    // Not the best: nothing is told of it.
    world.limit(&world.bob, "buy", "49000", "0.5").await.ok();
    let asked = world.limit(&world.alice, "sell", "50001", "1").await.ok();
    let ask = socket.next().await.unwrap();
    assert_eq!((&ask["a"], &ask["A"]), (&json!("50001.00000000"), &json!("1.00000000")));
    assert_eq!(ask["u"], asked["seq"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_answered_under_its_id() {
    let world = World::with(1, limited(Limits { stream_rate: 100, ..Limits::default() })).await;
    let mut socket = Socket::open(world.address, "/ws/0").await;
    for id in [json!(7), json!("a-uuid"), Value::Null] {
        let answer = socket.call_as(id.clone(), "SUBSCRIBE", json!(["btcusdt@trade", "x"])).await;
        assert_eq!(answer, json!({ "result": null, "id": id }));
    }
    let listed = socket.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    assert_eq!(listed["result"], json!(["0", "btcusdt@trade", "x"]));
    let combined = socket.call("GET_PROPERTY", json!(["combined"])).await;
    assert_eq!(combined["result"], false);
    socket.call("SET_PROPERTY", json!(["combined", true])).await;
    world.limit(&world.bob, "buy", "50000", "0.5").await.ok();
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    assert_eq!(socket.next().await.unwrap()["data"]["t"], 1, "subscribed once");
    socket.call("UNSUBSCRIBE", json!(["btcusdt@trade", "never"])).await;
    world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    socket.subscribe(&["btcusdt@bookTicker"]).await;
    assert_eq!(socket.next().await.unwrap()["stream"], "btcusdt@bookTicker");
    for (text, id, code) in [
        (r#"{"id":"x","method":"DANCE"}"#, json!("x"), 2),
        (r#"{"id":5,"method":"SET_PROPERTY","params":["colour",true]}"#, json!(5), 0),
        (r#"{"id":6,"method":"SET_PROPERTY","params":["combined",1]}"#, json!(6), 1),
        ("{", Value::Null, 3),
    ] {
        socket.send(Message::text(text)).await;
        let answer = socket.answer(&id).await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    socket.send(Message::Ping(b"there?".to_vec().into())).await;
    assert_eq!(socket.answer(&json!("pong")).await["payload"], json!(b"there?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_told_before_its_life_ends() {
    let limits = Limits { stream_life: Duration::from_millis(300), ..Limits::default() };
    let world = World::with(1, limited(limits)).await;
    let mut socket = Socket::open(world.address, "/stream").await;
    let notice = socket.next().await.unwrap();
    assert_eq!(
        (&notice["stream"], keys(&notice["data"])),
        (&json!("serverShutdown"), vec!["E", "e"])
    );
    assert_eq!(socket.close_code().await, Some(1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_told_before_the_server_stops() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws").await;
    world.shutdown.cancel();
    assert_eq!(socket.next().await.unwrap()["e"], "serverShutdown");
    assert_eq!(socket.close_code().await, Some(1001));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_streams_and_names_are_bounded() {
    let limits = Limits { stream_subscriptions: 2, stream_rate: 3, ..Limits::default() };
    let world = World::with(1, limited(limits)).await;
    assert_eq!(refusal(Socket::try_open(world.address, "/ws/a/b/c").await), 400);
    assert_eq!(refusal(Socket::try_open(world.address, "/ws?timeUnit=hour").await), 400);
    assert_eq!(world.ask("/ws").await.error().0, 400);
    let mut socket = Socket::open(world.address, "//ws/a/").await;
    let answer = socket.call("SUBSCRIBE", json!(["b", "c"])).await;
    assert_eq!(answer["error"]["code"], 2);
    for _ in 0..20 {
        socket.send(Message::Ping(Vec::new().into())).await;
    }
    assert_eq!(socket.close_code().await, Some(4029));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_there_is_pinged_and_then_cut() {
    let limits = Limits { socket_silence: Duration::from_secs(6), ..Limits::default() };
    let world = World::with(1, limited(limits)).await;
    // A client that reads answers pings by itself.
    let mut alive = Socket::open(world.address, "/ws/btcusdt@trade").await;
    let mut silent = Socket::open(world.address, "/ws").await;
    alive.pinged(6).await;
    alive.subscribe(&[]).await;
    assert_eq!(silent.close_code().await, None, "cut without a word");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_remembers_only_a_few_names_of_streams_that_there_are_not() {
    let limits = Limits { stream_rate: 1_000, ..Limits::default() };
    let world = World::with(1, limited(limits)).await;
    let mut socket = Socket::open(world.address, "/ws/0").await;
    let unknown = |range: std::ops::Range<u32>| -> Vec<String> {
        range.map(|number| format!("nosuch{number}@trade")).collect()
    };
    socket.subscribe(&["btcusdt@trade"]).await;
    let call = async |socket: &mut Socket, method, names| socket.call(method, json!(names)).await;
    // With the one of the path.
    let taken = call(&mut socket, "SUBSCRIBE", unknown(0..63)).await;
    assert_eq!(taken["result"], Value::Null, "{taken}");
    let refused = call(&mut socket, "SUBSCRIBE", unknown(63..64)).await;
    let why = "Invalid request: a connection names at most 64 unknown streams";
    assert_eq!(refused["error"], json!({ "code": 2, "msg": why }));
    // What there is may be subscribed to all the same, and what is forgotten makes room.
    socket.subscribe(&["btcusdt@depth", "!miniTicker@arr"]).await;
    call(&mut socket, "UNSUBSCRIBE", unknown(0..1)).await;
    let taken = call(&mut socket, "SUBSCRIBE", unknown(63..64)).await;
    assert_eq!(taken["result"], Value::Null, "{taken}");
    let listed = socket.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    assert_eq!(listed["result"].as_array().unwrap().len(), 64 + 3);
    let path = |count| format!("/stream?streams={}", unknown(0..count).join("/"));
    assert!(Socket::try_open(world.address, &path(64)).await.is_ok());
    assert_eq!(refusal(Socket::try_open(world.address, &path(65)).await), 400);
}
