//! What guards the treasury, in one line: attestations, policies, proposals and decisions.

use types::{CreditPolicy, Event, OperatorName, Proposal, Request, TreasuryAct};

use super::command::reference;
use super::{Line, Names, rfc3339};

/// An operator's name, if a person asked.
pub(super) fn name(operator: OperatorName) -> Option<String> {
    (!operator.is_none()).then(|| operator.to_string())
}

/// Requests of operators about the guard; `line` is returned as it is for others.
pub(super) fn request_line(names: Names<'_>, line: Line, request: &Request) -> Line {
    match *request {
        Request::AttestReserves { operator, asset, ceiling, evidence } => {
            let act = TreasuryAct::AttestReserves { asset, ceiling, evidence };
            act_fields(names, line.with_some("operator", name(operator)), &act)
        }
        Request::SetCreditPolicy { operator, asset, ref policy } => {
            let act = TreasuryAct::SetCreditPolicy { asset, policy: **policy };
            act_fields(names, line.with_some("operator", name(operator)), &act)
        }
        Request::SetSourceKind { operator, source, kind } => {
            let act = TreasuryAct::SetSourceKind { source, kind };
            act_fields(names, line.with_some("operator", name(operator)), &act)
        }
        Request::ApproveProposal { operator, proposal }
        | Request::RejectProposal { operator, proposal } => {
            line.with_some("operator", name(operator)).with("proposal", proposal)
        }
        _ => line,
    }
}

/// Events about the guard; nothing for others.
pub(super) fn event_line(names: Names<'_>, event: &Event) -> Line {
    match *event {
        Event::ProposalMade { ref proposal, .. } => proposal_line(names, proposal),
        Event::ApprovalAwaited { account, proposal, .. } => Line::new("approval_awaited")
            .with_some("account", (account.0 > 0).then_some(account.0))
            .with("proposal", proposal),
        Event::ProposalDecided { proposal, decision, operator, .. } => {
            Line::new("proposal_decided")
                .with("proposal", proposal)
                .with("decision", decision.word())
                .with_some("operator", name(operator))
        }
        Event::ReservesAttested { operator, asset, ceiling, evidence, .. } => {
            let line = Line::new("reserves_attested").with_some("operator", name(operator));
            act_fields(names, line, &TreasuryAct::AttestReserves { asset, ceiling, evidence })
        }
        Event::CreditPolicySet { operator, asset, ref policy, .. } => {
            let line = Line::new("credit_policy_set").with_some("operator", name(operator));
            let policy = **policy;
            act_fields(names, line, &TreasuryAct::SetCreditPolicy { asset, policy })
        }
        Event::SourceKindSet { operator, source, kind, .. } => {
            let line = Line::new("source_kind_set").with_some("operator", name(operator));
            act_fields(names, line, &TreasuryAct::SetSourceKind { source, kind })
        }
        _ => unreachable!("not about the guard: {event:?}"),
    }
}

fn proposal_line(names: Names<'_>, proposal: &Proposal) -> Line {
    let line = Line::new("proposal_made")
        .with("proposal", proposal.number)
        .with_some("operator", name(proposal.operator))
        .with("act", proposal.act.word());
    let why: Vec<&str> = proposal.concerns.words().collect();
    act_fields(names, line, &proposal.act)
        .with("concerns", why.join(","))
        .with("expires", rfc3339(proposal.expires))
}

fn act_fields(names: Names<'_>, line: Line, act: &TreasuryAct) -> Line {
    match *act {
        TreasuryAct::Credit { reference: by, account, asset, amount }
        | TreasuryAct::Debit { reference: by, account, asset, amount } => line
            .with("reference", reference(by))
            .with("account", account.0)
            .with("asset", names.asset(asset))
            .with("amount", names.amount(asset, amount)),
        TreasuryAct::AttestReserves { asset, ceiling, evidence } => line
            .with("asset", names.asset(asset))
            .with("ceiling", names.amount(asset, ceiling))
            .with("evidence", hexadecimal(&evidence)),
        TreasuryAct::SetCreditPolicy { asset, policy } => {
            let CreditPolicy { large_credit, hourly_credit, manual_needs_approval, expiry_hours } =
                policy;
            let amount = |amount| names.amount(asset, amount);
            line.with("asset", names.asset(asset))
                .with_some("large_credit", large_credit.map(amount))
                .with_some("hourly_credit", hourly_credit.map(amount))
                .with("manual_needs_approval", manual_needs_approval)
                .with("expiry_hours", expiry_hours)
        }
        TreasuryAct::SetSourceKind { source, kind } => {
            line.with("source", source).with("source_kind", kind.word())
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
