//! What everybody reads is the same before and after a restart, whether the views come from their
//! snapshot or, without a usable one, from the events.

use std::fs;
use std::path::Path;

use crate::support::{Http, Key, Server, found, place};
use serde_json::{Value, json};

const RESTORED: &str = "views restored from";
const NOT_USED: &str = "views.snapshot is not used";
const NONE: &str = "the views are built from the first event on";
const FROM_EVENTS: [&str; 3] = [RESTORED, NOT_USED, NONE];

#[test]
fn depth_balances_and_candles_are_the_same_after_every_kind_of_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let snapshot = data.join("views.snapshot");
    let server = start(&data);
    let admin = server.admin.clone().expect("shown at the first start");
    assert_eq!(server.says(&FROM_EVENTS), NONE);
    let mut http = server.http();
    let traders = found(&mut http, &admin);
    trade(&mut http, &traders);
    let before = readings(&mut http, &traders);
    assert_eq!(before[0]["asks"].as_array().map(Vec::len), Some(2), "{}", before[0]);
    assert_eq!(before[1]["candles"][0]["volume"], "0.30000", "{}", before[1]);
    server.stop();

    // In order: the views were saved at the end.
    let server = start(&data);
    assert_eq!(server.says(&FROM_EVENTS), RESTORED);
    assert_eq!(readings(&mut server.http(), &traders), before);

    // Killed after more has happened: the snapshot, then the events after it.
    cancel_one(&mut server.http(), &traders[0]);
    let before = readings(&mut server.http(), &traders);
    assert_eq!(before[0]["asks"].as_array().map(Vec::len), Some(1), "{}", before[0]);
    server.kill();
    let server = start(&data);
    assert_eq!(server.says(&FROM_EVENTS), RESTORED);
    assert_eq!(readings(&mut server.http(), &traders), before);
    server.stop();

    // With a damaged snapshot, from the first event on.
    let mut bytes = fs::read(&snapshot).expect("saved at the end");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&snapshot, bytes).expect("the folder is ours");
    let server = start(&data);
    assert_eq!(server.says(&FROM_EVENTS[..2]), NOT_USED);
    assert_eq!(readings(&mut server.http(), &traders), before);
    server.stop();

    // Streams and commands go on where the views stand: what is done now is seen.
    let server = start(&data);
    assert_eq!(server.says(&FROM_EVENTS), RESTORED);
    let mut http = server.http();
    place(&mut http, &traders[1], "buy", "59000.00", "0.10000");
    let after = readings(&mut http, &traders);
    assert_eq!(after[0]["bids"].as_array().map(Vec::len), Some(1), "{}", after[0]);
    server.stop();
}

#[test]
fn what_waits_for_its_trigger_waits_on_after_every_kind_of_restart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let server = start(&data);
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    let traders = found(&mut http, &admin);
    trade(&mut http, &traders);
    let [seller, buyer] = &traders;
    let stop = |price: &str| {
        json!({
            "market": "BTC-USDT", "side": "sell", "type": "stop_loss", "quantity": "0.10000",
            "stop_price": price, "client_order_id": format!("at-{price}"),
        })
    };
    let fires = http.ok(seller, "POST", "/v1/orders", Some(stop("59000.00")))["id"].clone();
    http.ok(seller, "POST", "/v1/orders", Some(stop("58000.00")));
    let waiting = readings(&mut http, &traders);
    assert_eq!(statuses(&mut http, seller, "waiting"), 2);
    server.stop();

    let server = start(&data);
    assert_eq!(readings(&mut server.http(), &traders), waiting);
    server.kill();

    // Without the views' snapshot, and by the log alone.
    let _ = fs::remove_file(data.join("views.snapshot"));
    let server = start(&data);
    let mut http = server.http();
    assert_eq!(readings(&mut http, &traders), waiting);

    // The triggers are those of before: one fires, the other can be cancelled.
    place(&mut http, buyer, "buy", "59000.00", "0.10000");
    place(&mut http, buyer, "buy", "58500.00", "0.10000");
    place(&mut http, seller, "sell", "59000.00", "0.10000");
    let path = format!("/v1/orders/BTC-USDT/{fires}");
    let order = http.ok(seller, "GET", &path, None)["order"].clone();
    assert_eq!(order["status"], "filled", "{order}");
    assert_eq!(order["filled_quote"], "5850.00000000", "{order}");
    assert_eq!(statuses(&mut http, seller, "waiting"), 1);
    http.ok(seller, "DELETE", "/v1/orders/by-client-id/at-58000.00", None);
    assert_eq!(statuses(&mut http, seller, "waiting"), 0);
    server.stop();
}

/// How many open orders have this status.
fn statuses(http: &mut Http, key: &Key, status: &str) -> usize {
    let open = http.ok(key, "GET", "/v1/orders?status=open", None);
    let orders = open["orders"].as_array().expect("a list");
    orders.iter().filter(|order| order["status"] == status).count()
}

fn start(data: &Path) -> Server {
    Server::start(data, None, &["--no-demo"]).unwrap_or_else(|output| panic!("{output}"))
}

/// Leaves two asks, one of them taken in part.
fn trade(http: &mut Http, [seller, buyer]: &[Key; 2]) {
    place(http, seller, "sell", "60000.00", "0.50000");
    place(http, seller, "sell", "61000.00", "0.70000");
    place(http, buyer, "buy", "60000.00", "0.30000");
}

fn cancel_one(http: &mut Http, key: &Key) {
    let open = http.ok(key, "GET", "/v1/orders?status=open", None);
    let path = format!("/v1/orders/BTC-USDT/{}", open["orders"][0]["id"]);
    http.ok(key, "DELETE", &path, None);
}

/// Depth, candles, trades, ticker, and each trader's balances and open orders, as they are once all
/// that was answered is seen. Which entry was seen last, and its time, are left out: a start adds one.
fn readings(http: &mut Http, traders: &[Key]) -> Vec<Value> {
    // A signed read waits for what this trader was answered: after these, all that was is seen.
    for key in traders {
        http.ok(key, "GET", "/v1/balances", None);
    }
    let mut private = Vec::new();
    for key in traders {
        for path in ["/v1/balances", "/v1/orders?status=open"] {
            private.push(http.ok(key, "GET", path, None));
        }
    }
    let mut all = Vec::new();
    for what in ["depth", "candles", "trades", "ticker"] {
        let path = format!("/v1/markets/BTC-USDT/{what}");
        let (status, answer) = http.send(None, "GET", &path, None).expect("an answer");
        assert_eq!(status, 200, "{answer}");
        all.push(answer);
    }
    all.extend(private);
    for answer in &mut all {
        for last in ["seq", "time", "watermarks"] {
            answer.as_object_mut().expect("an object").remove(last);
        }
    }
    all
}
