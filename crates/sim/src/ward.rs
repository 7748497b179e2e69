//! Who is quarantined, as events tell it, and whether those keep still and the others trade on.

use std::collections::BTreeSet;

use types::{Component, Event};

use crate::faults::{Counts, Fault};
use crate::flaw::SAID;

/// Components that have failed.
#[derive(Debug, Default)]
pub(crate) struct Ward {
    quarantined: BTreeSet<Component>,
    /// Released since the binary was changed last.
    released: BTreeSet<Component>,
    is_mended: bool,
    /// The first contradiction.
    wrong: Option<String>,
}

impl Ward {
    /// Who is quarantined.
    pub fn quarantined(&self) -> &BTreeSet<Component> {
        &self.quarantined
    }

    /// From now on another binary runs, with a bug or without.
    pub fn run_with(&mut self, is_mended: bool) {
        self.is_mended = is_mended;
        self.released.clear();
    }

    /// Takes in what happened next in some partition; those of a component are all of one.
    pub fn learn(&mut self, event: &Event, counts: &mut Counts) {
        match event {
            Event::Quarantined { component, reason } => self.enter(*component, reason, counts),
            Event::QuarantineReleased { component, parked, .. } => {
                self.leave(*component, *parked, counts);
            }
            Event::Trade(trade) if !self.quarantined.is_empty() => {
                counts.add(Fault::TradeBesideQuarantine);
                self.expect_free(Component::Market(trade.market), event);
            }
            Event::OrderPlaced { market, .. } => {
                self.expect_free(Component::Market(*market), event);
            }
            Event::BalanceChanged { account, .. } => {
                self.expect_free(Component::Ledger(account.slot()), event);
            }
            Event::ProposalMade { .. } => self.expect_free(Component::Treasury, event),
            _ => {}
        }
    }

    fn enter(&mut self, component: Component, reason: &str, counts: &mut Counts) {
        if !reason.starts_with(SAID) {
            self.note(format!("{component} failed by itself: {reason}"));
        }
        if !self.quarantined.insert(component) {
            self.note(format!("{component} is quarantined twice"));
        }
        counts.add(match component {
            Component::Market(_) => Fault::MarketFailed,
            Component::Ledger(_) => Fault::SlotFailed,
            Component::Treasury | Component::Registry(_) => Fault::TreasuryFailed,
        });
        if self.released.contains(&component) {
            counts.add(Fault::FailedAgain);
        }
    }

    fn leave(&mut self, component: Component, parked: u64, counts: &mut Counts) {
        if !self.quarantined.remove(&component) {
            self.note(format!("{component} is released and was not quarantined"));
        }
        self.released.insert(component);
        if self.is_mended {
            counts.add(Fault::ReleasedMended);
        }
        if parked > 0 {
            counts.add(Fault::ReleasedWithParked);
        }
    }

    fn expect_free(&mut self, component: Component, event: &Event) {
        if self.quarantined.contains(&component) {
            self.note(format!("{component} is quarantined, yet {event:?}"));
        }
    }

    fn note(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    /// # Errors
    /// The first contradiction that was seen.
    pub fn check(&self) -> Result<(), String> {
        self.wrong.clone().map_or(Ok(()), Err)
    }
}
