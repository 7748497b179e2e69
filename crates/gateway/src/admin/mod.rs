//! What operators do. Every act that matters to money or matching is a command in the log.

mod accounts;
mod definitions;
mod external_transfers;
mod fees;
mod keys;
mod market_life;
mod quarantine;
mod snapshot;
mod treasury;

use std::sync::Arc;

use types::{Request, Timestamp};

use crate::error::ApiError;
use crate::http::Routes;
use crate::outcome::Outcome;
use crate::state::Shared;
use crate::wire::answer::{Done, millis};

pub(crate) use accounts::*;
pub(crate) use definitions::*;
pub(crate) use external_transfers::*;
pub(crate) use fees::*;
pub(crate) use keys::*;
pub(crate) use market_life::*;
pub(crate) use quarantine::*;
pub(crate) use snapshot::*;
pub(crate) use treasury::*;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .post("/v1/admin/assets", define_asset)
        .post("/v1/admin/markets", list_market)
        .put("/v1/admin/markets/{symbol}/state", set_market_state)
        .put("/v1/admin/markets/{symbol}/rules", set_market_rules)
        .put("/v1/admin/markets/{symbol}/plans", plan_market_state)
        .put("/v1/admin/markets/{symbol}/redefinitions", plan_redefinition)
        .put("/v1/admin/markets/{symbol}/delisting", plan_delisting)
        .put("/v1/admin/fee-tiers/{tier}", set_fee_tier)
        .put("/v1/admin/markets/{symbol}/fee-tiers/{tier}", set_market_fees)
        .delete("/v1/admin/markets/{symbol}/fee-tiers/{tier}", remove_market_fees)
        .put("/v1/admin/fee-schedule", set_fee_schedule)
        .get("/v1/admin/accounts", list_accounts)
        .post("/v1/admin/accounts", create_account)
        .get("/v1/admin/accounts/{id}", get_admin_account)
        .get("/v1/admin/accounts/{id}/balances", list_account_balances)
        .post("/v1/admin/accounts/{id}/open", open_account)
        .put("/v1/admin/accounts/{id}/frozen", freeze_account)
        .put("/v1/admin/accounts/{id}/fee-tier", set_account_fee_tier)
        .post("/v1/admin/credits", credit)
        .post("/v1/admin/debits", debit)
        .post("/v1/admin/withdrawals/settle", settle_debit)
        .get("/v1/admin/treasury", get_treasury)
        .put("/v1/admin/treasury/{asset}/reserves", attest_reserves)
        .put("/v1/admin/treasury/{asset}/policy", set_credit_policy)
        .put("/v1/admin/sources/{source}", set_source_kind)
        .get("/v1/admin/proposals", list_proposals)
        .post("/v1/admin/proposals/{proposal}/approve", approve_proposal)
        .post("/v1/admin/proposals/{proposal}/reject", reject_proposal)
        .get("/v1/admin/keys", list_keys)
        .post("/v1/admin/keys", create_key)
        .delete("/v1/admin/keys/{key}", revoke_key)
        .get("/v1/admin/quarantine", list_quarantined)
        .delete("/v1/admin/quarantine/{component}", release_quarantine)
        .post("/v1/admin/snapshot", make_snapshot)
}

/// Submits an operator's command and waits until the views show it, so that whatever the operator does
/// next finds it.
async fn operate(
    shared: &Arc<Shared>,
    valid_until: Timestamp,
    request: Request,
) -> Result<Outcome, ApiError> {
    let outcome = shared.submit(valid_until, request).await?;
    // It is done whether the views show it or not.
    let _ = shared.catch_up.reach(outcome.partition, outcome.seq).await;
    Ok(outcome)
}

fn done(outcome: &Outcome) -> Done {
    Done { time: millis(outcome.time), partition: outcome.partition.0, seq: outcome.seq.0 }
}
