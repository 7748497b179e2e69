//! Withdrawals, the part that the exchange itself plays: funds are locked under a name, and an operator
//! settles them when they have left. Until then the owner may release them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use types::{AssetDef, Event, RejectCode, Request};

use super::watermarks;
use crate::error::ApiError;
use crate::http::extract::{Params, Segments, SignedRequest};
use crate::min_seq::{self, MinSeq};
use crate::orders::unexpected;
use crate::state::Shared;
use crate::wire::answer::{Moved, Withdrawal, Withdrawals, amount, millis};
use crate::wire::error::ErrorBody;
use crate::wire::request::{WithdrawalBody, client_id};

/// An asset by its ticker.
pub(crate) fn asset(shared: &Shared, symbol: &str) -> Result<Arc<AssetDef>, ApiError> {
    shared.views.asset_by_symbol(symbol).ok_or_else(|| ApiError::from(RejectCode::UnknownAsset))
}

/// Your withdrawals that are neither settled nor released.
#[utoipa::path(
    get, path = "/v1/withdrawals", tag = "Account", params(MinSeq),
    responses((status = 200, body = Withdrawals), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_withdrawals(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<MinSeq>,
    request: SignedRequest,
) -> Result<Json<Withdrawals>, ApiError> {
    let account = request.reader()?;
    let home = min_seq::home(&shared, account);
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    let watermarks = watermarks(&shared, account, &asked).await?;
    let pending = shared.views.pending_debits(account);
    let withdrawal = |debit: &views::PendingDebit| {
        let asset = shared.views.asset(debit.asset)?;
        Some(Withdrawal {
            client_id: debit.client_id.to_string(),
            asset: asset.symbol.clone(),
            amount: amount(&asset, debit.amount),
            since: millis(debit.since),
        })
    };
    Ok(Json(Withdrawals {
        withdrawals: pending.iter().filter_map(withdrawal).collect(),
        watermarks,
    }))
}

/// Lock funds that are to leave the exchange. A retry with the same `client_id` locks nothing more.
#[utoipa::path(
    post, path = "/v1/withdrawals", tag = "Account", request_body = WithdrawalBody,
    responses((status = 200, body = Moved), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn reserve_debit(
    State(shared): State<Arc<Shared>>,
    request: SignedRequest,
) -> Result<Json<Moved>, ApiError> {
    let account = request.payer()?;
    let body: WithdrawalBody = request.json()?;
    let asset = asset(&shared, &body.asset)?;
    let (command, value) = body.into_request(account, &asset)?;
    let outcome = shared.submit(request.caller.valid_until, command).await?;
    let repeated = match outcome.answer {
        Event::DebitReserved { .. } => false,
        Event::Repeated { outcome: Ok(_), .. } => true,
        _ => return Err(unexpected(&outcome)),
    };
    Ok(Json(Moved {
        asset: asset.symbol.clone(),
        amount: amount(&asset, value),
        repeated,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}

/// Give up a withdrawal: its funds are available again.
#[utoipa::path(
    delete, path = "/v1/withdrawals/{client_id}", tag = "Account",
    params(("client_id" = String, Path)),
    responses((status = 200, body = Moved), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn release_debit(
    State(shared): State<Arc<Shared>>,
    Segments(name): Segments<String>,
    request: SignedRequest,
) -> Result<Json<Moved>, ApiError> {
    let account = request.payer()?;
    let command =
        Request::ReleaseDebit { account, client_id: client_id("client_id", Some(&name))? };
    let outcome = shared.submit(request.caller.valid_until, command).await?;
    let Event::DebitReleased { asset, amount: value, .. } = outcome.answer else {
        return Err(unexpected(&outcome));
    };
    let asset = shared.views.asset(asset).ok_or(RejectCode::UnknownAsset)?;
    Ok(Json(Moved {
        asset: asset.symbol.clone(),
        amount: amount(&asset, value),
        repeated: false,
        time: millis(outcome.time),
        partition: outcome.partition.0,
        seq: outcome.seq.0,
    }))
}
