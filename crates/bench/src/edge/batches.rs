//! Order entry over WebSocket with many orders in a message: one login, then messages of new orders and messages of
//! cancels, of which each socket has a few under way.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;

use super::load::Client;
use super::pace::Window;
use super::socket::open;
use super::trader::{Action, Done, Refusal, Trader};

/// Orders of a message: as many as the exchange takes.
pub const ORDERS: usize = 100;

#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    status: u16,
    #[serde(borrow)]
    result: Answers<'a>,
}

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    orders: Vec<One<'a>>,
}

#[derive(Deserialize)]
struct One<'a> {
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
    under_way: HashMap<u64, (Instant, Vec<Action>)>,
    /// What has not filled a message yet.
    places: Vec<Action>,
    cancels: Vec<Action>,
}

/// One client: as many full messages are under way as it may have. The cancels among them are of orders that were
/// open when their message was made.
pub async fn trade(client: Client) {
    let Client { plan, number, mut turns, window, totals } = client;
    let mut trader = Trader::new(&plan.run, number);
    let mut socket = open(plan.address, &plan.keys[number]).await;
    let mut requests = Requests::default();
    loop {
        while let Some(due) = turns.now(requests.under_way.len(), &window) {
            let text = requests.next(due, || trader.next_action(&plan.run));
            socket.feed(Message::text(text)).await.expect("an open socket");
        }
        if requests.under_way.is_empty() {
            break;
        }
        socket.flush().await.expect("an open socket");
        let message = socket.next().await.expect("an answer").expect("an open socket");
        requests.take(&message, &mut trader, &window);
    }
    totals.add(&trader);
}

impl Requests {
    /// The text of the next message: what the trader does next, until there is enough of one kind.
    fn next(&mut self, due: Instant, mut action: impl FnMut() -> Action) -> String {
        let actions = loop {
            let action = action();
            let queue = match action {
                Action::Place { .. } => &mut self.places,
                Action::Cancel { .. } => &mut self.cancels,
            };
            queue.push(action);
            if queue.len() == ORDERS {
                break std::mem::take(queue);
            }
        };
        self.last_id += 1;
        let text = request(self.last_id, &actions);
        self.under_way.insert(self.last_id, (due, actions));
        text
    }

    fn take(&mut self, message: &Message, trader: &mut Trader, window: &Window) {
        let text = match message {
            Message::Text(text) => text.as_str(),
            Message::Ping(_) => return,
            other => panic!("not an answer: {other:?}"),
        };
        let Answer { id, status, result } =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let (due, actions) = self.under_way.remove(&id).expect("an answer to a request");
        assert_eq!((status, result.orders.len()), (200, actions.len()), "{text}");
        for (action, answer) in actions.iter().zip(result.orders) {
            let outcome = match (answer.status, answer.result, answer.error) {
                (200, Some(done), None) => Ok(done),
                (_, None, Some(refusal)) => Err(refusal),
                _ => panic!("neither result nor error: {text}"),
            };
            trader.answered(action, outcome);
        }
        window.count_all(due, actions.len() as u64);
    }
}

/// All `actions` are of one kind.
fn request(id: u64, actions: &[Action]) -> String {
    let op = match actions[0] {
        Action::Place { .. } => "place_orders",
        Action::Cancel { .. } => "cancel_orders",
    };
    let mut text = String::with_capacity(200 * actions.len());
    write!(text, r#"{{"id":{id},"op":"{op}","orders":["#).expect("a string");
    for (nth, action) in actions.iter().enumerate() {
        text.push_str(if nth == 0 { "{" } else { ",{" });
        match action {
            Action::Place { client_order_id, limit } => {
                limit.write_fields(client_order_id, &mut text);
            }
            Action::Cancel { order } => {
                write!(text, r#""market":"BTC-USDT","order_id":{order}"#).expect("a string");
            }
        }
        text.push('}');
    }
    text.push_str("]}");
    text
}
