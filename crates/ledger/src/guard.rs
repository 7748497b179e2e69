//! What one asset asks for before more of it comes into being: a ceiling from attested reserves, and
//! a policy for credits. It judges; the treasury acts.

use std::collections::{BTreeMap, VecDeque};

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Amount, CreditPolicy, Timestamp};

const NANOS_PER_MINUTE: u64 = 60_000_000_000;
/// The current minute and those before it that the hourly limit looks at.
const WINDOW_MINUTES: u64 = 60;

/// Of one asset. The default asks for nothing.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Guard {
    ceiling: Option<Amount>,
    /// The part of the supply that stands above the ceiling with approval, or stood when the ceiling
    /// came, is what lies between the ceiling and this. It falls with the supply.
    tolerated: Amount,
    policy: CreditPolicy,
    /// Credits without approval, by source; kept while there is an hourly limit.
    recent: BTreeMap<u32, Recent>,
}

/// Sums of a source by minute, oldest first.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
struct Recent(VecDeque<(u64, Amount)>);

impl Guard {
    /// Whether it asks for anything.
    pub fn is_in_force(&self) -> bool {
        self.ceiling.is_some() || self.policy.is_in_force()
    }

    pub fn ceiling(&self) -> Option<Amount> {
        self.ceiling
    }

    pub fn policy(&self) -> &CreditPolicy {
        &self.policy
    }

    /// Whether a supply lies above the ceiling.
    pub fn is_above_ceiling(&self, supply: Amount) -> bool {
        self.ceiling.is_some_and(|ceiling| supply > ceiling)
    }

    /// Whether a credit is larger than one alone may make.
    pub fn is_large(&self, amount: Amount) -> bool {
        self.policy.large_credit.is_some_and(|most| amount > most)
    }

    /// Whether a credit would lift the sum of its source's hour above the limit.
    pub fn exceeds_hour(&self, source: u32, amount: Amount, now: Timestamp) -> bool {
        let Some(most) = self.policy.hourly_credit else { return false };
        let sum = self.recent.get(&source).map_or(Amount::ZERO, |recent| recent.sum(minute(now)));
        sum + amount > most
    }

    /// Takes note of a credit that was made without approval.
    pub fn count(&mut self, source: u32, amount: Amount, now: Timestamp) {
        if self.policy.hourly_credit.is_some() {
            self.recent.entry(source).or_default().add(minute(now), amount);
        }
    }

    /// The supply has risen to this with approval.
    pub fn tolerate(&mut self, supply: Amount) {
        self.tolerated = supply;
    }

    /// The supply has fallen to this.
    pub fn supply_fell(&mut self, supply: Amount) {
        self.tolerated = self.tolerated.min(supply);
    }

    pub fn set_ceiling(&mut self, ceiling: Amount, supply: Amount) {
        self.ceiling = Some(ceiling);
        self.tolerated = supply;
    }

    pub fn set_policy(&mut self, policy: CreditPolicy) {
        self.policy = policy;
        if policy.hourly_credit.is_none() {
            self.recent.clear();
        }
    }

    /// Whether the supply stands where ceiling and approvals let it stand.
    pub fn allows(&self, supply: Amount) -> bool {
        !self.is_above_ceiling(supply) || supply <= self.tolerated
    }
}

impl Recent {
    fn sum(&self, minute: u64) -> Amount {
        let in_window = self.0.iter().filter(|&&(at, _)| at + WINDOW_MINUTES > minute);
        in_window.fold(Amount::ZERO, |sum, &(_, amount)| sum + amount)
    }

    fn add(&mut self, minute: u64, amount: Amount) {
        while self.0.front().is_some_and(|&(at, _)| at + WINDOW_MINUTES <= minute) {
            self.0.pop_front();
        }
        match self.0.back_mut() {
            Some((at, sum)) if *at == minute => *sum += amount,
            _ => self.0.push_back((minute, amount)),
        }
    }
}

fn minute(at: Timestamp) -> u64 {
    at.0 / NANOS_PER_MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_minute(minute: u64) -> Timestamp {
        Timestamp(minute * NANOS_PER_MINUTE + 7)
    }

    #[test]
    fn the_hour_is_the_current_minute_and_the_fifty_nine_before_it() {
        let mut guard = Guard::default();
        let hourly_credit = Some(Amount::new(100));
        guard.set_policy(CreditPolicy { hourly_credit, ..CreditPolicy::default() });
        guard.count(1, Amount::new(60), at_minute(1_000));
        guard.count(1, Amount::new(30), at_minute(1_001));
        let exceeds = |guard: &Guard, amount, minute| {
            guard.exceeds_hour(1, Amount::new(amount), at_minute(minute))
        };
        assert!(!exceeds(&guard, 10, 1_059) && exceeds(&guard, 11, 1_059));
        assert!(!exceeds(&guard, 70, 1_060) && exceeds(&guard, 71, 1_060));
        assert!(!exceeds(&guard, 100, 1_061) && exceeds(&guard, 101, 1_061));
        assert!(!guard.exceeds_hour(2, Amount::new(100), at_minute(1_001)), "another source");
    }

    #[test]
    fn what_the_hour_has_left_behind_is_forgotten() {
        let mut guard = Guard::default();
        let hourly_credit = Some(Amount::new(1_000_000));
        guard.set_policy(CreditPolicy { hourly_credit, ..CreditPolicy::default() });
        for minute in 0..500 {
            guard.count(1, Amount::new(1), at_minute(minute));
            guard.count(1, Amount::new(1), at_minute(minute));
        }
        assert_eq!(guard.recent[&1].0.len(), 60);
        assert_eq!(guard.recent[&1].sum(499), Amount::new(120));
        guard.set_policy(CreditPolicy::default());
        assert!(guard.recent.is_empty());
    }

    #[test]
    fn what_stands_above_the_ceiling_with_approval_may_not_come_back_without() {
        let mut guard = Guard::default();
        guard.set_ceiling(Amount::new(100), Amount::new(50));
        assert!(guard.allows(Amount::new(100)) && !guard.allows(Amount::new(101)));
        guard.tolerate(Amount::new(130));
        assert!(guard.allows(Amount::new(130)) && !guard.allows(Amount::new(131)));
        guard.supply_fell(Amount::new(110));
        assert!(guard.allows(Amount::new(110)) && !guard.allows(Amount::new(111)));
        guard.set_ceiling(Amount::new(20), Amount::new(110));
        assert!(guard.allows(Amount::new(110)), "a lower ceiling forces nobody out");
    }
}
