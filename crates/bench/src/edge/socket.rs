//! Order entry over WebSocket: one login, then many orders under way at once.

use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Instant;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::http::Key;
use super::load::{Plan, Window};
use super::trader::{Action, Done, Refusal, Trader};

#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    status: u16,
    #[serde(borrow)]
    result: Option<Done<'a>>,
    error: Option<Refusal>,
}

/// Requests that were sent, by their ids.
type UnderWay = HashMap<u64, (Instant, Action)>;

/// One client: as many requests under way as the plan says, until the window closes.
pub async fn trade(plan: Rc<Plan>, number: usize, window: Rc<Window>) {
    let mut trader = Trader::new(plan.run, number);
    let mut socket = open(&plan, &plan.keys[number]).await;
    let (mut under_way, mut last_id) = (UnderWay::new(), 0);
    loop {
        while under_way.len() < plan.in_flight && window.is_open() {
            last_id += 1;
            let action = trader.next_action(plan.run);
            let text = request(last_id, &action);
            under_way.insert(last_id, (Instant::now(), action));
            socket.feed(Message::text(text)).await.expect("an open socket");
        }
        if under_way.is_empty() {
            break;
        }
        socket.flush().await.expect("an open socket");
        let mut next = socket.next().await;
        // All that has come meanwhile is answered with one write.
        while let Some(message) = next {
            take(message.expect("an open socket"), &mut trader, &mut under_way, &window);
            next = match under_way.is_empty() {
                true => None,
                false => socket.next().now_or_never().flatten(),
            };
        }
        if !plan.pause.is_zero() {
            tokio::time::sleep(plan.pause).await;
        }
    }
    window.count_late_cancels(trader.late_cancels);
}

async fn open(plan: &Plan, key: &Key) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(plan.address).await.expect("a listening server");
    stream.set_nodelay(true).expect("a TCP connection");
    let url = format!("ws://{}/v1/ws", plan.address);
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

fn take(message: Message, trader: &mut Trader, under_way: &mut UnderWay, window: &Window) {
    let text = match &message {
        Message::Text(text) => text.as_str(),
        Message::Ping(_) => return,
        other => panic!("not an answer: {other:?}"),
    };
    let answer: Answer<'_> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let (sent, action) = under_way.remove(&answer.id).expect("an answer to a request");
    let outcome = match (answer.status, answer.result, answer.error) {
        (200, Some(done), None) => Ok(done),
        (_, None, Some(refusal)) => Err(refusal),
        _ => panic!("neither result nor error: {text}"),
    };
    trader.answered(&action, outcome);
    window.count(sent.elapsed());
}
