//! Trades, candles and tickers.

use serde_json::{Value, json};

use crate::world::{World, eventually};

/// Three makers at two prices, taken by one order of 0.3: two aggregates of one entry; then one more trade.
async fn traded() -> World {
    let world = World::new().await;
    for (price, quantity) in [("50000", "0.1"), ("50000", "0.1"), ("50100", "0.1")] {
        let form =
            format!("side=SELL&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}");
        world.order(&world.alice, &form).await.ok();
    }
    let form = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.3&price=50100";
    assert_eq!(world.order(&world.bob, form).await.ok()["fills"].as_array().unwrap().len(), 3);
    world
        .order(&world.bob, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=49000")
        .await
        .ok();
    world.order(&world.alice, "side=SELL&type=MARKET&quantity=0.1").await.ok();
    world.asked(&world.alice, "/api/v3/openOrders").await;
    world
}

fn numbers(list: &Value, name: &str) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|item| item[name].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_are_told_oldest_first() {
    let world = traded().await;
    let trades = world.ask("/api/v3/trades?symbol=BTCUSDT").await.ok();
    assert_eq!(numbers(&trades, "id"), [1, 2, 3, 4]);
    let last = &trades[3];
    assert_eq!((&last["price"], &last["qty"]), (&json!("49000.00000000"), &json!("0.10000000")));
    assert_eq!((&last["quoteQty"], &last["isBuyerMaker"]), (&json!("4900.00000000"), &json!(true)));
    let newest = world.ask("/api/v3/trades?symbol=BTCUSDT&limit=2").await.ok();
    assert_eq!(numbers(&newest, "id"), [3, 4]);
    let from = world.ask("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=2&limit=2").await.ok();
    assert_eq!(numbers(&from, "id"), [2, 3]);
    let old = world.ask("/api/v1/trades?symbol=BTCUSDT&limit=1").await.ok();
    assert_eq!(numbers(&old, "id"), [4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_taker_traded_at_one_price_is_one_aggregate() {
    let world = traded().await;
    let all = world.ask("/api/v3/aggTrades?symbol=BTCUSDT").await.ok();
    assert_eq!(numbers(&all, "a"), [1, 2, 3]);
    assert_eq!((numbers(&all, "f"), numbers(&all, "l")), (vec![1, 3, 4], vec![2, 3, 4]));
    assert_eq!(
        (&all[0]["q"], &all[0]["p"], &all[0]["m"]),
        (&json!("0.20000000"), &json!("50000.00000000"), &json!(false))
    );
    let from = world.ask("/api/v3/aggTrades?symbol=BTCUSDT&fromId=2").await.ok();
    assert_eq!(numbers(&from, "a"), [2, 3]);
    let since = world.ask("/api/v3/aggTrades?symbol=BTCUSDT&startTime=1&limit=1").await.ok();
    assert_eq!(numbers(&since, "a"), [1]);
    let none = world.ask("/api/v3/aggTrades?symbol=BTCUSDT&endTime=1").await.ok();
    assert_eq!(none, json!([]));
    // Times are shown in milliseconds: up to one of them means with all that happened in it.
    let last = &all[2]["T"];
    let query = format!("symbol=BTCUSDT&startTime={last}&endTime={last}");
    let within = world.ask(&format!("/api/v3/aggTrades?{query}")).await.ok();
    assert_eq!(numbers(&within, "a").last(), Some(&3), "{within}");
    let mine = world.asked(&world.alice, &format!("/api/v3/myTrades?{query}")).await;
    assert_eq!(numbers(&mine, "id").last(), Some(&4), "{mine}");
    let newest = world.ask("/api/v3/aggTrades?symbol=BTCUSDT&limit=2").await.ok();
    assert_eq!(numbers(&newest, "a"), [2, 3]);
    let refused = world.ask("/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1").await;
    assert_eq!(refused.code(), -1128);
}

#[tokio::test(flavor = "multi_thread")]
async fn candles_add_up_to_the_trades_in_every_interval() {
    let world = World::new().await;
    let empty = world.ask("/api/v3/klines?symbol=BTCUSDT&interval=1m").await.ok();
    assert_eq!(empty, json!([]), "before the first trade there are none");
    drop(world);
    let world = traded().await;
    for interval in [
        "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
    ] {
        let candles =
            world.ask(&format!("/api/v3/klines?symbol=BTCUSDT&interval={interval}")).await.ok();
        let candles = candles.as_array().unwrap();
        let count: u64 = candles.iter().map(|candle| candle[8].as_u64().unwrap()).sum();
        assert_eq!(count, 4, "{interval}");
        let first = &candles[0];
        assert_eq!(first.as_array().unwrap().len(), 12);
        assert_eq!((&first[1], &first[11]), (&json!("50000.00000000"), &json!("0")));
        for pair in candles.windows(2) {
            assert_eq!(
                pair[1][0].as_u64(),
                pair[0][6].as_u64().map(|close| close + 1),
                "{interval}"
            );
        }
    }
    let day = world.ask("/api/v3/uiKlines?symbol=BTCUSDT&interval=1w&limit=1").await.ok();
    let [high, low, close, volume, taken] = [2, 3, 4, 5, 9].map(|at| day[0][at].as_str().unwrap());
    assert_eq!([high, low, close], ["50100.00000000", "49000.00000000", "49000.00000000"]);
    assert_eq!([volume, taken], ["0.40000000", "0.30000000"]);
    assert_eq!(day[0][10], "15010.00000000");
    for (query, code) in [
        ("interval=2m", -1120),
        ("", -1102),
        ("interval=1m&timeZone=99", -1130),
        ("interval=1m&startTime=x", -1100),
    ] {
        let refused = world.ask(&format!("/api/v3/klines?symbol=BTCUSDT&{query}")).await;
        assert_eq!(refused.code(), code, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seconds_without_a_trade_repeat_the_close() {
    let world = traded().await;
    let idle = eventually("no second without a trade", async || {
        let candles = world.ask("/api/v3/klines?symbol=BTCUSDT&interval=1s").await.ok();
        let last = candles.as_array().unwrap().last().unwrap().clone();
        if last[8] == 0 { Ok(last) } else { Err(last) }
    })
    .await;
    assert_eq!([&idle[1], &idle[2], &idle[3], &idle[4]], [&json!("49000.00000000"); 4]);
    assert_eq!((&idle[5], &idle[7]), (&json!("0.00000000"), &json!("0.00000000")));
}

#[tokio::test(flavor = "multi_thread")]
async fn tickers_say_what_traded() {
    let world = traded().await;
    let ticker = world.ask("/api/v3/ticker/24hr?symbol=BTCUSDT").await.ok();
    let text = |name: &str| ticker[name].as_str().unwrap();
    assert_eq!((text("openPrice"), text("lastPrice")), ("50000.00000000", "49000.00000000"));
    assert_eq!((text("priceChange"), text("priceChangePercent")), ("-1000.00000000", "-2.000"));
    assert_eq!((text("volume"), text("quoteVolume")), ("0.40000000", "19910.00000000"));
    assert_eq!((text("weightedAvgPrice"), text("lastQty")), ("49775.00000000", "0.10000000"));
    assert_eq!((text("bidPrice"), text("askQty")), ("0.00000000", "0.00000000"));
    assert_eq!(
        [&ticker["firstId"], &ticker["lastId"], &ticker["count"]],
        [&json!(1), &json!(4), &json!(4)]
    );
    for path in ["ticker/24hr", "ticker/price", "ticker/bookTicker"] {
        let all = world.ask(&format!("/api/v3/{path}")).await.ok();
        let some = world.ask(&format!("/api/v3/{path}?symbols=%5B%22BTCUSDT%22%5D")).await.ok();
        let one = world.ask(&format!("/api/v3/{path}?symbol=BTCUSDT")).await.ok();
        assert_eq!((all.as_array().unwrap().len(), some.as_array().unwrap().len()), (1, 1));
        assert_eq!(one["symbol"], "BTCUSDT", "an object for one");
    }
    let mini = world.ask("/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI").await.ok();
    assert_eq!(mini.as_object().unwrap().len(), 12);
    let refused = world.ask("/api/v3/ticker/24hr?type=HUGE").await;
    assert_eq!(refused.code(), -1139);
    let price = world.ask("/api/v3/ticker/price?symbol=BTCUSDT").await.ok();
    assert_eq!(price, json!({"symbol": "BTCUSDT", "price": "49000.00000000"}));
    for window in ["1m", "1h", "1d", "7d"] {
        let path = format!("/api/v3/ticker?symbol=BTCUSDT&windowSize={window}");
        let said = world.ask(&path).await.ok();
        assert_eq!(
            (&said["lastPrice"], said.get("bidPrice")),
            (&json!("49000.00000000"), None),
            "{window}"
        );
        // It begins with a full minute: more than what was asked for by less than one.
        let length = said["closeTime"].as_u64().unwrap() - said["openTime"].as_u64().unwrap();
        let minutes = match window {
            "1m" => 1,
            "1h" => 60,
            "1d" => 1_440,
            _ => continue,
        };
        assert_eq!(length / 60_000, minutes, "{window}");
    }
    let day = world.ask("/api/v3/ticker/tradingDay?symbol=BTCUSDT&timeZone=0").await.ok();
    assert_eq!(day["lastPrice"], "49000.00000000");
    let [open, close] = ["openTime", "closeTime"].map(|name| day[name].as_u64().unwrap());
    assert_eq!((open % 86_400_000, close - open), (0, 86_399_999), "a whole day");
    for (query, code) in [("", -1102), ("symbol=BTCUSDT&windowSize=8d", -1130)] {
        assert_eq!(world.ask(&format!("/api/v3/ticker?{query}")).await.code(), code);
    }
    let average = world.ask("/api/v3/avgPrice?symbol=BTCUSDT").await.ok();
    assert_eq!((&average["mins"], &average["price"]), (&json!(5), &json!("49775.00000000")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_without_trades_has_tickers_of_zeros() {
    let world = World::new().await;
    let ticker = world.ask("/api/v3/ticker/24hr?symbol=BTCUSDT").await.ok();
    assert_eq!((&ticker["lastPrice"], &ticker["firstId"]), (&json!("0.00000000"), &json!(-1)));
    assert_eq!((&ticker["priceChangePercent"], &ticker["count"]), (&json!("0.000"), &json!(0)));
    for path in ["trades", "aggTrades", "historicalTrades"] {
        assert_eq!(world.ask(&format!("/api/v3/{path}?symbol=BTCUSDT")).await.ok(), json!([]));
    }
}
