//! What guards the door through which value enters: ceilings, policies, and acts that wait for a
//! second operator. `docs/trading-rules.md`, section 14, states the rules exactly.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AccountId, Amount, AssetId, ClientOrderId, InvalidClientOrderId, Timestamp, TreasuryReference,
};

/// Longest time that a proposal may wait: 30 days.
pub const MAX_EXPIRY_HOURS: u16 = 720;

/// A person who operates the exchange, under a name that is never given to another: 1 to 36
/// characters from `!` to `~`. One person may have several keys. The empty name means "no operator".
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperatorName(ClientOrderId);

impl OperatorName {
    /// No operator asked: a machine did.
    pub const NONE: Self = Self(ClientOrderId::NONE);

    /// Whether no operator asked.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl std::str::FromStr for OperatorName {
    type Err = InvalidClientOrderId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl std::fmt::Display for OperatorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for OperatorName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl BorshSerialize for OperatorName {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.0.serialize(writer)
    }
}

impl BorshDeserialize for OperatorName {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        ClientOrderId::deserialize_reader(reader).map(Self)
    }
}

/// What one operator or machine alone may not do with an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CreditPolicy {
    /// A single credit above this needs approval.
    pub large_credit: Option<Amount>,
    /// Credits of a source without approval, in the current minute and the 59 before it, may sum to
    /// this; the one that would lift the sum above it needs approval.
    pub hourly_credit: Option<Amount>,
    /// Whether every credit and debit of a manual source needs approval.
    pub manual_needs_approval: bool,
    /// How long a proposal about the asset waits: 1 to [`MAX_EXPIRY_HOURS`].
    pub expiry_hours: u16,
}

impl Default for CreditPolicy {
    /// Asks for nothing.
    fn default() -> Self {
        Self {
            large_credit: None,
            hourly_credit: None,
            manual_needs_approval: false,
            expiry_hours: 24,
        }
    }
}

impl CreditPolicy {
    /// Whether its numbers are in range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..=MAX_EXPIRY_HOURS).contains(&self.expiry_hours)
    }

    /// Whether it asks for anything.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.large_credit.is_some() || self.hourly_credit.is_some() || self.manual_needs_approval
    }

    /// Whether something is allowed by it that `before` does not allow.
    #[must_use]
    pub fn loosens(&self, before: &Self) -> bool {
        let rises = |before: Option<Amount>, after: Option<Amount>| match (before, after) {
            (Some(before), Some(after)) => after > before,
            (Some(_), None) => true,
            (None, _) => false,
        };
        rises(before.large_credit, self.large_credit)
            || rises(before.hourly_credit, self.hourly_credit)
            || (before.manual_needs_approval && !self.manual_needs_approval)
            || self.expiry_hours > before.expiry_hours
    }
}

/// Who stands behind a source of credits and debits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum SourceKind {
    /// An operator's desk. Every source is one until it is said to be a machine.
    #[default]
    Manual = 1,
    /// A wallet that vouches for what it has seen on a chain.
    Machine = 2,
}

impl SourceKind {
    /// The word that answers, SQL and logs use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Machine => "machine",
        }
    }
}

/// What may need a second operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum TreasuryAct {
    /// As [`crate::Request::Credit`].
    Credit {
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Receives.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 1,
    /// As [`crate::Request::Debit`].
    Debit {
        /// Who vouches for it.
        reference: TreasuryReference,
        /// Pays.
        account: AccountId,
        /// What.
        asset: AssetId,
        /// How much.
        amount: Amount,
    } = 2,
    /// As [`crate::Request::AttestReserves`].
    AttestReserves {
        /// Of what.
        asset: AssetId,
        /// The reserves: the most that may exist on the exchange.
        ceiling: Amount,
        /// Hash of the document that shows them.
        evidence: [u8; 32],
    } = 3,
    /// As [`crate::Request::SetCreditPolicy`].
    SetCreditPolicy {
        /// Of what.
        asset: AssetId,
        /// All of it.
        policy: CreditPolicy,
    } = 4,
    /// As [`crate::Request::SetSourceKind`].
    SetSourceKind {
        /// Which.
        source: u32,
        /// What it is from now on.
        kind: SourceKind,
    } = 5,
}

