//! Order lists over the real WebSocket: placed and cancelled there, and told to their owner alone.

use std::collections::VecDeque;
use std::net::TcpStream;

use crate::support::{Key, Server, found, place, read_json, subscribe, websocket};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// A connection that asks one thing after the other.
struct Asker {
    socket: WebSocket<TcpStream>,
    next_id: u64,
}

impl Asker {
    fn new(server: &Server, key: &Key) -> Self {
        Self { socket: websocket(server.address, key), next_id: 1 }
    }

    /// The answer to an operation.
    fn ask(&mut self, op: &str, mut fields: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        (fields["id"], fields["op"]) = (json!(id), json!(op));
        self.socket.send(Message::text(fields.to_string())).expect("a socket");
        let answer = read_json(&mut self.socket).expect("an answer");
        assert_eq!((&answer["id"], &answer["op"]), (&json!(id), &json!(op)), "{answer}");
        answer
    }

    /// The result of an operation that must succeed.
    fn demand(&mut self, op: &str, fields: Value) -> Value {
        let answer = self.ask(op, fields);
        assert_eq!(answer["status"], 200, "{answer}");
        answer["result"].clone()
    }
}

/// An account's stream of orders, event by event.
struct Stream {
    socket: WebSocket<TcpStream>,
    waiting: VecDeque<Value>,
}

impl Stream {
    fn new(server: &Server, key: &Key) -> Self {
        Self { socket: subscribe(server, key), waiting: VecDeque::new() }
    }

    fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return event;
            }
            let message = read_json(&mut self.socket).expect("a message");
            self.waiting.extend(message["data"].as_array().cloned().unwrap_or_default());
        }
    }

    /// The next event of this kind.
    fn told(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next();
            if event["event"] == kind {
                return event;
            }
        }
    }
}

fn leg(side: &str, price: &str, quantity: &str) -> Value {
    json!({ "side": side, "type": "limit", "price": price, "quantity": quantity })
}

fn list(name: &str, legs: Value, pending: Value) -> Value {
    json!({ "market": "BTC-USDT", "client_order_id": name, "legs": legs, "pending": pending })
}

#[test]
fn lists_are_placed_and_cancelled_over_the_websocket_and_their_owner_is_told_of_each_turn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::start(&folder.path().join("data"), None, &["--no-demo"])
        .unwrap_or_else(|output| panic!("{output}"));
    let admin = server.admin.clone().expect("shown at the first start");
    let mut http = server.http();
    let [seller, buyer] = found(&mut http, &admin);
    let mut stream = Stream::new(&server, &seller);
    let mut others = Stream::new(&server, &buyer);
    let mut asker = Asker::new(&server, &seller);

    // One triggers the other.
    let sale = leg("sell", "60000.00", "0.50000");
    let fields = list("follow", json!([sale]), json!([leg("buy", "59000.00", "0.50000")]));
    let placed = asker.demand("place_order_list", fields);
    assert_eq!(placed["kind"], "oto");
    let event = stream.told("order_list_placed");
    assert_eq!((&event["list_id"], &event["order_ids"]), (&placed["id"], &placed["order_ids"]));
    assert_eq!((&event["client_order_id"], &event["kind"]), (&json!("follow"), &json!("oto")));
    assert_eq!(stream.told("order_placed")["order_id"], placed["id"], "its order follows");
    place(&mut http, &buyer, "buy", "60000.00", "0.50000");
    let event = stream.told("order_list_advanced");
    assert_eq!(event["list_id"], placed["id"]);
    let pending = event["order_ids"][0].clone();
    let event = stream.told("order_list_ended");
    assert_eq!((&event["list_id"], &event["end"]), (&placed["id"], &json!("done")));
    assert_eq!(stream.told("order_placed")["order_id"], pending, "done before its last leg enters");

    // What follows cannot be paid.
    let fields = list("poor", json!([sale]), json!([leg("buy", "59000.00", "100.00000")]));
    let placed = asker.demand("place_order_list", fields);
    place(&mut http, &buyer, "buy", "60000.00", "0.50000");
    let event = stream.told("order_list_ended");
    assert_eq!((&event["list_id"], &event["end"]), (&placed["id"], &json!("refused")));
    assert_eq!(event["code"], "InsufficientBalance");

    // One cancels the other, and both are cancelled.
    let stop = json!({
        "side": "sell", "type": "stop_loss", "stop_price": "58000.00", "quantity": "0.50000",
    });
    let fields = list("exit", json!([leg("sell", "61000.00", "0.50000"), stop]), json!([]));
    let placed = asker.demand("place_order_list", fields);
    assert_eq!(placed["kind"], "oco");
    let cancel = json!({ "market": "BTC-USDT", "list_id": placed["id"] });
    asker.demand("cancel_order_list", cancel.clone());
    let event = stream.told("order_list_ended");
    assert_eq!((&event["list_id"], &event["end"]), (&placed["id"], &json!("cancelled")));
    let again = asker.ask("cancel_order_list", cancel);
    assert_eq!(again["error"]["code"], "UnknownOrder", "{again}");

    // A wrong leg is named, and nothing is placed.
    let fields = list("wrong", json!([sale, { "side": "sell", "type": "limit" }]), json!([]));
    let refused = asker.ask("place_order_list", fields);
    assert_eq!(refused["status"], 400, "{refused}");
    let message = refused["error"]["message"].as_str().expect("a text");
    assert!(message.contains("legs[1]"), "{refused}");

    // The buyer hears of its own orders, and of nobody's list.
    let last = place(&mut http, &buyer, "buy", "1.00", "0.50000");
    loop {
        let event = others.next();
        let name = event["event"].as_str().expect("a name");
        assert!(!name.starts_with("order_list"), "{event}");
        if name == "order_placed" && event["order_id"] == last {
            break;
        }
    }
    server.stop();
}
