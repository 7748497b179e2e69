//! Sends to a server that echoes, and compares what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use websocket::Settings;
use websocket::client::{Client, Frame, first, frame};

use crate::serve::serve;

/// Far above what anything takes; a hang fails instead of lasting for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a message.
pub const LIMIT: usize = 256 << 10;

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// With this code; then the connection ends.
    Close(Option<u16>),
}

/// What is sent, and what is to come back, in order.
pub struct Case {
    pub name: &'static str,
    pub sent: Vec<Vec<u8>>,
    pub told: Vec<Told>,
}

pub async fn echo_server(compress_from: Option<usize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, Settings { limit: LIMIT, compress_from }));
    address
}

pub async fn open(address: SocketAddr, offer: Option<&str>) -> Client {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Client::open(stream, "/", offer).await.unwrap()
}

pub async fn next(client: &mut Client) -> Option<Frame> {
    timeout(PATIENCE, client.next()).await.expect("nothing came for a minute").unwrap()
}

/// Plays each case on a connection of its own.
pub async fn play(address: SocketAddr, offer: Option<&str>, cases: Vec<Case>) {
    for Case { name, sent, told } in cases {
        let mut client = open(address, offer).await;
        for bytes in sent {
            // The server may have closed meanwhile.
            let _ = client.send(&bytes).await;
        }
        let mut seen = Vec::new();
        while let Some(frame) = next(&mut client).await {
            let is_close = frame.first == first::CLOSE;
            seen.push(read(frame));
            if is_close {
                let _ = client.send(&close(&1000_u16.to_be_bytes())).await;
                assert_eq!(next(&mut client).await, None, "{name}: nothing comes behind a close");
                break;
            }
        }
        assert_eq!(seen, told, "{name}");
    }
}

fn read(frame: Frame) -> Told {
    match frame.first & !first::COMPRESSED {
        first::TEXT => Told::Text(frame.text()),
        first::BINARY => Told::Binary(frame.payload.to_vec()),
        first::PONG => Told::Pong(frame.payload.to_vec()),
        first::CLOSE => Told::Close(frame.close_code()),
        other => panic!("a frame that begins with {other:#x}"),
    }
}

pub fn close(payload: &[u8]) -> Vec<u8> {
    frame(first::CLOSE, payload)
}

/// The goodbye of a client that has nothing to complain of, with its answer.
pub fn goodbye() -> (Vec<u8>, Told) {
    (close(&1000_u16.to_be_bytes()), Told::Close(Some(1000)))
}

/// A case that ends by the client's goodbye.
pub fn fine(name: &'static str, mut sent: Vec<Vec<u8>>, mut told: Vec<Told>) -> Case {
    let (close, answer) = goodbye();
    sent.push(close);
    told.push(answer);
    Case { name, sent, told }
}

/// A case that the server ends with this code.
pub fn wrong(name: &'static str, sent: Vec<Vec<u8>>, code: u16) -> Case {
    Case { name, sent, told: vec![Told::Close(Some(code))] }
}
