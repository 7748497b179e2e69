//! A node without threads: whoever owns it says which partition takes its next step, when events are
//! written, and what becomes of the messages between partitions. For simulators: recovery, sequencing,
//! publication and snapshots are the same code that the threads of a [`Node`] run.
//!
//! All of it is deterministic if the hooks are: storage ([`journal::Storage::is_single_threaded`]),
//! clock and randomness.

use std::sync::Arc;

use crossbeam_channel::bounded;
use engine::Partition;
use types::PartitionId;

use crate::config::{NodeConfig, NodeHooks};
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::founding;
use crate::launch::{Mailboxes, Workers, mailboxes};
use crate::mailbox::PeerMessage;
use crate::node::Node;

/// A node that does nothing by itself. Dropping it is a crash of its process.
pub struct SteppedNode {
    node: Node,
    workers: Vec<Workers>,
    /// By partition: its own mailbox at its own place, and what it posted to others at theirs.
    mailboxes: Vec<Mailboxes>,
    data: DataDir,
}

/// A message of one partition to another, on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Who posted it.
    pub from: PartitionId,
    /// Whom it is for.
    pub to: PartitionId,
    message: PeerMessage,
}

impl SteppedNode {
    /// Recovers all partitions, as [`Node::start`] does. None has begun its term yet. The directory is
    /// not locked: it is nobody else's.
    ///
    /// # Errors
    /// As of [`Node::start`].
    pub fn start(config: &NodeConfig, hooks: &NodeHooks) -> Result<Self, NodeError> {
        if !config.topology.is_valid() {
            return Err(NodeError::InvalidTopology);
        }
        let mailboxes: Vec<_> =
            (0..config.topology.partitions).map(|_| mailboxes(config)).collect();
        let data = DataDir::on(Arc::clone(&hooks.storage), &config.data);
        founding::refuse_losses(config, &data)?;
        // Nobody waits for the partitions to be ready: they are stepped.
        let (ready, _) = bounded(0);
        let (node, workers) = Node::build(config, hooks, &mailboxes, ready)?;
        Ok(Self { node, workers, mailboxes, data })
    }

    /// Begins the term of a partition. Must come before its first step.
    ///
    /// # Errors
    /// When its log cannot be written.
    pub fn begin(&mut self, partition: PartitionId) -> Result<(), NodeError> {
        self.at(partition).sequencer.begin()?;
        self.node.finish_founding(&self.data)
    }

    /// One batch of a partition: what waits is sequenced, applied, made durable and let out.
    ///
    /// # Errors
    /// When its log cannot be written: the node is of no use any more.
    pub fn step(&mut self, partition: PartitionId) -> Result<(), NodeError> {
        self.at(partition).sequencer.step()
    }

    /// Writes events that wait, looks after retention and makes snapshots that are due or asked for.
    /// False if there was nothing to do.
    ///
    /// # Errors
    /// When the event log cannot be written: the node is of no use any more.
    pub fn publish(&mut self, partition: PartitionId) -> Result<bool, NodeError> {
        self.at(partition).publisher.step()
    }

    /// Whether [`SteppedNode::publish`] would make a snapshot of all that was applied so far, and so perhaps
    /// remove what it covers.
    #[must_use]
    pub fn snapshot_is_due(&self, partition: PartitionId) -> bool {
        self.workers[usize::from(partition.0)].publisher.snapshot_is_due()
    }

    /// Whether another step of the partition has something to do.
    #[must_use]
    pub fn has_work(&self, partition: PartitionId) -> bool {
        self.workers[usize::from(partition.0)].sequencer.has_work()
    }

    /// Tells all peers what a partition has, so that they send what follows: what it does when it
    /// starts, and when a connection was lost.
    pub fn greet(&mut self, partition: PartitionId) {
        let sequencer = &self.at(partition).sequencer;
        sequencer.peers.greet(&sequencer.partition);
    }

    /// Takes what a partition has posted to others.
    pub fn take_letters(&mut self, from: PartitionId) -> Vec<Letter> {
        let own = &self.mailboxes[usize::from(from.0)];
        let mut letters = Vec::new();
        for (to, mailbox) in own.iter().enumerate().filter(|(to, _)| *to != usize::from(from.0)) {
            let mut messages = Vec::new();
            mailbox.take_peers(&mut messages);
            let to = PartitionId(to as u16);
            letters.extend(messages.into_iter().map(|message| Letter { from, to, message }));
        }
        letters
    }

    /// Puts a message into the mailbox that it is for.
    pub fn deliver(&self, letter: Letter) {
        let to = usize::from(letter.to.0);
        self.mailboxes[to][to].post(letter.message);
    }

    /// Exchanges the binary between two steps: from now on this bug, or none, is in it.
    #[cfg(feature = "fault-injection")]
    pub fn set_bug(&mut self, bug: Option<types::Bug>) {
        for Workers { sequencer, .. } in &mut self.workers {
            sequencer.partition.set_bug(bug.clone());
            sequencer.rebuilding.bug.clone_from(&bug);
        }
    }

    /// The state of a partition. Between two steps all of it is durable.
    #[must_use]
    pub fn partition(&self, partition: PartitionId) -> &Partition {
        &self.workers[usize::from(partition.0)].sequencer.partition
    }

    /// The node, as gateways and consumers see it.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Begins an orderly end: takes no new requests and seals the command logs. What waits in mailboxes is
    /// lost, so nothing should.
    ///
    /// # Errors
    /// When a log cannot be written.
    pub fn seal(&mut self) -> Result<(), NodeError> {
        self.node.end();
        for Workers { sequencer, .. } in &mut self.workers {
            sequencer.finish()?;
            sequencer.shared.feed.close();
        }
        Ok(())
    }

    /// Ends a sealed node: writes all events, and makes snapshots that are due.
    ///
    /// # Errors
    /// When an event log cannot be written.
    pub fn stop(&mut self) -> Result<(), NodeError> {
        for Workers { publisher, .. } in &mut self.workers {
            while publisher.feed.backlog() > 0 {
                publisher.step()?;
            }
            publisher.step()?;
        }
        Ok(())
    }

    fn at(&mut self, partition: PartitionId) -> &mut Workers {
        &mut self.workers[usize::from(partition.0)]
    }
}
