//! What was acknowledged is there again, with and without snapshots, after an orderly end and after
//! a crash.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::common::{
    self, Client, balances, config, kill, nth_order, rebuild, settle, start, stop,
};
use node::{DataDir, Exchange, FeedError, Node, NodeConfig, NodeError, NodeHooks};
use types::{PartitionId, Seq, Topology};

const P0: PartitionId = PartitionId(0);

fn trade(client: &Client, from: u64, count: u64) -> Seq {
    let mut last = Seq(0);
    for n in from..from + count {
        client.send(nth_order(n, 5)).unwrap();
    }
    for _ in 0..count {
        last = client.answers.recv_timeout(common::PATIENCE).unwrap().seq;
    }
    last
}

#[test]
fn an_orderly_restart_brings_back_state_and_events() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(5);
    trade(&client, 0, 3000);
    let before = balances(&node);
    stop(node, client);
    let hash = rebuild(dir.path(), P0).state_hash();

    let node = start(config(dir.path(), 1));
    let recovery = node.recovery()[0].clone();
    assert!(recovery.sealed && recovery.torn.is_none());
    assert_eq!(recovery.replayed, recovery.last_seq.0);
    assert_eq!(node.term(), 2);
    assert_eq!(balances(&node), before);
    let client = Client::new(&node);
    trade(&client, 3000, 10);
    stop(node, client);
    assert_ne!(rebuild(dir.path(), P0).state_hash(), hash);
}

#[test]
fn a_restart_from_a_snapshot_comes_to_the_same_state_as_one_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(5);
    let last = trade(&client, 0, 2000);
    let made = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    assert!(made.seq >= last);
    trade(&client, 2000, 500);
    let before = balances(&node);
    kill(node, client);

    let snapshots = DataDir::new(dir.path()).snapshots(P0);
    let unfinished = snapshots.join(format!("{:020}.tmp", made.seq.0 + 100));
    fs::write(&unfinished, "of a child that was killed, too").unwrap();
    let node = start(config(dir.path(), 1));
    assert!(!unfinished.exists(), "nobody writes it");
    assert_eq!(node.recovery()[0].snapshot_seq, made.seq);
    assert!(node.recovery()[0].replayed >= 500);
    assert_eq!(balances(&node), before);
    let client = Client::new(&node);
    trade(&client, 2500, 100);
    // The child of the second life begins with the first one's snapshot: its digest must agree.
    let again = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    assert!(again.seq > made.seq && again.replayed < 1000);
    stop(node, client);
    fs::remove_dir_all(DataDir::new(dir.path()).snapshots(P0)).unwrap();
    let node = start(config(dir.path(), 1));
    assert_eq!(node.recovery()[0].snapshot_seq, Seq(0));
    let client = Client::new(&node);
    let whole = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    let state = rebuild(dir.path(), P0);
    assert_eq!((whole.seq, whole.state_hash), (state.seq(), state.state_hash()));
    stop(node, client);
}

/// Bytes of the newest segment of a command log that are in use.
fn used_bytes(commands: &Path) -> u64 {
    let bytes = fs::read(newest_segment(commands)).unwrap();
    bytes.iter().rposition(|&byte| byte != 0).unwrap() as u64 + 1
}

#[test]
fn a_snapshot_fits_its_log_wherever_in_a_segment_its_entry_stands() {
    let dir = tempfile::tempdir().unwrap();
    let commands = DataDir::new(dir.path()).commands(P0);
    let life = |segment_size, orders, has_snapshot| {
        let node = start(NodeConfig { segment_size, ..config(dir.path(), 1) });
        let client = Client::new(&node);
        trade(&client, orders, orders % 50);
        if has_snapshot {
            node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
        }
        let snapshot = node.recovery()[0].snapshot_seq;
        stop(node, client);
        snapshot
    };
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(5);
    stop(node, client);
    // In the middle, then at the end: the next life has no room for its first entry here.
    let mut last = Seq(0);
    for orders in [40, 0] {
        life(1 << 20, orders, true);
        life(used_bytes(&commands), 0, false);
        let snapshot = life(1 << 20, 30, false);
        assert!(snapshot > last, "the start used it");
        last = snapshot;
    }
    // At the beginning of a segment, and a second time without anything between.
    life(used_bytes(&commands), 0, true);
    life(1 << 20, 0, true);
    assert!(life(1 << 20, 0, false) > last);
    assert!(rebuild(dir.path(), P0).seq() > last);
    assert!(fs::read_dir(&commands).unwrap().count() > 3);
}

