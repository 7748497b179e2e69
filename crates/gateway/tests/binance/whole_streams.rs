//! Streams that tell their subject anew each time: candles, tickers, averages, best levels, all markets.

use serde_json::{Value, json};

use crate::socket::Socket;
use crate::world::World;

fn keys(value: &Value) -> String {
    let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.join(" ")
}

/// A world in which 0.1 was traded at 50000, with a bid of 0.5 at 49000, and a connection to a stream.
async fn traded(stream: &str) -> (World, Socket) {
    let world = World::new().await;
    world.dealt("50000").await;
    world.limit(&world.bob, "buy", "49000", "0.5").await.ok();
    // What the streams have told before is no news to who subscribes then.
    world.asked(&world.bob, "/api/v3/openOrders").await;
    let socket = Socket::open(world.address, &format!("/ws/{stream}")).await;
    (world, socket)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_taker_trades_at_one_price_is_one_aggregate() {
    let (world, mut socket) = traded("btcusdt@aggTrade").await;
    socket.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    for _ in 0..3 {
        world.limit(&world.alice, "sell", "51000", "0.1").await.ok();
    }
    world.limit(&world.bob, "buy", "51000", "0.25").await.ok();
    let told = socket.next().await.unwrap();
    assert_eq!(keys(&told), "E M T a e f l m p q s");
    assert_eq!((&told["q"], &told["f"], &told["l"]), (&json!("0.25000000"), &json!(2), &json!(4)));
    assert_eq!((&told["a"], &told["m"]), (&json!(2), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candle_is_told_while_it_goes_on_and_once_when_it_is_closed() {
    let (world, mut socket) = traded("btcusdt@kline_1s").await;
    let told = socket.next().await.unwrap();
    assert_eq!((keys(&told).as_str(), &told["e"]), ("E e k s", &json!("kline")));
    assert_eq!(keys(&told["k"]), "B L Q T V c f h i l n o q s t v x");
    let mut closed: Vec<u64> = Vec::new();
    while closed.len() < 3 {
        let told = socket.next().await.unwrap();
        let candle = &told["k"];
        assert_eq!((&candle["i"], &candle["c"]), (&json!("1s"), &json!("50000.00000000")));
        let [open, close] = ["t", "T"].map(|name| candle[name].as_u64().unwrap());
        assert_eq!((open % 1_000, close), (0, open + 999));
        if candle["x"] == true {
            closed.push(open);
        }
    }
    assert!(closed.is_sorted_by(|a, b| a + 1_000 == *b), "each once: {closed:?}");
    let mut zoned = Socket::open(world.address, "/ws").await;
    zoned.subscribe(&["btcusdt@kline_1d@+08:00"]).await;
    let day = zoned.next().await.unwrap();
    assert_eq!(day["k"]["t"].as_u64().unwrap() % 86_400_000, 16 * 3_600_000);
    assert_eq!((&day["k"]["n"], &day["k"]["v"]), (&json!(1), &json!("0.10000000")));
    let path = "/api/v3/klines?symbol=BTCUSDT&interval=1d&timeZone=8&limit=1";
    let row = world.ask(path).await.ok()[0].take();
    for (at, name) in ["t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q"].iter().enumerate() {
        assert_eq!(row[at], day["k"][name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tickers_say_what_rest_says() {
    let (world, mut socket) = traded("btcusdt@ticker").await;
    let told = socket.next().await.unwrap();
    assert_eq!(keys(&told), "A B C E F L O P Q a b c e h l n o p q s v w x");
    let rest = world.ask("/api/v3/ticker/24hr?symbol=BTCUSDT").await.ok();
    for (name, twin) in [
        ("p", "priceChange"),
        ("P", "priceChangePercent"),
        ("w", "weightedAvgPrice"),
        ("x", "prevClosePrice"),
        ("c", "lastPrice"),
        ("Q", "lastQty"),
        ("b", "bidPrice"),
        ("B", "bidQty"),
        ("a", "askPrice"),
        ("A", "askQty"),
        ("o", "openPrice"),
        ("h", "highPrice"),
        ("l", "lowPrice"),
        ("v", "volume"),
        ("q", "quoteVolume"),
        ("F", "firstId"),
        ("L", "lastId"),
        ("n", "count"),
    ] {
        assert_eq!(told[name], rest[twin], "{name}");
    }
    let streams = ["btcusdt@miniTicker", "btcusdt@ticker_1h", "btcusdt@avgPrice"];
    socket.call("UNSUBSCRIBE", json!(["btcusdt@ticker"])).await;
    socket.subscribe(&streams).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let told = socket.next().await.unwrap();
        let expected = match told["e"].as_str().unwrap() {
            "24hrMiniTicker" => "E c e h l o q s v",
            "1hTicker" => "C E F L O P c e h l n o p q s v w",
            "avgPrice" => "E T e i s w",
            _ => continue,
        };
        assert_eq!(keys(&told), expected);
        if !seen.contains(&told["e"]) {
            seen.push(told["e"].clone());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_markets_are_told_at_first_and_then_those_that_changed() {
    let (world, mut socket) = traded("!miniTicker@arr").await;
    let told = socket.next().await.unwrap();
    assert_eq!((&told[0]["s"], &told[0]["c"]), (&json!("BTCUSDT"), &json!("50000.00000000")));
    world.limit(&world.alice, "sell", "49000", "0.1").await.ok();
    while socket.next().await.unwrap()[0]["c"] != "49000.00000000" {}
    let mut books = Socket::open(world.address, "/stream?streams=!bookTicker").await;
    let told = books.next().await.unwrap();
    assert_eq!(
        (&told["stream"], &told["data"]["B"]),
        (&json!("!bookTicker"), &json!("0.40000000"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_levels_are_told_again_and_again() {
    let (world, mut socket) = traded("btcusdt@depth5@100ms").await;
    let first = socket.next().await.unwrap();
    assert_eq!(first, world.ask("/api/v3/depth?symbol=BTCUSDT&limit=5").await.ok());
    assert_eq!(socket.next().await.unwrap(), first, "also when nothing has changed");
    let placed = world.limit(&world.alice, "sell", "52000", "1").await.ok();
    loop {
        let told = socket.next().await.unwrap();
        if told["lastUpdateId"] == placed["seq"] {
            assert_eq!(told["asks"], json!([["52000.00000000", "1.00000000"]]));
            break;
        }
    }
}
