//! Readers of market data: one keeps the book that all agents look at, the others stand for the many who subscribe.
//! Each looks for gaps.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use tokio::sync::Notify;

use super::message::{Message, REOPEN_AFTER};
use crate::book::Changes;
use crate::client::{Receiver, Sender, open};
use crate::world::World;

/// Wishes to change subscriptions that wait for a socket.
#[derive(Default)]
pub(crate) struct Churn {
    waiting: RefCell<u32>,
    notify: Notify,
}

impl Churn {
    /// A subscription shall come or go.
    pub(crate) fn wish(&self) {
        *self.waiting.borrow_mut() += 1;
        self.notify.notify_one();
    }
}

#[derive(Deserialize)]
struct Trade {
    id: u64,
}

/// What a reader has heard of its channels.
#[derive(Default)]
struct Heard {
    /// The last entry of each channel.
    last: HashMap<String, u64>,
    last_trade: Option<u64>,
}

/// Keeps the book for ever. `ready` is told when it is there.
pub(crate) async fn keep_book(
    world: Rc<World>,
    address: SocketAddr,
    ready: tokio::sync::oneshot::Sender<()>,
) {
    let mut ready = Some(ready);
    loop {
        if let Ok((mut sender, mut receiver)) = open(address).await {
            let (symbol, mut heard) = (&world.market.symbol, Heard::default());
            let wish = format!(
                r#"{{"id":1,"op":"subscribe","channels":["depth:{symbol}","trades:{symbol}"]}}"#
            );
            if sender.send(wish).await.is_err() {
                continue;
            }
            while let Ok(Some(text)) = receiver.next().await {
                let Some(message) = heard.take(&world, &text) else { continue };
                if message.channel.is_some_and(|channel| channel.starts_with("depth:")) {
                    apply(&world, &message);
                    ready.take().map(|ready| ready.send(()));
                }
            }
            world.findings.borrow_mut().checked("market data sockets cut", 1);
        }
        tokio::time::sleep(REOPEN_AFTER).await;
    }
}

fn apply(world: &World, message: &Message<'_>) {
    let mut book = world.book.borrow_mut();
    if message.is_snapshot() {
        book.clear();
    }
    let result = match message.data::<Changes<'_>>() {
        Ok(changes) => book.apply(&changes),
        Err(error) => Err(error.to_string()),
    };
    let mut findings = world.findings.borrow_mut();
    findings.checked("books compared with their checksum", 1);
    if let Err(text) = result {
        findings.add("book", format!("after entry {}: {text}", message.seq));
    }
}

/// Reads market data as those do who look at it, for ever.
pub(crate) async fn listen(world: Rc<World>, address: SocketAddr, churn: Rc<Churn>) {
    loop {
        if let Ok((sender, receiver)) = open(address).await {
            tokio::select! {
                () = subscribe(&world, sender, &churn) => {}
                () = hear(&world, receiver) => {}
            }
            world.findings.borrow_mut().checked("market data sockets cut", 1);
        }
        tokio::time::sleep(REOPEN_AFTER).await;
    }
}

/// Subscribes to what everybody looks at, and then to candles and the state of the market on and off.
async fn subscribe(world: &World, mut sender: Sender, churn: &Churn) {
    let symbol = &world.market.symbol;
    let mut wish = format!(
        r#"{{"id":1,"op":"subscribe","channels":["depth:{symbol}","trades:{symbol}","ticker:{symbol}"]}}"#
    );
    let mut is_subscribed = false;
    loop {
        if sender.send(wish).await.is_err() {
            return;
        }
        while *churn.waiting.borrow() == 0 {
            churn.notify.notified().await;
        }
        *churn.waiting.borrow_mut() -= 1;
        is_subscribed = !is_subscribed;
        let op = if is_subscribed { "subscribe" } else { "unsubscribe" };
        wish = format!(
            r#"{{"id":2,"op":"{op}","channels":["candles:{symbol}:1s","candles:{symbol}:1m","market:{symbol}"]}}"#
        );
    }
}

async fn hear(world: &World, mut receiver: Receiver) {
    let mut heard = Heard::default();
    while let Ok(Some(text)) = receiver.next().await {
        heard.take(world, &text);
    }
}

impl Heard {
    /// Looks at a message; gives it if it has data.
    fn take<'a>(&mut self, world: &World, text: &'a str) -> Option<Message<'a>> {
        let message = match serde_json::from_str::<Message<'a>>(text) {
            Ok(message) => message,
            Err(error) => {
                world.findings.borrow_mut().add("stream", format!("{error}: {text}"));
                return None;
            }
        };
        if message.status.is_some_and(|status| !matches!(status, 200 | 429)) {
            world.findings.borrow_mut().add("stream", text.to_owned());
        }
        let channel = message.channel?;
        world.seconds.borrow_mut().note(world.now(), |second| second.messages += 1);
        self.compare(world, channel, &message);
        Some(message)
    }

    /// Nothing may be missing between this message and the one before, and nothing may come twice.
    fn compare(&mut self, world: &World, channel: &str, message: &Message<'_>) {
        let is_snapshot = message.is_snapshot();
        let last = self.last.insert(channel.to_owned(), message.seq);
        let mut findings = world.findings.borrow_mut();
        findings.checked("stream messages in order", 1);
        if let (false, Some(last)) = (is_snapshot, last) {
            let follows = match message.first_seq {
                Some(first) => first == last + 1,
                // A state that did not change may be told again.
                None => message.seq >= last,
            };
            if !follows {
                let (first, seq) = (message.first_seq, message.seq);
                findings.add("gap", format!("{channel}: {first:?} to {seq} after {last}"));
            }
        }
        if channel.starts_with("trades:") {
            let trades = message.data::<Vec<Trade>>().unwrap_or_else(|error| {
                findings.add("stream", format!("{channel}: {error}"));
                Vec::new()
            });
            for trade in trades {
                let expected = self.last_trade.replace(trade.id).map(|last| last + 1);
                if !is_snapshot && expected.is_some_and(|expected| expected != trade.id) {
                    findings
                        .add("gap", format!("{channel}: trade {} is not {expected:?}", trade.id));
                }
            }
            if !is_snapshot {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
                let delay = (now.as_millis() as u64).saturating_sub(message.time);
                world.stream_delay.borrow_mut().saturating_record(delay * 1_000);
            }
        }
    }
}
