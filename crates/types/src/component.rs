//! Components: the state machines that messages are addressed to, and their names.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{ACCOUNT_SLOTS, MarketId, PartitionId, Slot};

/// A deterministic state machine that messages are addressed to.
///
/// Written as `market-1`, `ledger-17` (the accounts of slot 17), `treasury` and `registry-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Component {
    /// The accounts of a slot.
    Ledger(Slot) = 1,
    /// A pair's book and rules.
    Market(MarketId) = 2,
    /// The door through which value enters and leaves.
    Treasury = 3,
    /// A partition's copy of the definitions.
    Registry(PartitionId) = 4,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(slot) => write!(f, "ledger-{}", slot.0),
            Self::Market(market) => write!(f, "market-{market}"),
            Self::Treasury => f.write_str("treasury"),
            Self::Registry(partition) => write!(f, "registry-{partition}"),
        }
    }
}

/// Text that names no component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoComponent;

impl fmt::Display for NoComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a component is named market-1, ledger-17, treasury or registry-0")
    }
}

impl std::error::Error for NoComponent {}

impl FromStr for Component {
    type Err = NoComponent;

    fn from_str(text: &str) -> Result<Self, NoComponent> {
        if text == "treasury" {
            return Ok(Self::Treasury);
        }
        let (kind, number) = text.split_once('-').ok_or(NoComponent)?;
        let number: u32 = number.parse().map_err(|_| NoComponent)?;
        let small = u16::try_from(number);
        let component = match (kind, small) {
            ("market", _) => Self::Market(MarketId(number)),
            ("ledger", Ok(slot)) if slot < ACCOUNT_SLOTS => Self::Ledger(Slot(slot)),
            ("registry", Ok(partition)) => Self::Registry(PartitionId(partition)),
            _ => return Err(NoComponent),
        };
        // One name for each: no sign, no leading zero.
        if component.to_string() == text { Ok(component) } else { Err(NoComponent) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_component_has_one_name() {
        let all = [
            Component::Ledger(Slot(0)),
            Component::Ledger(Slot(1023)),
            Component::Market(MarketId(70_000)),
            Component::Treasury,
            Component::Registry(PartitionId(3)),
        ];
        for component in all {
            assert_eq!(component.to_string().parse(), Ok(component));
        }
        for text in ["", "market", "market-", "market-+1", "market-01", "ledger-1024", "treasury-0"]
        {
            assert_eq!(text.parse::<Component>(), Err(NoComponent), "{text}");
        }
    }
}
