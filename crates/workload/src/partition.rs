//! One partition of the exchange: ledger, markets and events, without a journal.

use engine::Partition;
use types::{Command, Event, PartitionId, ReplyTo, Request, Timestamp, Topology};

use crate::requests::founding;

/// An exchange of one partition, whose clock goes on by 100 ns with each command.
pub struct OurEngine {
    /// The engine itself.
    pub partition: Partition,
    /// When the last command came.
    pub time: Timestamp,
}

impl Default for OurEngine {
    fn default() -> Self {
        Self { partition: Partition::new(PartitionId(0), 7), time: Timestamp(1) }
    }
}

impl OurEngine {
    /// With a market and as many rich accounts.
    #[must_use]
    pub fn founded(accounts: u32) -> Self {
        let mut engine = Self::default();
        let mut events = Vec::new();
        for command in founding_commands(accounts) {
            engine.apply(&command, &mut events);
        }
        engine
    }

    /// Applies the next command, and adds its events.
    pub fn apply(&mut self, command: &Command, events: &mut Vec<Event>) {
        self.time = self.time.saturating_add_nanos(100);
        self.partition.apply(self.partition.seq().next(), self.time, command, events);
    }
}

/// The commands with which a log begins: one partition, a market, rich accounts.
#[must_use]
pub fn founding_commands(accounts: u32) -> Vec<Command> {
    let requests = founding(accounts).into_iter().map(command);
    std::iter::once(Command::SetTopology(Topology::single())).chain(requests).collect()
}

/// A request as the log has it.
#[must_use]
pub fn command(request: Request) -> Command {
    Command::Request { reply: ReplyTo::new(1, 1), valid_until: Timestamp(u64::MAX), request }
}
