//! Compressed streams: what is sent to many is compressed once.

use gateway::{GatewayConfig, Limits};
use serde_json::Value;
use tokio::net::TcpStream;
use websocket::client::{Client, Frame};

use crate::world::World;

const STREAM: &str = "/ws/btcusdt@aggTrade";

async fn open(world: &World, offer: Option<&str>) -> Client {
    let stream = TcpStream::connect(world.address).await.unwrap();
    let mut client = Client::open(stream, STREAM, offer).await.unwrap();
    // Answered once it is subscribed.
    client.send_text(r#"{"id":1,"method":"LIST_SUBSCRIPTIONS"}"#).await.unwrap();
    assert_eq!(
        client.next().await.unwrap().unwrap().text(),
        r#"{"result":["btcusdt@aggTrade"],"id":1}"#
    );
    client
}

/// Makes so many trades, and gives what each client was sent of them.
async fn trades(world: &World, clients: &mut [Client], count: usize) -> Vec<Vec<Frame>> {
    for _ in 0..count {
        world.limit(&world.bob, "buy", "50000", "0.1").await.ok();
        world.limit(&world.alice, "sell", "50000", "0.1").await.ok();
    }
    let mut all = Vec::new();
    for client in clients {
        let mut frames = Vec::new();
        for _ in 0..count {
            frames.push(client.next().await.unwrap().unwrap());
        }
        all.push(frames);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_compressed_once_however_many_are_sent_it() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for at in 0..30 {
        let offer = match at % 3 {
            0 => None,
            1 => Some("permessage-deflate; client_max_window_bits"),
            _ => Some("permessage-deflate; server_max_window_bits=12"),
        };
        clients.push(open(&world, offer).await);
    }
    let all = trades(&world, &mut clients, 5).await;
    for (at, frames) in all.iter().enumerate() {
        for (frame, (plain, compressed)) in frames.iter().zip(all[0].iter().zip(&all[1])) {
            assert_eq!(frame, if at % 3 == 0 { plain } else { compressed });
            assert_eq!((frame.is_compressed(), frame.text()), (at % 3 != 0, plain.text()));
            assert!(compressed.payload.len() < plain.payload.len());
            let told: Value = serde_json::from_str(&frame.text()).unwrap();
            assert_eq!(told["e"], "aggTrade");
        }
    }
    let shown = world.counts("outcry_socket_compressions_total 5").await;
    let sent: u64 = clients.iter().map(|client| client.received).sum();
    assert!(shown.contains(&format!("\noutcry_socket_bytes_total {sent}\n")), "{sent}: {shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_turn_compression_off() {
    let limits = Limits { socket_compression: false, ..Limits::default() };
    let world = World::with(1, GatewayConfig { limits, ..GatewayConfig::default() }).await;
    let mut clients = [open(&world, Some("permessage-deflate")).await];
    assert_eq!(clients[0].extensions, None);
    let [frames] = &trades(&world, &mut clients, 1).await[..] else { panic!("one client") };
    assert!(!frames[0].is_compressed());
    world.counts("outcry_socket_compressions_total 0").await;
}
