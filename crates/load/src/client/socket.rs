//! A WebSocket of the native API, its two directions apart: a server that does not read must not keep us from reading.

use std::io;
use std::net::SocketAddr;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Key;
use super::key::WINDOW_MS;

/// What is sent.
pub(crate) struct Sender(SplitSink<WebSocketStream<TcpStream>, Message>);

/// What comes.
pub(crate) struct Receiver(SplitStream<WebSocketStream<TcpStream>>);

/// Connects.
pub(crate) async fn open(address: SocketAddr) -> io::Result<(Sender, Receiver)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://{address}/v1/ws");
    let (socket, _) =
        tokio_tungstenite::client_async(url, stream).await.map_err(io::Error::other)?;
    let (sink, stream) = socket.split();
    Ok((Sender(sink), Receiver(stream)))
}

/// Connects, and opens the connection for the key's account.
pub(crate) async fn login(address: SocketAddr, key: &Key) -> io::Result<(Sender, Receiver)> {
    let (mut sender, mut receiver) = open(address).await?;
    let (now, signature) = key.sign("GET", "/v1/ws", "");
    let id = &key.id;
    sender
        .send(format!(
            r#"{{"id":0,"op":"login","key":"{id}","timestamp":{now},"window":{WINDOW_MS},"signature":"{signature}"}}"#
        ))
        .await?;
    let answer = receiver.next().await?.unwrap_or_default();
    if !answer.contains(r#""status":200"#) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, answer));
    }
    Ok((sender, receiver))
}

impl Sender {
    /// Sends a text, and waits until the connection has taken it.
    pub(crate) async fn send(&mut self, text: String) -> io::Result<()> {
        self.0.send(Message::text(text)).await.map_err(io::Error::other)
    }
}

impl Receiver {
    /// The next text; none at the end of the connection. The reason of a close by the exchange is an error.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(Message::Close(Some(frame)))) => {
                    let reason = format!("closed with {}: {}", u16::from(frame.code), frame.reason);
                    return Err(io::Error::other(reason));
                }
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed)) => return Ok(None),
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
    }
}
