//! A client of the dialect's sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::{Client, now_millis};
use crate::trader::hmac_hex;

/// Far above what anything takes; a hang fails instead of lasting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    next_id: u64,
    data: VecDeque<Value>,
    answers: VecDeque<Value>,
    /// The close code, once the server has closed.
    pub closed: Option<u16>,
    pings: usize,
}

impl Socket {
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        Self::try_open(address, path).await.unwrap()
    }

    pub async fn try_open(address: SocketAddr, path: &str) -> Result<Self, Error> {
        let tcp = TcpStream::connect(address).await.unwrap();
        let (stream, _) =
            tokio_tungstenite::client_async(format!("ws://{address}{path}"), tcp).await?;
        let (data, answers) = Default::default();
        Ok(Self { stream, next_id: 1, data, answers, closed: None, pings: 0 })
    }

    pub async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Asks with an id of its own and waits for the answer to it.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.call_as(json!(id), method, params).await
    }

    /// Asks under this id.
    pub async fn call_as(&mut self, id: Value, method: &str, params: Value) -> Value {
        let request = json!({ "method": method, "params": params, "id": id });
        self.send(Message::text(request.to_string())).await;
        self.answer(&id).await
    }

    pub async fn subscribe(&mut self, streams: &[&str]) {
        let answer = self.call("SUBSCRIBE", json!(streams)).await;
        assert_eq!(answer["result"], Value::Null, "{answer}");
    }

    /// Asks with a signature by an HMAC key, as the WebSocket API has it.
    pub async fn signed(&mut self, who: &Client, method: &str, params: Value) -> Value {
        let params = with_signature(&who.key, params, |text| hmac_hex(&who.secret, text));
        self.call(method, params).await
    }

    /// The result of a request that must succeed.
    pub async fn ok(&mut self, who: &Client, method: &str, params: Value) -> Value {
        let mut answer = self.signed(who, method, params).await;
        assert_eq!(answer["status"], 200, "{method}: {answer}");
        answer["result"].take()
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

    /// Reads until so many pings have come, and thereby answers them.
    pub async fn pinged(&mut self, times: usize) {
        while self.pings < times {
            assert!(self.read().await, "closed: {:?}", self.closed);
        }
    }

    /// Reads to the end; the close code.
    pub async fn close_code(&mut self) -> Option<u16> {
        while self.read().await {
            self.data.clear();
        }
        self.closed
    }

    /// Takes one message off the wire; false at the end.
    async fn read(&mut self) -> bool {
        let message =
            timeout(PATIENCE, self.stream.next()).await.expect("nothing came for a minute");
        match message {
            Some(Ok(Message::Text(text))) => {
                let value: Value = serde_json::from_str(&text).unwrap();
                let is_answer = value.get("id").is_some();
                let queue = if is_answer { &mut self.answers } else { &mut self.data };
                queue.push_back(value);
                true
            }
            Some(Ok(Message::Close(frame))) => {
                self.closed = frame.map(|frame| frame.code.into());
                true
            }
            Some(Ok(Message::Ping(_))) => {
                self.pings += 1;
                true
            }
            Some(Ok(Message::Pong(payload))) => {
                self.answers.push_back(json!({ "id": "pong", "payload": payload.to_vec() }));
                true
            }
            Some(Ok(_)) => true,
            Some(Err(_)) | None => false,
        }
    }
}

/// Parameters with a key, the time and a signature over all of them by name.
pub fn with_signature(key: &str, params: Value, sign: impl Fn(&str) -> String) -> Value {
    let Value::Object(mut params) = params else { panic!("an object") };
    params.insert("apiKey".to_owned(), key.into());
    params.entry("timestamp").or_insert(now_millis().into());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<String> =
        params.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    params.insert("signature".to_owned(), sign(&pairs.join("&")).into());
    Value::Object(params)
}

/// A connection at which nothing answers is refused with this status.
pub fn refusal(result: Result<Socket, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the connection was taken"),
    }
}
