//! Bad input, limits, the end of the server, and the page.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

use super::client::Client;
use super::rig::{Options, Rig};

#[tokio::test]
async fn bad_input_is_refused_with_a_code_and_the_connection_stays_open() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    let cases = [
        ("subscribe", json!({}), "InvalidField"),
        ("subscribe", json!({ "channels": [] }), "InvalidField"),
        ("subscribe", json!({ "channels": ["books:X"] }), "InvalidField"),
        ("subscribe", json!({ "channels": ["depth:NO-SUCH"] }), "UnknownMarket"),
        ("subscribe", json!({ "channels": ["orders", "orders"] }), "InvalidField"),
        ("subscribe", json!({ "channels": ["orders"], "resume_from": "1" }), "InvalidField"),
        ("subscribe", json!({ "channels": ["orders"], "depth": 5 }), "UnknownField"),
        ("unsubscribe", json!({ "channels": ["orders"] }), "InvalidField"),
        ("dance", json!({}), "InvalidField"),
        ("list", json!({ "all": true }), "UnknownField"),
        ("place_order", json!({ "market": "BASE-QUOTE" }), "InvalidField"),
        ("cancel_order", json!({ "market": "BASE-QUOTE", "order_id": -1 }), "InvalidField"),
        ("cancel_all", json!({ "market": "NO-SUCH" }), "UnknownMarket"),
    ];
    for (op, fields, code) in cases {
        let answer = client.call(op, fields.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{op} {fields}: {answer}");
        assert!(answer["status"].as_u64().unwrap() >= 400);
    }
    for message in [Message::text("{"), Message::text("[]"), Message::binary(vec![1, 2])] {
        client.send(message).await;
        assert_eq!(client.answer(&Value::Null).await["error"]["code"], "InvalidJson");
    }
    assert_eq!(client.ok("list", json!({})).await["channels"], json!([]));
    rig.stop().await;
}

#[tokio::test]
async fn subscriptions_connections_and_messages_are_limited() {
    let mut options = Options::default();
    options.limits.socket_subscriptions = 2;
    options.limits.sockets = 1;
    options.limits.socket_message = 1_000;
    let rig = Rig::with(options).await;
    let mut client = rig.connect().await;
    client.subscribe(&["depth:BASE-QUOTE"]).await;
    let two = json!({ "channels": ["ticker:BASE-QUOTE", "trades:BASE-QUOTE"] });
    assert_eq!(client.refusal("subscribe", two).await, "RateLimited");
    let stream = TcpStream::connect(rig.address).await.unwrap();
    match Client::over(stream, rig.address).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
            assert_eq!(answer.status(), 503)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("one connection too many"),
    }
    client.send(Message::text("x".repeat(1_001))).await;
    assert_eq!(client.close_frame().await.0, 1009);
    rig.until(|rig| rig.shared.sockets.is_empty()).await;
    rig.connect().await.subscribe(&["depth:BASE-QUOTE"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn who_sends_too_fast_is_refused_and_who_goes_on_is_cut() {
    let rig = Rig::start().await;
    let client = rig.connect().await;
    let (mut sink, mut client) = client.split();
    let flood = tokio::spawn(async move {
        use futures_util::SinkExt;
        let ping = Message::text(json!({ "id": 1, "op": "ping" }).to_string());
        while sink.send(ping.clone()).await.is_ok() {}
    });
    let mut refused = 0;
    while let Some(answer) = client.next_answer().await {
        refused += usize::from(answer["error"]["code"] == "RateLimited");
    }
    assert!(refused > 0);
    assert_eq!(client.closed.map(|closed| closed.0), Some(4029));
    flood.await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn a_connection_sends_as_many_messages_as_it_was_configured_for() {
    let mut options = Options::default();
    options.limits.socket_rate = 1;
    options.limits.socket_burst = 5;
    options.limits.socket_refusals = 200;
    let rig = Rig::with(options).await;
    let mut client = rig.connect().await;
    let ids: Vec<u64> = {
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(client.ask("ping", json!({})).await);
        }
        ids
    };
    let mut taken = 0;
    for id in ids {
        let answer = client.answer(&json!(id)).await;
        taken += usize::from(answer["status"] == 200);
    }
    // The burst, and one more for each second that the machine took.
    assert!((5..50).contains(&taken), "{taken} of 100 were taken");
    rig.stop().await;
}

#[tokio::test]
async fn a_client_that_is_silent_for_as_long_as_configured_is_cut() {
    let mut options = Options::default();
    options.limits.socket_silence = std::time::Duration::from_millis(300);
    let rig = Rig::with(options).await;
    let idle = rig.connect().await;
    rig.until(|rig| rig.shared.sockets.len() == 1).await;
    // It reads nothing, so that it answers no ping.
    rig.until(|rig| rig.shared.sockets.is_empty()).await;
    drop(idle);
    rig.stop().await;
}

#[tokio::test]
async fn a_socket_is_cut_as_soon_as_its_key_is_revoked_and_others_are_not() {
    let mut options = Options::default();
    // No ping comes to help.
    options.limits.socket_silence = std::time::Duration::from_secs(3_600);
    let rig = Rig::with(options).await;
    let (key, secret) = rig.key(1);
    let mut cut = rig.connect().await;
    cut.login(&key, &secret).await;
    cut.subscribe(&["orders"]).await;
    let mut other = rig.logged_in(1).await;
    rig.shared.auth.forget(&key);
    assert_eq!(cut.close_frame().await, (4001, "the API key has been revoked".to_owned()));
    other.subscribe(&["orders"]).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_shutdown_answers_what_is_under_way_and_says_goodbye() {
    let rig = Rig::start().await;
    let mut client = rig.logged_in(1).await;
    client.subscribe(&["depth:BASE-QUOTE"]).await;
    client.next().await.unwrap();
    let mut idle = rig.connect().await;
    idle.ok("list", json!({})).await;
    rig.stop().await;
    for mut client in [client, idle] {
        let notice = client.until(|message| message["event"] == "server_shutdown").await;
        assert_eq!(notice.len(), 1);
        assert_eq!(client.close_frame().await.0, 1001);
    }
}

#[tokio::test]
async fn the_page_and_its_files_are_served_under_a_strict_policy() {
    let rig = Rig::start().await;
    let router = crate::http::router(std::sync::Arc::clone(&rig.shared));
    let index = include_str!("../../../assets/index.html");
    assert!(!index.contains("style=") && !index.contains("http://") && !index.contains("https://"));
    let mut paths = vec!["/"];
    let attributes = index.split('"').filter(|part| part.starts_with("/assets/"));
    paths.extend(attributes);
    assert!(paths.len() >= 4);
    for path in
        paths.into_iter().chain(["/assets/book.js", "/assets/chart.js", "/assets/trading.js"])
    {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'; connect-src 'self' ws: wss:"), "{path}");
    }
    rig.stop().await;
}
