//! Sockets in bad hands: bombs, trickles, masses of subscriptions, giant ids. What they may hold is bounded, and
//! honest users notice nothing.

use std::time::Duration;

use futures_util::future::join_all;
use gateway::{GatewayConfig, Limits};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use websocket::client::{Client, deflated, first, frame};

use crate::socket::Socket;
use crate::world::World;

const OFFER: &str = "permessage-deflate; client_max_window_bits";
const PATIENCE: Duration = Duration::from_secs(60);
/// Every kind of socket.
const PATHS: [&str; 3] = ["/ws", "/ws-api/v3", "/v1/ws"];

async fn open(world: &World, path: &str) -> Client {
    let stream = TcpStream::connect(world.address).await.unwrap();
    let client = Client::open(stream, path, Some(OFFER)).await.unwrap();
    assert!(client.extensions.is_some());
    client
}

/// The code that the server closes with; none if it is cut.
async fn close_code(client: &mut Client) -> Option<u16> {
    let code = async {
        while let Ok(Some(frame)) = client.next().await {
            if frame.first == first::CLOSE {
                return frame.close_code();
            }
        }
        None
    };
    timeout(PATIENCE, code).await.expect("it is never closed")
}

async fn answer(client: &mut Client) -> Value {
    let frame = timeout(PATIENCE, client.next()).await.expect("no answer").unwrap().unwrap();
    serde_json::from_str(&frame.text()).unwrap()
}

/// Somebody who hears of a trade.
struct Honest<'a> {
    world: &'a World,
    socket: Socket,
}

impl<'a> Honest<'a> {
    async fn new(world: &'a World) -> Self {
        let mut socket = Socket::open(world.address, "/ws").await;
        socket.subscribe(&["btcusdt@trade"]).await;
        Self { world, socket }
    }

    async fn is_served(&mut self) {
        let Self { world, socket } = self;
        world.limit(&world.bob, "buy", "50000", "0.1").await.ok();
        world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
        assert_eq!(socket.next().await.unwrap()["p"], "50000.00000000");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_ends_its_own_connection() {
    let world = World::new().await;
    let mut honest = Honest::new(&world).await;
    let bomb = deflated(&vec![b' '; 32 << 20]);
    for path in PATHS {
        let mut whole = open(&world, path).await;
        // The server may have closed before all of it is sent.
        let _ = whole.send(&frame(first::TEXT | first::COMPRESSED, &bomb)).await;
        assert_eq!(close_code(&mut whole).await, Some(1009), "{path}");
        let mut parts = open(&world, path).await;
        let _ = parts.send(&frame(first::TEXT_BEGIN | first::COMPRESSED, &bomb[..1_000])).await;
        assert_eq!(close_code(&mut parts).await, Some(1009), "{path}, in parts");
    }
    honest.is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_trickles_in_keeps_no_connection_alive() {
    // So long that who is honest answers in time on a machine that stalls.
    let limits = Limits { socket_silence: Duration::from_secs(10), ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut honest = Honest::new(&world).await;
    let trickle = async |path| {
        let mut slow = open(&world, path).await;
        for byte in frame(first::TEXT, &[b' '; 10_000]) {
            if slow.send(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("it was never cut");
    };
    tokio::select! {
        cut = timeout(PATIENCE, join_all(PATHS.map(trickle))) => drop(cut.expect("it is never cut")),
        // Reading answers pings.
        () = honest.socket.pinged(usize::MAX) => unreachable!("there are not so many"),
    }
    honest.is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_subscriptions_are_never_more_than_a_connection_may_have() {
    let limits = Limits { stream_rate: 100_000, stream_subscriptions: 100, ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut honest = Honest::new(&world).await;
    let mut greedy = Socket::open(world.address, "/ws").await;
    for round in 0..1_000 {
        let names: Vec<String> = (0..1_000).map(|n| format!("x{round}u{n}@trade")).collect();
        let refused = greedy.call("SUBSCRIBE", json!(names)).await;
        assert_eq!(refused["error"]["code"], 2, "{refused}");
        // As many as it may name of what there is not come and go.
        let few = json!(names[..64]);
        assert_eq!(greedy.call("SUBSCRIBE", few).await["result"], Value::Null);
        let gone = greedy.call("UNSUBSCRIBE", json!(names)).await;
        assert_eq!(gone["result"], Value::Null, "{gone}");
    }
    let left = greedy.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    assert_eq!(left["result"], json!([]));
    honest.is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_too_long_is_not_echoed() {
    let world = World::new().await;
    let giant = "x".repeat(10_000);
    for (path, request) in [
        ("/ws", json!({ "id": giant, "method": "LIST_SUBSCRIPTIONS" })),
        ("/ws-api/v3", json!({ "id": giant, "method": "ping" })),
        ("/v1/ws", json!({ "id": giant, "op": "ping" })),
    ] {
        let mut client = open(&world, path).await;
        client.send_text(&request.to_string()).await.unwrap();
        let refused = answer(&mut client).await;
        assert_eq!(refused["id"], Value::Null, "{path}");
        assert!(refused["error"].is_object() && refused.to_string().len() < 500, "{refused}");
        let number =
            format!("{{\"id\":{},\"method\":\"ping\",\"op\":\"ping\"}}", "9".repeat(10_000));
        client.send(&frame(first::TEXT, number.as_bytes())).await.unwrap();
        assert!(answer(&mut client).await.to_string().len() < 500, "{path}");
    }
}
