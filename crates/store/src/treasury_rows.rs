//! Proposals and changes of the treasury's guard, as rows: written by the projector, read by operators.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use types::{
    AccountId, Concerns, CreditPolicy, Decision, Event, PartitionId, Proposal, Seq, Timestamp,
    TreasuryAct, TreasuryReference,
};

use crate::error::Result;
use crate::history_rows::maybe_whole;
use crate::projector::Stamp;
use crate::store::{Store, sql_integer};

/// A proposal as the history tells it, the act in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its number.
    pub number: u64,
    /// `awaiting_approval`, `approved`, `rejected` or `expired`.
    pub status: String,
    /// The operator who asked; none if only a machine did.
    pub proposed_by: Option<String>,
    /// The first of two operators, where a machine asked.
    pub endorsed_by: Option<String>,
    /// Who approved or rejected it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

/// An act in columns; what it does not have is none.
#[derive(Default)]
struct Columns {
    act: &'static str,
    reference: Option<String>,
    account: Option<u32>,
    asset: Option<u32>,
    amount: Option<String>,
    evidence: Option<String>,
    large_credit: Option<String>,
    hourly_credit: Option<String>,
    manual_needs_approval: Option<bool>,
    expiry_hours: Option<u16>,
    source: Option<u32>,
    source_kind: Option<&'static str>,
}

/// Writes what an event of the guard says. Rows written; none for other events.
pub(crate) fn project(connection: &Connection, at: Stamp, event: &Event) -> Result<u64> {
    match *event {
        Event::ProposalMade { ref proposal, .. } => insert_proposal(connection, at, proposal),
        Event::ProposalDecided { proposal, decision, operator, .. } => {
            let operator = (decision != Decision::Expired).then(|| operator.to_string());
            decide(connection, at, proposal, decision, operator)
        }
        Event::ReservesAttested { operator, asset, ceiling, evidence, .. } => {
            let act = TreasuryAct::AttestReserves { asset, ceiling, evidence };
            insert_change(connection, at, &operator.to_string(), &act)
        }
        Event::CreditPolicySet { operator, asset, ref policy, .. } => {
            let act = TreasuryAct::SetCreditPolicy { asset, policy: **policy };
            insert_change(connection, at, &operator.to_string(), &act)
        }
        Event::SourceKindSet { operator, source, kind, .. } => {
            let act = TreasuryAct::SetSourceKind { source, kind };
            insert_change(connection, at, &operator.to_string(), &act)
        }
        _ => Ok(0),
    }
}

fn insert_proposal(connection: &Connection, at: Stamp, proposal: &Proposal) -> Result<u64> {
    let Proposal { number, operator, ref act, concerns, expires } = *proposal;
    let columns = columns(act);
    let rows = connection.execute(
        "INSERT INTO proposals (number, act, concerns, proposed_by, status, reference, account,
             asset, amount, evidence, large_credit, hourly_credit, manual_needs_approval,
             expiry_hours, source, source_kind, proposed_at, expires_at, partition, seq,
             event_index)
         VALUES (:number, :act, :concerns, :proposed_by, 'awaiting_approval', :reference, :account,
             :asset, :amount, :evidence, :large_credit, :hourly_credit, :manual_needs_approval,
             :expiry_hours, :source, :source_kind, :proposed_at, :expires_at, :partition, :seq,
             :event_index)",
        named_params! {
            ":number": sql_integer(number, "a proposal's number")?,
            ":act": columns.act,
            ":concerns": words(concerns),
            ":proposed_by": (!operator.is_none()).then(|| operator.to_string()),
            ":reference": columns.reference,
            ":account": columns.account,
            ":asset": columns.asset,
            ":amount": columns.amount,
            ":evidence": columns.evidence,
            ":large_credit": columns.large_credit,
            ":hourly_credit": columns.hourly_credit,
            ":manual_needs_approval": columns.manual_needs_approval,
            ":expiry_hours": columns.expiry_hours,
            ":source": columns.source,
            ":source_kind": columns.source_kind,
            ":proposed_at": sql_integer(at.moment.time.0, "a time")?,
            ":expires_at": sql_integer(expires.0, "a time")?,
            ":partition": at.partition.0,
            ":seq": sql_integer(at.moment.seq.0, "a seq")?,
            ":event_index": at.index,
        },
    )?;
    Ok(rows as u64)
}

fn decide(
    connection: &Connection,
    at: Stamp,
    proposal: u64,
    decision: Decision,
    operator: Option<String>,
) -> Result<u64> {
    let number = sql_integer(proposal, "a proposal's number")?;
    let rows = if decision == Decision::Endorsed {
        let sql = "UPDATE proposals SET endorsed_by = ?2 WHERE number = ?1";
        connection.execute(sql, (number, operator))?
    } else {
        let time = sql_integer(at.moment.time.0, "a time")?;
        connection.execute(
            "UPDATE proposals SET status = ?2, decided_by = ?3, decided_at = ?4 WHERE number = ?1",
            (number, decision.word(), operator, time),
        )?
    };
    Ok(rows as u64)
}

