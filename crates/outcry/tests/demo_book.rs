//! A book kept by the depth messages of the real binary's demo, as a client keeps it: sequence and
//! checksum of each message, and in the end the book that HTTP shows.

use std::collections::BTreeMap;

use crate::support::{self, Http, Server, eventually, read_json, websocket};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const MESSAGES: usize = 300;

/// The demo's participants are as busy as they can be.
const CONFIG: &str = "[demo]\norders_per_second = 1000\n";

/// Levels by price in ticks, each with price and quantity as they are written.
type Side = BTreeMap<u64, (String, String)>;

/// A book as `docs/websocket.md` tells to keep it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Book {
    seq: u64,
    bids: Side,
    asks: Side,
}

impl Book {
    fn take(&mut self, message: &Value) {
        let seq = message["seq"].as_u64().unwrap();
        if message["type"] == "snapshot" {
            assert_eq!(message["data"]["complete"], true, "the demo's books are small");
            *self = Self::default();
        } else {
            assert_eq!(message["first_seq"], self.seq + 1, "a gap or a repeat: {message}");
            assert!(seq > self.seq, "{message}");
        }
        self.seq = seq;
        self.bids.extend(levels(&message["data"]["bids"]));
        self.asks.extend(levels(&message["data"]["asks"]));
        for side in [&mut self.bids, &mut self.asks] {
            side.retain(|_, (_, quantity)| quantity.bytes().any(|b| (b'1'..=b'9').contains(&b)));
        }
        assert_eq!(message["data"]["checksum"], self.checksum(), "{message}");
    }

    fn checksum(&self) -> u32 {
        let best = |level: Option<&(String, String)>| level.map(|(p, q)| format!("{p}:{q}"));
        let (mut bids, mut asks) = (self.bids.values().rev().take(25), self.asks.values().take(25));
        let pairs = (0..25).flat_map(|_| [best(bids.next()), best(asks.next())]);
        crc32(pairs.flatten().collect::<Vec<_>>().join("|").as_bytes())
    }
}

fn levels(list: &Value) -> Side {
    let level = |level: &Value| {
        let [price, quantity] = [0, 1].map(|at| level[at].as_str().unwrap().to_owned());
        // All prices of a market have the same number of decimals.
        (price.replace('.', "").parse().unwrap(), (price, quantity))
    };
    list.as_array().unwrap().iter().map(level).collect()
}

/// CRC-32 as in zlib, bit by bit.
fn crc32(text: &[u8]) -> u32 {
    !text.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

/// The views hear of the demo's market a moment after the exchange.
fn until_listed(http: &mut Http) {
    eventually("the demo has no market", || {
        let (status, answer) = http.send(None, "GET", "/v1/markets/BTC-USDT", None).unwrap();
        if status == 200 { Ok(()) } else { Err(answer) }
    });
}

#[test]
fn a_book_kept_by_messages_is_the_book_that_http_shows() {
    assert_eq!((crc32(b"123456789"), crc32(b"")), (0xcbf4_3926, 0));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("outcry.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let server = Server::start(&folder.path().join("data"), Some(&config), &[]).unwrap();
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    let (_, demo) = http.send(None, "GET", "/v1/demo/session", None).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = support::Key { id: text(&demo["key"]), secret: text(&demo["secret"]) };
    until_listed(&mut http);
    let mut socket = websocket(server.address, &key);
    let subscribe = json!({"id": 1, "op": "subscribe", "channels": ["depth:BTC-USDT"]});
    socket.send(Message::text(subscribe.to_string())).unwrap();
    let answer = read_json(&mut socket).unwrap();
    assert_eq!(answer["status"], 200, "{answer}");

    let mut book = Book::default();
    for n in 0..MESSAGES {
        let message = read_json(&mut socket).unwrap();
        assert_eq!(message["type"], if n == 0 { "snapshot" } else { "update" });
        book.take(&message);
    }
    assert!(book.bids.len() > 1 && book.asks.len() > 1, "{book:?}");

    // In a halted market nothing moves: what HTTP shows now is where the messages end.
    let halt = Some(json!({"state": "halted"}));
    let halted = http.ok(&admin, "PUT", "/v1/admin/markets/BTC-USDT/state", halt);
    let path = format!("/v1/markets/BTC-USDT/depth?limit=5000&min_seq={}", halted["seq"]);
    let (_, shown) = http.send(None, "GET", &path, None).unwrap();
    let sides = (levels(&shown["bids"]), levels(&shown["asks"]));
    while (&book.bids, &book.asks) != (&sides.0, &sides.1) {
        // Ends with an error when no more comes and the books still differ.
        book.take(&read_json(&mut socket).expect("a message that leads to the book of HTTP"));
    }
    assert_eq!(shown["checksum"], book.checksum());
    server.stop();
}
