//! The ledger's own books, added up: what `outcry verify` and the tests compare.

use std::collections::BTreeMap;
use std::mem::take;

use types::{AccountId, Amount, AssetId};

use crate::definitions::slot_at;
use crate::holds::Hold;
use crate::ledger::Ledger;
use crate::slot::{House, SlotState, signed};

/// Sums of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Σ available of accounts.
    pub available: i128,
    /// Σ held of accounts.
    pub held: i128,
    /// House accounts, summed over slots.
    pub house: House,
}

impl Totals {
    /// Zero, if every posting was double entry.
    #[must_use]
    pub fn trial_balance(&self) -> i128 {
        let House { outside, clearing, fees, rounding, suspense } = self.house;
        self.available + self.held + outside + clearing + fees + rounding + suspense
    }

    /// Adds another's sums to these.
    pub fn add(&mut self, other: &Self) {
        self.available += other.available;
        self.held += other.held;
        self.house.outside += other.house.outside;
        self.house.clearing += other.house.clearing;
        self.house.fees += other.house.fees;
        self.house.rounding += other.house.rounding;
        self.house.suspense += other.house.suspense;
    }
}

/// What an audit of a ledger found.
#[derive(Clone, Debug, Default)]
pub struct SlotAudit {
    /// By asset, over all slots here.
    pub totals: BTreeMap<AssetId, Totals>,
    /// Broken invariants, in words; empty if all hold.
    pub violations: Vec<String>,
}

impl SlotAudit {
    fn add_slot(&mut self, slot: &SlotState) {
        // By asset.
        let mut totals: Vec<Totals> =
            slot.houses().map(|(_, house)| Totals { house: *house, ..Totals::default() }).collect();
        let mut locked = locked(slot);
        for (id, account) in slot.accounts() {
            for balance in account.balances() {
                let sums = slot_at(&mut totals, balance.asset.0 as usize);
                sums.available += signed(balance.available);
                sums.held += signed(balance.held);
                let found = locked.binary_search_by_key(&(id, balance.asset), |&(whose, _)| whose);
                let holds = found.map_or(Amount::ZERO, |at| take(&mut locked[at].1));
                if holds != balance.held {
                    self.violations.push(format!(
                        "account {id} has {} of asset {} held, its holds sum to {holds}",
                        balance.held, balance.asset
                    ));
                }
            }
        }
        for ((account, asset), amount) in locked.into_iter().filter(|(_, left)| !left.is_zero()) {
            self.violations.push(format!(
                "holds of {amount} for account {account}, asset {asset}, without a balance"
            ));
        }
        for (asset, sums) in (0..).map(AssetId).zip(&totals) {
            if sums.trial_balance() != 0 {
                let (slot, sum) = (slot.number, sums.trial_balance());
                self.violations.push(format!("slot {slot}, asset {asset}: postings sum to {sum}"));
            }
            self.totals.entry(asset).or_default().add(sums);
        }
    }
}

/// What the holds of a slot contain, by account and asset, in order.
fn locked(slot: &SlotState) -> Vec<((AccountId, AssetId), Amount)> {
    let holds = slot.holds.open_holds();
    let mut locked: Vec<_> = holds.map(|hold| ((hold.account, hold.asset), hold.locked)).collect();
    locked.sort_unstable_by_key(|&(whose, _)| whose);
    locked.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        if is_same {
            first.1 += next.1;
        }
        is_same
    });
    locked
}

impl Ledger {
    /// Adds everything up: the trial balance of each slot, and each account's holds against what it
    /// has held.
    #[must_use]
    pub fn audit(&self) -> SlotAudit {
        let mut audit = SlotAudit::default();
        for slot in self.slots() {
            audit.add_slot(slot);
        }
        audit
    }

    /// Every open hold.
    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.slots().flat_map(|slot| slot.holds.open_holds())
    }

    /// Every account's balances: account, asset, available, held; by account within its slot.
    pub fn balances(&self) -> impl Iterator<Item = (AccountId, AssetId, Amount, Amount)> + '_ {
        self.slots().flat_map(|slot| {
            slot.accounts().flat_map(|(id, account)| {
                account.balances().iter().map(move |b| (id, b.asset, b.available, b.held))
            })
        })
    }
}
