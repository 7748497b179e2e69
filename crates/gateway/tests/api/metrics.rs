//! What `/metrics` shows of trading.

use serde_json::json;

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
    let mut text = world.metrics().await;
    let asks = r#"exchange_order_book_depth{pair="BTC-USDT",side="sell"} 3"#;
    for _ in 0..6_000 {
        if text.lines().any(|line| line == asks) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        text = world.metrics().await;
    }
    for line in [
        asks,
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
