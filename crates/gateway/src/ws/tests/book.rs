//! Public channels under load: what a client builds from a snapshot and updates is what the views have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use types::{AccountId, OrderId, Request, Side};

use super::client::{Book, Client};
use super::rig::{MARKET, Random, Rig};

const DEPTH: &str = "depth:BASE-QUOTE";
const TRADES: &str = "trades:BASE-QUOTE";

/// Random orders and cancels around a price, until told to stop.
pub fn trade_randomly(rig: &Rig, random: &mut Random, until: impl Fn(u64) -> bool) {
    let mut placed = 0;
    while !until(placed) {
        placed += 1;
        let side = if random.below(2) == 0 { Side::Buy } else { Side::Sell };
        let account = 1 + random.below(4) as u32;
        rig.place(account, side, 950 + random.below(100), 1 + random.below(20));
        if random.below(3) == 0 {
            let (account, order) = (AccountId(account), OrderId(1 + random.below(placed)));
            rig.submit(Request::CancelOrder { account, market: MARKET, order });
        }
    }
}

/// What a client's book must be in the end.
fn book_of_views(rig: &Rig) -> Book {
    let info = rig.shared.views.market_info(MARKET).unwrap();
    let depth = rig.shared.views.depth(MARKET, usize::MAX);
    let levels = |levels: &[views::DepthLevel]| {
        let text = |level: &views::DepthLevel| {
            let price = info.def.tick.format(level.price.get().into());
            (price, info.def.lot.format(level.quantity))
        };
        levels.iter().map(text).collect()
    };
    Book {
        seq: depth.seq.0,
        bids: levels(&depth.bids),
        asks: levels(&depth.asks),
        checksum: depth.checksum.into(),
        ..Book::default()
    }
}

/// Reads depth messages until the book has reached `seq`.
async fn follow(client: &mut Client, book: &mut Book, seq: impl Fn() -> Option<u64>) {
    loop {
        if seq().is_some_and(|seq| book.seq >= seq) {
            return;
        }
        let message = client.next().await.unwrap_or_else(|| panic!("closed: {:?}", client.closed));
        book.take(&message);
    }
}

/// The ids of all trades in messages must follow each other; gives the last.
fn check_trades(messages: &[Value]) -> (u64, u64) {
    let mut ids = messages.iter().flat_map(|message| {
        let at = message["seq"].as_u64().unwrap();
        let is_update = message["type"] == "update";
        message["data"].as_array().unwrap().iter().map(move |trade| {
            assert_eq!(trade["event"], "trade");
            assert!(!is_update || trade["seq"] == at, "one entry per message: {trade}");
            trade["id"].as_u64().unwrap()
        })
    });
    let Some(first) = ids.next() else { return (0, 0) };
    let last = ids.fold(first, |before, id| {
        assert_eq!(id, before + 1, "a gap or a repeat");
        id
    });
    (first, last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_and_updates_give_the_very_book_and_all_trades_under_load() {
    let rig = Arc::new(Rig::start().await);
    let done = Arc::new(AtomicBool::new(false));
    let load = std::thread::spawn({
        let (rig, done) = (Arc::clone(&rig), Arc::clone(&done));
        move || trade_randomly(&rig, &mut Random::new(), |_| done.load(Ordering::Relaxed))
    });
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut books = rig.connect().await;
        books.subscribe(&[DEPTH]).await;
        let mut trades = rig.connect().await;
        trades.subscribe(&[TRADES]).await;
        let mut book = Book::default();
        // Some of them join and lie behind, some follow: all while the book moves.
        for _ in 0..20 {
            book.take(&books.next().await.unwrap());
        }
        clients.push((books, book, trades));
    }
    done.store(true, Ordering::Relaxed);
    load.join().unwrap();
    rig.caught_up().await;
    let expected = book_of_views(&rig);
    let last_trade = rig.shared.views.trades(MARKET, 1)[0].trade.0;
    for (mut books, mut book, mut trades) in clients {
        follow(&mut books, &mut book, || Some(expected.seq)).await;
        let (messages, snapshots) = (0, 0);
        assert_eq!(Book { messages, snapshots, ..book }, expected);
        let is_last = |message: &Value| {
            let trade = message["data"].as_array().unwrap().last();
            trade.is_some_and(|trade| trade["id"] == last_trade)
        };
        let (first, last) = check_trades(&trades.until(is_last).await);
        assert!(first < last && last == last_trade);
    }
}

#[tokio::test]
async fn ticker_and_candles_show_the_last_trade() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    client.subscribe(&["ticker:BASE-QUOTE", "candles:BASE-QUOTE:1d"]).await;
    assert_eq!(client.next().await.unwrap()["data"]["last"], Value::Null);
    assert_eq!(client.next().await.unwrap()["data"], json!([]));
    rig.trade(1_000, 1);
    rig.trade(1_010, 1);
    let (mut last, mut close) = (Value::Null, Value::Null);
    while last != "101.0" || close != "101.0" {
        let message = client.next().await.unwrap();
        match message["channel"].as_str().unwrap() {
            "ticker:BASE-QUOTE" => last = message["data"]["last"].clone(),
            _ => close = message["data"]["close"].clone(),
        }
    }
    let mut late = rig.connect().await;
    late.subscribe(&["candles:BASE-QUOTE:1d"]).await;
    // The snapshot may be one that the first subscriber got, with an update to follow.
    let newest = |message: &Value| match &message["data"] {
        Value::Array(candles) => candles.last().cloned().unwrap_or_default(),
        candle => candle.clone(),
    };
    let messages = late.until(|message| newest(message)["close"] == "101.0").await;
    let candle = newest(messages.last().unwrap());
    assert_eq!((&candle["high"], &candle["closed"]), (&json!("101.0"), &json!(false)));
    rig.stop().await;
}

#[tokio::test]
async fn an_unsubscribed_channel_is_silent_and_can_be_subscribed_again() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    client.subscribe(&[TRADES, DEPTH]).await;
    assert_eq!(client.ok("list", json!({})).await["channels"], json!([DEPTH, TRADES]));
    client.ok("unsubscribe", json!({ "channels": [TRADES] })).await;
    client.drain().await;
    rig.trade(1_000, 1);
    rig.caught_up().await;
    let is_empty = |message: &Value| message["data"]["bids"] == json!([["100.0", "0.0"]]);
    rig.place(1, Side::Buy, 1_000, 1);
    rig.place(2, Side::Sell, 1_000, 1);
    let messages = client.until(is_empty).await;
    assert!(messages.iter().all(|message| message["channel"] == DEPTH));
    client.subscribe(&[TRADES]).await;
    rig.trade(1_000, 1);
    let is_last = |m: &Value| m["channel"] == TRADES && m["data"][0]["id"] == 3;
    let all = client.until(is_last).await;
    let trades: Vec<Value> = all.into_iter().filter(|m| m["channel"] == TRADES).collect();
    assert_eq!(check_trades(&trades), (1, 3));
    rig.stop().await;
}
