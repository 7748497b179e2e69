//! Credits, debits and settlements: value that enters or leaves the exchange.
//!
//! The treasury takes the numbers of a source in sequence and remembers the outcome of the last one
//! only. So these run one at a time, through an outbox that is durable before the command leaves, and
//! one whose outcome was lost is asked again before the next begins.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use store::{Begin, TransferContent, TransferOutcome};
use types::{Event, RejectCode, Request, Timestamp, TreasuryReference};

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
    request.operator()?;
    let body: ExternalTransferBody = request.json()?;
    let asset = asset(&shared, &body.asset)?;
    let content = TransferContent::Credit {
        account: known(&shared, body.account)?,
        asset: asset.id,
        amount: amount(&asset, "amount", &body.amount)?,
    };
    run(&shared, body.reference, content).await.map(Json)
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
    request.operator()?;
    let body: ExternalTransferBody = request.json()?;
    let asset = asset(&shared, &body.asset)?;
    let content = TransferContent::Debit {
        account: known(&shared, body.account)?,
        asset: asset.id,
        amount: amount(&asset, "amount", &body.amount)?,
    };
    run(&shared, body.reference, content).await.map(Json)
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
    request.operator()?;
    let body: SettleDebitBody = request.json()?;
    let content = TransferContent::Settle {
        account: known(&shared, body.account)?,
        client_id: client_id("client_id", Some(&body.client_id))?,
    };
    run(&shared, body.reference, content).await.map(Json)
}

/// Its routes go on to their end when the caller breaks off: the outbox is never left half way.
async fn run(
    shared: &Shared,
    reference: String,
    content: TransferContent,
) -> Result<ExternalTransfer, ApiError> {
    if !(1..=LONGEST_REFERENCE).contains(&reference.len()) {
        return Err(ApiError::invalid_field("reference", "must have 1 to 200 bytes"));
    }
    let _turn = shared.outbox.turn.lock().await;
    resolve_pending(shared).await?;
    transfer(shared, reference, content).await
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
        finish(shared, pending.number, pending.content).await?;
    }
    Ok(())
}

async fn transfer(
    shared: &Shared,
    reference: String,
    content: TransferContent,
) -> Result<ExternalTransfer, ApiError> {
    refuse_an_old_outbox(shared).await?;
    let name = reference.clone();
    let begun = blocking(shared, move |store| store.begin_transfer(SOURCE, &name, content)).await?;
    let (number, outcome, repeated) = match begun {
        Begin::Conflict => return Err(GatewayCode::ReferenceConflict.into()),
        Begin::Finished(number, outcome) => (number, outcome, true),
        Begin::New(number) | Begin::Pending(number) => {
            (number, finish(shared, number, content).await?, false)
        }
    };
    match outcome {
        TransferOutcome::Rejected(code) => Err(code.into()),
        TransferOutcome::Done { partition, seq } => {
            Ok(ExternalTransfer { reference, number, repeated, partition: partition.0, seq: seq.0 })
        }
    }
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
    content: TransferContent,
) -> Result<TransferOutcome, ApiError> {
    let reference = TreasuryReference { source: SOURCE, number };
    // No time limit: what is in the outbox must come to its end.
    let answer = shared.submit(Timestamp(u64::MAX), command(reference, content)).await;
    let outcome = match answer {
        Ok(outcome) => match outcome.answer {
            Event::Credited { .. } | Event::Debited { .. } | Event::Repeated { .. } => {
                let bound = shared.config.limits.watermark_timeout;
                let _ = shared.catch_up.reach(outcome.partition, outcome.seq, bound).await;
                TransferOutcome::Done { partition: outcome.partition, seq: outcome.seq }
            }
            _ => return Err(crate::orders::unexpected(&outcome)),
        },
        Err(error) => TransferOutcome::Rejected(rejected_for_good(&error)?),
    };
    blocking(shared, move |store| store.finish_transfer(SOURCE, number, outcome)).await?;
    Ok(outcome)
}

/// The code with which the treasury used the number up; an error if it is still to be used.
fn rejected_for_good(error: &ApiError) -> Result<RejectCode, ApiError> {
    match error.code {
        ErrorCode::Rejected(
            RejectCode::Overloaded
            | RejectCode::Expired
            | RejectCode::ClientIdInFlight
            | RejectCode::WrongPartition
            | RejectCode::ReferenceGap
            | RejectCode::ReferenceUsed,
        )
        | ErrorCode::Gateway(_) => Err(ApiError::with(
            GatewayCode::OutcomeUnknown,
            format!(
                "it waits in the outbox ({}); repeat it with the same reference",
                error.code.name()
            ),
        )),
        ErrorCode::Rejected(code) => Ok(code),
    }
}

fn command(reference: TreasuryReference, content: TransferContent) -> Request {
    match content {
        TransferContent::Credit { account, asset, amount } => {
            Request::Credit { reference, account, asset, amount }
        }
        TransferContent::Debit { account, asset, amount } => {
            Request::Debit { reference, account, asset, amount }
        }
        TransferContent::Settle { account, client_id } => {
            Request::SettleDebit { reference, account, client_id }
        }
    }
}
