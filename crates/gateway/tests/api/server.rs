//! Over a real socket: keep-alive, limits, shutdown.

use std::time::Duration;

use gateway::{GatewayConfig, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::now_millis;
use crate::full::{begin_request, connect, end_request};
use crate::world::{World, eventually};

const ASK: &[u8] = b"GET /v1/time HTTP/1.1\r\nhost: x\r\n\r\n";

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4096];
    let count = stream.read(&mut buffer).await.unwrap_or(0);
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_and_ends_with_the_gateway() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(ASK).await.unwrap();
        let answer = read_some(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
    let address = world.address;
    world.stop().await;
    assert_eq!(read_some(&mut stream).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_bound_are_turned_away() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut first = TcpStream::connect(world.address).await.unwrap();
    begin_request(&mut first).await;
    // From other addresses: that of the first holds its share.
    let mut second = connect(world.address, 2).await;
    second.write_all(ASK).await.unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).await.expect("an answer, and then the end");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    for header in ["connection: close", "retry-after: 1", "content-type: application/json"] {
        assert!(head.lines().any(|line| line == header), "{header} in {head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], "TooManyConnections");
    assert_eq!(
        (&body["error"]["number"], &body["error"]["retryable"]),
        (&1032.into(), &true.into())
    );
    let mut third = connect(world.address, 3).await;
    third.write_all(b"GET /api/v3/time HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).await.expect("an answer, and then the end");
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains(r#"{"code":-1001,"msg":"#),
        "{answer}"
    );
    end_request(&mut first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_announces_too_much_or_has_no_signature_is_not_waited_for() {
    // A wait would last longer than any test may.
    let limits = Limits { body_timeout: Duration::from_secs(3_600), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let signed = world.alice.signed(now_millis(), None, "POST", "/v1/orders", "");
    let headers: String = signed
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()))
        .collect();
    for (headers, length, status) in
        [(headers.as_str(), 65_537_u64, "413"), (&headers, u64::MAX / 4, "413"), ("", 10, "401")]
    {
        let head = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_some(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        if status == "413" {
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.contains("BodyTooLarge"), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_above_the_limit_is_refused() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head =
        format!("GET /v1/time HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(32 << 10));
    let _ = stream.write_all(head.as_bytes()).await;
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.is_empty(), "{answer}");
}

/// As many as a gateway has connections for send `words` and then nothing, or not enough; another one
/// is served in the end.
async fn give_way(words: &[&[u8]]) {
    let limits = Limits {
        connections: 50,
        address_percent: 100,
        head_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut silent = Vec::new();
    for number in 0..50 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(words[number % words.len()]).await.unwrap();
        silent.push(stream);
    }
    for mut stream in silent {
        let end = async { while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {} };
        tokio::time::timeout(Duration::from_secs(60), end).await.expect("it is never cut");
    }
    eventually("it is not served", async || {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        let answer = read_some(&mut stream).await;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_never_send_a_whole_request_give_way_to_others() {
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    give_way(&[b"", b"PRI * HT", b"GET /v1/time HTTP/1.1\r\nhost: ", http2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_never_reads_is_cut() {
    let limits = Limits { socket_stall: Duration::from_millis(300), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let many = b"GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let asked = async { while stream.write_all(&many).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("it is never cut");
}

async fn status_of(world: &World, path: &str) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    read_some(&mut stream).await.chars().skip(9).take(3).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_leaves_says_so_while_it_still_serves() {
    // It never gets further in this test.
    let limits = Limits { leave_after: Duration::from_secs(3_600), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    assert_eq!(status_of(&world, "/readyz").await, "200");
    world.shutdown.cancel();
    eventually("/readyz says that it leaves", async || {
        let status = status_of(&world, "/readyz").await;
        if status == "503" { Ok(()) } else { Err(status) }
    })
    .await;
    assert_eq!(status_of(&world, "/livez").await, "200");
    world.limit(&world.alice, "sell", "60000", "0.01").await.ok();
}
