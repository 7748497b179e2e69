//! One order on the real binary, from the first byte over HTTP to its rows in SQL: placed, rested,
//! matched in part, told on a stream, cancelled, in the history, explained, and still there after a
//! restart.

use std::path::Path;

use crate::support::{Http, Key, Server, eventually, found, outcry, subscribe, told};
use serde_json::{Value, json};

#[test]
fn an_order_lives_as_it_is_told_everywhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let server = Server::start(&data, None, &["--no-demo"]).unwrap_or_else(|out| panic!("{out}"));
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    let [alice, bob] = found(&mut http, &admin);
    let mut stream = subscribe(&server, &alice);

    // 1. It is placed and rests: what it needs is held.
    let ask = limit("sell", "60000.00", "0.50000", "alice-1");
    let placed = http.ok(&alice, "POST", "/v1/orders", Some(ask));
    let order = placed["id"].clone();
    assert_eq!(placed["order"]["status"], "open", "{placed}");
    assert_eq!(told(&mut stream, "order_rested")["quantity"], "0.50000");
    assert_eq!(balance(&mut http, &alice, "BTC"), ("9.50000000".into(), "0.50000000".into()));

    // 2. Somebody takes part of it, at its price.
    let bid = limit("buy", "60001.00", "0.20000", "bob-1");
    let taken = http.ok(&bob, "POST", "/v1/orders", Some(bid));
    assert_eq!(taken["order"]["status"], "filled", "{taken}");
    assert_eq!(taken["fills"][0]["price"], "60000.00");
    let trade = told(&mut stream, "trade");
    assert_eq!((&trade["order_id"], &trade["quantity"]), (&order, &json!("0.20000")));
    assert_eq!(
        (&trade["remaining_quantity"], &trade["liquidity"]),
        (&json!("0.30000"), &json!("maker"))
    );
    assert_eq!(balance(&mut http, &alice, "USDT").0, "12000.00000000");
    assert_eq!(balance(&mut http, &bob, "BTC").0, "0.20000000");

    // 3. The same command again is the same order.
    let again = limit("sell", "60000.00", "0.50000", "alice-1");
    let repeated = http.ok(&alice, "POST", "/v1/orders", Some(again));
    assert_eq!((&repeated["id"], &repeated["repeated"]), (&order, &json!(true)));

    // 4. Its owner cancels the rest, and gets what was held.
    let path = format!("/v1/orders/BTC-USDT/{order}");
    http.ok(&alice, "DELETE", &path, None);
    let cancelled = told(&mut stream, "order_cancelled");
    assert_eq!(
        (&cancelled["order_id"], &cancelled["remaining_quantity"]),
        (&order, &json!("0.30000"))
    );
    assert_eq!(balance(&mut http, &alice, "BTC"), ("9.80000000".into(), "0.00000000".into()));

    // 5. SQL has its row and its fill.
    in_history(&mut http, &alice, &order);

    // 6. Stopped, the directory is sound, and the order can be explained.
    server.stop();
    let path = data.to_str().expect("text");
    let (is_sound, said) = outcry(&["verify", path]);
    assert!(is_sound, "{said}");
    let (is_known, said) =
        outcry(&["explain", "order", "BTC-USDT", &order.to_string(), "--data", path]);
    assert!(is_known && said.contains("0.50000 at 60000.00"), "{said}");

    // 7. After a restart nothing has changed.
    let server = Server::start(&data, None, &[]).unwrap_or_else(|out| panic!("{out}"));
    assert!(server.admin.is_none(), "the admin key is shown once");
    let mut http = server.http();
    assert_eq!(balance(&mut http, &alice, "BTC"), ("9.80000000".into(), "0.00000000".into()));
    in_history(&mut http, &alice, &order);
    no_demo_was_added(&mut http, &data);
    server.stop();
}

fn limit(side: &str, price: &str, quantity: &str, client_order_id: &str) -> Value {
    json!({
        "market": "BTC-USDT", "side": side, "type": "limit", "price": price,
        "quantity": quantity, "client_order_id": client_order_id,
    })
}

/// Available and held. Signed reads wait for what was answered before.
fn balance(http: &mut Http, key: &Key, asset: &str) -> (String, String) {
    let answer = http.ok(key, "GET", "/v1/balances", None);
    let balances = answer["balances"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("a decimal").to_owned();
    let found = balances.iter().find(|balance| balance["asset"] == asset);
    found.map_or_else(Default::default, |b| (text(&b["available"]), text(&b["held"])))
}

/// SQL follows the events: its rows are there soon.
fn in_history(http: &mut Http, key: &Key, order: &Value) {
    let (row, fill) = eventually("no history yet", || {
        let closed = http.ok(key, "GET", "/v1/orders?status=closed", None);
        let fills = http.ok(key, "GET", "/v1/fills", None);
        let row =
            closed["orders"].as_array().and_then(|rows| rows.iter().find(|r| r["id"] == *order));
        let fill = fills["fills"].as_array().and_then(|rows| rows.first());
        row.cloned().zip(fill.cloned()).ok_or((closed, fills))
    });
    assert_eq!((&row["status"], &row["filled_quantity"]), (&json!("cancelled"), &json!("0.20000")));
    assert_eq!((&fill["order_id"], &fill["quantity"]), (order, &json!("0.20000")));
}

/// A directory that was made without the demonstration never gets it.
fn no_demo_was_added(http: &mut Http, data: &Path) {
    assert!(!data.join("DEMO").exists());
    let (status, _) = http.send(None, "GET", "/v1/demo/session", None).expect("an answer");
    assert_eq!(status, 404);
    let (_, markets) = http.send(None, "GET", "/v1/markets", None).expect("an answer");
    assert_eq!(markets["markets"].as_array().map(Vec::len), Some(1));
}
