//! Numbered channels between partitions: what was sent and not yet acknowledged, what was received.
//!
//! A message leaves its partition only after the entry that caused it is durable; the destination
//! accepts exactly the next number. So a crash on either side loses and doubles nothing: a replay
//! makes the same outbox again, and what arrives twice is dropped by its number.

use std::collections::{BTreeMap, VecDeque};

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Delivery, Message, PartitionId};

/// Both directions of every channel of a partition.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Channels {
    outboxes: BTreeMap<PartitionId, Outbox>,
    received: BTreeMap<PartitionId, u64>,
}

#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
struct Outbox {
    /// All up to this are durable at the destination.
    acknowledged: u64,
    /// The messages after it, in order.
    waiting: VecDeque<Message>,
}

impl Channels {
    pub fn send(&mut self, to: PartitionId, message: Message) {
        self.outboxes.entry(to).or_default().waiting.push_back(message);
    }

    /// Drops what the destination has made durable.
    pub fn acknowledge(&mut self, by: PartitionId, through: u64) {
        let outbox = self.outboxes.entry(by).or_default();
        let sent = outbox.acknowledged + outbox.waiting.len() as u64;
        let through = through.min(sent);
        if through > outbox.acknowledged {
            outbox.waiting.drain(..(through - outbox.acknowledged) as usize);
            outbox.acknowledged = through;
        }
    }

    /// The messages of `delivery` that are next. None when it begins behind a gap; those that were
    /// received before are skipped.
    pub fn accept<'a>(&mut self, delivery: &'a Delivery) -> &'a [Message] {
        let received = self.received.entry(delivery.from).or_default();
        let Some(known) = (*received + 1).checked_sub(delivery.first) else {
            return &[];
        };
        let new = delivery.messages.get(known as usize..).unwrap_or_default();
        *received += new.len() as u64;
        new
    }

    pub fn received_from(&self, peer: PartitionId) -> u64 {
        self.received.get(&peer).copied().unwrap_or_default()
    }

    pub fn acknowledged_by(&self, peer: PartitionId) -> u64 {
        self.outboxes.get(&peer).map_or(0, |outbox| outbox.acknowledged)
    }

    /// Peers with messages that they have not acknowledged.
    pub fn waiting_peers(&self) -> impl Iterator<Item = PartitionId> {
        self.outboxes.iter().filter(|(_, outbox)| !outbox.waiting.is_empty()).map(|(&peer, _)| peer)
    }

    pub fn waiting_count(&self) -> usize {
        self.outboxes.values().map(|outbox| outbox.waiting.len()).sum()
    }

    /// Number of the last message sent to `peer`.
    pub fn sent_to(&self, peer: PartitionId) -> u64 {
        let outbox = self.outboxes.get(&peer);
        outbox.map_or(0, |outbox| outbox.acknowledged + outbox.waiting.len() as u64)
    }

    /// Up to `max` messages to `peer` with numbers above `after`.
    pub fn outbox(
        &self,
        from: PartitionId,
        peer: PartitionId,
        after: u64,
        max: usize,
    ) -> Option<Delivery> {
        let outbox = self.outboxes.get(&peer)?;
        let skip = after.max(outbox.acknowledged) - outbox.acknowledged;
        let messages: Vec<_> =
            outbox.waiting.iter().skip(skip as usize).take(max).cloned().collect();
        let first = outbox.acknowledged + skip + 1;
        (!messages.is_empty()).then_some(Delivery { from, first, messages })
    }

    /// All messages sent to `peer` that it has not acknowledged, with their numbers.
    pub fn waiting_for(&self, peer: PartitionId) -> impl Iterator<Item = (u64, &Message)> {
        let outbox = self.outboxes.get(&peer);
        let first = outbox.map_or(0, |outbox| outbox.acknowledged) + 1;
        (first..).zip(outbox.into_iter().flat_map(|outbox| &outbox.waiting))
    }
}

#[cfg(test)]
mod tests {
    use types::MarketId;

    use super::*;

    const A: PartitionId = PartitionId(0);
    const B: PartitionId = PartitionId(1);

    fn message(market: u32) -> Message {
        Message::Resume { market: MarketId(market) }
    }

    #[test]
    fn each_message_is_accepted_once_and_in_order() {
        let (mut sender, mut receiver) = (Channels::default(), Channels::default());
        for n in 1..=5 {
            sender.send(B, message(n));
        }
        let late = sender.outbox(A, B, 2, 10).unwrap();
        assert_eq!((late.first, late.messages.len()), (3, 3));
        assert!(receiver.accept(&late).is_empty(), "a gap");
        let first = sender.outbox(A, B, 0, 3).unwrap();
        assert_eq!(receiver.accept(&first).len(), 3);
        assert!(receiver.accept(&first).is_empty(), "twice");
        assert_eq!(receiver.accept(&late), &[message(4), message(5)]);
        assert_eq!(receiver.received_from(A), 5);
        sender.acknowledge(B, 4);
        sender.acknowledge(B, 2);
        assert_eq!(sender.waiting_for(B).collect::<Vec<_>>(), vec![(5, &message(5))]);
        sender.acknowledge(B, 99);
        assert_eq!((sender.acknowledged_by(B), sender.sent_to(B)), (5, 5));
        assert_eq!(sender.outbox(A, B, 0, 9), None);
    }
}
