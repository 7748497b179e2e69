//! Over a real socket: keep-alive, limits, shutdown.

use gateway::{GatewayConfig, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

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
    first.write_all(ASK).await.unwrap();
    assert!(read_some(&mut first).await.starts_with("HTTP/1.1 200"));
    let mut second = TcpStream::connect(world.address).await.unwrap();
    assert!(read_some(&mut second).await.starts_with("HTTP/1.1 503"));
    first.write_all(ASK).await.unwrap();
    assert!(read_some(&mut first).await.starts_with("HTTP/1.1 200"));
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
