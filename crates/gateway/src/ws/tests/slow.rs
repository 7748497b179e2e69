//! Readers that do not keep up: what is conflated for them, when they are cut, and that nobody else
//! notices.

use std::sync::Arc;

use tokio::sync::Notify;

use super::book::trade_randomly;
use super::client::{Book, Client};
use super::rig::{MARKET, Options, Random, Rig};
use crate::ws::channel_name::PublicKind;
use crate::ws::hub::Topic;
use crate::ws::subscription::{Next, Source, Subscription};

/// Enough trades to fill the buffers of a connection whose client reads nothing.
const MANY: u64 = 25_000;
/// Trades between two looks at the fast reader: fewer than a reader may lie behind.
const PART: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_of_trades_is_cut_and_told_where_to_resume_while_others_get_everything() {
    let mut options = Options::default();
    options.limits.socket_backlog = 4_096;
    let rig = Rig::with(options).await;
    let mut slow = Client::connect_narrow(rig.address).await;
    slow.subscribe(&["trades:BASE-QUOTE"]).await;
    let mut fast = rig.connect().await;
    fast.subscribe(&["trades:BASE-QUOTE"]).await;
    fast.next().await.unwrap();
    // The load waits for the fast reader, so that it is fast on every machine.
    for part in 1..=MANY / PART {
        tokio::task::block_in_place(|| rig.trade(1_000, PART));
        let messages = fast.until(|message| message["data"][0]["id"] == part * PART).await;
        assert_eq!(messages.len() as u64, PART);
    }
    let mut last = 0;
    while let Some(message) = slow.next().await {
        last = message["seq"].as_u64().unwrap();
    }
    let (code, reason) = slow.closed.clone().expect("a close frame");
    assert_eq!(code, 4008, "{reason}");
    assert_eq!(reason, format!("slow reader of trades:BASE-QUOTE; resume_from {last}"));
    // What the reason says is enough to go on, from the event log.
    let mut again = rig.connect().await;
    assert_eq!(again.resume("trades:BASE-QUOTE", last.into()).await["resumed"], true);
    let rest = again.until(|message| message["data"][0]["id"] == MANY).await;
    assert!(
        rest.windows(2)
            .all(|two| two[0]["data"][0]["id"].as_u64() < two[1]["data"][0]["id"].as_u64())
    );
    rig.stop().await;
}

/// A subscription that nobody takes from while the book moves is what a connection has whose client
/// does not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_of_depth_gets_merged_changes_or_a_snapshot_and_has_the_right_book() {
    // With a backlog of four messages, it has lost some.
    for (backlog, kind) in [(4_096, "update"), (4, "snapshot")] {
        let mut options = Options::default();
        options.limits.socket_backlog = backlog;
        let rig = Rig::with(options).await;
        let market = rig.shared.views.market_info(MARKET).unwrap();
        let topic = Topic::Public(PublicKind::Depth, market);
        let fan_out = &rig.shared.fan_out;
        let hub = &fan_out.hubs_of(&topic)[0];
        let name = "depth:BASE-QUOTE".parse().unwrap();
        let bell = Arc::new(Notify::new());
        let begun = Subscription::begin(fan_out, hub, &name, &topic, None, &bell).await;
        let mut book = Book::default();
        for text in begun.texts {
            book.take(&serde_json::from_str(&text).unwrap());
        }
        let mut random = Random::new();
        for _ in 0..20 {
            tokio::task::block_in_place(|| {
                trade_randomly(&rig, &mut random, |placed| placed == 200);
            });
            rig.caught_up().await;
        }
        let expected = rig.shared.views.depth(MARKET, usize::MAX);
        let mut subscription = begun.subscription;
        let mut kinds = Vec::new();
        while book.seq < expected.seq.0 {
            match subscription.next() {
                Next::Messages(texts) => {
                    for text in texts {
                        let message = serde_json::from_str(&text).unwrap();
                        book.take(&message);
                        kinds.push(message["type"].as_str().unwrap().to_owned());
                    }
                }
                Next::Nothing => tokio::task::yield_now().await,
                Next::Lost => panic!("depth is never lost"),
            }
        }
        // What had not been published when it looked comes as a message of its own.
        assert_eq!(kinds[0], kind);
        assert!(kinds.len() <= 2, "{kinds:?}");
        assert_eq!(book.checksum, u64::from(expected.checksum));
        let sizes = (book.bids.len(), book.asks.len());
        assert_eq!(sizes, (expected.bids.len(), expected.asks.len()));
        rig.stop().await;
    }
}
