//! What `docs/compatibility.md` says differs everywhere.

use serde_json::{Value, json};

use crate::world::World;

const LIMIT: &str = "type=LIMIT&timeInForce=GTC";

#[tokio::test(flavor = "multi_thread")]
async fn markets_that_8_decimals_or_one_name_cannot_tell_are_not_known() {
    let world = World::new().await;
    for (symbol, scale) in [("BT", 8), ("CUSDT", 6), ("ETH", 18)] {
        let asset = json!({ "symbol": symbol, "scale": scale });
        world.admin("POST", "/v1/admin/assets", asset).await.ok();
    }
    for (symbol, base, quote) in [("BT-CUSDT", "BT", "CUSDT"), ("ETH-USDT", "ETH", "USDT")] {
        let market = json!({
            "symbol": symbol, "base": base, "quote": quote, "tick": "0.01", "lot": "0.0001",
            "max_price": "1000", "max_quantity": "1000",
        });
        world.admin("POST", "/v1/admin/markets", market).await.ok();
    }
    let info = world.ask("/api/v3/exchangeInfo").await.ok();
    let names: Vec<_> = info["symbols"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 1, "{info}");
    assert_eq!((&names[0]["symbol"], &names[0]["baseAsset"]), (&json!("BTCUSDT"), &json!("BTC")));
    assert_eq!(world.ask("/api/v3/depth?symbol=ETHUSDT").await.code(), -1121);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_filled_at_once_and_cannot_be_leaves_no_order() {
    let world = World::new().await;
    for form in ["type=LIMIT&timeInForce=FOK&price=100", "type=MARKET"] {
        let refused = world.order(&world.bob, &format!("side=BUY&quantity=1&{form}")).await;
        assert_eq!(refused.code(), -2010, "{form}");
    }
    assert_eq!(world.asked(&world.bob, "/api/v3/allOrders?symbol=BTCUSDT").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn trailing_orders_that_the_engine_does_not_have_are_refused() {
    let world = World::new().await;
    world.dealt("50000").await;
    for (form, who) in [
        ("side=SELL&type=STOP_LOSS&stopPrice=49000", &world.alice),
        ("side=SELL&type=TAKE_PROFIT", &world.alice),
        ("side=BUY&type=STOP_LOSS", &world.bob),
        ("side=BUY&type=TAKE_PROFIT&stopPrice=49000", &world.bob),
    ] {
        let refused = world.order(who, &format!("{form}&trailingDelta=100&quantity=0.1")).await;
        assert_eq!(refused.code(), -1013, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strategies_and_modes_against_self_trades_are_forgotten() {
    let world = World::new().await;
    let more = "strategyId=7&strategyType=1000000&selfTradePreventionMode=EXPIRE_TAKER";
    let form = format!("side=SELL&{LIMIT}&quantity=1&price=60000&{more}");
    let placed = world.order(&world.alice, &form).await.ok();
    assert_eq!(placed["selfTradePreventionMode"], "EXPIRE_TAKER");
    let path = format!("/api/v3/order?symbol=BTCUSDT&orderId={}", placed["orderId"]);
    let found = world.asked(&world.alice, &path).await;
    assert_eq!(found["selfTradePreventionMode"], "NONE");
    for told in [placed, found] {
        assert_eq!((told.get("strategyId"), told.get("strategyType")), (None, None), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebate_is_a_commission_below_zero_in_what_the_maker_paid() {
    let world = World::new().await;
    let fees = json!({ "maker_ppm": -50, "taker_ppm": 400 });
    world.admin("PUT", "/v1/admin/fee-tiers/0", fees).await.ok();
    world.dealt("50000").await;
    let commission = |trades: &Value| {
        ["commission", "commissionAsset"].map(|name| trades[0][name].as_str().unwrap().to_owned())
    };
    let path = "/api/v3/myTrades?symbol=BTCUSDT";
    assert_eq!(commission(&world.asked(&world.alice, path).await), ["-0.00000500", "BTC"]);
    assert_eq!(commission(&world.asked(&world.bob, path).await), ["0.00004000", "BTC"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_auction_nobody_takes() {
    let world = World::new().await;
    let state = "/v1/admin/markets/BTC-USDT/state";
    world.admin("PUT", state, json!({ "state": "auction" })).await.ok();
    for (who, side) in [(&world.bob, "BUY"), (&world.alice, "SELL")] {
        let form = format!("side={side}&{LIMIT}&quantity=0.1&price=50000");
        assert_eq!(world.order(who, &form).await.ok()["status"], "NEW");
    }
    world.admin("PUT", state, json!({ "state": "continuous" })).await.ok();
    let trades = world.ask("/api/v3/trades?symbol=BTCUSDT").await.ok();
    assert_eq!((&trades[0]["id"], &trades[0]["isBuyerMaker"]), (&json!(1), &json!(false)));
    assert_eq!(trades.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_pair_ignores_icebergs_and_trails() {
    let world = World::new().await;
    world.dealt("50000").await;
    let form = "symbol=BTCUSDT&side=SELL&quantity=0.5&price=60000&stopPrice=40000&\
                limitIcebergQty=0.1&stopIcebergQty=0.1&trailingDelta=100";
    let placed = world.posted(&world.alice, "POST", "/api/v3/order/oco", form).await.ok();
    for report in placed["orderReports"].as_array().unwrap() {
        assert_eq!((report.get("icebergQty"), report.get("trailingDelta")), (None, None));
    }
}
