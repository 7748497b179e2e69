//! The OpenAPI file, made from the handlers and the wire types.

use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The text of `docs/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let mut api = serde_json::to_value(Api::openapi()).expect("the description is plain data");
    describe_responses(&mut api);
    format!("{api:#}\n")
}

/// The format demands a description of every response; most have nothing to say beyond their schema.
fn describe_responses(api: &mut Value) {
    let paths = api["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    for operation in operations {
        let responses = operation["responses"].as_object_mut();
        for (status, response) in responses.into_iter().flatten() {
            if response["description"].as_str().is_none_or(str::is_empty) {
                let text = if status == "200" { "Done." } else { "Refused or failed." };
                response["description"] = text.into();
            }
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Outcry",
        description = "The native API of the exchange. Prices, quantities and amounts are decimal strings, ids are numbers, times are milliseconds since the Unix epoch. How to sign, retry and read your own writes: docs/api.md. The WebSocket: docs/websocket.md. Error codes: docs/error-codes.md.",
        license(name = "MIT OR Apache-2.0"),
    ),
    modifiers(&Signature),
    paths(
        crate::market_data::get_time,
        crate::market_data::list_assets,
        crate::market_data::list_fee_tiers,
        crate::market_data::list_markets,
        crate::market_data::get_market,
        crate::market_data::get_ticker,
        crate::market_data::list_tickers,
        crate::market_data::get_depth,
        crate::market_data::list_trades,
        crate::market_data::list_candles,
        crate::orders::place_order,
        crate::orders::list_orders,
        crate::orders::cancel_all,
        crate::orders::get_order,
        crate::orders::amend_order,
        crate::orders::cancel_order,
        crate::orders::get_by_client_id,
        crate::orders::cancel_by_client_id,
        crate::orders::replace_order,
        crate::orders::place_order_list,
        crate::orders::list_order_lists,
        crate::orders::cancel_order_list,
        crate::orders::set_countdown,
        crate::orders::list_fills,
        crate::account::get_account,
        crate::account::get_account_fees,
        crate::account::list_balances,
        crate::account::list_ledger_entries,
        crate::account::transfer,
        crate::account::list_withdrawals,
        crate::account::reserve_debit,
        crate::account::release_debit,
        crate::demo::get_demo_session,
        crate::admin::define_asset,
        crate::admin::list_market,
        crate::admin::set_market_state,
        crate::admin::set_market_rules,
        crate::admin::plan_market_state,
        crate::admin::plan_redefinition,
        crate::admin::plan_delisting,
        crate::admin::set_fee_tier,
        crate::admin::set_market_fees,
        crate::admin::remove_market_fees,
        crate::admin::set_fee_schedule,
        crate::admin::list_accounts,
        crate::admin::create_account,
        crate::admin::get_admin_account,
        crate::admin::list_account_balances,
        crate::admin::open_account,
        crate::admin::freeze_account,
        crate::admin::set_account_fee_tier,
        crate::admin::credit,
        crate::admin::debit,
        crate::admin::settle_debit,
        crate::admin::get_treasury,
        crate::admin::attest_reserves,
        crate::admin::set_credit_policy,
        crate::admin::set_source_kind,
        crate::admin::list_proposals,
        crate::admin::approve_proposal,
        crate::admin::reject_proposal,
        crate::admin::list_keys,
        crate::admin::create_key,
        crate::admin::revoke_key,
        crate::admin::list_quarantined,
        crate::admin::release_quarantine,
        crate::admin::make_snapshot,
    ),
    tags(
        (name = "Market data", description = "For everybody, without a signature."),
        (name = "Orders", description = "Signed. Placing, amending, cancelling, reading."),
        (name = "Account", description = "Signed. Balances, ledger entries, transfers, withdrawals."),
        (name = "Operators", description = "Signed with a key that has the permission `admin`."),
    ),
)]
struct Api;

/// Names the signing scheme, which OpenAPI can describe only roughly.
struct Signature;

impl Modify for Signature {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description(
            "X-Outcry-Key",
            "With X-Outcry-Timestamp (milliseconds), X-Outcry-Receive-Window (milliseconds, optional, 5000 unless given) \
             and X-Outcry-Signature: HMAC-SHA256 in hexadecimal, or Ed25519 in hexadecimal or base64, over \
             timestamp, window, method, path with query, and body, joined by line feeds.",
        );
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("signature", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}
