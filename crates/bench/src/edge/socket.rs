//! Order entry over WebSocket: one login, then many orders under way at once.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Instant;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::http::Key;
use super::load::Client;
use super::pace::Window;
use super::trader::{Action, Done, Refusal, Trader};

#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    status: u16,
    #[serde(borrow)]
    result: Option<Done<'a>>,
    error: Option<Refusal>,
}

/// Requests of one socket.
#[derive(Default)]
struct Requests {
    last_id: u64,
    /// Those that were sent, by their ids, with the times at which they were due.
    under_way: HashMap<u64, (Instant, Action)>,
}

/// One client: all requests whose turn has come are under way at once.
pub async fn trade(client: Client) {
    let Client { plan, number, mut turns, window, totals } = client;
    let mut trader = Trader::new(&plan.run, number);
    let mut socket = open(plan.address, &plan.keys[number]).await;
    let mut requests = Requests::default();
    loop {
        while let Some(due) = turns.now(requests.under_way.len(), &window) {
            let text = requests.next(due, trader.next_action(&plan.run));
            socket.feed(Message::text(text)).await.expect("an open socket");
        }
        socket.flush().await.expect("an open socket");
        let mut message = tokio::select! {
            Some(due) = turns.later() => {
                let text = requests.next(due, trader.next_action(&plan.run));
                socket.feed(Message::text(text)).await.expect("an open socket");
                continue;
            }
            message = socket.next(), if !requests.under_way.is_empty() => message,
            else => break,
        };
        // All that has come meanwhile is answered with one write.
        while let Some(next) = message {
            requests.take(next.expect("an open socket"), &mut trader, &window);
            message = match requests.under_way.is_empty() {
                true => None,
                false => socket.next().now_or_never().flatten(),
            };
        }
        if !plan.pause.is_zero() {
            tokio::time::sleep(plan.pause).await;
        }
    }
    totals.add(&trader);
}

/// Connects and logs in.
pub async fn open(server: SocketAddr, key: &Key) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(server).await.expect("a listening server");
    stream.set_nodelay(true).expect("a TCP connection");
    let url = format!("ws://{server}/v1/ws");
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("a handshake");
    let (now, signature) = key.sign("GET", "/v1/ws", "");
    let id = &key.id;
    let login = format!(
        r#"{{"id":0,"op":"login","key":"{id}","timestamp":{now},"signature":"{signature}"}}"#
    );
    socket.send(Message::text(login)).await.expect("an open socket");
    let answer = socket.next().await.expect("an answer").expect("an open socket");
    let text = answer.into_text().expect("a text");
    assert!(text.contains(r#""status":200"#), "{text}");
    socket
}

fn request(id: u64, action: &Action) -> String {
    let mut text = String::with_capacity(256);
    match action {
        Action::Place { client_order_id, limit } => {
            write!(text, r#"{{"id":{id},"op":"place_order","#).expect("a string");
            limit.write_fields(client_order_id, &mut text);
            text.push('}');
        }
        Action::Cancel { order } => write!(
            text,
            r#"{{"id":{id},"op":"cancel_order","market":"BTC-USDT","order_id":{order}}}"#
        )
        .expect("a string"),
    }
    text
}

impl Requests {
    /// The text of the next one.
    fn next(&mut self, due: Instant, action: Action) -> String {
        self.last_id += 1;
        let text = request(self.last_id, &action);
        self.under_way.insert(self.last_id, (due, action));
        text
    }

    fn take(&mut self, message: Message, trader: &mut Trader, window: &Window) {
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Ping(_) => return,
            other => panic!("not an answer: {other:?}"),
        };
        let answer: Answer<'_> =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let (due, action) = self.under_way.remove(&answer.id).expect("an answer to a request");
        let outcome = match (answer.status, answer.result, answer.error) {
            (200, Some(done), None) => Ok(done),
            (_, None, Some(refusal)) => Err(refusal),
            _ => panic!("neither result nor error: {text}"),
        };
        trader.answered(&action, outcome);
        window.count(due);
    }
}
