//! What waits for a partition: requests of clients in a bounded queue, messages of other partitions.
//! Sending never blocks; the partition's thread parks when there is nothing and is woken at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use parking_lot::Mutex;
use types::{Command, Delivery, PartitionId};

/// What partitions tell each other. Only [`PeerMessage::Deliver`] carries messages of components.
#[derive(Clone, Debug)]
pub(crate) enum PeerMessage {
    /// Consecutive messages of the sender's channel.
    Deliver(Delivery),
    /// `by` has the sender's messages durably up to `through`.
    Acknowledge { by: PartitionId, through: u64 },
    /// `by` has received up to `after` and wants what follows.
    Ask { by: PartitionId, after: u64 },
}

pub(crate) struct Mailbox {
    requests: ArrayQueue<Command>,
    /// A new request is refused when this many wait.
    capacity_for_new: usize,
    peers: Mutex<Vec<PeerMessage>>,
    has_peers: AtomicBool,
    /// Everything that was put in, and everything whose consequences are out.
    accepted: AtomicU64,
    done: AtomicU64,
    /// Until so much was put in, requests have room, whatever is taken out meanwhile. To look how many wait
    /// takes the queue's head away from the partition's thread, which moves it with each request.
    room_until: AtomicU64,
    /// Neither requests of clients any more.
    closed: AtomicBool,
    /// Messages to other partitions pile up: no new requests.
    pub congested: AtomicBool,
    thread: OnceLock<Thread>,
    parked: AtomicBool,
}

impl Mailbox {
    pub fn new(capacity: usize, reserved: usize) -> Self {
        Self {
            requests: ArrayQueue::new(capacity.max(1)),
            capacity_for_new: capacity.saturating_sub(reserved).max(1),
            peers: Mutex::new(Vec::new()),
            has_peers: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            done: AtomicU64::new(0),
            room_until: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            congested: AtomicBool::new(false),
            thread: OnceLock::new(),
            parked: AtomicBool::new(false),
        }
    }

    /// Puts a client's command in. False when it is refused: nothing was done.
    pub fn submit(&self, command: Command, is_cancel: bool) -> bool {
        if self.closed.load(Ordering::Acquire) {
            return false;
        }
        if !is_cancel && (self.congested.load(Ordering::Relaxed) || !self.has_room_for_new()) {
            return false;
        }
        self.accepted.fetch_add(1, Ordering::SeqCst);
        if self.requests.push(command).is_err() {
            self.done.fetch_add(1, Ordering::SeqCst);
            return false;
        }
        self.wake();
        true
    }

    /// Looks how many wait only when as many were put in as there was room for when it last looked: at most as
    /// many more can wait now.
    fn has_room_for_new(&self) -> bool {
        // Before the look, so that what is put in meanwhile counts twice; only what a thread is just putting in may not count.
        let accepted = self.accepted.load(Ordering::SeqCst);
        if accepted < self.room_until.load(Ordering::Relaxed) {
            return true;
        }
        let room = self.capacity_for_new.saturating_sub(self.requests.len());
        self.room_until.store(accepted + room as u64, Ordering::Relaxed);
        room > 0
    }

    pub fn post(&self, message: PeerMessage) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let mut peers = self.peers.lock();
        peers.push(message);
        self.has_peers.store(true, Ordering::Release);
        drop(peers);
        self.wake();
    }

    pub fn pop_request(&self) -> Option<Command> {
        self.requests.pop()
    }

    /// Appends what other partitions sent.
    pub fn take_peers(&self, into: &mut impl Extend<PeerMessage>) {
        if self.has_peers.load(Ordering::Acquire) {
            let mut peers = self.peers.lock();
            into.extend(peers.drain(..));
            self.has_peers.store(false, Ordering::Release);
        }
    }

    /// `count` of what was put in is done, consequences and all.
    pub fn finish(&self, count: u64) {
        self.done.fetch_add(count, Ordering::SeqCst);
    }

    /// How much was put in, if all of it is done.
    pub fn settled(&self) -> Option<u64> {
        let done = self.done.load(Ordering::SeqCst);
        (done == self.accepted.load(Ordering::SeqCst)).then_some(done)
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn has_work(&self) -> bool {
        !self.requests.is_empty() || self.has_peers.load(Ordering::Acquire)
    }

    /// Refuses requests from now on.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// The calling thread is the one to wake.
    pub fn attach(&self) {
        let _ = self.thread.set(std::thread::current());
    }

    /// Sleeps until something is put in, [`Self::wake`] is called or `longest` has passed, unless
    /// `is_ready`.
    pub fn park(&self, longest: Option<Duration>, is_ready: impl Fn() -> bool) {
        self.parked.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if !self.has_work() && !is_ready() {
            match longest {
                Some(longest) => std::thread::park_timeout(longest),
                None => std::thread::park(),
            }
        }
        self.parked.store(false, Ordering::SeqCst);
    }

    pub fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst)
            && self.parked.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_slots_are_for_cancels_alone() {
        let mailbox = Mailbox::new(10, 4);
        let accepted = (0..20).filter(|_| mailbox.submit(Command::Continue, false)).count();
        assert_eq!(accepted, 6);
        let cancels = (0..20).filter(|_| mailbox.submit(Command::Continue, true)).count();
        assert_eq!(cancels, 4);
        mailbox.pop_request().unwrap();
        assert!(!mailbox.submit(Command::Continue, false));
        assert!(mailbox.submit(Command::Continue, true));
    }

    #[test]
    fn room_for_new_requests_comes_back_as_they_are_taken() {
        let mailbox = Mailbox::new(10, 4);
        for waiting in [0, 3, 5, 1] {
            while mailbox.len() > waiting {
                mailbox.pop_request().unwrap();
            }
            let accepted = (0..20).filter(|_| mailbox.submit(Command::Continue, false)).count();
            assert_eq!((accepted, mailbox.len()), (6 - waiting, 6));
        }
    }
}
