//! A gateway whose places are all taken, over real sockets from many addresses of this machine: who has a request
//! under way stays, who has none gives way.

use std::net::SocketAddr;

use gateway::{GatewayConfig, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::world::World;

const ASK: &[u8] = b"GET /v1/time HTTP/1.1\r\nhost: x\r\n\r\n";
const HALF: &[u8] = b"GET /v1/time HTTP/1.1\r\nhost: ";
/// Places, and how many of them an address may hold.
const PLACES: usize = 20;
const SHARE: usize = 4;
/// So many addresses together can hold all places.
const CROWD: std::ops::Range<u8> = 2..7;

/// The places of a gateway, a fifth of them an address's share.
async fn world() -> World {
    let limits = Limits { connections: PLACES, address_percent: 20, ..Limits::default() };
    World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await
}

/// A connection from `127.0.0.<last>`.
pub async fn connect(address: SocketAddr, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    socket.connect(address).await.unwrap()
}

/// What comes next, up to the end of a small packet; nothing if the connection has ended.
async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 4_096];
    let count = stream.read(&mut buffer).await.unwrap_or(0);
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

/// Asks, and is answered.
async fn is_served(stream: &mut TcpStream) {
    stream.write_all(ASK).await.unwrap();
    let answer = read_some(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}

/// Sends the head of a request and waits until its body is: the request is under way then.
pub async fn begin_request(stream: &mut TcpStream) {
    let head = b"POST /api/v3/order HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 8\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let asked = read_some(stream).await;
    assert!(asked.starts_with("HTTP/1.1 100"), "{asked:?}");
}

/// Sends that body, and is answered.
pub async fn end_request(stream: &mut TcpStream) {
    stream.write_all(b"symbol=X").await.unwrap();
    let answer = read_some(stream).await;
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains(r#"{"code":-"#), "{answer:?}");
}

/// Takes all places that there are but `others` with heads that never end.
async fn crowd(world: &World, others: usize) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for last in CROWD.flat_map(|last| [last; SHARE]).take(PLACES - others) {
        let mut stream = connect(world.address, last).await;
        stream.write_all(HALF).await.unwrap();
        crowd.push(stream);
    }
    world.counts(&format!("outcry_http_connections {PLACES}")).await;
    crowd
}

async fn figure(world: &World, name: &str) -> usize {
    let figures = world.metrics().await;
    let line = figures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.expect("the figure is there").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_clients_of_a_gateway_that_is_full_of_half_sent_heads_get_in() {
    let world = world().await;
    let mut crowd = crowd(&world, 0).await;
    let mut honest = Vec::new();
    for last in 100..105 {
        let mut stream = connect(world.address, last).await;
        is_served(&mut stream).await;
        honest.push(stream);
        // The crowd takes every place again that it can, and loses its own for it.
        for last in CROWD {
            let mut stream = connect(world.address, last).await;
            let _ = stream.write_all(HALF).await;
            crowd.push(stream);
        }
    }
    // They keep what they have, too: they hold one each, and the crowd's addresses more.
    for stream in &mut honest {
        is_served(stream).await;
    }
    assert!(figure(&world, "outcry_http_connections_evicted_total").await >= honest.len());
    assert_eq!(figure(&world, "outcry_http_connections_refused_total").await, {
        // Those of addresses that hold their share: they are told so.
        figure(&world, r#"outcry_rate_limited_total{level="held_connections"}"#).await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_and_a_socket_are_never_cut_for_a_newcomer() {
    let world = world().await;
    // The oldest of all, and of the address that holds most.
    let mut at_work = Vec::new();
    for _ in 0..SHARE {
        let mut stream = connect(world.address, 100).await;
        begin_request(&mut stream).await;
        at_work.push(stream);
    }
    let mut socket = open_socket(&world, 101).await;
    let crowd = crowd(&world, SHARE).await;
    // More newcomers than there are places, each of which stays for as long as it may.
    let mut newcomers = Vec::new();
    for last in (110..).take(2 * PLACES) {
        let mut stream = connect(world.address, last).await;
        is_served(&mut stream).await;
        newcomers.push(stream);
    }
    for stream in &mut at_work {
        end_request(stream).await;
    }
    // A ping, masked with zeros.
    socket.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.unwrap();
    let mut pong = [0; 2];
    socket.read_exact(&mut pong).await.unwrap();
    assert_eq!(pong, [0x8a, 0]);
    drop(crowd);
}

async fn open_socket(world: &World, last: u8) -> TcpStream {
    let mut stream = connect(world.address, last).await;
    let opening = b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(opening).await.unwrap();
    let answer = read_some(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 101") && answer.ends_with("\r\n\r\n"), "{answer:?}");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn between_its_requests_the_longest_idle_connection_goes_first() {
    let world = world().await;
    let mut idle = Vec::new();
    for last in (100..).take(PLACES) {
        let mut stream = connect(world.address, last).await;
        is_served(&mut stream).await;
        idle.push(stream);
    }
    // The first to come asks again: the second has been idle for longest.
    is_served(&mut idle[0]).await;
    is_served(&mut connect(world.address, 200).await).await;
    assert_eq!(read_some(&mut idle[1]).await, "", "it is at its end");
    is_served(&mut idle[0]).await;
    assert_eq!(figure(&world, "outcry_http_connections_evicted_total").await, 1);
}