#[test]
fn a_snapshot_of_a_log_that_went_on_differently_is_refused() {
    // Where the entry stands: the last of all, in the middle, the last of its segment.
    for (orders, segment_size) in [(0, None), (20, None), (20, Some(()))] {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        let node = start(config(&one, 1));
        let client = Client::new(&node);
        client.found(5);
        stop(node, client);
        // A copy of the whole directory, started besides the original: its log goes on by itself.
        let copied = std::process::Command::new("cp").arg("-a").args([&one, &other]).status();
        assert!(copied.unwrap().success());
        let seqs = [(&one, 0), (&other, 7)].map(|(data, from)| {
            let node = start(config(data, 1));
            let client = Client::new(&node);
            trade(&client, from, 10);
            let made = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
            stop(node, client);
            made.seq
        });
        assert_eq!(seqs[0], seqs[1]);
        let [ours, theirs] = [&one, &other].map(|data| DataDir::new(data).snapshots(P0));
        let data = DataDir::new(&one);
        let segment_size = segment_size.map_or(1 << 20, |()| used_bytes(&data.commands(P0)));
        let sized = NodeConfig { segment_size, ..config(&one, 1) };
        if orders > 0 {
            let node = start(sized.clone());
            let client = Client::new(&node);
            trade(&client, 50, orders);
            stop(node, client);
        }
        fs::remove_dir_all(&ours).unwrap();
        fs::rename(&theirs, &ours).unwrap();
        let error = Node::start(sized, NodeHooks::default()).err().unwrap();
        assert!(error.to_string().contains("snapshot is of another log"), "{error}");
        let made = node::take_snapshot(&one, P0, seqs[0]);
        assert!(made.unwrap_err().to_string().contains("of another log"));
    }
}

#[test]
fn a_damaged_snapshot_is_skipped_for_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(5);
    let older = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    trade(&client, 0, 500);
    let newer = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    let before = balances(&node);
    stop(node, client);
    let snapshots = DataDir::new(dir.path()).snapshots(P0);
    let file = OpenOptions::new()
        .write(true)
        .open(snapshots.join(format!("{:020}.snapshot", newer.seq.0)));
    file.unwrap().write_all_at(b"x", 1000).unwrap();

    let node = start(config(dir.path(), 1));
    let recovery = &node.recovery()[0];
    assert_eq!(recovery.snapshot_seq, older.seq);
    assert!(recovery.skipped_snapshots[0].contains(&newer.seq.to_string()));
    assert_eq!(balances(&node), before);
}

fn newest_segment(dir: &Path) -> PathBuf {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|item| item.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.into_iter().max().unwrap()
}

/// Zeros everything from `share` of the way into the records of the newest segment.
fn lose_tail(dir: &Path, share: f64) {
    let file = newest_segment(dir);
    let bytes = fs::read(&file).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    let cut = 128 + ((end - 128) as f64 * share) as usize;
    let mut cut_off = bytes;
    cut_off[cut..].fill(0);
    fs::write(file, cut_off).unwrap();
}

#[test]
fn lost_events_are_derived_anew() {
    for share in [0.7, 0.0] {
        let dir = tempfile::tempdir().unwrap();
        let node = start(config(dir.path(), 1));
        let client = Client::new(&node);
        client.found(5);
        trade(&client, 0, 1000);
        let before = balances(&node);
        kill(node, client);
        lose_tail(&DataDir::new(dir.path()).events(P0), share);
        let node = start(config(dir.path(), 1));
        assert_eq!(balances(&node), before, "{share} of the event log was left");
    }
}

#[test]
fn a_command_log_that_lost_acknowledged_entries_is_recognised_by_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 1));
    let client = Client::new(&node);
    client.found(5);
    kill(node, client);
    lose_tail(&DataDir::new(dir.path()).commands(P0), 0.9);
    let error = Node::start(config(dir.path(), 1), NodeHooks::default()).err().unwrap();
    assert!(error.to_string().contains("acknowledged entries are missing"), "{error}");
    // Without that witness it is a torn tail like any other.
    fs::remove_dir_all(DataDir::new(dir.path()).events(P0)).unwrap();
    let node = start(config(dir.path(), 1));
    assert!(node.recovery()[0].torn.is_some());
    let client = Client::new(&node);
    stop(node, client);
}

