//! What guards the treasury: attested reserves, policies, sources, and the proposals that wait for a
//! second operator. Who an operator is follows from the key: one person's keys all have one name.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use store::TransferOutcome;
use types::{Event, RejectCode, Request, TreasuryReference};

use super::{SOURCE, operate};
use crate::account::{asset, watermarks};
use crate::error::ApiError;
use crate::history::blocking;
use crate::http::extract::{Params, Segments, SignedRequest, number};
use crate::min_seq::{self, MinSeq};
use crate::orders::unexpected;
use crate::outcome::Outcome;
use crate::state::{Shared, rejection};
use crate::wire::answer::{
    DecidedProposal, DoneOrProposed, Guard, Proposal, Proposals, Source, TreasuryState, Watermark,
    millis,
};
use crate::wire::error::ErrorBody;
use crate::wire::request::{AttestReservesBody, SetCreditPolicyBody, SetSourceKindBody, amount};

/// Supply, attested reserves and policy of each asset, and the kinds of sources.
#[utoipa::path(
    get, path = "/v1/admin/treasury", tag = "Operators", params(MinSeq),
    responses((status = 200, body = TreasuryState), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn get_treasury(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<TreasuryState>, ApiError> {
    request.operator()?;
    let watermarks = seen(&shared, &params).await?;
    let assets = shared.views.assets();
    let guard = |asset: &Arc<types::AssetDef>| Guard::new(asset, &shared.views.guard(asset.id));
    let kinds = shared.views.source_kinds().into_iter();
    Ok(Json(TreasuryState {
        assets: assets.iter().map(guard).collect(),
        sources: kinds.map(|(source, kind)| Source { source, kind: kind.into() }).collect(),
        watermarks,
    }))
}

/// Attest reserves: no more of the asset may come into being without a second operator. To raise what
/// was attested takes one too.
#[utoipa::path(
    put, path = "/v1/admin/treasury/{asset}/reserves", tag = "Operators",
    params(("asset" = String, Path, example = "USDT")), request_body = AttestReservesBody,
    responses((status = 200, body = DoneOrProposed), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn attest_reserves(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<DoneOrProposed>, ApiError> {
    let operator = request.operator()?;
    let body: AttestReservesBody = request.json()?;
    let def = asset(&shared, &symbol)?;
    let ceiling = amount(&def, "ceiling", &body.ceiling)?;
    let evidence = body.evidence()?;
    let command = Request::AttestReserves { operator, asset: def.id, ceiling, evidence };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done_or_proposed(&outcome)))
}

/// Set what needs approval with an asset, all of it anew. To loosen it takes a second operator.
#[utoipa::path(
    put, path = "/v1/admin/treasury/{asset}/policy", tag = "Operators",
    params(("asset" = String, Path, example = "USDT")), request_body = SetCreditPolicyBody,
    responses((status = 200, body = DoneOrProposed), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_credit_policy(
    State(shared): State<Arc<Shared>>,
    Segments(symbol): Segments<String>,
    request: SignedRequest,
) -> Result<Json<DoneOrProposed>, ApiError> {
    let operator = request.operator()?;
    let body: SetCreditPolicyBody = request.json()?;
    let def = asset(&shared, &symbol)?;
    let policy = body.policy(&def)?;
    if !policy.is_valid() {
        return Err(ApiError::invalid_field("expiry_hours", "must be 1 to 720"));
    }
    let command = Request::SetCreditPolicy { operator, asset: def.id, policy: Box::new(policy) };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done_or_proposed(&outcome)))
}

/// Say whether a source is an operators' desk or a machine. Operators' credits and debits over this API
/// are source 1.
#[utoipa::path(
    put, path = "/v1/admin/sources/{source}", tag = "Operators",
    params(("source" = u32, Path)), request_body = SetSourceKindBody,
    responses((status = 200, body = DoneOrProposed), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn set_source_kind(
    State(shared): State<Arc<Shared>>,
    Segments(source): Segments<String>,
    request: SignedRequest,
) -> Result<Json<DoneOrProposed>, ApiError> {
    let operator = request.operator()?;
    let body: SetSourceKindBody = request.json()?;
    let source = number("source", &source)?;
    let command = Request::SetSourceKind { operator, source, kind: body.kind.into() };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    Ok(Json(done_or_proposed(&outcome)))
}

/// What waits for approval.
#[utoipa::path(
    get, path = "/v1/admin/proposals", tag = "Operators", params(MinSeq),
    responses((status = 200, body = Proposals), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_proposals(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<Proposals>, ApiError> {
    request.operator()?;
    let watermarks = seen(&shared, &params).await?;
    let open = shared.views.proposals();
    let references: Vec<_> = open.iter().map(|view| desk_reference(&view.proposal)).collect();
    let names = blocking(&shared, move |store| {
        let name = |of: TreasuryReference| store.transfer_reference(of.source, of.number);
        references.into_iter().map(|of| Ok(of.map(name).transpose()?.flatten())).collect()
    });
    let names: Vec<Option<String>> = names.await?;
    let shown = open.iter().zip(names);
    let proposals = shown.map(|(view, name)| Proposal::new(&shared.views, view, name)).collect();
    Ok(Json(Proposals { proposals, watermarks }))
}

/// Agree to a proposal of another operator: it happens, if all checks pass again.
#[utoipa::path(
    post, path = "/v1/admin/proposals/{proposal}/approve", tag = "Operators",
    params(("proposal" = u64, Path)),
    responses((status = 200, body = DecidedProposal), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn approve_proposal(
    State(shared): State<Arc<Shared>>,
    Segments(proposal): Segments<String>,
    request: SignedRequest,
) -> Result<Json<DecidedProposal>, ApiError> {
    let operator = request.operator()?;
    let proposal = number("proposal", &proposal)?;
    let open = shared.views.proposal(proposal);
    let reference = open.and_then(|open| desk_reference(&open.proposal));
    let command = Request::ApproveProposal { operator, proposal };
    let outcome = shared.ask(request.caller.valid_until, command).await?;
    let refused = rejection(&outcome.answer);
    if refused.is_none() {
        // It is done whether the views show it or not.
        let _ = shared.catch_up.reach(outcome.partition, outcome.seq).await;
    }
    let (status, end) = match outcome.answer {
        Event::ProposalDecided { .. } => ("endorsed", None),
        Event::Rejected { code, .. } => {
            ("", outcome.has_approved(proposal).then_some(TransferOutcome::Rejected(code)))
        }
        _ => {
            let (partition, seq) = (outcome.partition, outcome.seq);
            ("approved", Some(TransferOutcome::Done { partition, seq }))
        }
    };
    note(&shared, reference, end).await;
    refused.map_or_else(|| Ok(Json(decided(proposal, status, &outcome))), Err)
}

/// End a proposal undone; its own operator may too.
#[utoipa::path(
    post, path = "/v1/admin/proposals/{proposal}/reject", tag = "Operators",
    params(("proposal" = u64, Path)),
    responses((status = 200, body = DecidedProposal), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn reject_proposal(
    State(shared): State<Arc<Shared>>,
    Segments(proposal): Segments<String>,
    request: SignedRequest,
) -> Result<Json<DecidedProposal>, ApiError> {
    let operator = request.operator()?;
    let proposal = number("proposal", &proposal)?;
    let open = shared.views.proposal(proposal);
    let reference = open.and_then(|open| desk_reference(&open.proposal));
    let command = Request::RejectProposal { operator, proposal };
    let outcome = operate(&shared, request.caller.valid_until, command).await?;
    let Event::ProposalDecided { decision, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    note(&shared, reference, Some(TransferOutcome::Rejected(RejectCode::NotApproved))).await;
    Ok(Json(decided(proposal, decision.word(), &outcome)))
}

/// The number of this gateway's outbox that a proposal stands for, if it does.
fn desk_reference(proposal: &types::Proposal) -> Option<TreasuryReference> {
    proposal.act.reference().filter(|reference| reference.source == SOURCE)
}

/// Notes how a transfer ended. A failure is logged, and the history tells it later all the same.
async fn note(shared: &Shared, reference: Option<TreasuryReference>, end: Option<TransferOutcome>) {
    if let (Some(TreasuryReference { source, number }), Some(end)) = (reference, end) {
        let _ = blocking(shared, move |store| store.finish_transfer(source, number, end)).await;
    }
}

/// How far the views are, once they have seen what the reader names.
pub(super) async fn seen(shared: &Shared, params: &MinSeq) -> Result<Vec<Watermark>, ApiError> {
    let home = shared.exchange.topology().treasury;
    let asked = min_seq::marks(shared, home, params.min_seq.as_deref())?;
    watermarks(shared, types::AccountId(0), &asked).await
}

fn done_or_proposed(outcome: &Outcome) -> DoneOrProposed {
    let proposal = match &outcome.answer {
        Event::ProposalMade { proposal, .. } => Some(proposal.number),
        _ => None,
    };
    DoneOrProposed {
        status: if proposal.is_some() { "awaiting_approval" } else { "done" },
        proposal,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }
}

fn decided(proposal: u64, status: &'static str, outcome: &Outcome) -> DecidedProposal {
    DecidedProposal {
        proposal,
        status,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }
}
