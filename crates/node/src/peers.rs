//! The channels between partitions of one process, as one partition sees them.
//!
//! Messages are numbered by the engine, which keeps them until the other side has them durably. Here
//! it is decided only what to send when. Acknowledgements become entries together with other entries:
//! a pair that has nothing else to say does not write about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Partition;
use types::{Command, Delivery, PartitionId};

use crate::mailbox::{Mailbox, PeerMessage};

/// Messages in one delivery, at most: one entry of the receiver.
const DELIVERY: usize = 1024;
/// Messages under way to one peer, at most.
const WINDOW: u64 = 1 << 16;
/// So many acknowledged messages are worth an entry of their own.
const MANY_ACKNOWLEDGED: u64 = 4096;

pub(crate) struct Peers {
    id: PartitionId,
    /// Mailboxes of all partitions, by id.
    mailboxes: Arc<[Arc<Mailbox>]>,
    /// Number of the last message handed over, by peer that has asked.
    sent: BTreeMap<PartitionId, u64>,
    /// What peers have made durable and the engine has not heard yet.
    acknowledged: BTreeMap<PartitionId, u64>,
    /// Peers that are owed an acknowledgement once the batch is durable.
    owed: Vec<PartitionId>,
}

impl Peers {
    pub fn new(id: PartitionId, mailboxes: Arc<[Arc<Mailbox>]>) -> Self {
        Self {
            id,
            mailboxes,
            sent: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            owed: Vec::new(),
        }
    }

    /// Tells all peers what this partition has, so that they send what follows.
    pub fn greet(&self, partition: &Partition) {
        for peer in self.others() {
            self.ask(peer, partition.received_from(peer));
        }
    }

    fn others(&self) -> impl Iterator<Item = PartitionId> + use<> {
        let id = self.id;
        (0..self.mailboxes.len() as u16).map(PartitionId).filter(move |&peer| peer != id)
    }

    fn ask(&self, peer: PartitionId, after: u64) {
        self.post(peer, PeerMessage::Ask { by: self.id, after });
    }

    fn post(&self, peer: PartitionId, message: PeerMessage) {
        self.mailboxes[usize::from(peer.0)].post(message);
    }

    /// Takes a message of a peer. Gives the command that must enter the log for it.
    pub fn receive(&mut self, message: PeerMessage, partition: &Partition) -> Option<Command> {
        match message {
            PeerMessage::Deliver(delivery) => self.accept(delivery, partition),
            PeerMessage::Acknowledge { by, through } => {
                self.note_acknowledged(by, through, partition);
                None
            }
            PeerMessage::Ask { by, after } => {
                self.note_acknowledged(by, after, partition);
                self.sent.insert(by, after);
                None
            }
        }
    }

    /// What of a delivery is new. Behind a gap nothing is: it is asked for again.
    fn accept(&mut self, mut delivery: Delivery, partition: &Partition) -> Option<Command> {
        let received = partition.received_from(delivery.from);
        if delivery.first > received + 1 {
            self.ask(delivery.from, received);
            return None;
        }
        // Also for what was here before: its acknowledgement may have been lost.
        if !self.owed.contains(&delivery.from) {
            self.owed.push(delivery.from);
        }
        let known = (received + 1 - delivery.first) as usize;
        delivery.messages.drain(..known.min(delivery.messages.len()));
        delivery.first = received + 1;
        (!delivery.messages.is_empty()).then_some(Command::Deliver(delivery))
    }

    fn note_acknowledged(&mut self, by: PartitionId, through: u64, partition: &Partition) {
        if through > partition.acknowledged_by(by) {
            let known = self.acknowledged.entry(by).or_default();
            *known = through.max(*known);
        }
    }

    /// Whether acknowledgements should enter the log even without company.
    pub fn must_acknowledge(&self, partition: &Partition, is_congested: bool) -> bool {
        let news = |(&by, &through): (&PartitionId, &u64)| {
            through.saturating_sub(partition.acknowledged_by(by))
        };
        let count: u64 = self.acknowledged.iter().map(news).sum();
        count >= MANY_ACKNOWLEDGED || is_congested && count > 0
    }

    /// An acknowledgement that has not entered the log.
    pub fn next_acknowledgement(&mut self) -> Option<Command> {
        let (by, through) = self.acknowledged.pop_first()?;
        Some(Command::Acknowledge { by, through })
    }

    /// The batch is durable: what it sent may leave, and what it received is acknowledged.
    pub fn after_commit(&mut self, partition: &Partition) {
        for peer in std::mem::take(&mut self.owed) {
            let through = partition.received_from(peer);
            self.post(peer, PeerMessage::Acknowledge { by: self.id, through });
        }
        self.send(partition);
    }

    /// Hands over what peers that have asked do not have yet.
    pub fn send(&mut self, partition: &Partition) {
        for peer in partition.outgoing() {
            let Some(sent) = self.sent.get(&peer).copied() else {
                continue;
            };
            let known = self.acknowledged.get(&peer).copied().unwrap_or_default();
            let acknowledged = known.max(partition.acknowledged_by(peer));
            let mut sent = sent.max(acknowledged);
            while sent < acknowledged + WINDOW {
                let Some(delivery) = partition.outbox(peer, sent, DELIVERY) else {
                    break;
                };
                sent = delivery.first + delivery.messages.len() as u64 - 1;
                self.post(peer, PeerMessage::Deliver(delivery));
            }
            self.sent.insert(peer, sent);
        }
    }
}
