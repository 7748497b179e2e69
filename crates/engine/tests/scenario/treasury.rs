//! Commands of operators' desks and machines to the treasury, all about the base asset.
//!
//! ```text
//! attest OPERATOR ATOMS                   the ceiling
//! policy OPERATOR [large ATOMS] [hourly ATOMS] [manual] [hours N]      all of it
//! source OPERATOR SOURCE machine|manual
//! credit|debit SOURCE WHO ATOMS [by OPERATOR] [again]     with its next number; again: with its last one
//! approve|reject OPERATOR PROPOSAL
//! WHO pays WHO ATOMS                      a transfer of base
//! supply                                  what came in less what left since the opening
//! ```

use std::collections::BTreeMap;

use types::*;

use super::floor::{PEOPLE, account, number};
use crate::exchange::BASE;

/// The last number of each source.
#[derive(Default)]
pub struct Numbers(BTreeMap<u32, u64>);

/// None if the words are no command of this kind.
pub fn request(numbers: &mut Numbers, words: &[&str]) -> Option<Request> {
    Some(match *words {
        ["attest", operator, atoms] => {
            let (operator, ceiling) = (operator.parse().ok()?, amount(atoms));
            Request::AttestReserves { operator, asset: BASE, ceiling, evidence: [7; 32] }
        }
        ["policy", operator, ref parts @ ..] => {
            let policy = Box::new(policy(parts)?);
            Request::SetCreditPolicy { operator: operator.parse().ok()?, asset: BASE, policy }
        }
        ["source", operator, source, kind @ ("machine" | "manual")] => {
            let kind = if kind == "machine" { SourceKind::Machine } else { SourceKind::Manual };
            let source = number(source) as u32;
            Request::SetSourceKind { operator: operator.parse().ok()?, source, kind }
        }
        ["approve", operator, proposal] => {
            let proposal = number(proposal);
            Request::ApproveProposal { operator: operator.parse().ok()?, proposal }
        }
        ["reject", operator, proposal] => {
            let proposal = number(proposal);
            Request::RejectProposal { operator: operator.parse().ok()?, proposal }
        }
        [kind @ ("credit" | "debit"), source, who, atoms, ref rest @ ..] => {
            let (rest, is_again) = match *rest {
                [ref rest @ .., "again"] => (rest, true),
                _ => (rest, false),
            };
            let operator = match *rest {
                ["by", operator] => operator.parse().ok()?,
                [] => OperatorName::NONE,
                _ => return None,
            };
            let reference = numbers.reference(number(source) as u32, is_again);
            let (account, asset, amount) = (account(who), BASE, amount(atoms));
            match kind {
                "credit" => Request::Credit { reference, operator, account, asset, amount },
                _ => Request::Debit { reference, operator, account, asset, amount },
            }
        }
        [from, "pays", to, atoms] if PEOPLE.contains(&from) => Request::Transfer {
            from: account(from),
            to: account(to),
            asset: BASE,
            amount: amount(atoms),
            client_id: ClientOrderId::NONE,
        },
        _ => return None,
    })
}

impl Numbers {
    fn reference(&mut self, source: u32, is_again: bool) -> TreasuryReference {
        let number = self.0.entry(source).or_default();
        *number += u64::from(!is_again);
        TreasuryReference { source, number: *number }
    }
}

fn policy(parts: &[&str]) -> Option<CreditPolicy> {
    let (mut policy, rest) = match *parts {
        [] => return Some(CreditPolicy::default()),
        [ref rest @ .., "manual"] => {
            (CreditPolicy { manual_needs_approval: true, ..policy(rest)? }, None)
        }
        [ref rest @ .., name, value] => (policy(rest)?, Some((name, value))),
        _ => return None,
    };
    match rest {
        Some(("large", atoms)) => policy.large_credit = Some(amount(atoms)),
        Some(("hourly", atoms)) => policy.hourly_credit = Some(amount(atoms)),
        Some(("hours", hours)) => policy.expiry_hours = number(hours) as u16,
        Some(_) => return None,
        None => {}
    }
    Some(policy)
}

fn amount(text: &str) -> Amount {
    Amount::new(number(text).into())
}

/// What the treasury's events say.
pub fn said(event: &Event) -> Option<String> {
    Some(match event {
        Event::Credited { amount, .. } => format!("credited {amount}"),
        Event::Debited { amount, .. } => format!("debited {amount}"),
        Event::TransferredOut { amount, .. } => format!("paid {amount}"),
        Event::TransferredIn { amount, .. } => format!("received {amount}"),
        Event::ProposalMade { proposal, .. } => {
            let why: Vec<_> = proposal.concerns.words().collect();
            format!("proposal {}: {}", proposal.number, why.join(", "))
        }
        Event::ApprovalAwaited { proposal, .. } => format!("awaits proposal {proposal}"),
        Event::ProposalDecided { proposal, decision, operator, .. } if operator.is_none() => {
            format!("proposal {proposal} {}", decision.word())
        }
        Event::ProposalDecided { proposal, decision, operator, .. } => {
            format!("proposal {proposal} {} by {operator}", decision.word())
        }
        Event::ReservesAttested { ceiling, operator, .. } => {
            format!("ceiling {ceiling} by {operator}")
        }
        Event::CreditPolicySet { operator, .. } => format!("policy by {operator}"),
        Event::SourceKindSet { source, kind, operator, .. } => {
            format!("source {source} is {} by {operator}", format!("{kind:?}").to_lowercase())
        }
        _ => return None,
    })
}
