//! What an account reads of itself.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::trader::{Said, send};
use crate::world::{World, eventually};

async fn with_fees() -> World {
    let world = World::new().await;
    let fees = json!({"maker_ppm": 500, "taker_ppm": 1000});
    world.admin("PUT", "/v1/admin/fee-tiers/0", fees).await.ok();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_change_by_exactly_the_trade_and_its_commission() {
    let world = with_fees().await;
    world.dealt("50000").await;
    let balance = async |who, asset: &str| {
        let account = world.asked(who, "/api/v3/account").await;
        let found =
            account["balances"].as_array().unwrap().iter().find(|b| b["asset"] == asset).cloned();
        found.unwrap()["free"].as_str().unwrap().to_owned()
    };
    world.settles(&world.alice, "USDT", "4997.500000", "0.000000").await;
    assert_eq!(balance(&world.alice, "USDT").await, "4997.50000000");
    assert_eq!(balance(&world.alice, "BTC").await, "9.90000000");
    assert_eq!(balance(&world.bob, "BTC").await, "0.09990000");
    assert_eq!(balance(&world.bob, "USDT").await, "995000.00000000");
    let account = world.asked(&world.bob, "/api/v3/account").await;
    assert_eq!((&account["makerCommission"], &account["takerCommission"]), (&json!(5), &json!(10)));
    assert_eq!(account["commissionRates"]["taker"], "0.00100000");
    assert_eq!((&account["canTrade"], &account["accountType"]), (&json!(true), &json!("SPOT")));
    let trades = world.asked(&world.bob, "/api/v3/myTrades?symbol=BTCUSDT").await;
    let trade = &trades[0];
    assert_eq!(
        (&trade["commission"], &trade["commissionAsset"]),
        (&json!("0.00010000"), &json!("BTC"))
    );
    assert_eq!(
        (&trade["isBuyer"], &trade["isMaker"], &trade["id"]),
        (&json!(true), &json!(false), &json!(1))
    );
    let rates = world.asked(&world.bob, "/api/v3/account/commission?symbol=BTCUSDT").await;
    assert_eq!(rates["standardCommission"]["maker"], "0.00050000");
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_balances_may_be_left_out() {
    let world = World::new().await;
    let all = world.asked(&world.alice, "/api/v3/account").await;
    assert_eq!(all["balances"].as_array().unwrap().len(), 2);
    let some = world.asked(&world.alice, "/api/v3/account?omitZeroBalances=true").await;
    assert_eq!(some["balances"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_trades_are_paged_by_id_order_and_time() {
    let world = World::new().await;
    for price in ["50000", "50001", "50002"] {
        world.dealt(price).await;
    }
    let ids = async |query: &str| {
        let path = format!("/api/v3/myTrades?symbol=BTCUSDT{query}");
        let trades = world.asked(&world.bob, &path).await;
        trades
            .as_array()
            .unwrap()
            .iter()
            .map(|trade| trade["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [1, 2, 3]);
    assert_eq!(ids("&limit=2").await, [2, 3]);
    assert_eq!(ids("&fromId=2&limit=1").await, [2]);
    assert_eq!(ids("&startTime=1&limit=2").await, [1, 2]);
    let orders = world.asked(&world.bob, "/api/v3/allOrders?symbol=BTCUSDT").await;
    assert_eq!(ids(&format!("&orderId={}", orders[1]["orderId"])).await, [2]);
    let query = "symbol=BTCUSDT&fromId=1&startTime=1";
    let refused = world.signed(&world.bob, "GET", "/api/v3/myTrades", query).await;
    assert_eq!(refused.code(), -1128);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_counts_and_filters_are_told() {
    let world = World::new().await;
    let form = "type=LIMIT&timeInForce=GTC&price=50000";
    for quantity in ["0.3", "0.2", "0.1"] {
        world.order(&world.alice, &format!("side=SELL&quantity={quantity}&{form}")).await.ok();
    }
    let limits = world.asked(&world.alice, "/api/v3/rateLimit/order").await;
    assert_eq!((&limits[0]["interval"], &limits[0]["limit"]), (&json!("SECOND"), &json!(100)));
    assert_eq!((&limits[1]["interval"], &limits[1]["count"]), (&json!("DAY"), &json!(3)));
    // Who takes is filled at once. What rested counts no more from its first fill on, and only that.
    for quantity in ["0.1", "0.1", "0.2"] {
        let bought = world.order(&world.bob, &format!("side=BUY&quantity={quantity}&{form}")).await;
        assert_eq!(bought.headers["x-mbx-order-count-1d"], "0");
    }
    eventually("the count of unfilled orders", async || {
        let limits = world.asked(&world.alice, "/api/v3/rateLimit/order").await;
        if limits[1]["count"] == 1 { Ok(()) } else { Err(limits) }
    })
    .await;
    let filters = world.asked(&world.bob, "/api/v3/myFilters?symbol=BTCUSDT").await;
    assert_eq!(filters["symbolFilters"][0]["filterType"], "PRICE_FILTER");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_insist_on_at_start_is_answered_truthfully() {
    let world = with_fees().await;
    assert_eq!(world.ask("/sapi/v1/system/status").await.ok()["status"], 0);
    for path in [
        "/sapi/v1/margin/allPairs",
        "/sapi/v1/margin/isolated/allPairs",
        "/sapi/v1/margin/allAssets",
        "/sapi/v1/spot/delist-schedule",
    ] {
        assert_eq!(world.asked(&world.alice, path).await, json!([]), "{path}");
    }
    let coins = world.asked(&world.alice, "/sapi/v1/capital/config/getall").await;
    assert_eq!((&coins[0]["coin"], &coins[0]["free"]), (&json!("BTC"), &json!("10.00000000")));
    let fees = world.asked(&world.alice, "/sapi/v1/asset/tradeFee").await;
    let fee = json!({"symbol": "BTCUSDT", "makerCommission": "0.00050000", "takerCommission": "0.00100000"});
    assert_eq!(fees, json!([fee]));
    let deposits = world.asked(&world.alice, "/sapi/v1/capital/deposit/hisrec").await;
    assert_eq!(
        (&deposits[0]["coin"], &deposits[0]["amount"]),
        (&json!("BTC"), &json!("10.00000000"))
    );
    assert_eq!(world.asked(&world.alice, "/sapi/v1/capital/withdraw/history").await, json!([]));
    let all = deposits.as_array().unwrap();
    let oldest = all.last().unwrap();
    let pages = [
        ("status=1".to_owned(), &all[..]),
        ("status=0".to_owned(), &all[..0]),
        ("offset=1".to_owned(), &all[1..]),
        (format!("limit=1&offset={}", all.len() - 1), std::slice::from_ref(oldest)),
        (format!("offset={}", all.len()), &all[..0]),
    ];
    let page = async |query: &str| {
        let path = format!("/sapi/v1/capital/deposit/hisrec?{query}");
        world.asked(&world.alice, &path).await
    };
    for (query, expected) in pages {
        assert_eq!(page(&query).await, json!(expected), "{query}");
    }
    // What is too late does not count towards the limit.
    let first = page(&format!("limit=1&endTime={}", oldest["insertTime"])).await;
    assert_eq!(first[0]["insertTime"], oldest["insertTime"]);
    let assets = world.signed(&world.alice, "POST", "/sapi/v3/asset/getUserAsset", "").await.ok();
    assert_eq!(assets[0]["free"], "10.00000000");
}

async fn stream(world: &World, method: &str, query: &str) -> Said {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v3/userDataStream?{query}"))
        .header("x-mbx-apikey", &world.alice.key);
    send(&world.router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn listen_keys_need_a_key_and_no_signature() {
    let world = World::new().await;
    let begun = stream(&world, "POST", "").await.ok();
    let name = begun["listenKey"].as_str().unwrap();
    assert_eq!(name.len(), 64);
    assert_eq!(stream(&world, "POST", "").await.ok(), begun, "the same one while it is valid");
    let named = format!("listenKey={name}");
    assert_eq!(stream(&world, "PUT", &named).await.ok(), json!({}));
    assert_eq!(stream(&world, "DELETE", &named).await.ok(), json!({}));
    let gone = stream(&world, "PUT", &named).await;
    assert_eq!(gone.error(), (400, -1125, "This listenKey does not exist."));
    assert_eq!(stream(&world, "PUT", "").await.code(), -1102);
    let nobody = Request::post("/api/v3/userDataStream").body(Body::empty()).unwrap();
    assert_eq!(send(&world.router, nobody).await.code(), -2014);
    let _: Value = begun;
}
