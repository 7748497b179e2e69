//! What becomes of a batch in which a component has failed.
//!
//! Entries are applied before they are written, and nothing is let out before both are done. So when a
//! step panics, nobody has seen anything of the batch. The instance is discarded, the state before the batch
//! is made anew from snapshot and log, and the batch is applied again with a [`Command::Quarantine`] in front of
//! the entry that failed. Then it is committed as always: the log never holds the entry without
//! what decides about it, and a replay need not know of it beforehand.
//!
//! A panic between the steps of components, or in the registry, is no component's: the process stops.

use engine::Partition;
use journal::Identity;
use types::{Command, Component, Seq};

use crate::config::Randomness;
use crate::data_dir::DataDir;
use crate::error::NodeError;
use crate::failure::Failure;
use crate::recovery::state_at;
use crate::sequencer::Sequencer;

/// How often one batch is begun anew before the partition gives up.
const MAX_FAILURES: usize = 8;

/// What the state of a partition is made of anew.
pub(crate) struct Rebuilding {
    pub data: DataDir,
    pub identity: Identity,
    pub randomness: Randomness,
    /// What is wrong with this binary.
    #[cfg(feature = "fault-injection")]
    pub bug: Option<types::Bug>,
}

impl Rebuilding {
    fn state(&self, until: Seq) -> Result<Partition, NodeError> {
        let state = state_at(&self.data, self.identity, until, (self.randomness)())?;
        #[cfg(feature = "fault-injection")]
        let state = {
            let mut state = state;
            state.partition.set_bug(self.bug.clone());
            state
        };
        Ok(state.partition)
    }
}

impl Sequencer {
    /// Goes on after a step has failed on the last entry of the batch. The batch holds a quarantine more
    /// afterwards, and all of it is applied.
    ///
    /// # Errors
    /// When the state cannot be made anew.
    ///
    /// # Panics
    /// Goes on with the panic if it is nobody's, or one follows on the other.
    pub(crate) fn survive(&mut self, mut failure: Failure) -> Result<(), NodeError> {
        let mut commands = self.work.batch.commands();
        let mut failed = commands.len() - 1;
        for _ in 0..MAX_FAILURES {
            let Some(component) = self.partition.failed_component() else {
                tracing::error!("partition {}: {}; no component's fault", self.id, failure.said);
                failure.resume();
            };
            self.tell(component, failed, &commands[failed], &failure.said);
            let reason = failure.said;
            commands.insert(failed, Command::Quarantine { component, reason });
            self.begin_anew()?;
            match self.add_all(&commands) {
                Ok(()) => return Ok(()),
                Err((at, again)) => (failed, failure) = (at, again),
            }
        }
        tracing::error!("partition {}: one failure follows on the other", self.id);
        failure.resume();
    }

    /// The evidence. That it cannot be written down is no reason to stop.
    fn tell(&self, component: Component, index: usize, command: &Command, said: &str) {
        let (id, seq) = (self.id, Seq(self.log.last_seq().0 + 1 + index as u64));
        tracing::error!(
            "partition {id}: {component} failed and is quarantined from entry {seq} on: {said}; the rest \
             goes on"
        );
        let text = format!(
            "component {component}\npartition {id}\nterm {}\nquarantined by entry {seq}\nfailed on entry {} at {}\n\
             said {said}\ncommand {command:?}\n",
            self.term,
            seq.next(),
            self.work.now,
        );
        let name = format!("{seq:020}-{component}.txt");
        match self.rebuilding.data.note_failure(id, &name, &text) {
            Ok(path) => tracing::error!("see {}", path.display()),
            Err(error) => tracing::error!("{error}; what was to be written there: {text}"),
        }
    }

    /// The state before the batch, and an empty batch.
    fn begin_anew(&mut self) -> Result<(), NodeError> {
        self.work.batch.clear();
        self.work.events.clear();
        // Two states at a time may be more than the machine has room for.
        self.partition = Partition::new(self.id, 0);
        self.partition = self.rebuilding.state(self.log.last_seq())?;
        Ok(())
    }

    /// Or the entry that failed.
    fn add_all(&mut self, commands: &[Command]) -> Result<(), (usize, Failure)> {
        let add = |(index, command)| self.try_add(command).map_err(|failure| (index, failure));
        commands.iter().enumerate().try_for_each(add)
    }
}