impl TreasuryAct {
    /// The verb, as the request's.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Credit { .. } => "credit",
            Self::Debit { .. } => "debit",
            Self::AttestReserves { .. } => "attest_reserves",
            Self::SetCreditPolicy { .. } => "set_credit_policy",
            Self::SetSourceKind { .. } => "set_source_kind",
        }
    }

    /// The reference that it uses up, if it moves value.
    #[must_use]
    pub fn reference(&self) -> Option<TreasuryReference> {
        match *self {
            Self::Credit { reference, .. } | Self::Debit { reference, .. } => Some(reference),
            Self::AttestReserves { .. }
            | Self::SetCreditPolicy { .. }
            | Self::SetSourceKind { .. } => None,
        }
    }

    /// The asset that it is about.
    #[must_use]
    pub fn asset(&self) -> Option<AssetId> {
        match *self {
            Self::Credit { asset, .. }
            | Self::Debit { asset, .. }
            | Self::AttestReserves { asset, .. }
            | Self::SetCreditPolicy { asset, .. } => Some(asset),
            Self::SetSourceKind { .. } => None,
        }
    }

    /// The account that it is about, or zero.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match *self {
            Self::Credit { account, .. } | Self::Debit { account, .. } => account,
            Self::AttestReserves { .. }
            | Self::SetCreditPolicy { .. }
            | Self::SetSourceKind { .. } => AccountId(0),
        }
    }
}

/// Why an act needs approval: every rule that asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Concerns {
    /// It would lift the supply above the ceiling.
    pub ceiling: bool,
    /// A single credit above the policy's limit.
    pub large: bool,
    /// The source's credits of an hour would sum to more than the policy's limit.
    pub hourly: bool,
    /// It comes from an operator's desk.
    pub manual: bool,
    /// It lifts a ceiling or loosens a policy that is in force.
    pub loosening: bool,
}

impl Concerns {
    /// Whether no rule asks for approval.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Each with the word that answers, SQL and logs use; those that hold.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (self.ceiling, "ceiling"),
            (self.large, "large_credit"),
            (self.hourly, "hourly_credit"),
            (self.manual, "manual"),
            (self.loosening, "loosening"),
        ]
        .into_iter()
        .filter_map(|(holds, word)| holds.then_some(word))
    }
}

/// An act that waits for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// Rising from 1.
    pub number: u64,
    /// The first of the two operators who it takes; none while only a machine has asked.
    pub operator: OperatorName,
    /// What is to happen.
    pub act: TreasuryAct,
    /// Why it does not happen at once.
    pub concerns: Concerns,
    /// When it ends undone, by the log's time.
    pub expires: Timestamp,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Decision {
    /// A machine asked, and the first of two operators agreed. It waits on.
    Endorsed = 1,
    /// A second operator agreed: it happens.
    Approved = 2,
    /// An operator, who may be the first, ended it undone.
    Rejected = 3,
    /// Its time came.
    Expired = 4,
}

impl Decision {
    /// The word that answers, SQL and logs use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Endorsed => "endorsed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_loosens_where_any_of_its_parts_allows_more() {
        let strict = CreditPolicy {
            large_credit: Some(Amount::new(10)),
            hourly_credit: Some(Amount::new(50)),
            manual_needs_approval: true,
            expiry_hours: 24,
        };
        assert!(!strict.loosens(&strict));
        assert!(!strict.loosens(&CreditPolicy::default()));
        assert!(!CreditPolicy { large_credit: Some(Amount::new(9)), ..strict }.loosens(&strict));
        for looser in [
            CreditPolicy { large_credit: Some(Amount::new(11)), ..strict },
            CreditPolicy { large_credit: None, ..strict },
            CreditPolicy { hourly_credit: Some(Amount::new(51)), ..strict },
            CreditPolicy { hourly_credit: None, ..strict },
            CreditPolicy { manual_needs_approval: false, ..strict },
            CreditPolicy { expiry_hours: 25, ..strict },
        ] {
            assert!(looser.loosens(&strict), "{looser:?}");
        }
    }

    #[test]
    fn an_expiry_is_an_hour_to_thirty_days() {
        let valid =
            |expiry_hours| CreditPolicy { expiry_hours, ..CreditPolicy::default() }.is_valid();
        assert_eq!([0, 1, 720, 721].map(valid), [false, true, true, false]);
    }
}
