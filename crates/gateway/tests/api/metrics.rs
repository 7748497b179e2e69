//! What `/metrics` shows of trading.

use serde_json::json;
use tower::ServiceExt;

use crate::client::now_millis;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn orders_books_and_sockets_have_figures_by_pair_under_the_names_that_dashboards_know() {
    let world = World::new().await;
    for price in ["60000", "60001"] {
        world.limit(&world.alice, "sell", price, "0.01").await.ok();
    }
    world.limit(&world.bob, "buy", "59000", "0.01").await.ok();
    // A trigger needs a last price.
    world.limit(&world.bob, "buy", "60000", "0.01").await.ok();
    world.limit(&world.alice, "sell", "60000", "0.01").await.ok();
    let stop = json!({
        "market": "BTC-USDT", "side": "sell", "type": "stop_loss", "quantity": "0.01", "stop_price": "50000",
    });
    world.post(&world.alice, "/v1/orders", stop).await.ok();
    let list = json!({"market": "BTC-USDT", "legs": [
        {"side": "sell", "type": "limit", "price": "66000", "quantity": "0.01"},
        {"side": "sell", "type": "stop_loss", "stop_price": "51000", "quantity": "0.01"},
    ]});
    world.post(&world.alice, "/v1/order-lists", list).await.ok();
    // A rejected order was processed too.
    let refused = world.limit(&world.bob, "buy", "59000", "1000").await;
    assert_eq!(refused.code(), "InsufficientBalance");
    // The book is a view, which follows the answers.
    let text = world.counts(r#"exchange_order_book_depth{pair="BTC-USDT",side="sell"} 3"#).await;
    for line in [
        r#"exchange_order_book_depth{pair="BTC-USDT",side="buy"} 1"#,
        r#"exchange_orders_processed_total{pair="BTC-USDT"} 9"#,
        r#"exchange_order_latency_seconds_count{pair="BTC-USDT",type="limit"} 7"#,
        r#"exchange_order_latency_seconds_count{pair="BTC-USDT",type="stop_loss"} 2"#,
        r#"exchange_order_latency_seconds_bucket{pair="BTC-USDT",type="limit",le="+Inf"} 7"#,
        r#"exchange_ws_connections_active{server="gateway"} 0"#,
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nnot in\n{text}");
    }
    assert!(!text.contains(r#"type="market""#), "nobody placed one");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_at_the_market_are_counted_by_how_much_of_them_was_filled() {
    let world = World::new().await;
    let buy = async |quantity: &str| {
        let order = json!({
            "market": "BTC-USDT", "side": "buy", "type": "market", "quantity": quantity, "max_spend": "100000",
        });
        world.post(&world.bob, "/v1/orders", order).await
    };
    assert!(!buy("0.1").await.status.is_success(), "nobody sells");
    world.limit(&world.alice, "sell", "60000", "0.3").await.ok();
    buy("0.1").await.ok();
    buy("0.1").await.ok();
    buy("0.5").await.ok();
    let text = world.metrics().await;
    for (fill, count) in [("whole", 2), ("part", 1), ("none", 0), ("rejected", 1)] {
        let line =
            format!(r#"exchange_market_orders_total{{pair="BTC-USDT",fill="{fill}"}} {count}"#);
        assert!(text.lines().any(|l| l == line), "{line}\nnot in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_told_where_the_time_of_a_command_went() {
    let world = World::new().await;
    let ask = async |path: &str, method: &str, body: &str, asks: bool| {
        let mut request = world.alice.signed(now_millis(), None, method, path, body);
        if asks {
            request.headers_mut().insert("x-outcry-timing", "1".parse().unwrap());
        }
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert!(response.status().is_success());
        response.headers().get("server-timing").map(|told| told.to_str().unwrap().to_owned())
    };
    let order = json!({
        "market": "BTC-USDT", "side": "sell", "type": "limit", "price": "60000", "quantity": "0.01",
    });
    let order = order.to_string();
    let told = ask("/v1/orders", "POST", &order, true).await.expect("it asked");
    let stages: Vec<_> = told.split(", ").map(|stage| stage.split_once(";dur=").unwrap()).collect();
    let names: Vec<_> = stages.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["gateway", "queue", "match", "journal", "reply"]);
    let journal: f64 = stages[3].1.parse().unwrap();
    assert!(journal > 0.0, "a write and a sync: {told}");
    assert_eq!(ask("/v1/orders", "POST", &order, false).await, None, "nobody asked");
    assert_eq!(ask("/v1/balances", "GET", "", true).await, None, "no command");
    let text = world.metrics().await;
    for stage in names {
        let count = format!("exchange_stage_seconds_count{{stage=\"{stage}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&count)).expect(stage);
        assert!(line.parse::<u64>().unwrap() >= 2, "{stage}: {line}");
    }
}
