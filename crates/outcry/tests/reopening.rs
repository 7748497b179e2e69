//! The real binary, ended by SIGKILL and in order: a market with the rule for it comes back through cancel-only
//! and an auction after the one, and trades on after the other (section 17 of the trading rules).

use std::path::Path;

use crate::support::{Http, Key, Server, eventually, found, outcry, place};
use serde_json::{Value, json};

const MARKET: &str = "/v1/markets/BTC-USDT";
/// Seconds that no test lasts.
const LONG: u32 = 100_000;

fn start(data: &Path) -> Server {
    Server::start(data, None, &["--no-demo"]).unwrap_or_else(|output| panic!("{output}"))
}

fn state(http: &mut Http) -> Value {
    let (status, answer) = http.send(None, "GET", MARKET, None).expect("an answer");
    assert_eq!(status, 200, "{answer}");
    answer["state"].clone()
}

fn put(http: &mut Http, admin: &Key, what: &str, body: Value) {
    http.ok(admin, "PUT", &format!("/v1/admin/markets/BTC-USDT/{what}"), Some(body));
}

/// So long cancel-only, and so long an auction.
fn demand_rule(http: &mut Http, admin: &Key, seconds: u32) {
    let steps = json!({ "cancel_only_seconds": seconds, "auction_seconds": seconds });
    put(http, admin, "rules", json!({ "reopening": steps }));
}

/// What an order to buy at 59,000 is told.
fn try_to_buy(http: &mut Http, key: &Key) -> (u16, Value) {
    let order = json!({
        "market": "BTC-USDT", "side": "buy", "type": "limit", "price": "59000.00", "quantity": "0.10000",
    });
    let (status, answer) =
        http.send(Some(key), "POST", "/v1/orders", Some(order)).expect("an answer");
    (status, answer["error"]["code"].clone())
}

/// A first start: an exchange with the rule, its operator, a seller and a buyer.
fn first_start(data: &Path, seconds: u32) -> (Server, Http, Key, [Key; 2]) {
    let server = start(data);
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    let traders = found(&mut http, &admin);
    demand_rule(&mut http, &admin, seconds);
    (server, http, admin, traders)
}

#[test]
fn a_market_is_cancel_only_after_sigkill_and_trades_on_after_an_orderly_stop() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let (server, mut http, admin, [seller, buyer]) = first_start(&data, LONG);
    let resting = place(&mut http, &seller, "sell", "60000.00", "0.50000");
    assert_eq!(state(&mut http), "continuous");
    server.stop();

    let server = start(&data);
    let mut http = server.http();
    assert_eq!(state(&mut http), "continuous", "the stop was orderly");
    place(&mut http, &buyer, "buy", "60000.00", "0.10000");
    server.kill();

    let server = start(&data);
    let mut http = server.http();
    assert_eq!(state(&mut http), "cancel_only", "the stop was none");
    assert_eq!(try_to_buy(&mut http, &buyer), (422, json!("MarketCancelOnly")));
    http.ok(&seller, "DELETE", &format!("/v1/orders/BTC-USDT/{resting}"), None);
    server.stop();

    let server = start(&data);
    let mut http = server.http();
    assert_eq!(state(&mut http), "cancel_only", "an orderly stop does not end the way back");
    put(&mut http, &admin, "state", json!({ "state": "continuous" }));
    place(&mut http, &buyer, "buy", "59000.00", "0.10000");
    server.stop();
}

#[test]
fn after_sigkill_a_market_goes_through_cancel_only_and_an_auction_and_trades_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let (server, mut http, _, [seller, buyer]) = first_start(&data, 1);
    place(&mut http, &seller, "sell", "60000.00", "0.50000");
    server.kill();

    let server = start(&data);
    let mut http = server.http();
    eventually("it does not trade again", || {
        let state = state(&mut http);
        if state == "continuous" { Ok(()) } else { Err(state) }
    });
    place(&mut http, &buyer, "buy", "60000.00", "0.10000");
    server.stop();

    // A slow machine may have missed a step; the log has not.
    let (is_right, log) = outcry(&["inspect", data.to_str().expect("a path of ours")]);
    assert!(is_right, "{log}");
    let steps = log.lines().filter(|line| line.trim_start().starts_with("market_state_changed"));
    let steps: Vec<_> = steps.filter_map(|line| line.split_once("state=")).collect();
    let states: Vec<_> =
        steps.iter().map(|(_, rest)| rest.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(states, ["cancel_only", "auction", "continuous"], "{log}");
}