#[test]
fn events_on_disk_that_a_replay_does_not_give_stop_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::new(dir.path());
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    for (path, orders) in [(&one, 0), (&two, 5000)] {
        let node = start(config(path, 1));
        let client = Client::new(&node);
        client.found(5);
        trade(&client, orders, 100);
        stop(node, client);
    }
    drop(data);
    // The same cluster, so that only the content differs.
    let identity = DataDir::new(&one).identity(P0).unwrap();
    let events = DataDir::new(&one).events(P0);
    let (mut log, report) =
        journal::EventLog::open(&events, identity, journal::Options::default(), 1).unwrap();
    let mut reader = journal::EventReader::open(&events, identity);
    let mut all = Vec::new();
    let mut cursor = Seq(0);
    while let Some(batch) = reader.read(cursor).unwrap() {
        cursor = batch.last_seq().unwrap();
        all.push(batch);
    }
    assert_eq!(cursor, report.last_seq);
    log.reset().unwrap();
    let mut builder = journal::BatchBuilder::new();
    for entry in all.iter().flat_map(|batch| batch.iter()) {
        let kept = if entry.seq == Seq(50) { &[][..] } else { entry.events };
        builder.push_events(entry.time, kept);
    }
    log.append(Seq(1), &mut builder).unwrap();
    drop(log);
    let error = Node::start(config(&one, 1), NodeHooks::default()).err().unwrap();
    assert!(error.to_string().contains("entry 50"), "{error}");
}

#[test]
fn without_an_event_log_only_recent_events_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut small = config(dir.path(), 1);
    small.event_log = None;
    small.recent_events = 100;
    let node = start(small.clone());
    let client = Client::new(&node);
    client.found(5);
    for round in 0..100 {
        trade(&client, round * 10, 10);
    }
    settle(&node);
    let feed = node.feed(P0);
    let oldest = feed.oldest();
    assert!(oldest > Seq(100));
    assert!(matches!(feed.read(Seq(0)), Err(FeedError::TooOld { .. })));
    let batch = feed.read(Seq(oldest.0 - 1)).unwrap().unwrap();
    assert_eq!(batch.first_seq(), Some(oldest));
    drop(feed);
    stop(node, client);
    let node = start(small);
    assert!(node.recovery()[0].replayed > 1000);
}

#[test]
fn another_topology_or_a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(config(dir.path(), 2));
    let error = Node::start(config(dir.path(), 2), NodeHooks::default()).err().unwrap();
    assert!(matches!(error, NodeError::InUse { .. }));
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(node);
    for other in [Topology::spread(5), Topology::single()] {
        let mut changed = config(dir.path(), 1);
        changed.topology = other;
        let error = Node::start(changed, NodeHooks::default()).err().unwrap();
        assert!(matches!(error, NodeError::TopologyChanged { .. }), "{error}");
    }
    assert!(!DataDir::new(dir.path()).commands(PartitionId(4)).exists(), "nothing was begun");
    let mut invalid = config(dir.path(), 1);
    invalid.topology.treasury = PartitionId(7);
    assert!(matches!(
        Node::start(invalid, NodeHooks::default()).err(),
        Some(NodeError::InvalidTopology)
    ));
    assert!(Node::start(config(dir.path(), 2), NodeHooks::default()).is_ok());
}

#[test]
fn a_log_below_the_oldest_snapshot_may_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut trimming = config(dir.path(), 1);
    trimming.segment_size = 16 << 10;
    trimming.trim_commands = true;
    trimming.keep_snapshots = 1;
    let node = start(trimming.clone());
    let client = Client::new(&node);
    client.found(5);
    trade(&client, 0, 2000);
    let made = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap();
    trade(&client, 2000, 100);
    let before = balances(&node);
    stop(node, client);
    let commands = DataDir::new(dir.path()).commands(P0);
    assert!(!commands.join(format!("{:020}.log", 1)).exists());
    let node = start(trimming.clone());
    assert_eq!(node.recovery()[0].snapshot_seq, made.seq);
    assert_eq!(balances(&node), before);
    drop(node);
    fs::remove_dir_all(DataDir::new(dir.path()).snapshots(P0)).unwrap();
    let error = Node::start(trimming, NodeHooks::default()).err().unwrap();
    assert!(error.to_string().contains("no snapshot reaches"), "{error}");
}

