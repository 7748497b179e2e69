//! Readers that do not keep up: what is conflated for them, when they are cut, and that nobody else
//! notices.

use super::book::trade_randomly;
use super::client::{Book, Client};
use super::rig::{MARKET, Options, Random, Rig};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_of_depth_gets_merged_changes_and_ends_in_the_right_book() {
    let mut options = Options::default();
    // With a small backlog it also loses messages, and gets a snapshot instead.
    options.limits.socket_backlog = 64;
    let rig = Rig::with(options).await;
    let mut slow = Client::connect_narrow(rig.address).await;
    slow.subscribe(&["depth:BASE-QUOTE"]).await;
    let mut fast = rig.connect().await;
    fast.subscribe(&["depth:BASE-QUOTE"]).await;
    let counting = tokio::spawn(async move {
        let mut book = Book::default();
        loop {
            match fast.next().await.expect("a notice before the end") {
                notice if notice["event"] == "server_shutdown" => return book,
                message => book.take(&message),
            }
        }
    });
    tokio::task::block_in_place(|| {
        trade_randomly(&rig, &mut Random::new(), |placed| placed == 60_000);
    });
    rig.caught_up().await;
    let expected = rig.shared.views.depth(MARKET, usize::MAX);
    let mut book = Book::default();
    while book.seq < expected.seq.0 {
        book.take(&slow.next().await.unwrap());
    }
    assert_eq!(book.checksum, u64::from(expected.checksum));
    assert_eq!((book.bids.len(), book.asks.len()), (expected.bids.len(), expected.asks.len()));
    drop(slow);
    rig.stop().await;
    let all = counting.await.unwrap();
    assert_eq!((all.seq, &all.bids, &all.asks), (book.seq, &book.bids, &book.asks));
}
