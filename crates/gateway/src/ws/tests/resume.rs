//! Going on after a lost connection: the very messages that were missed, or a snapshot.

use serde_json::{Value, json};
use types::{Side, Topology};

use super::rig::{Options, P0, Rig};

const TRADES: &str = "trades:BASE-QUOTE";

/// A gateway whose channels keep so little that a replay must come from the event log.
async fn forgetful() -> Rig {
    let mut options = Options::default();
    options.limits.socket_backlog = 2;
    Rig::with(options).await
}

fn without(messages: &[Value], up_to: u64) -> Vec<Value> {
    let later = |message: &&Value| message["seq"].as_u64().unwrap() > up_to;
    messages.iter().filter(later).cloned().collect()
}

/// Updates of one channel while `count` trades happen one by one, followed by a client that keeps up.
async fn followed(rig: &Rig, channel: &str, count: usize) -> Vec<Value> {
    let mut client = rig.logged_in(1).await;
    client.subscribe(&[channel]).await;
    client.next().await.unwrap();
    let mut messages = Vec::new();
    for trade in 0..count {
        rig.trade(1_000 + trade as u64, 1);
        let is_trade =
            |m: &Value| m["data"].as_array().unwrap().iter().any(|i| i["event"] == "trade");
        messages.extend(client.until(is_trade).await);
    }
    messages
}

#[tokio::test]
async fn trades_are_resumed_exactly_from_the_channel_and_from_the_event_log() {
    for rig in [Rig::start().await, forgetful().await] {
        let messages = followed(&rig, TRADES, 10).await;
        let from = messages[3]["seq"].as_u64().unwrap();
        let missed = without(&messages, from);
        let mut client = rig.connect().await;
        assert_eq!(client.resume(TRADES, json!(from)).await["resumed"], true);
        for message in missed {
            assert_eq!(client.next().await.unwrap(), message);
        }
        rig.trade(1_100, 1);
        assert_eq!(client.next().await.unwrap()["data"][0]["id"], 11);
        rig.stop().await;
    }
}

