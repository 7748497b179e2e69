//! The rows of the SQL history against those that a projection of the replayed events gives: one is
//! made beside the replay, in a folder of the system's for such things, up to the history's cursors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use store::{Projector, RebuiltHistory, Store, StoreError};
use types::{Event, EventBatch, MarketId, PartitionId, Seq};

use crate::record::{Names, Visit};

/// Entries that are projected in one transaction.
const ENTRIES_AT_ONCE: usize = 8_192;

/// A history in the making.
pub struct Rows {
    cursors: BTreeMap<PartitionId, Seq>,
    rebuilding: Result<Rebuilding, String>,
}

struct Rebuilding {
    history: RebuiltHistory,
    projector: Projector,
    batch: EventBatch,
    listed: BTreeSet<MarketId>,
    /// Removed when all is done.
    _folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Rows {
    /// Rebuilds what a history with these cursors should hold.
    pub fn new(cursors: BTreeMap<PartitionId, Seq>) -> Self {
        let rebuilding = match cursors.is_empty() {
            true => Err("there is no history".to_owned()),
            false => Rebuilding::begin(),
        };
        Self { cursors, rebuilding }
    }

    /// Takes the events of the next entry of some partition.
    pub fn take(&mut self, visit: &Visit<'_>) {
        let (partition, seq) = (visit.state.id(), visit.entry.seq);
        if self.cursors.get(&partition).is_some_and(|&cursor| seq <= cursor)
            && let Ok(rebuilding) = &mut self.rebuilding
            && let Err(error) = rebuilding.take(visit)
        {
            self.rebuilding = Err(error.to_string());
        }
    }

    /// Compares the history with the rebuilt one: what is equal, or the first difference. The outer
    /// error is why that is not known.
    pub fn compare_with(self, store: &Store) -> Result<Result<String, String>, String> {
        let mut rebuilding = self.rebuilding?;
        let partitions: Vec<PartitionId> = self.cursors.into_keys().collect();
        let projected = rebuilding.project();
        let compared =
            projected.and_then(|()| store.compare_rows(&rebuilding.history, &partitions));
        let compared = compared.map_err(|error| error.to_string())?;
        Ok(match compared.difference {
            Some(difference) => Err(difference),
            None => Ok(format!(
                "{} orders, {} trades and {} ledger entries are what the log gives, row by row",
                compared.orders, compared.trades, compared.entries
            )),
        })
    }
}

impl Rebuilding {
    fn begin() -> Result<Self, String> {
        let name = format!("outcry-verify-{}-history", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.0.display());
        std::fs::create_dir_all(&folder.0).map_err(|error| failed(&error))?;
        let path = folder.0.join("history.sqlite");
        let history = RebuiltHistory::create(&path).map_err(|error| failed(&error))?;
        let projector = history.projector();
        let batch = EventBatch::new(PartitionId(0));
        Ok(Self { history, projector, batch, listed: BTreeSet::new(), _folder: folder })
    }

    fn take(&mut self, visit: &Visit<'_>) -> Result<(), StoreError> {
        let partition = visit.state.id();
        if self.batch.partition != partition || self.batch.len() >= ENTRIES_AT_ONCE {
            self.project()?;
            self.batch = EventBatch::new(partition);
        }
        for event in visit.events {
            if let Event::Trade(trade) = event
                && self.listed.insert(trade.market)
            {
                let (base, quote) = Names(visit.state.definitions()).assets(trade.market);
                self.history.list_market(trade.market, base, quote)?;
            }
        }
        self.batch.push(visit.entry.seq, visit.entry.time, &mut visit.events.to_vec());
        Ok(())
    }

    fn project(&mut self) -> Result<(), StoreError> {
        let next = EventBatch::new(self.batch.partition);
        let batch = std::mem::replace(&mut self.batch, next);
        self.projector.apply(&[Arc::new(batch)]).map(|_| ())
    }
}