#[test]
fn a_log_is_not_trimmed_beyond_what_consumers_have_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut trimming = config(dir.path(), 1);
    trimming.segment_size = 16 << 10;
    trimming.trim_commands = true;
    trimming.keep_snapshots = 1;
    trimming.consumers = vec!["reader".to_owned()];
    let node = start(trimming);
    let client = Client::new(&node);
    client.found(5);
    let snapshot = |orders| {
        trade(&client, orders, 500);
        node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap().unwrap().seq
    };
    let identity = DataDir::new(dir.path()).identity(P0).unwrap();
    let commands = DataDir::new(dir.path()).commands(P0);
    // What can be derived: the entry after the oldest state, and on.
    let first = |from: Seq| journal::CommandReader::open(&commands, identity, from, None).is_ok();
    let store = journal::SnapshotStore::new(DataDir::new(dir.path()).snapshots(P0), identity);
    let one = snapshot(0);
    let two = snapshot(500);
    assert!(first(Seq(1)), "the reader has not come yet");
    assert_eq!(store.list().unwrap(), [one, two]);
    // It comes, and has read a little more than is in the first snapshot.
    node.register_consumer(P0, "reader", one.next(), 0);
    let three = snapshot(1000);
    assert!(!first(Seq(1)) && first(one));
    assert_eq!(store.list().unwrap(), [one, two, three]);
    node.advance_consumer(P0, "reader", three);
    let four = snapshot(1500);
    assert!(!first(two) && first(three));
    assert_eq!(store.list().unwrap(), [three, four]);
    stop(node, client);
}

#[test]
fn snapshots_are_made_on_schedule_and_only_the_newest_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut scheduled = config(dir.path(), 1);
    scheduled.snapshot_every = Some(200);
    scheduled.keep_snapshots = 2;
    let node = start(scheduled);
    let client = Client::new(&node);
    client.found(5);
    let store = journal::SnapshotStore::new(
        DataDir::new(dir.path()).snapshots(P0),
        DataDir::new(dir.path()).identity(P0).unwrap(),
    );
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..10_000 {
        trade(&client, round * 50, 50);
        seen.extend(store.list().unwrap());
        if seen.len() >= 4 {
            break;
        }
    }
    assert!(seen.len() >= 4, "{seen:?}");
    stop(node, client);
    // One may have been under way.
    assert!(store.list().unwrap().len() <= 3);
}

#[test]
fn a_snapshot_command_that_fails_is_reported_with_what_it_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut with_command = config(dir.path(), 1);
    let words = ["sh", "-c", "echo no room for $1 of $0 >&2; exit 3", "{partition}", "{until}"];
    with_command.snapshot_command = Some(words.map(Into::into).to_vec());
    let node = start(with_command);
    let client = Client::new(&node);
    client.found(1);
    let head = node.feed(P0).head();
    let outcome = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap();
    let error = outcome.unwrap_err();
    assert!(error.contains(&format!("no room for {head} of 0")), "{error}");
    assert!(error.contains("exit status: 3"), "{error}");
    stop(node, client);
}

#[test]
fn a_replay_that_differs_from_the_running_partition_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut forged = config(dir.path(), 1);
    let file = dir.path().join("forged");
    let script =
        "mkdir -p \"$1/p0/snapshots\" && cp \"$2\" \"$1/p0/snapshots/$(printf %020d $3).snapshot\"";
    let words = ["sh", "-c", script, "sh", "{data}", file.to_str().unwrap(), "{until}"];
    forged.snapshot_command = Some(words.map(Into::into).to_vec());
    let node = start(forged);
    let client = Client::new(&node);
    client.found(1);
    let identity = DataDir::new(dir.path()).identity(P0).unwrap();
    let header = journal::SnapshotHeader {
        seq: node.feed(P0).head(),
        time: types::Timestamp(1),
        term: 1,
        event_digest: 7,
        record_hash: [0; 32],
        state_hash: [0; 32],
    };
    let elsewhere = journal::SnapshotStore::new(dir.path().join("elsewhere"), identity);
    fs::rename(elsewhere.write(&header, b"state").unwrap(), &file).unwrap();
    let outcome = node.request_snapshot(P0).recv_timeout(common::PATIENCE).unwrap();
    assert!(outcome.as_ref().unwrap_err().contains("REPLAY DIFFERS"), "{outcome:?}");
    let store = journal::SnapshotStore::new(DataDir::new(dir.path()).snapshots(P0), identity);
    assert_eq!(store.list().unwrap(), vec![], "it is not used");
    stop(node, client);
}
