//! What happens when too much comes, and when the disk fails.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::common::{self, Client, config, limit, nth_order};
use journal::DiskHook;
use node::{EXIT_DISK, Exchange, Node, NodeHooks};
use parking_lot::{Condvar, Mutex};
use types::{AccountId, Event, PartitionId, RejectCode, Request, Side};

/// A disk whose syncs can be held back, counted and failed.
#[derive(Default)]
struct Disk {
    is_held: Mutex<bool>,
    released: Condvar,
    /// A sync is being held back.
    is_waiting: AtomicBool,
    syncs: AtomicU64,
    fails_syncs: AtomicBool,
    fails_writes: AtomicBool,
}

impl Disk {
    fn hold(&self, held: bool) {
        *self.is_held.lock() = held;
        self.released.notify_all();
    }
}

/// Lets go of the disk in the end, also of a test that fails: a node waits for its syncs.
struct Release(Arc<Disk>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.hold(false);
    }
}

impl DiskHook for Disk {
    fn before_write(&self, _: &Path, _: u64, _: usize) -> io::Result<()> {
        if self.fails_writes.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(28));
        }
        Ok(())
    }

    fn before_sync(&self, _: &Path) -> io::Result<()> {
        let mut held = self.is_held.lock();
        while *held {
            self.is_waiting.store(true, Ordering::SeqCst);
            self.released.wait(&mut held);
        }
        self.is_waiting.store(false, Ordering::SeqCst);
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fails_syncs.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        Ok(())
    }
}

/// Exit status and message of each call of the fatal handler.
type Told = Arc<Mutex<Vec<(i32, String)>>>;

/// A node on `disk`, and whether its fatal handler was called with which exit status.
fn start(dir: &Path, disk: &Arc<Disk>, capacity: usize, reserved: usize) -> (Arc<Node>, Told) {
    let mut config = config(dir, 1);
    (config.queue_capacity, config.queue_reserved) = (capacity, reserved);
    let fatal = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&fatal);
    let hooks = NodeHooks {
        disk: Some(disk.clone()),
        fatal: Arc::new(move |error| told.lock().push((error.exit_status(), error.to_string()))),
        ..NodeHooks::default()
    };
    (Arc::new(Node::start(config, hooks).unwrap()), fatal)
}

fn cancel_all() -> Request {
    Request::CancelAll { account: AccountId(1), market: common::MARKET }
}

#[test]
fn a_full_queue_refuses_new_orders_at_once_and_takes_cancels() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let (node, _) = start(dir.path(), &disk, 256, 64);
    let client = Client::new(&node);
    client.found(5);
    let _release = Release(Arc::clone(&disk));
    disk.hold(true);
    // One is in the sync, so that nothing is taken out of the queue.
    client.send(nth_order(0, 5)).unwrap();
    while !disk.is_waiting.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    // Fifty times what fits.
    let sent: Vec<_> = (1..=12_800).map(|n| client.send(nth_order(n, 5))).collect();
    let accepted = sent.iter().filter(|result| result.is_ok()).count();
    assert_eq!(accepted, 256 - 64, "of 12,800 orders");
    assert!(sent.iter().all(|result| result.is_ok() || *result == Err(RejectCode::Overloaded)));
    let cancels = (0..64).filter(|_| client.send(cancel_all()).is_ok()).count();
    assert_eq!(cancels, 64, "reserved slots are for cancels");
    assert!(client.send(cancel_all()).is_err(), "until they are full, too");
    let stats = node.stats().partitions[0].clone();
    assert_eq!((stats.queue_len, stats.refused), (256, 12_800 - accepted as u64 + 1));
    disk.hold(false);
    let mut placed = 0;
    let mut cancelled = 0;
    for _ in 0..1 + accepted + cancels {
        let answer = client.answers.recv_timeout(common::PATIENCE).unwrap();
        match answer.events[0] {
            Event::OrderPlaced { .. } => placed += 1,
            Event::CancelAllAccepted { .. } => cancelled += 1,
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!((placed, cancelled), (1 + accepted, cancels));
    assert!(client.send(nth_order(1, 5)).is_ok(), "and goes on");
}

#[test]
fn nothing_leaves_before_the_sync_has_returned() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let (node, _) = start(dir.path(), &disk, 1024, 64);
    let client = Client::new(&node);
    client.found(2);
    let feed = node.feed(PartitionId(0));
    let _release = Release(Arc::clone(&disk));
    for n in 0..20 {
        let head = feed.head();
        disk.hold(true);
        client.send(limit(1, Side::Buy, 100 + n, 1)).unwrap();
        let early = client.answers.recv_timeout(std::time::Duration::from_millis(10));
        assert!(early.is_err(), "answered before it was durable");
        assert_eq!(feed.head(), head, "published before it was durable");
        disk.hold(false);
        let answer = client.answers.recv_timeout(common::PATIENCE).unwrap();
        assert!(matches!(answer.events[0], Event::OrderPlaced { .. }));
        assert_eq!(feed.head(), answer.seq, "whoever has an answer finds its events");
    }
}

#[test]
fn a_failed_write_or_sync_ends_the_node_and_acknowledges_nothing() {
    for is_write in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(Disk::default());
        let (node, fatal) = start(dir.path(), &disk, 1024, 64);
        let client = Client::new(&node);
        client.found(2);
        let (head, syncs) = (node.feed(PartitionId(0)).head(), disk.syncs.load(Ordering::SeqCst));
        let switch = if is_write { &disk.fails_writes } else { &disk.fails_syncs };
        switch.store(true, Ordering::SeqCst);
        client.send(limit(1, Side::Buy, 100, 1)).unwrap();
        while !node.has_failed() {
            std::thread::yield_now();
        }
        switch.store(false, Ordering::SeqCst);
        let told = fatal.lock().clone();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, EXIT_DISK);
        assert!(told[0].1.contains(".log"), "{}", told[0].1);
        assert!(client.send(limit(1, Side::Buy, 100, 1)).is_err(), "it takes nothing any more");
        assert!(client.answers.try_recv().is_err(), "it answered");
        assert_eq!(node.feed(PartitionId(0)).head(), head);
        assert!(disk.syncs.load(Ordering::SeqCst) <= syncs + 1, "a failed sync is not tried again");
        assert!(node.feed(PartitionId(0)).is_closed());
    }
}