#[tokio::test]
async fn private_channels_are_resumed_exactly_by_partition() {
    for rig in [Rig::start().await, forgetful().await] {
        for channel in ["orders", "fills"] {
            let messages = followed(&rig, channel, 6).await;
            let from = messages[2]["seq"].as_u64().unwrap();
            let missed = without(&messages, from);
            assert!(missed.len() >= 3);
            let mut client = rig.logged_in(1).await;
            assert_eq!(client.resume(channel, json!({ "0": from })).await["resumed"], true);
            for message in missed {
                assert_eq!(client.next().await.unwrap(), message);
            }
        }
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_resumed_book_is_told_the_changes_and_one_too_old_gets_a_snapshot() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    client.subscribe(&["depth:BASE-QUOTE"]).await;
    let from = client.next().await.unwrap()["seq"].as_u64().unwrap();
    rig.place(1, Side::Buy, 900, 5);
    client.next().await.unwrap();
    let mut other = rig.connect().await;
    assert_eq!(other.resume("depth:BASE-QUOTE", json!(from)).await["resumed"], true);
    let message = other.next().await.unwrap();
    assert_eq!(message["first_seq"], from + 1);
    assert_eq!(message["data"]["bids"], json!([["90.0", "0.5"]]));
    rig.stop().await;

    let rig = forgetful().await;
    let mut client = rig.connect().await;
    client.subscribe(&["depth:BASE-QUOTE"]).await;
    client.next().await.unwrap();
    for price in 900..910 {
        rig.place(1, Side::Buy, price, 5);
        client.next().await.unwrap();
    }
    let mut other = rig.connect().await;
    let begun = other.resume("depth:BASE-QUOTE", json!(from)).await;
    assert_eq!((&begun["resumed"], &begun["code"]), (&json!(false), &json!("ResumeTooOld")));
    let message = other.next().await.unwrap();
    assert_eq!(message["type"], "snapshot");
    assert_eq!(message["data"]["bids"].as_array().unwrap().len(), 10);
    rig.stop().await;
}

#[tokio::test]
async fn what_the_event_log_does_not_have_any_more_is_answered_with_a_snapshot() {
    let mut options = Options { recent_events: Some(64), ..Options::default() };
    options.limits.socket_backlog = 2;
    let rig = Rig::with(options).await;
    let messages = followed(&rig, TRADES, 40).await;
    let mut client = rig.connect().await;
    let begun = client.resume(TRADES, messages[0]["seq"].clone()).await;
    assert_eq!((&begun["resumed"], &begun["code"]), (&json!(false), &json!("ResumeTooOld")));
    let snapshot = client.next().await.unwrap();
    assert_eq!((&snapshot["type"], &snapshot["data"][39]["id"]), (&json!("snapshot"), &json!(40)));
    rig.stop().await;
}

#[tokio::test]
async fn a_seq_from_the_future_is_answered_with_a_snapshot() {
    let rig = Rig::start().await;
    let mut client = rig.connect().await;
    let ahead = rig.shared.views.applied(P0).0 + 1_000;
    for channel in [TRADES, "depth:BASE-QUOTE", "ticker:BASE-QUOTE", "candles:BASE-QUOTE:1m"] {
        assert_eq!(client.resume(channel, json!(ahead)).await["resumed"], false);
        assert_eq!(client.next().await.unwrap()["type"], "snapshot");
    }
    rig.stop().await;
}

#[tokio::test]
async fn with_several_partitions_each_is_resumed_or_begins_with_a_snapshot_and_the_answer_says_which()
 {
    let mut options = Options { topology: Topology::spread(2), ..Options::default() };
    options.recent_events = Some(64);
    options.limits.socket_backlog = 2;
    let rig = Rig::with(options).await;
    let mut client = rig.logged_in(1).await;
    client.subscribe(&["fills"]).await;
    let (zero, one) = (client.next().await.unwrap(), client.next().await.unwrap());
    assert_eq!((&zero["partition"], &one["partition"]), (&json!(0), &json!(1)));
    let (zero, one) = (zero["seq"].clone(), one["seq"].clone());
    let told = |begun: &Value| {
        let of = |p: &Value| (p["partition"].clone(), p["resumed"].clone(), p["code"].clone());
        let all: Vec<_> = begun["partitions"].as_array().unwrap().iter().map(of).collect();
        (begun["resumed"].clone(), begun["code"].clone(), all)
    };
    let old = json!("ResumeTooOld");

    rig.trade(1_000, 1);
    let trade = client.next().await.unwrap();
    let mut other = rig.logged_in(1).await;
    let begun = other.resume("fills", json!({ "1": one })).await;
    let expected =
        vec![(json!(0), json!(false), Value::Null), (json!(1), json!(true), Value::Null)];
    assert_eq!(told(&begun), (json!(false), Value::Null, expected));
    let mut messages = [other.next().await.unwrap(), other.next().await.unwrap()];
    messages.sort_by_key(|message| message["partition"].as_u64());
    assert_eq!((&messages[0]["type"], &messages[0]["partition"]), (&json!("snapshot"), &json!(0)));
    assert_eq!(messages[1], trade);

    for price in 1_001..1_041 {
        rig.trade(price, 1);
        client.next().await.unwrap();
    }
    let mut other = rig.logged_in(1).await;
    let begun = other.resume("fills", json!({ "0": zero, "1": one })).await;
    let (resumed, code, partitions) = told(&begun);
    assert_eq!((resumed, code), (json!(false), old.clone()));
    assert_eq!(partitions[1], (json!(1), json!(false), old));
    let snapshot = other.until(|m| m["partition"] == 1).await.pop().unwrap();
    assert_eq!(
        (&snapshot["type"], snapshot["data"].as_array().unwrap().len()),
        (&json!("snapshot"), 41)
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_bare_seq_is_refused_for_a_channel_of_several_partitions() {
    let options = Options { topology: Topology::spread(2), ..Options::default() };
    let rig = Rig::with(options).await;
    let mut client = rig.logged_in(1).await;
    for channel in ["orders", "fills"] {
        let fields = json!({ "channels": [channel], "resume_from": 1 });
        assert_eq!(client.refusal("subscribe", fields).await, "InvalidField");
    }
    assert_eq!(client.ok("list", json!({})).await["channels"], json!([]));
    let begun = client.resume("balances", json!(1)).await;
    assert!(begun["resumed"].is_boolean() && begun["partitions"].is_null(), "{begun}");
    rig.stop().await;
}
