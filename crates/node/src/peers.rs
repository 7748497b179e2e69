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
    /// Peers that left a gap: asked once the batch is durable, since asking acknowledges too.
    gaps: Vec<PartitionId>,
}

impl Peers {
    pub fn new(id: PartitionId, mailboxes: Arc<[Arc<Mailbox>]>) -> Self {
        Self {
            id,
            mailboxes,
            sent: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            owed: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Tells all peers what this partition has, all of it durable, so that they send what follows.
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
            if !self.gaps.contains(&delivery.from) {
                self.gaps.push(delivery.from);
            }
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
        for peer in std::mem::take(&mut self.gaps) {
            self.ask(peer, partition.received_from(peer));
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

#[cfg(test)]
mod tests {
    use types::{Definition, FeeRates, Message, Seq, Timestamp};

    use super::*;

    const HERE: PartitionId = PartitionId(0);
    const THERE: PartitionId = PartitionId(1);

    fn mailboxes() -> Arc<[Arc<Mailbox>]> {
        (0..2).map(|_| Arc::new(Mailbox::new(8, 1))).collect()
    }

    fn delivery(first: u64, count: usize) -> PeerMessage {
        let definition = Definition::FeeTier { tier: 1, rates: FeeRates::default() };
        let message = Message::Define { to: HERE, definition };
        PeerMessage::Deliver(Delivery { from: THERE, first, messages: vec![message; count] })
    }

    /// What was posted to the other partition.
    fn posted(mailboxes: &[Arc<Mailbox>]) -> Vec<PeerMessage> {
        let mut posted = Vec::new();
        mailboxes[1].take_peers(&mut posted);
        posted
    }

    #[test]
    fn what_was_received_is_dropped_and_acknowledged_again_and_a_gap_is_asked_for() {
        let mailboxes = mailboxes();
        let mut peers = Peers::new(HERE, Arc::clone(&mailboxes));
        let mut partition = Partition::new(HERE, 1);
        let first = Command::SetTopology(types::Topology::spread(2));
        partition.apply(Seq(1), Timestamp(1), &first, &mut Vec::new());

        let command = peers.receive(delivery(1, 3), &partition).unwrap();
        assert!(posted(&mailboxes).is_empty(), "not acknowledged before it is durable");
        partition.apply(Seq(2), Timestamp(1), &command, &mut Vec::new());
        peers.after_commit(&partition);
        let is_acknowledged = |posted: Vec<PeerMessage>, number| matches!(posted[..], [PeerMessage::Acknowledge { by: HERE, through }] if through == number);
        assert!(is_acknowledged(posted(&mailboxes), 3));

        assert!(peers.receive(delivery(2, 2), &partition).is_none(), "all of it is known");
        peers.after_commit(&partition);
        assert!(is_acknowledged(posted(&mailboxes), 3));

        let Some(Command::Deliver(rest)) = peers.receive(delivery(2, 4), &partition) else {
            panic!("two of four are new");
        };
        assert_eq!((rest.first, rest.messages.len()), (4, 2));

        assert!(peers.receive(delivery(9, 1), &partition).is_none(), "behind a gap");
        assert!(posted(&mailboxes).is_empty(), "asking acknowledges: not before it is durable");
        peers.after_commit(&partition);
        let posted = posted(&mailboxes);
        assert!(matches!(posted[..], [_, PeerMessage::Ask { by: HERE, after: 3 }]), "one each");
    }

    #[test]
    fn acknowledgements_wait_for_company_unless_there_are_many() {
        let mut peers = Peers::new(HERE, mailboxes());
        let partition = Partition::new(HERE, 1);
        for through in [5, 3, 9] {
            let message = PeerMessage::Acknowledge { by: THERE, through };
            assert!(peers.receive(message, &partition).is_none());
        }
        assert!(!peers.must_acknowledge(&partition, false));
        assert!(peers.must_acknowledge(&partition, true), "somebody waits for room");
        let many = PeerMessage::Acknowledge { by: THERE, through: MANY_ACKNOWLEDGED };
        peers.receive(many, &partition);
        assert!(peers.must_acknowledge(&partition, false));
        let entry = peers.next_acknowledgement();
        assert_eq!(entry, Some(Command::Acknowledge { by: THERE, through: MANY_ACKNOWLEDGED }));
        assert_eq!(peers.next_acknowledgement(), None, "one entry for all of them");
    }
}
