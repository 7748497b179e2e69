//! Credits, debits and settlements: value that enters or leaves the exchange.
//!
//! The treasury takes the numbers of a source in sequence and remembers the outcome of the last one
//! only. So these run one at a time, through an outbox that is durable before the command leaves, and
//! one whose outcome was lost is asked again before the next begins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use store::{Begin, TransferContent, TransferOutcome};
use types::{
    Event, OperatorName, PartitionId, RejectCode, Request, Seq, Timestamp, TreasuryReference,
};

use crate::account::{asset, known};
use crate::error::{ApiError, ErrorCode, GatewayCode};
use crate::history::blocking;
use crate::http::extract::SignedRequest;
use crate::state::Shared;
use crate::wire::answer::ExternalTransfer;
use crate::wire::error::ErrorBody;
use crate::wire::request::{ExternalTransferBody, SettleDebitBody, amount, client_id};

/// The operators' desk, as the treasury knows it.
pub(crate) const SOURCE: u32 = 1;
const LONGEST_REFERENCE: usize = 200;

/// Lets one external transfer through at a time.
#[derive(Default)]
pub(crate) struct Outbox {
    turn: tokio::sync::Mutex<()>,
}

/// Value came from outside: add it to an account. A retry with the same `reference` adds nothing more.
#[utoipa::path(
    post, path = "/v1/admin/credits", tag = "Operators", request_body = ExternalTransferBody,
    responses((status = 200, body = ExternalTransfer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn credit(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<ExternalTransfer>, ApiError> {
    let operator = request.operator()?;
    let body: ExternalTransferBody = request.json()?;
    let asset = asset(&shared, &body.asset)?;
    let content = TransferContent::Credit {
        account: known(&shared, body.account)?,
        asset: asset.id,
        amount: amount(&asset, "amount", &body.amount)?,
    };
    run(&shared, operator, body.reference, content).await.map(Json)
}

/// Value leaves at once: take it from an account. A retry with the same `reference` takes nothing more.
#[utoipa::path(
    post, path = "/v1/admin/debits", tag = "Operators", request_body = ExternalTransferBody,
    responses((status = 200, body = ExternalTransfer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn debit(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<ExternalTransfer>, ApiError> {
    let operator = request.operator()?;
    let body: ExternalTransferBody = request.json()?;
    let asset = asset(&shared, &body.asset)?;
    let content = TransferContent::Debit {
        account: known(&shared, body.account)?,
        asset: asset.id,
        amount: amount(&asset, "amount", &body.amount)?,
    };
    run(&shared, operator, body.reference, content).await.map(Json)
}

/// A withdrawal has left the exchange: its locked funds are gone.
#[utoipa::path(
    post, path = "/v1/admin/withdrawals/settle", tag = "Operators", request_body = SettleDebitBody,
    responses((status = 200, body = ExternalTransfer), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn settle_debit(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<ExternalTransfer>, ApiError> {
    let operator = request.operator()?;
    let body: SettleDebitBody = request.json()?;
    let content = TransferContent::Settle {
        account: known(&shared, body.account)?,
        client_id: client_id("client_id", Some(&body.client_id))?,
    };
    run(&shared, operator, body.reference, content).await.map(Json)
}

/// Its routes go on to their end when the caller breaks off: the outbox is never left half way.
async fn run(
    shared: &Shared,
    operator: OperatorName,
    reference: String,
    content: TransferContent,
) -> Result<ExternalTransfer, ApiError> {
    if !(1..=LONGEST_REFERENCE).contains(&reference.len()) {
        return Err(ApiError::invalid_field("reference", "must have 1 to 200 bytes"));
    }
    let _turn = shared.outbox.turn.lock().await;
    resolve_pending(shared).await?;
    transfer(shared, operator, reference, content).await
}

/// Ends what a crash or a lost answer left open. To be called once at the start.
pub(crate) async fn resolve_outbox(shared: Arc<Shared>) {
    let _turn = shared.outbox.turn.lock().await;
    if let Err(error) = resolve_pending(&shared).await {
        tracing::warn!(%error, "external transfers wait for their outcome");
    }
}

async fn resolve_pending(shared: &Shared) -> Result<(), ApiError> {
    for pending in blocking(shared, |store| store.pending_transfers(SOURCE)).await? {
        tracing::info!(reference = pending.reference, "asking for the outcome of a transfer");
        let operator = asked_by(pending.operator.as_deref())?;
        finish(shared, pending.number, operator, pending.content).await?;
    }
    Ok(())
}

async fn transfer(
    shared: &Shared,
    operator: OperatorName,
    reference: String,
    content: TransferContent,
) -> Result<ExternalTransfer, ApiError> {
    refuse_an_old_outbox(shared).await?;
    let name = reference.clone();
    let asked = (!operator.is_none()).then(|| operator.to_string());
    let begun = blocking(shared, move |store| {
        store.begin_transfer(SOURCE, &name, content, asked.as_deref())
    });
    let (number, outcome, repeated) = match begun.await? {
        Begin::Conflict => return Err(GatewayCode::ReferenceConflict.into()),
        Begin::Finished(number, TransferOutcome::AwaitingApproval { proposal }) => {
            (number, decided_since(shared, number, proposal, content).await?, true)
        }
        Begin::Finished(number, outcome) => (number, outcome, true),
        Begin::New(number) => (number, finish(shared, number, operator, content).await?, false),
        Begin::Pending(number, asked) => {
            let operator = asked_by(asked.as_deref())?;
            (number, finish(shared, number, operator, content).await?, false)
        }
    };
    let status = |status, proposal, entry: Option<(PartitionId, Seq)>| ExternalTransfer {
        reference,
        number,
        status,
        proposal,
        repeated,
        partition: entry.map(|(partition, _)| partition.0),
        seq: entry.map(|(_, seq)| seq.0),
    };
    match outcome {
        TransferOutcome::Rejected(code) => Err(code.into()),
        TransferOutcome::AwaitingApproval { proposal } => {
            Ok(status("awaiting_approval", Some(proposal), None))
        }
        TransferOutcome::Done { partition, seq } => {
            Ok(status("done", None, Some((partition, seq))))
        }
    }
}

/// What has become of a transfer that waited for approval when it was asked last. Whoever decided may
/// not have noted it here: a proposal expires by itself, and an answer can be lost.
async fn decided_since(
    shared: &Shared,
    number: u64,
    proposal: u64,
    content: TransferContent,
) -> Result<TransferOutcome, ApiError> {
    let waits = TransferOutcome::AwaitingApproval { proposal };
    if shared.views.proposal(proposal).is_some() {
        return Ok(waits);
    }
    let reference = TreasuryReference { source: SOURCE, number };
    let found = blocking(shared, move |store| {
        let moved = store.movement(content.account(), reference)?;
        Ok((moved, store.proposal(proposal)?))
    });
    let outcome = match found.await? {
        (Some((partition, seq)), _) => TransferOutcome::Done { partition, seq },
        (None, Some(row)) if row.status == "rejected" => {
            TransferOutcome::Rejected(RejectCode::NotApproved)
        }
        (None, Some(row)) if row.status == "expired" => {
            TransferOutcome::Rejected(RejectCode::ApprovalExpired)
        }
        // The history has not come that far yet, or will never have a movement: an approved debit
        // that was not covered, and whose approver's gateway stopped before it noted so.
        (None, _) => {
            return Err(ApiError::with(
                GatewayCode::OutcomeUnknown,
                format!("proposal {proposal} is decided; the ledger entries tell what it moved"),
            ));
        }
    };
    blocking(shared, move |store| store.finish_transfer(SOURCE, number, outcome)).await?;
    Ok(outcome)
}

fn asked_by(name: Option<&str>) -> Result<OperatorName, ApiError> {
    let name = name.map_or(Ok(OperatorName::NONE), str::parse);
    name.map_err(|_| ApiError::with(GatewayCode::Internal, "an operator's name in the outbox"))
}

/// An outbox restored from a backup would give numbers that the treasury has seen, and would take the
/// outcome of another transfer for its own.
async fn refuse_an_old_outbox(shared: &Shared) -> Result<(), ApiError> {
    let in_log = shared.views.last_reference(SOURCE);
    let in_outbox = blocking(shared, |store| store.last_transfer_number(SOURCE)).await?;
    if in_log > in_outbox {
        return Err(ApiError::with(
            GatewayCode::OutboxBehindLog,
            format!(
                "the log has external transfer {in_log}, directory.sqlite only {in_outbox}: restore it from its backup"
            ),
        ));
    }
    Ok(())
}

/// Submits a transfer, again if need be, and notes its outcome.
async fn finish(
    shared: &Shared,
    number: u64,
    operator: OperatorName,
    content: TransferContent,
) -> Result<TransferOutcome, ApiError> {
    let reference = TreasuryReference { source: SOURCE, number };
    // No time limit: what is in the outbox must come to its end.
    let ask = || shared.ask(Timestamp(u64::MAX), command(reference, operator, content));
    let mut outcome = ask().await.map_err(|error| waits(error.code))?;
    if let Event::Rejected { code: RejectCode::ComponentQuarantined, .. } = outcome.answer {
        // The treasury, which has not used the number up; or the account's ledger, which told the treasury: then
        // that is repeated.
        outcome = ask().await.map_err(|error| waits(error.code))?;
    }
    let outcome = match outcome.answer {
        Event::ProposalMade { proposal, .. } => {
            TransferOutcome::AwaitingApproval { proposal: proposal.number }
        }
        Event::ApprovalAwaited { proposal, .. } => TransferOutcome::AwaitingApproval { proposal },
        Event::Credited { .. } | Event::Debited { .. } | Event::Repeated { outcome: Ok(_), .. } => {
            let _ = shared.catch_up.reach(outcome.partition, outcome.seq).await;
            TransferOutcome::Done { partition: outcome.partition, seq: outcome.seq }
        }
        Event::Repeated { outcome: Err(code), .. } => TransferOutcome::Rejected(code),
        Event::Rejected { code, .. } if uses_number_up(code) => TransferOutcome::Rejected(code),
        Event::Rejected { code, .. } => return Err(waits(ErrorCode::Rejected(code))),
        _ => return Err(crate::orders::unexpected(&outcome)),
    };
    blocking(shared, move |store| store.finish_transfer(SOURCE, number, outcome)).await?;
    Ok(outcome)
}

/// Whether the treasury has used the number of a transfer up that it refused with this.
fn uses_number_up(code: RejectCode) -> bool {
    !matches!(
        code,
        RejectCode::Overloaded
            | RejectCode::Expired
            | RejectCode::ClientIdInFlight
            | RejectCode::WrongPartition
            | RejectCode::ComponentQuarantined
            | RejectCode::ReferenceGap
            | RejectCode::ReferenceUsed
            | RejectCode::TooManyProposals
    )
}

/// The number is still to be used.
fn waits(code: ErrorCode) -> ApiError {
    ApiError::with(
        GatewayCode::OutcomeUnknown,
        format!("it waits in the outbox ({}); repeat it with the same reference", code.name()),
    )
}

fn command(
    reference: TreasuryReference,
    operator: OperatorName,
    content: TransferContent,
) -> Request {
    match content {
        TransferContent::Credit { account, asset, amount } => {
            Request::Credit { reference, operator, account, asset, amount }
        }
        TransferContent::Debit { account, asset, amount } => {
            Request::Debit { reference, operator, account, asset, amount }
        }
        TransferContent::Settle { account, client_id } => {
            Request::SettleDebit { reference, account, client_id }
        }
    }
}
