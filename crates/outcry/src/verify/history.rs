//! The SQL history against the events: is what it says what the log says, as far as it goes?

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fs::{Access, access};
use store::{Mismatch, Store};
use types::{PartitionId, Seq};

use super::postings::Postings;
use super::report::Report;
use super::rows::Rows;

const HISTORY: &str = "SQL history";
const FILES: [&str; 3] = ["history.sqlite", "directory.sqlite", "secret.key"];

/// The history, or why it is not looked at.
pub enum History {
    /// It could be opened.
    Open(Store),
    /// It is not there or cannot be opened here, which is no damage: it is a projection.
    Absent(String),
    /// It is there and cannot be used.
    Broken(String),
}

impl History {
    /// Opens the history in `data`, if all files are there: opening must not create any.
    pub fn open(data: &Path) -> Self {
        let missing: Vec<&str> =
            FILES.into_iter().filter(|name| !data.join(name).exists()).collect();
        if missing.contains(&FILES[0]) {
            return Self::Absent(format!("there is no {}", FILES[0]));
        }
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            return Self::Absent(format!("{missing} must lie beside {} to open it", FILES[0]));
        }
        if let Err(error) = access(data, Access::WRITE_OK) {
            let data = data.display();
            let text =
                format!("{data} cannot be written ({error}), as SQLite must to open {}", FILES[0]);
            return Self::Absent(text);
        }
        match Store::open(data) {
            Ok(store) => Self::Open(store),
            Err(error) => Self::Broken(format!("{}: {error}", FILES[0])),
        }
    }

    /// Up to where it goes, by partition.
    pub fn cursors(&self, ids: &[PartitionId]) -> BTreeMap<PartitionId, Seq> {
        let Self::Open(store) = self else {
            return BTreeMap::new();
        };
        ids.iter().map(|&id| (id, store.cursor(id).unwrap_or_default())).collect()
    }

    /// Compares the sums of its entries with `postings`, and its rows with `rows`, up to its cursors.
    /// `ends` are the last entries of the partitions that could be replayed, `ids` all partitions.
    pub fn check(
        &self,
        ids: &[PartitionId],
        ends: &BTreeMap<PartitionId, Seq>,
        postings: &Postings,
        rows: Rows,
        report: &mut Report,
    ) {
        let store = match self {
            Self::Open(store) => store,
            Self::Absent(reason) => return report.skip(None, HISTORY, reason),
            Self::Broken(reason) => return report.add(None, HISTORY, Err(reason.clone())),
        };
        if ends.len() < ids.len() {
            report.skip(None, HISTORY, "not every partition could be replayed");
        } else if !postings.is_complete() {
            report.skip(None, HISTORY, "the first entries of a log are not kept any more");
        } else {
            report.add(None, HISTORY, compare(store, ends, postings, rows));
        }
    }
}

fn compare(
    store: &Store,
    ends: &BTreeMap<PartitionId, Seq>,
    postings: &Postings,
    rows: Rows,
) -> Result<String, String> {
    let broken = |error: store::StoreError| format!("{}: {error}", FILES[0]);
    let mut reached = Vec::new();
    for (&id, &end) in ends {
        let cursor = store.cursor(id).map_err(broken)?;
        if cursor > end {
            return Err(format!(
                "{} holds partition {id} up to entry {cursor}, its log ends with entry {end}",
                FILES[0]
            ));
        }
        let behind = end.0 - cursor.0;
        let lag = if behind == 0 { "all".to_owned() } else { format!("{behind} behind") };
        reached.push(format!("partition {id} up to entry {cursor} ({lag})"));
    }
    let rows = match rows.compare_with(store) {
        Ok(Ok(equal)) => equal,
        Ok(Err(difference)) => return Err(format!("{}, {difference}", FILES[0])),
        Err(reason) => format!("the rows were not compared ({reason})"),
    };
    let found = store.check(postings.at_cursor()).map_err(broken)?;
    if let Some(&Mismatch { account, asset, entries, balance }) = found.mismatches.first() {
        let others = found.mismatches.len() - 1;
        return Err(format!(
            "{}: the ledger_entries of account {account}, asset {asset} sum to {entries}, the \
             events to {balance} ({others} others differ)",
            FILES[0]
        ));
    }
    Ok(format!(
        "{rows}; {} ledger entries sum to what the events say, by account and asset; {}",
        found.entries,
        reached.join(", ")
    ))
}
