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
        // Most slots of a small exchange, and the simulator audits after every step.
        if slot.is_empty() && slot.holds.is_empty() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use types::Slot;

    use super::*;
    use crate::account::Account;
    use crate::holds::Purpose;
    use crate::slot::Bucket;

    const ACCOUNT: AccountId = AccountId(3);
    const ASSET: AssetId = AssetId(1);

    /// A ledger in which an account was credited 10, and had 4 of it locked.
    fn sound() -> Ledger {
        let mut ledger = Ledger::new([Slot(3), Slot(4)].into_iter(), 7);
        let mut slot = ledger.slot_mut(ACCOUNT);
        slot.state.add_account(ACCOUNT, Account::new(0));
        slot.post(ASSET, Bucket::Outside, Bucket::Available(ACCOUNT), Amount::new(10));
        slot.open_hold(ACCOUNT, ASSET, Amount::new(4), Purpose::Debit);
        ledger
    }

    fn after(damage: impl FnOnce(&mut SlotState)) -> Vec<String> {
        let mut ledger = sound();
        damage(ledger.slot_mut(ACCOUNT).state);
        ledger.audit().violations
    }

    #[test]
    fn what_is_sound_is_added_up() {
        let mut ledger = sound();
        let other = AccountId(4);
        let mut slot = ledger.slot_mut(other);
        slot.state.add_account(other, Account::new(0));
        for (bucket, amount) in [(Bucket::Fees, 1), (Bucket::Rounding, 2), (Bucket::Suspense, 3)] {
            slot.post(ASSET, Bucket::Outside, bucket, Amount::new(amount));
        }
        slot.post(ASSET, Bucket::Clearing, Bucket::Available(other), Amount::new(5));
        let audit = ledger.audit();
        assert_eq!(audit.violations, Vec::<String>::new());
        let house = House { outside: -16, clearing: -5, fees: 1, rounding: 2, suspense: 3 };
        assert_eq!(audit.totals[&ASSET], Totals { available: 11, held: 4, house });
    }

    #[test]
    fn a_balance_without_a_posting_is_noticed() {
        let damage = |slot: &mut SlotState| {
            slot.account_mut(ACCOUNT).unwrap().balance_mut(ASSET).available += Amount::new(5);
        };
        assert_eq!(after(damage), ["slot 3, asset 1: postings sum to 5"]);
    }

    #[test]
    fn what_is_held_for_nothing_is_noticed() {
        let damage = |slot: &mut SlotState| {
            let balance = slot.account_mut(ACCOUNT).unwrap().balance_mut(ASSET);
            balance.available -= Amount::new(1);
            balance.held += Amount::new(1);
        };
        assert_eq!(after(damage), ["account 3 has 5 of asset 1 held, its holds sum to 4"]);
    }

    #[test]
    fn a_hold_with_nothing_in_it_is_noticed() {
        let other = AssetId(2);
        let damage = |slot: &mut SlotState| {
            slot.holds.open(ACCOUNT, other, Amount::new(6), Purpose::Debit);
        };
        assert_eq!(after(damage), ["holds of 6 for account 3, asset 2, without a balance"]);
    }
}
