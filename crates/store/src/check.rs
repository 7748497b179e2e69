//! Does the history agree with the ledger? For `outcry verify`.

use std::collections::BTreeMap;

use types::{AccountId, Amount, AssetId};

use crate::error::{Result, StoreError};
use crate::store::Store;

/// An account whose entries do not add up to its balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// Sum of the ledger entries.
    pub entries: i128,
    /// Available and held together, as given.
    pub balance: Amount,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifiedHistory {
    /// Ledger entries read.
    pub entries: u64,
    /// Balances compared, also those that only one side knows.
    pub balances: u64,
    /// Those that differ, by account and asset.
    pub mismatches: Vec<Mismatch>,
}

impl Store {
    /// Compares the sums of all ledger entries with `balances` (total of available and held; an
    /// account and asset that is missing counts as zero). They must be those at the history's cursor.
    ///
    /// # Errors
    /// When the database fails or holds what was never written.
    pub fn check(
        &self,
        balances: impl IntoIterator<Item = (AccountId, AssetId, Amount)>,
    ) -> Result<VerifiedHistory> {
        let mut verified = VerifiedHistory::default();
        let mut sums: BTreeMap<(u32, u32), (i128, Amount)> = BTreeMap::new();
        let reader = self.history.reader()?;
        let mut statement = reader
            .prepare("SELECT account, asset, delta FROM ledger_entries WHERE NOT suspense")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            let delta: i128 =
                text.parse().map_err(|_| StoreError::Corrupt(format!("delta {text}")))?;
            let (sum, _) = sums.entry((row.get(0)?, row.get(1)?)).or_default();
            *sum = sum.checked_add(delta).ok_or(StoreError::OutOfRange("a sum of entries"))?;
            verified.entries += 1;
        }
        for (account, asset, balance) in balances {
            sums.entry((account.0, asset.0)).or_default().1 = balance;
        }
        for (&(account, asset), &(entries, balance)) in &sums {
            verified.balances += 1;
            if u128::try_from(entries) != Ok(balance.get()) {
                let (account, asset) = (AccountId(account), AssetId(asset));
                verified.mismatches.push(Mismatch { account, asset, entries, balance });
            }
        }
        Ok(verified)
    }
}
