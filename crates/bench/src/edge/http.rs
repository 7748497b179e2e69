//! A light HTTP/1.1 client: one keep-alive connection, one signed request under way.

use std::io;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::load::Client;
use super::pace::{Turns, Window};
use super::trader::{Action, Done, Refusal, Trader};

/// An API key.
#[derive(Clone)]
pub struct Key {
    /// Its public name.
    pub id: String,
    mac: Hmac<Sha256>,
}

impl Key {
    /// With the secret's text.
    pub fn new(id: &str, secret: &str) -> Self {
        let mac = Hmac::new_from_slice(secret.as_bytes()).expect("an HMAC takes every key");
        Self { id: id.to_owned(), mac }
    }

    /// Now in milliseconds, and the signature of a request of now.
    pub fn sign(&self, method: &str, path: &str, body: &str) -> (u128, String) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let mut mac = self.mac.clone();
        mac.update(format!("{now}\n5000\n{method}\n{path}\n").as_bytes());
        mac.update(body.as_bytes());
        (now, hex::encode(mac.finalize().into_bytes()))
    }
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    key: Key,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr, key: Key) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, key, answer: Vec::with_capacity(4_096) })
    }

    /// Sends a request, signed if it is somebody's; gives status and body of the answer.
    pub async fn call(&mut self, method: &str, path: &str, body: &str) -> io::Result<(u16, &[u8])> {
        let (timestamp, signature) = self.key.sign(method, path, body);
        let (key, length) = (&self.key.id, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             x-outcry-key: {key}\r\nx-outcry-timestamp: {timestamp}\r\n\
             x-outcry-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.read_answer().await
    }

    async fn read_answer(&mut self) -> io::Result<(u16, &[u8])> {
        self.answer.clear();
        let (mut head, mut whole) = (0, usize::MAX);
        while self.answer.len() < whole {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head == 0
                && let Some(end) = self.answer.windows(4).position(|four| four == b"\r\n\r\n")
            {
                head = end + 4;
                whole = head + content_length(&self.answer[..head]);
            }
        }
        assert_eq!(self.answer.len(), whole, "one request, one answer");
        let status = std::str::from_utf8(&self.answer[9..12]).ok().and_then(|s| s.parse().ok());
        Ok((status.expect("HTTP/1.1 and a status"), &self.answer[head..]))
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a head in ASCII");
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    line.and_then(|value| value.trim().parse().ok()).expect("answers tell their length")
}

/// One client: a request, its answer, the next request, as long as it has turns.
pub async fn trade(client: Client) {
    let Client { plan, number, mut turns, window, totals } = client;
    let mut trader = Trader::new(&plan.run, number);
    let key = plan.keys[number].clone();
    let mut connection = Connection::open(plan.address, key).await.expect("a listening server");
    let (mut body, mut path) = (String::new(), String::new());
    while let Some(due) = next_turn(&mut turns, &window).await {
        let action = trader.next_action(&plan.run);
        let method = write(&action, &mut path, &mut body);
        let (status, answer) = connection.call(method, &path, &body).await.expect("an answer");
        trader.answered(&action, read(status, answer));
        window.count(due);
        if !plan.pause.is_zero() {
            tokio::time::sleep(plan.pause).await;
        }
    }
    totals.add(&trader);
}

async fn next_turn(turns: &mut Turns, window: &Window) -> Option<Instant> {
    match turns.now(0, window) {
        Some(due) => Some(due),
        None => turns.later().await,
    }
}

/// Gives the method.
fn write(action: &Action, path: &mut String, body: &mut String) -> &'static str {
    body.clear();
    path.clear();
    match action {
        Action::Place { client_order_id, limit } => {
            path.push_str("/v1/orders");
            body.push('{');
            limit.write_fields(client_order_id, body);
            body.push('}');
            "POST"
        }
        Action::Cancel { order } => {
            path.push_str("/v1/orders/BTC-USDT/");
            path.push_str(&order.to_string());
            "DELETE"
        }
    }
}

fn read(status: u16, body: &[u8]) -> Result<Done<'_>, Refusal> {
    #[derive(Deserialize)]
    struct Refused {
        error: Refusal,
    }
    match status {
        200 => Ok(parse(body)),
        _ => Err(parse::<Refused>(body).error),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> T {
    serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}