fn insert_change(
    connection: &Connection,
    at: Stamp,
    operator: &str,
    act: &TreasuryAct,
) -> Result<u64> {
    let columns = columns(act);
    let rows = connection.execute(
        "INSERT INTO treasury_changes (act, operator, asset, amount, evidence, large_credit,
             hourly_credit, manual_needs_approval, expiry_hours, source, source_kind, time,
             partition, seq, event_index)
         VALUES (:act, :operator, :asset, :amount, :evidence, :large_credit, :hourly_credit,
             :manual_needs_approval, :expiry_hours, :source, :source_kind, :time, :partition, :seq,
             :event_index)",
        named_params! {
            ":act": columns.act,
            ":operator": operator,
            ":asset": columns.asset,
            ":amount": columns.amount,
            ":evidence": columns.evidence,
            ":large_credit": columns.large_credit,
            ":hourly_credit": columns.hourly_credit,
            ":manual_needs_approval": columns.manual_needs_approval,
            ":expiry_hours": columns.expiry_hours,
            ":source": columns.source,
            ":source_kind": columns.source_kind,
            ":time": sql_integer(at.moment.time.0, "a time")?,
            ":partition": at.partition.0,
            ":seq": sql_integer(at.moment.seq.0, "a seq")?,
            ":event_index": at.index,
        },
    )?;
    Ok(rows as u64)
}

fn columns(act: &TreasuryAct) -> Columns {
    let none = Columns::default();
    match *act {
        TreasuryAct::Credit { reference, account, asset, amount }
        | TreasuryAct::Debit { reference, account, asset, amount } => Columns {
            act: act.word(),
            reference: Some(format!("{}:{}", reference.source, reference.number)),
            account: Some(account.0),
            asset: Some(asset.0),
            amount: Some(amount.to_string()),
            ..none
        },
        TreasuryAct::AttestReserves { asset, ceiling, evidence } => Columns {
            act: act.word(),
            asset: Some(asset.0),
            amount: Some(ceiling.to_string()),
            evidence: Some(evidence.iter().map(|byte| format!("{byte:02x}")).collect()),
            ..none
        },
        TreasuryAct::SetCreditPolicy { asset, policy } => {
            let CreditPolicy { large_credit, hourly_credit, manual_needs_approval, expiry_hours } =
                policy;
            Columns {
                act: act.word(),
                asset: Some(asset.0),
                large_credit: large_credit.map(|amount| amount.to_string()),
                hourly_credit: hourly_credit.map(|amount| amount.to_string()),
                manual_needs_approval: Some(manual_needs_approval),
                expiry_hours: Some(expiry_hours),
                ..none
            }
        }
        TreasuryAct::SetSourceKind { source, kind } => Columns {
            act: act.word(),
            source: Some(source),
            source_kind: Some(kind.word()),
            ..none
        },
    }
}

fn words(concerns: Concerns) -> String {
    concerns.words().collect::<Vec<_>>().join(",")
}

impl Store {
    /// A proposal, once the history has it.
    ///
    /// # Errors
    /// When the database fails, or holds what was never written.
    pub fn proposal(&self, number: u64) -> Result<Option<ProposalRow>> {
        let sql = "SELECT number, status, proposed_by, endorsed_by, decided_by, decided_at
                   FROM proposals WHERE number = ?1";
        let number = sql_integer(number, "a proposal's number")?;
        let reader = self.history.reader()?;
        reader.query_row(sql, [number], |row| Ok(proposal_row(row))).optional()?.transpose()
    }

    /// The entry that moved the value of a reference, once the history has it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn movement(
        &self,
        account: AccountId,
        reference: TreasuryReference,
    ) -> Result<Option<(PartitionId, Seq)>> {
        let sql = "SELECT partition, seq FROM ledger_entries
                   WHERE account = ?1 AND reference = ?2 AND kind IN ('credit', 'debit')";
        let reference = format!("{}:{}", reference.source, reference.number);
        let entry =
            |row: &Row<'_>| Ok((PartitionId(row.get(0)?), Seq(row.get::<_, i64>(1)? as u64)));
        Ok(self.history.reader()?.query_row(sql, (account.0, reference), entry).optional()?)
    }
}

fn proposal_row(row: &Row<'_>) -> Result<ProposalRow> {
    Ok(ProposalRow {
        number: maybe_whole(row, "number")?.unwrap_or_default(),
        status: row.get("status")?,
        proposed_by: row.get("proposed_by")?,
        endorsed_by: row.get("endorsed_by")?,
        decided_by: row.get("decided_by")?,
        decided_at: maybe_whole(row, "decided_at")?.map(Timestamp),
    })
}
