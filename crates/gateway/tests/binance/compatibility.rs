//! `docs/compatibility.md` names every endpoint, stream, method and event that there is, and no other, and each line is
//! true of the running exchange: what is there is answered, what is absent refused as the page says.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use gateway::{GatewayConfig, Limits};
use serde_json::{Value, json};

use crate::socket::Socket;
use crate::trader::send;
use crate::world::World;

const PAGE: &str = include_str!("../../../../docs/compatibility.md");

/// A line of the page's tables.
struct Line {
    /// `GET /api/v3/ping`, `stream !ticker@arr`, `method ping`, `event listStatus`
    kind: &'static str,
    name: &'static str,
    is_there: bool,
}

/// Those that are well-formed: a state, and what differs or why, unless all is there.
fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (kind, name) = cells[1].trim_matches('`').split_once(' ').unwrap();
        let state = cells[2];
        assert!(["full", "partial", "absent"].contains(&state), "{line}");
        assert_eq!(cells[3].is_empty(), state == "full", "what differs, or why: {line}");
        lines.push(Line { kind, name, is_there: state != "absent" });
    }
    lines
}

#[test]
fn the_page_names_exactly_the_endpoints_that_there_are() {
    let mut told = BTreeSet::new();
    for Line { kind, name, is_there } in lines() {
        assert!(told.insert((format!("{kind} {name}"), is_there)), "twice: {kind} {name}");
    }
    let told: BTreeSet<_> =
        told.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
    let there: BTreeSet<_> = gateway::binance_endpoints().into_iter().collect();
    assert_eq!(told, there);
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_are_there_answer_or_ask_for_a_key_and_absent_ones_are_unknown() {
    let world = World::new().await;
    let mut answered = 0;
    for Line { kind, name, is_there } in lines().into_iter().filter(|l| l.name.starts_with('/')) {
        let uri = format!("{name}?symbol=BTCUSDT&interval=1m");
        let request = Request::builder().method(kind).uri(uri).body(Body::empty()).unwrap();
        let said = send(&world.router, request).await;
        let (status, code) = (said.status.as_u16(), said.json["code"].as_i64());
        match (is_there, status) {
            (true, 200) => answered += 1,
            (true, _) => assert_eq!(code, Some(-2014), "{kind} {name}: {status} {}", said.json),
            (false, _) => assert_eq!((status, code), (404, Some(-1020)), "{kind} {name}"),
        }
    }
    assert!(answered >= 20, "market data needs no key, and {answered} answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_there_are_known_and_absent_ones_are_not() {
    let world = World::new().await;
    let mut socket = Socket::open(world.address, "/ws-api/v3").await;
    for Line { name, is_there, .. } in lines().into_iter().filter(|line| line.kind == "method") {
        let answer = socket.call(name, json!({})).await;
        let is_unknown = answer["error"]["code"] == -1020;
        assert_eq!(is_unknown, !is_there, "{name}: {answer}");
        assert!(is_there || answer["status"] == 400, "{name}: {answer}");
    }
}

/// Of unknown names a connection may have so many: one more is told from a stream that is there.
const UNKNOWN_NAMES: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_there_can_be_subscribed_to_and_absent_ones_are_names_of_nothing() {
    let limits = Limits { stream_rate: 1_000, ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut socket = Socket::open(world.address, "/ws").await;
    let unknown: Vec<_> = (0..UNKNOWN_NAMES).map(|number| format!("nothing{number}")).collect();
    let answer = socket.call("SUBSCRIBE", json!(unknown)).await;
    assert_eq!(answer["result"], Value::Null, "{answer}");
    for Line { name, is_there, .. } in lines().into_iter().filter(|line| line.kind == "stream") {
        let example =
            [("symbol", "btcusdt"), ("interval", "1m"), ("window", "1h"), ("levels", "5")];
        let name = example
            .iter()
            .fold(name.to_owned(), |name, (what, value)| name.replace(&format!("<{what}>"), value));
        let answer = socket.call("SUBSCRIBE", json!([name])).await;
        if is_there {
            assert_eq!(answer.get("result"), Some(&Value::Null), "{name}: {answer}");
        } else {
            assert_eq!(answer["error"]["code"], 2, "{name}: {answer}");
        }
    }
}

#[test]
fn the_pages_numbers_are_those_that_count() {
    let limits = gateway::Limits::default();
    for claim in [
        format!("Reaches back {},{:03} of", views::MAX_CANDLES / 1_000, views::MAX_CANDLES % 1_000),
        format!("more than {} messages a second", limits.stream_rate),
        format!("{} hours", limits.stream_life.as_secs() / 3_600),
        format!("of such names a connection may have {UNKNOWN_NAMES}"),
    ] {
        assert!(PAGE.contains(&claim), "{claim}");
    }
}
