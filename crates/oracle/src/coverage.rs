//! What was seen: type of order × state of the market × outcome, and what must be seen.

mod facts;
mod kind;
pub mod operations;
mod required;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use types::{Event, MarketState, Request};

pub use kind::{Kind, Outcome};
pub use required::unreachable;

/// The states, in the order of the table in section 7, and none for a market that does not exist and for
/// what no command brings.
pub const STATES: [Option<MarketState>; 8] = [
    Some(MarketState::PreOpen),
    Some(MarketState::Auction),
    Some(MarketState::Continuous),
    Some(MarketState::CancelOnly),
    Some(MarketState::Closed),
    Some(MarketState::Halted),
    Some(MarketState::Delisted),
    None,
];

/// A cell of the table.
pub type Cell = (Kind, Option<MarketState>, Outcome);

/// Counts.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By cell of the table.
    pub cells: BTreeMap<Cell, u64>,
    /// By other command and answer.
    pub answers: operations::Answers,
    /// By name of what happened.
    pub facts: BTreeMap<&'static str, u64>,
    /// Commands, orders or not.
    pub commands: u64,
}

impl Coverage {
    /// Counts a command on orders.
    pub fn count(&mut self, kind: Kind, state: Option<MarketState>, outcome: Outcome) {
        *self.cells.entry((kind, state, outcome)).or_default() += 1;
    }

    /// Counts what happened.
    pub fn count_fact(&mut self, event: &Event) {
        if let Some(name) = facts::fact(event) {
            *self.facts.entry(name).or_default() += 1;
        }
    }

    /// Counts why a command was refused, where a code has reasons that must be met each.
    pub fn count_reason(&mut self, request: &Request, outcome: Outcome) {
        if let Some(name) = facts::reason(request, outcome) {
            *self.facts.entry(name).or_default() += 1;
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
        for (answer, count) in &other.answers {
            *self.answers.entry(*answer).or_default() += count;
        }
        for (name, count) in &other.facts {
            *self.facts.entry(name).or_default() += count;
        }
        self.commands += other.commands;
    }

    /// Cells that the rules say are reachable and that were not seen.
    pub fn missing(&self) -> Vec<Cell> {
        required::cells().filter(|cell| !self.cells.contains_key(cell)).collect()
    }

    /// Cells that were seen although they are in the list of unreachable ones.
    pub fn impossible(&self) -> Vec<Cell> {
        let listed = |&&(kind, state, outcome): &&Cell| {
            state.is_some() && unreachable(kind, state, outcome).is_some()
        };
        self.cells.keys().filter(listed).copied().collect()
    }

    /// Whether all that was seen is possible by the lists.
    ///
    /// # Errors
    /// What is not, in words: the list or the product is wrong.
    pub fn check(&self) -> Result<(), String> {
        match (&self.impossible()[..], &operations::impossible(&self.answers)[..]) {
            ([], []) => Ok(()),
            ([], answers) => Err(format!("answers that no rule names: {answers:?}")),
            (cells, _) => Err(format!("cells that are listed as unreachable were seen: {cells:?}")),
        }
    }

    /// Facts that were never seen.
    pub fn missing_facts(&self) -> Vec<&'static str> {
        facts::FACTS.iter().copied().filter(|name| !self.facts.contains_key(name)).collect()
    }

    /// The table as text: a line per kind and outcome, a column per state.
    pub fn table(&self) -> String {
        let mut rows: BTreeMap<(Kind, Outcome), [u64; 8]> = BTreeMap::new();
        for (&(kind, state, outcome), count) in &self.cells {
            let column = STATES.iter().position(|other| *other == state).expect("all are listed");
            rows.entry((kind, outcome)).or_default()[column] += count;
        }
        let heads = [
            "pre-open",
            "auction",
            "continuous",
            "cancel-only",
            "closed",
            "halted",
            "delisted",
            "none",
        ];
        let mut text = format!("{:<21} {:<23}", "type", "outcome");
        for head in heads {
            let _ = write!(text, " {head:>11}");
        }
        for ((kind, outcome), counts) in rows {
            let _ = write!(text, "\n{:<21} {:<23}", format!("{kind:?}"), outcome.name());
            for count in counts {
                let _ = write!(text, " {count:>11}");
            }
        }
        text += &operations::table(&self.answers);
        for (name, count) in &self.facts {
            let _ = write!(text, "\n{name:<45} {count:>11}");
        }
        text
    }
}
