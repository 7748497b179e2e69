//! While requests wait: what is refused over HTTP, in the Binance dialect and on sockets, with waits that
//! the tests say.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use node::Exchange;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::rig::{Options, P0, Rig};
use crate::config::Limits;

const TARGET: Duration = Duration::from_millis(10);

async fn rig() -> Rig {
    let limits = Limits { shed_above: TARGET, ..Limits::default() };
    let rig = Rig::with(Options { limits, ..Options::default() }).await;
    // A busy machine is no part of these tests.
    rig.shared.shedding.tell(&[]);
    rig
}

/// All of one class, and of those before it.
fn refuse(rig: &Rig, classes: u32) {
    rig.shared.shedding.tell(&[4 * classes * TARGET; 3]);
}

/// Status, `Retry-After` and body of a request that nobody has signed.
async fn ask(rig: &Rig, method: &str, path: &str) -> (u16, Option<String>, String) {
    let request = Request::builder().method(method).uri(path);
    // No JSON: whoever looks at it says so.
    let request = request.body(Body::from("{")).unwrap();
    let router = crate::http::router(rig.shared.clone());
    let response = router.oneshot(request).await.unwrap();
    let after = response.headers().get("retry-after");
    let after = after.map(|value| value.to_str().unwrap().to_owned());
    let states_weight = response.headers().contains_key("x-mbx-used-weight");
    assert_eq!(states_weight, path.starts_with("/api"), "{method} {path}");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, after, String::from_utf8(body.to_vec()).unwrap())
}

async fn is_refused(rig: &Rig, method: &str, path: &str) -> bool {
    let (status, after, body) = ask(rig, method, path).await;
    let is_refused = if path.starts_with("/api") {
        body.contains("-1008")
    } else {
        body.contains("\"Overloaded\"") && body.contains("\"retryable\":true")
    };
    assert_eq!(is_refused, status == 503, "{method} {path}: {status} {body}");
    assert_eq!(is_refused, after.as_deref() == Some("1"), "{method} {path}: {after:?}");
    is_refused
}

/// What is refused in this order, natively and in the dialect.
const REQUESTS: [(&str, &str); 6] = [
    ("GET", "/v1/markets/BASE-QUOTE/depth"),
    ("GET", "/api/v3/time"),
    ("GET", "/v1/balances"),
    ("GET", "/api//v3/account/"),
    ("POST", "/v1/orders"),
    ("POST", "/api/v3/order"),
];
const SPARED: [(&str, &str); 5] = [
    ("DELETE", "/v1/orders"),
    ("DELETE", "/v1/orders/BASE-QUOTE/1"),
    ("DELETE", "/api/v3/order"),
    ("DELETE", "/api/v3/openOrders"),
    ("PUT", "/v1/countdown"),
];

#[tokio::test]
async fn reads_are_refused_before_orders_and_cancels_never_before_a_signature_is_looked_at() {
    let rig = rig().await;
    for classes in 0..=3 {
        refuse(&rig, classes);
        for (at, (method, path)) in REQUESTS.into_iter().enumerate() {
            let expected = at / 2 < classes as usize;
            assert_eq!(is_refused(&rig, method, path).await, expected, "{path} at {classes}");
        }
        for (method, path) in SPARED {
            assert!(!is_refused(&rig, method, path).await, "{path} at {classes}");
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_operators_machinery_asks_is_answered_while_everything_is_refused() {
    let rig = rig().await;
    refuse(&rig, 3);
    assert!(is_refused(&rig, "GET", "/v1/tickers").await);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(ask(&rig, "GET", path).await.0, 200, "{path}");
    }
    let (_, _, figures) = ask(&rig, "GET", "/metrics").await;
    let line = r#"outcry_shed_total{class="public_read"} 1"#;
    assert!(figures.lines().any(|l| l == line), "{figures}");
    rig.stop().await;
}

#[tokio::test]
async fn on_a_socket_orders_are_refused_without_a_command_while_its_cancels_pass() {
    let rig = rig().await;
    let mut client = rig.logged_in(1).await;
    let order = |id: &str| {
        json!({ "market": "BASE-QUOTE", "side": "buy", "type": "limit", "price": "90.0",
            "quantity": "1.0", "client_order_id": id })
    };
    let placed = client.ok("place_order", order("a")).await;
    refuse(&rig, 3);
    let before = rig.node.feed(P0).head();
    let fields = json!({ "market": "BASE-QUOTE", "order_id": placed["id"] });
    let amend = json!({ "market": "BASE-QUOTE", "order_id": placed["id"], "quantity": "0.4" });
    let replace = json!({ "cancel": fields, "place": order("b") });
    for (op, fields) in
        [("place_order", order("b")), ("amend_order", amend), ("replace_order", replace)]
    {
        let answer = client.call(op, fields).await;
        let told = (&answer["op"], &answer["status"], &answer["error"]["code"]);
        assert_eq!(told, (&json!(op), &json!(503), &json!("Overloaded")), "{answer}");
    }
    let answer = client.call("place_orders", json!({ "orders": [order("b"), order("c")] })).await;
    assert_eq!(answer["error"]["code"], json!("Overloaded"), "{answer}");
    assert_eq!(rig.node.feed(P0).head(), before, "a command was sent");
    assert_eq!(client.ok("cancel_order", fields).await["id"], placed["id"]);
    let gone = client.ok("cancel_orders", json!({ "orders": [{ "client_order_id": "x" }] })).await;
    assert_eq!(gone["orders"][0]["error"]["code"], json!("UnknownOrder"), "{gone}");
    client.ok("ping", json!({})).await;
    client.subscribe(&["depth:BASE-QUOTE"]).await;
    // The same order, under the same name, is taken afterwards.
    refuse(&rig, 0);
    let placed: Value = client.ok("place_order", order("b")).await;
    assert_eq!(placed["repeated"], json!(false), "{placed}");
    rig.stop().await;
}
