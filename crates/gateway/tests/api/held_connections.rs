//! What one address may hold open, over real sockets from several addresses of this machine.

use std::net::SocketAddr;

use gateway::{GatewayConfig, Limits, RateLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::world::{World, eventually};

const ASK: &[u8] = b"GET /v1/time HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
/// How many connections, and how many of them WebSockets, an address may hold in these tests.
const SHARE: usize = 4;

/// A fifth of 20 connections, and of as many sockets, is an address's share.
async fn world(trusted_proxies: &str) -> World {
    let limits = Limits { connections: 20, sockets: 20, address_percent: 20, ..Limits::default() };
    let trusted_proxies = vec![trusted_proxies.parse().unwrap()];
    let rates = RateLimits { trusted_proxies, ..RateLimits::unlimited() };
    World::with(1, GatewayConfig { limits, rates, ..GatewayConfig::default() }).await
}

/// A connection from `127.0.0.<last>`.
async fn connect(world: &World, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    socket.connect(world.address).await.unwrap()
}

/// What is answered to one request, to its end.
async fn ask(world: &World, last: u8) -> String {
    let mut stream = connect(world, last).await;
    let mut answer = Vec::new();
    let asked = async {
        stream.write_all(ASK).await?;
        stream.read_to_end(&mut answer).await
    };
    let _ = asked.await;
    String::from_utf8(answer).unwrap()
}

/// Whether `127.0.0.<last>` is served in the end.
async fn is_served(world: &World, last: u8) {
    eventually("it is not served", async || {
        let answer = ask(world, last).await;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer) }
    })
    .await;
}

/// How often something was refused for what its address holds.
async fn refused(world: &World, level: &str) -> u64 {
    let figures = world.metrics().await;
    let name = format!("outcry_rate_limited_total{{level=\"{level}\"}} ");
    let line = figures.lines().find_map(|line| line.strip_prefix(name.as_str()));
    line.expect("the figure is there").parse().unwrap()
}

/// The answer to the opening of a WebSocket for `client`, over a connection from
/// `127.0.0.<last>`, which stays open.
async fn open_socket(world: &World, last: u8, path: &str, client: &str) -> (TcpStream, String) {
    let mut stream = connect(world, last).await;
    let opening = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         x-forwarded-for: {client}\r\n\r\n"
    );
    stream.write_all(opening.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // What is refused has a body of JSON.
    while !answer.contains("\r\n\r\n") || !(answer.contains(" 101 ") || answer.ends_with('}')) {
        let mut part = [0; 4_096];
        let count = stream.read(&mut part).await.unwrap();
        assert!(count > 0, "no more than {answer}");
        answer += std::str::from_utf8(&part[..count]).unwrap();
    }
    (stream, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_half_sent_heads_leaves_room_for_others_and_is_told_so_itself() {
    let world = world("10.0.0.0/8").await;
    let mut half_sent = Vec::new();
    for _ in 0..60 {
        let mut stream = connect(&world, 2).await;
        stream.write_all(b"GET /v1/time HTTP/1.1\r\nhost: ").await.ok();
        half_sent.push(stream);
    }
    eventually("all but its share are refused", async || {
        let refused = refused(&world, "held_connections").await;
        if refused == 60 - SHARE as u64 { Ok(()) } else { Err(refused) }
    })
    .await;
    is_served(&world, 3).await;
    let answer = ask(&world, 2).await;
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    for part in [
        "\r\nconnection: close\r\n",
        "\r\nretry-after: 1\r\n",
        r#""code":"AddressHoldsTooMany""#,
        "an address may hold 4 connections open at a time",
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
    drop(half_sent);
    is_served(&world, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_holds_as_many_connections_as_there_are() {
    let world = world("127.0.0.2/32").await;
    let mut held = Vec::new();
    for _ in 0..15 {
        let mut stream = connect(&world, 2).await;
        stream.write_all(b"GET /v1/time HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    assert_eq!(refused(&world, "held_connections").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_held_by_the_client_that_a_trusted_proxy_names() {
    let world = world("127.0.0.2/32").await;
    let paths = ["/v1/ws", "/ws", "/stream", "/ws-api/v3"];
    let mut open = Vec::new();
    for path in paths {
        let (stream, head) = open_socket(&world, 2, path, "5.5.5.5").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{path}: {head}");
        open.push(stream);
    }
    for (path, code) in paths.into_iter().zip(["AddressHoldsTooMany", "-1003", "-1003", "-1003"]) {
        let (_, answer) = open_socket(&world, 2, path, "5.5.5.5").await;
        assert!(answer.starts_with("HTTP/1.1 429"), "{path}: {answer}");
        assert!(answer.contains("\r\nretry-after: 1\r\n") && answer.contains(code), "{answer}");
    }
    assert_eq!(refused(&world, "held_sockets").await, 4);
    let (_other, head) = open_socket(&world, 2, "/v1/ws", "5.5.5.6").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    open.pop();
    eventually("a place is given back", async || {
        let (_, head) = open_socket(&world, 2, "/v1/ws", "5.5.5.5").await;
        if head.starts_with("HTTP/1.1 101") { Ok(()) } else { Err(head) }
    })
    .await;
}
