//! What every client asks first: ping, time, the markets and their rules, the book.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::trader::send;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn ping_and_time_are_answered_with_the_weight_used() {
    let world = World::new().await;
    let ping = world.ask("/api/v3/ping").await;
    assert_eq!(ping.headers["x-mbx-used-weight"], ping.headers["x-mbx-used-weight-1m"]);
    let weight: u32 = ping.headers["x-mbx-used-weight"].parse().unwrap();
    assert!(weight >= 1);
    assert_eq!(ping.ok(), json!({}));
    let time = world.ask("/api/v3/time").await.ok()["serverTime"].as_u64().unwrap();
    assert!((1_600_000_000_000..100_000_000_000_000).contains(&time), "{time}");
    let request = Request::get("/api/v3/time").header("X-MBX-TIME-UNIT", "microsecond");
    let micros = send(&world.router, request.body(Body::empty()).unwrap()).await.ok();
    assert!(micros["serverTime"].as_u64().unwrap() >= time * 1_000);
    let request = Request::get("/api/v3/time").header("X-MBX-TIME-UNIT", "hour");
    let refused = send(&world.router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.code(), -1194);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_meant_whatever_their_slashes_and_old_names_answer() {
    let world = World::new().await;
    for path in ["//api/v3/ping", "/api//v3/ping/", "/api/v1/ping", "/api/v3/ping/"] {
        assert_eq!(world.ask(path).await.ok(), json!({}), "{path}");
    }
    let markets = world.ask("/api/v1/markets").await;
    assert_eq!(markets.json["markets"][0]["symbol"], "BTC-USDT", "in our own form");
    let query = "symbol=BTCUSDT&orderId=9223372036854775808";
    let huge = world.signed(&world.alice, "GET", "/api/v3/order", query).await;
    assert_eq!(huge.code(), -1100, "no id is so large");
    for path in ["/api/v3/nothing", "/sapi/v1/nothing", "/api", "/fapi/v1/ping"] {
        let said = world.ask(path).await;
        let weight: u32 = said.headers["x-mbx-used-weight"].parse().unwrap();
        assert!(weight >= 1, "asking for nothing weighs, too");
        assert_eq!(said.error(), (404, -1020, "This operation is not supported."));
    }
    let request = Request::put("/api/v3/ping").body(Body::empty()).unwrap();
    let said = send(&world.router, request).await;
    assert!(said.headers.contains_key("x-mbx-used-weight"));
    assert_eq!(said.error(), (405, -1020, "This operation is not supported."));
    for kind in ["fapi", "dapi", "eapi"] {
        let info = world.ask(&format!("/{kind}/v1/exchangeInfo")).await.ok();
        assert_eq!((&info["symbols"], &info["timezone"]), (&json!([]), &json!("UTC")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_markets_are_told_with_their_rules() {
    let world = World::new().await;
    let info = world.ask("/api/v3/exchangeInfo").await.ok();
    assert_eq!(info["rateLimits"].as_array().unwrap().len(), 4);
    assert_eq!(info["rateLimits"][0]["limit"], 6_000);
    let symbol = &info["symbols"][0];
    assert_eq!((&symbol["symbol"], &symbol["status"]), (&json!("BTCUSDT"), &json!("TRADING")));
    assert_eq!((&symbol["baseAsset"], &symbol["quoteAsset"]), (&json!("BTC"), &json!("USDT")));
    assert_eq!(
        (&symbol["baseAssetPrecision"], &symbol["quotePrecision"]),
        (&json!(8), &json!(6)),
        "as many places as the asset has"
    );
    assert_eq!(symbol["permissionSets"], json!([["SPOT"]]));
    let filters = symbol["filters"].as_array().unwrap();
    let price = json!({
        "filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "10000000.00000000",
        "tickSize": "0.01000000",
    });
    assert_eq!(filters[0], price, "there are clients that read the first one");
    let lot = filters.iter().find(|filter| filter["filterType"] == "LOT_SIZE").unwrap();
    assert_eq!(
        (&lot["minQty"], &lot["maxQty"], &lot["stepSize"]),
        (&json!("0.00010000"), &json!("10000.00000000"), &json!("0.00010000"))
    );
    let notional = filters.iter().find(|filter| filter["filterType"] == "NOTIONAL").unwrap();
    assert_eq!(notional["minNotional"], "0.00000000");

    for query in ["symbol=BTCUSDT", "symbols=%5B%22BTCUSDT%22%5D", "permissions=SPOT"] {
        let one = world.ask(&format!("/api/v3/exchangeInfo?{query}")).await.ok();
        assert_eq!(one["symbols"][0], *symbol, "{query}");
    }
    let none = world.ask("/api/v3/exchangeInfo?permissions=MARGIN").await.ok();
    assert_eq!(none["symbols"], json!([]));
    for (query, code) in [
        ("symbol=NOSUCH", -1121),
        ("symbol=btcusdt", -1100),
        ("symbol=BTCUSDT&symbols=[]", -1101),
        ("symbol=BTCUSDT&symbolStatus=TRADING", -1128),
        ("symbolStatus=NEVER", -1122),
        ("symbols=BTCUSDT", -1100),
        ("symbols=[%22BTCUSDT%22,%22BTCUSDT%22]", -1151),
    ] {
        let refused = world.ask(&format!("/api/v3/exchangeInfo?{query}")).await;
        assert_eq!(refused.code(), code, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_has_8_decimals_and_the_entry_that_changed_it_last() {
    let world = World::new().await;
    let empty = world.ask("/api/v3/depth?symbol=BTCUSDT").await.ok();
    assert_eq!((&empty["bids"], &empty["asks"]), (&json!([]), &json!([])));
    world.limit(&world.bob, "buy", "50000", "0.5").await.ok();
    world.limit(&world.bob, "buy", "49999.99", "1").await.ok();
    let placed = world.limit(&world.alice, "sell", "50001", "2").await.ok();
    let path = format!("/v1/markets/BTC-USDT/depth?min_seq={}", placed["seq"]);
    world.get(&world.bob, &path).await.ok();
    let said = world.ask("/api/v3/depth?symbol=BTCUSDT").await;
    let before: u32 = said.headers["x-mbx-used-weight-1m"].parse().unwrap();
    let book = said.ok();
    let bids = json!([["50000.00000000", "0.50000000"], ["49999.99000000", "1.00000000"]]);
    assert_eq!(book["bids"], bids);
    assert_eq!(book["asks"], json!([["50001.00000000", "2.00000000"]]));
    assert_eq!(book["lastUpdateId"], placed["seq"]);
    let said = world.ask("/api/v3/depth?symbol=BTCUSDT&limit=9999").await;
    let after: u32 = said.headers["x-mbx-used-weight-1m"].parse().unwrap();
    assert!(after == 250 || after == before + 250, "a minute may have passed: {before} {after}");
    assert_eq!(said.ok(), book);
    let one = world.ask("/api/v1/depth?symbol=BTCUSDT&limit=1").await.ok();
    assert_eq!(one["bids"].as_array().unwrap().len(), 1);
    for (query, code) in [
        ("", -1102),
        ("symbol=", -1102),
        ("symbol=BTCUSDT&limit=0", -1130),
        ("symbol=BTCUSDT&limit=x", -1100),
        ("symbol=BTCUSDT&symbolStatus=HALT", -1220),
        ("symbol=BTCUSDT&symbol=BTCUSDT", -1101),
    ] {
        assert_eq!(world.ask(&format!("/api/v3/depth?{query}")).await.code(), code, "{query}");
    }
}
