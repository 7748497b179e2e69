//! The same exchange on one, two and five partitions.

use std::collections::BTreeSet;

use crate::common::{
    self, Client, balances, config, kill, nth_order, rebuild, settle, start, stop,
};
use engine::Partition;
use node::Exchange;
use types::PartitionId;

fn rebuild_all(data: &std::path::Path, partitions: u16) -> Vec<Partition> {
    (0..partitions).map(|id| rebuild(data, PartitionId(id))).collect()
}

#[test]
fn one_two_and_five_partitions_end_in_the_same_balances() {
    let mut results = Vec::new();
    for partitions in [1, 2, 5] {
        let dir = tempfile::tempdir().unwrap();
        let node = start(config(dir.path(), partitions));
        let client = Client::new(&node);
        client.found(7);
        for n in 0..150 {
            client.ask(nth_order(n, 7));
            if partitions > 1 {
                // The same order of effects everywhere: each command runs to its end.
                settle_quickly(&node);
            }
        }
        settle(&node);
        results.push(balances(&node));
        stop(node, client);
        let rebuilt = rebuild_all(dir.path(), partitions);
        let audit = engine::audit(&rebuilt.iter().collect::<Vec<_>>());
        assert!(audit.quiet);
        assert_eq!(audit.violations, Vec::<String>::new());
    }
    assert!(results[0].len() >= 14);
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

fn settle_quickly(node: &node::Node) {
    let mut before = Vec::new();
    loop {
        let now: Vec<_> = node.stats().partitions.iter().map(|part| part.last_seq).collect();
        if now == before {
            return;
        }
        before = now;
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
}

#[test]
fn every_command_is_answered_once_across_partitions_and_a_crash_loses_no_message() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 5));
    let client = Client::new(&node);
    client.found(7);
    let tokens: BTreeSet<u64> = (0..3000).map(|n| client.send(nth_order(n, 7)).unwrap()).collect();
    let mut answered = BTreeSet::new();
    for _ in 0..3000 {
        let answer = client.answers.recv_timeout(common::PATIENCE).unwrap();
        assert!(answered.insert(answer.token), "answered twice");
    }
    assert_eq!(tokens, answered);
    // Settlements are still on their way between partitions.
    kill(node, client);
    let node = start(config(dir.path(), 5));
    let client = Client::new(&node);
    settle(&node);
    let before = balances(&node);
    stop(node, client);
    // An undisturbed second life changes nothing more, and outboxes are empty.
    let node = start(config(dir.path(), 5));
    settle(&node);
    assert_eq!(balances(&node), before);
    let client = Client::new(&node);
    stop(node, client);
    let rebuilt = rebuild_all(dir.path(), 5);
    for partition in &rebuilt {
        assert_eq!(partition.outbox_len(), 0, "partition {}", partition.id());
    }
    let audit = engine::audit(&rebuilt.iter().collect::<Vec<_>>());
    assert!(audit.quiet);
    assert_eq!(audit.violations, Vec::<String>::new());
}

#[test]
fn an_idle_node_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 5));
    let client = Client::new(&node);
    client.found(3);
    settle(&node);
    let entries = |node: &node::Node| -> u64 {
        node.stats().partitions.iter().map(|part| part.entries).sum()
    };
    let before = entries(&node);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(entries(&node), before);
    assert_eq!(node.topology().partitions, 5);
    stop(node, client);
}
