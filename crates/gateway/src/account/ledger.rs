//! Ledger entries: every change of a total balance, and what caused it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::LedgerQuery;
use types::RejectCode;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::history;
use crate::http::extract::{Params, SignedRequest};
use crate::market_data::page;
use crate::min_seq;
use crate::orders::cursor;
use crate::state::Shared;
use crate::wire::answer::LedgerEntries;
use crate::wire::error::ErrorBody;

const MOST_ROWS: usize = 1_000;

/// Which entries, and which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListLedgerParams {
    /// Ticker of an asset, or any.
    pub(crate) asset: Option<String>,
    /// The `next` of the page before this one.
    pub(crate) before: Option<String>,
    /// 1 to 1000, 100 unless given.
    pub(crate) limit: Option<usize>,
    /// Answer only when this entry is seen: `seq`, or `partition:seq` pairs joined by commas.
    pub(crate) min_seq: Option<String>,
}

/// Every change of your total balances, newest first.
#[utoipa::path(
    get, path = "/v1/ledger", tag = "Account", params(ListLedgerParams),
    responses((status = 200, body = LedgerEntries), (status = "default", body = ErrorBody)),
    security(("signature" = [])),
)]
pub(crate) async fn list_ledger_entries(
    State(shared): State<Arc<Shared>>,
    Params(params): Params<ListLedgerParams>,
    request: SignedRequest,
) -> Result<Json<LedgerEntries>, ApiError> {
    let account = request.reader()?;
    let asset = match params.asset.as_deref() {
        None => None,
        Some(symbol) => {
            let asset = shared.views.asset_by_symbol(symbol);
            Some(asset.ok_or(RejectCode::UnknownAsset)?.id)
        }
    };
    let limit = page(params.limit, 100, MOST_ROWS)?;
    let query = LedgerQuery {
        account,
        asset,
        before: cursor(params.before.as_deref())?,
        limit: limit as u32,
    };
    let home = min_seq::home(&shared, account);
    let asked = min_seq::marks(&shared, home, params.min_seq.as_deref())?;
    let watermarks = history::watermarks(&shared, account, asked).await?;
    let rows = history::read(&shared, move |store| store.ledger_entries(&query)).await?;
    Ok(Json(LedgerEntries {
        next: rows.get(limit - 1).map(|row| row.id.to_string()),
        entries: history::ledger_of(&shared, rows)?,
        watermarks,
    }))
}
