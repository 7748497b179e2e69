//! A collector of our own, and what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Tracing;
use crate::http::router;
use crate::ws::tests::client::sign;
use crate::ws::tests::rig::{Options, Rig};

const PATIENCE: Duration = Duration::from_secs(60);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Takes what is exported; gives each document.
fn collector() -> (Tracing, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (send, documents) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).unwrap();
            }
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("content-type: application/json\r\n"), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.unwrap().parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
            if send.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (Tracing::new(&address).unwrap(), documents)
}

fn spans(document: &Value) -> Vec<Value> {
    let resource = &document["resourceSpans"][0];
    let service = &resource["resource"]["attributes"][0];
    assert_eq!(service["value"]["stringValue"], "outcry");
    resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn number(span: &Value, key: &str) -> Option<u64> {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
    found["value"]["intValue"].as_str().unwrap().parse().ok()
}

/// Places an order over HTTP; gives the answer.
async fn place(rig: &Rig, key: &(String, String), traceparent: Option<&str>) -> Value {
    let body = json!({
        "market": "BASE-QUOTE", "side": "buy", "type": "limit", "price": "1.0", "quantity": "1.0",
    });
    let body = body.to_string();
    let time = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().to_string();
    let signature = sign(&key.1, &format!("{time}\n5000\nPOST\n/v1/orders\n{body}"));
    let mut request = Request::post("/v1/orders")
        .header("x-outcry-key", &key.0)
        .header("x-outcry-timestamp", &time)
        .header("x-outcry-signature", signature);
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let routes = router(Arc::clone(&rig.shared));
    let response = routes.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert!(answer["seq"].is_u64(), "{answer}");
    answer
}

async fn traced(tracing: Option<Tracing>) -> (Rig, (String, String)) {
    let rig = Rig::with(Options { tracing, ..Options::default() }).await;
    let key = rig.key(1);
    (rig, key)
}

#[tokio::test]
async fn the_stages_of_an_order_are_spans_of_its_callers_trace_with_its_sequence() {
    let (tracing, documents) = collector();
    let (rig, key) = traced(Some(tracing)).await;
    let placed = place(&rig, &key, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
    let document = tokio::task::spawn_blocking(move || documents.recv_timeout(PATIENCE));
    let spans = spans(&document.await.unwrap().unwrap());
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span["name"] == name);
        let span = found.next().unwrap_or_else(|| panic!("no {name} in {spans:?}"));
        assert!(found.next().is_none(), "{name} twice");
        assert_eq!(span["traceId"], TRACE);
        assert_eq!(number(span, "outcry.seq"), placed["seq"].as_u64(), "{name}");
        assert_eq!(number(span, "outcry.partition"), Some(0), "{name}");
        span
    };
    let request = named("POST /v1/orders");
    assert_eq!((&request["parentSpanId"], &request["kind"]), (&json!(CALLER), &json!(2)));
    assert_eq!(number(request, "http.response.status_code"), Some(200));
    let command = named("command");
    assert_eq!(command["parentSpanId"], request["spanId"]);
    let time = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
    for stage in ["queue", "match", "journal", "reply"] {
        let span = named(stage);
        assert_eq!(span["parentSpanId"], command["spanId"], "{stage}");
        assert!(time(span, "startTimeUnixNano") <= time(span, "endTimeUnixNano"), "{stage}");
    }
    assert_eq!(spans.len(), 6, "{spans:?}");
    rig.stop().await;
}

#[tokio::test]
async fn one_in_so_many_is_traced_and_whom_the_caller_does_not_trace_is_not() {
    let (tracing, documents) = collector();
    let (rig, key) = traced(Some(Tracing { sample_every: 3, ..tracing })).await;
    for _ in 0..5 {
        place(&rig, &key, Some(&format!("00-{TRACE}-{CALLER}-00"))).await;
    }
    for _ in 0..6 {
        place(&rig, &key, None).await;
    }
    // What is left is sent when the gateway ends.
    rig.stop().await;
    let all: Vec<_> = documents.try_iter().flat_map(|document| spans(&document)).collect();
    let requests: Vec<_> = all.iter().filter(|span| span["kind"] == 2).collect();
    assert_eq!((requests.len(), all.len()), (2, 12), "{all:?}");
    assert!(requests.iter().all(|span| span.get("parentSpanId").is_none()));
    assert_ne!(requests[0]["traceId"], requests[1]["traceId"]);
}

#[tokio::test]
async fn an_order_over_a_socket_is_a_trace_of_its_own() {
    let (tracing, documents) = collector();
    let (rig, _) = traced(Some(tracing)).await;
    let mut socket = rig.logged_in(1).await;
    let order = json!({
        "market": "BASE-QUOTE", "side": "buy", "type": "limit", "price": "1.0", "quantity": "1.0",
    });
    let placed = socket.ok("place_order", order).await;
    drop(socket);
    rig.stop().await;
    let all: Vec<_> = documents.try_iter().flat_map(|document| spans(&document)).collect();
    let command = all.iter().find(|span| span["name"] == "command").expect("a command");
    assert_eq!(number(command, "outcry.seq"), placed["seq"].as_u64());
    assert!(command.get("parentSpanId").is_none());
}

#[tokio::test]
async fn without_a_collector_nothing_is_made_and_nothing_sent() {
    let (_, documents) = collector();
    let (rig, key) = traced(None).await;
    place(&rig, &key, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
    assert!(rig.shared.tracer.is_none());
    rig.stop().await;
    assert!(documents.try_recv().is_err());
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let tracing = Tracing::new(&format!("http://{}/", gone.local_addr().unwrap())).unwrap();
    drop(gone);
    let (rig, key) = traced(Some(tracing)).await;
    place(&rig, &key, None).await;
    let tracer = Arc::clone(rig.shared.tracer.as_ref().unwrap());
    rig.stop().await;
    let mut text = String::new();
    tracer.render(&mut text);
    assert!(text.contains("outcry_spans_total{result=\"exported\"} 0"), "{text}");
    assert!(text.contains("outcry_spans_total{result=\"dropped\"} 6"), "{text}");
}

#[test]
fn a_collector_has_an_address_of_http() {
    for wrong in ["", "localhost:4318", "https://host/v1/traces", "ftp://host/", "http:///x"] {
        assert!(Tracing::new(wrong).is_err(), "{wrong}");
    }
}
