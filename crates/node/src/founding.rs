//! Founding an exchange so that a kill at any moment leaves what the next start can finish, and so
//! that what is lost later is not taken for what was never begun.
//!
//! ```text
//! 1. cluster file    number of the exchange, term 0: it is being founded
//! 2. logs            begun one by one, each with its first entries; no client is served yet
//! 3. cluster file    + the number of partitions: it is founded
//! ```
//!
//! Until step 3 a partition without a log was never begun, unless another one has served already (an
//! exchange that was founded before step 3 was made); from then on it is lost.

use journal::{CommandReader, Identity, JournalError};
use types::{Command, PartitionId, Seq};

use crate::config::NodeConfig;
use crate::data_dir::{DataDir, Founding};
use crate::error::NodeError;

/// Refuses a directory that lacks what an exchange cannot be without. Changes nothing, not even `LOCK`.
pub(crate) fn refuse_losses(config: &NodeConfig, data: &DataDir) -> Result<(), NodeError> {
    if !data.exists()? {
        return Ok(());
    }
    // In this order: one that is being founded has the file before it has partitions.
    let present = data.partitions()?;
    let Some(founding) = data.founding()? else {
        return match present.as_slice() {
            [] => Ok(()),
            _ => Err(NodeError::Invalid {
                file: data.cluster_file(),
                what: "the file is lost, though partitions are here; put it back from a backup, \
                       nothing was changed",
            }),
        };
    };
    let count = config.topology.partitions;
    if founding.partitions.is_some_and(|founded| founded != count) {
        return Err(NodeError::TopologyChanged { partition: PartitionId(0) });
    }
    let is_founded = founding.partitions.is_some() || has_served(data, founding, &present);
    for partition in (0..count).map(PartitionId) {
        if is_founded && !data.has_log(partition)? {
            return Err(NodeError::LogLost { partition, commands: data.commands(partition) });
        }
    }
    Ok(())
}

/// Whether some log has more than what founding writes. What is wrong with a log, recovery finds.
fn has_served(data: &DataDir, founding: Founding, present: &[PartitionId]) -> bool {
    let with_log = |partition: &PartitionId| data.has_log(*partition).unwrap_or(true);
    present.iter().copied().filter(with_log).any(|partition| {
        let identity = Identity { cluster: founding.cluster, partition };
        let commands = data.dir(data.commands(partition));
        match CommandReader::open(&commands, identity, Seq(1), None) {
            Ok(entries) => entries
                .map_while(Result::ok)
                .any(|entry| matches!(entry.command, Command::Request { .. })),
            Err(error) => matches!(error, JournalError::NotKept { .. }),
        }
    })
}

/// Notes that every partition has its first entries on disk, at the first start.
pub(crate) fn complete(data: &DataDir, founding: Founding, count: u16) -> Result<(), NodeError> {
    if founding.partitions.is_some() {
        return Ok(());
    }
    data.sync_partitions(count)?;
    data.begin_term(Founding { partitions: Some(count), ..founding })
}
