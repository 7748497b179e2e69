//! A client of the WebSocket API, and a book that it keeps.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Far above what anything takes; a hang fails instead of lasting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// The writing half of a client that is split.
pub type Sink = SplitSink<WebSocketStream<TcpStream>, Message>;

pub struct Client {
    sink: Option<Sink>,
    stream: SplitStream<WebSocketStream<TcpStream>>,
    next_id: u64,
    data: VecDeque<Value>,
    answers: VecDeque<Value>,
    /// Code and reason, once the server has closed.
    pub closed: Option<(u16, String)>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, address).await.unwrap()
    }

    /// With a small buffer, so that the server soon feels that nobody reads.
    pub async fn connect_narrow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        Self::over(socket.connect(address).await.unwrap(), address).await.unwrap()
    }

    pub async fn over(
        stream: TcpStream,
        address: SocketAddr,
    ) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let url = format!("ws://{address}/v1/ws");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        let (data, answers) = Default::default();
        let (sink, stream) = socket.split();
        Ok(Self { sink: Some(sink), stream, next_id: 1, data, answers, closed: None })
    }

    pub async fn send(&mut self, message: Message) {
        self.sink.as_mut().expect("not split").send(message).await.unwrap();
    }

    /// Writing and reading apart.
    pub fn split(mut self) -> (Sink, Self) {
        (self.sink.take().expect("not split"), self)
    }

    /// The next answer, or none when the server has closed.
    pub async fn next_answer(&mut self) -> Option<Value> {
        while self.answers.is_empty() {
            if !self.read().await {
                return None;
            }
        }
        self.answers.pop_front()
    }

    /// Sends a request and gives its id.
    pub async fn ask(&mut self, op: &str, mut fields: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        fields["id"] = id.into();
        fields["op"] = op.into();
        self.send(Message::text(fields.to_string())).await;
        id
    }

    /// Sends a request and waits for its answer.
    pub async fn call(&mut self, op: &str, fields: Value) -> Value {
        let id = self.ask(op, fields).await;
        self.answer(&json!(id)).await
    }

    /// The result of a request that must succeed.
    pub async fn ok(&mut self, op: &str, fields: Value) -> Value {
        let mut answer = self.call(op, fields).await;
        assert_eq!(answer["status"], 200, "{answer}");
        answer["result"].take()
    }

    /// The error code of a request that must fail.
    pub async fn refusal(&mut self, op: &str, fields: Value) -> String {
        let answer = self.call(op, fields).await;
        answer["error"]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub async fn subscribe(&mut self, channels: &[&str]) -> Value {
        self.ok("subscribe", json!({ "channels": channels })).await
    }

    pub async fn resume(&mut self, channel: &str, from: Value) -> Value {
        let fields = json!({ "channels": [channel], "resume_from": from });
        let mut result = self.ok("subscribe", fields).await;
        result["channels"][0].take()
    }

    pub async fn login(&mut self, key: &str, secret: &str) -> Value {
        let time = self.ok("ping", json!({})).await["time"].as_u64().unwrap();
        let signature = sign(secret, &format!("{time}\n5000\nGET\n/v1/ws\n"));
        let fields =
            json!({ "key": key, "timestamp": time, "window": 5000, "signature": signature });
        self.ok("login", fields).await
    }

    /// The answer with this id.
    pub async fn answer(&mut self, id: &Value) -> Value {
        loop {
            if let Some(at) = self.answers.iter().position(|answer| answer["id"] == *id) {
                return self.answers.remove(at).unwrap();
            }
            assert!(self.read().await, "closed before an answer: {:?}", self.closed);
        }
    }

    /// The next message that is no answer, or none when the server has closed.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(message) = self.data.pop_front() {
                return Some(message);
            }
            if !self.read().await {
                return None;
            }
        }
    }

    /// Messages up to and with the first that `is_last`.
    pub async fn until(&mut self, is_last: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("closed: {:?}", self.closed));
            let last = is_last(&message);
            messages.push(message);
            if last {
                return messages;
            }
        }
    }

    /// Everything that comes until the server answers a ping now.
    pub async fn drain(&mut self) -> Vec<Value> {
        self.ok("ping", json!({})).await;
        self.data.drain(..).collect()
    }

    /// Reads to the end and gives close code and reason.
    pub async fn close_frame(&mut self) -> (u16, String) {
        while self.read().await {
            self.data.clear();
        }
        self.closed.clone().expect("a close frame")
    }

    /// Takes one message off the wire; false at the end.
    async fn read(&mut self) -> bool {
        let message =
            timeout(PATIENCE, self.stream.next()).await.expect("nothing came for a minute");
        match message {
            Some(Ok(Message::Text(text))) => {
                let value: Value = serde_json::from_str(&text).unwrap();
                let queue =
                    if value.get("id").is_some() { &mut self.answers } else { &mut self.data };
                queue.push_back(value);
                true
            }
            Some(Ok(Message::Close(frame))) => {
                self.closed = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                true
            }
            Some(Ok(_)) => true,
            Some(Err(_)) | None => false,
        }
    }
}

pub fn sign(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A book kept by depth messages, which insists that they follow each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Book {
    pub seq: u64,
    pub bids: BTreeMap<String, String>,
    pub asks: BTreeMap<String, String>,
    pub checksum: u64,
    /// Messages taken.
    pub messages: usize,
    /// Snapshots among them.
    pub snapshots: usize,
}

impl Book {
    pub fn take(&mut self, message: &Value) {
        let seq = message["seq"].as_u64().unwrap();
        self.messages += 1;
        if message["type"] == "snapshot" {
            assert!(seq >= self.seq, "a snapshot goes back: {message}");
            self.snapshots += 1;
            self.bids.clear();
            self.asks.clear();
        } else {
            let first = message["first_seq"].as_u64().unwrap();
            assert_eq!(first, self.seq + 1, "a gap or a repeat: {message}");
            assert!(seq >= first, "{message}");
        }
        self.seq = seq;
        self.checksum = message["data"]["checksum"].as_u64().unwrap();
        for (side, levels) in [(&mut self.bids, "bids"), (&mut self.asks, "asks")] {
            for level in message["data"][levels].as_array().unwrap() {
                let [price, quantity] = [0, 1].map(|at| level[at].as_str().unwrap().to_owned());
                if quantity.parse::<f64>().unwrap() == 0.0 {
                    side.remove(&price);
                } else {
                    side.insert(price, quantity);
                }
            }
        }
    }
}
