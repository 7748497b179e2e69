//! Paths, methods, limits, and data that is not there yet.

use gateway::{GatewayConfig, Limits};
use std::time::Duration;

use crate::client::Client;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_reserved_paths_are_told_apart() {
    let world = World::new().await;
    let public = Client::default();
    for (method, path, code, status) in [
        ("GET", "/v1/nothing", "NotFound", 404),
        ("GET", "/v1/time/", "NotFound", 404),
        ("POST", "/v1/time", "MethodNotAllowed", 405),
        ("GET", "/v1/markets/BTC-USDT/candles?interval=2m", "InvalidField", 400),
        ("GET", "/v1/markets/BTC-USDT/depth?limit=x", "InvalidField", 400),
        ("GET", "/v1/markets/NO-SUCH/depth", "UnknownMarket", 404),
    ] {
        let answer = public.send(&world.router, method, path, "").await;
        assert_eq!((answer.code(), answer.status.as_u16()), (code, status), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_is_refused_unread() {
    let world = World::new().await;
    let body = format!("{{\"market\":\"{}\"}}", "x".repeat(64 << 10));
    let answer = world.alice.send(&world.router, "POST", "/v1/orders", &body).await;
    assert_eq!((answer.code(), answer.status.as_u16()), ("BodyTooLarge", 413));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_what_is_not_there_yet_says_so_within_its_bound() {
    let limits = Limits { watermark_timeout: Duration::from_millis(20), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let public = Client::default();
    let tickers = world.get(&public, "/v1/tickers").await.ok();
    let seq = tickers["tickers"][0]["seq"].as_u64().unwrap();
    let there = format!("/v1/markets/BTC-USDT/ticker?min_seq={seq}");
    assert!(world.get(&public, &there).await.ok()["seq"].as_u64().unwrap() >= seq);
    for path in
        ["/v1/markets/BTC-USDT/ticker?min_seq=99999999", "/v1/assets?min_seq=0:1,0:99999999"]
    {
        let answer = world.get(&public, path).await;
        assert_eq!((answer.code(), answer.status.as_u16()), ("NotCaughtUp", 503));
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_figures_are_there() {
    let world = World::new().await;
    world.limit(&world.alice, "sell", "60000", "1").await.ok();
    let public = Client::default();
    for path in ["/livez", "/readyz", "/docs"] {
        assert_eq!(public.send(&world.router, "GET", path, "").await.status, 200, "{path}");
    }
    let response = tower::ServiceExt::oneshot(
        world.router.clone(),
        public.signed(0, None, "GET", "/metrics", ""),
    );
    let body = axum::body::to_bytes(response.await.unwrap().into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let line = r#"outcry_http_requests_total{method="POST",route="/v1/orders",status="2xx"} 1"#;
    assert!(text.lines().any(|found| found == line), "{text}");
}
