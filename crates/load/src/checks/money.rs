//! Balances against what was credited and what was traded, exactly.

use serde_json::Value;
use types::Decimal;

use super::Findings;
use crate::LoadError;
use crate::target::{ASSET_SCALE, Account, Caller, Market};

/// Pages of a thousand fills that are read of one user at most.
const PAGES: usize = 50;
/// Pages that are read of all.
const ALL_PAGES: usize = 2_000;

/// Compares the balances of all users with their credits and fills, and, where nobody else trades, their sum with that
/// of the credits. A market that takes fees has less than was credited; that is known from the fills.
pub(super) async fn check(
    caller: &mut Caller,
    accounts: &[&Account],
    market: &Market,
    is_alone: bool,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let (mut sums, mut credits, mut fees) = ([0; 2], [0; 2], [0; 2]);
    let (mut pages, mut are_all_read) = (0, true);
    for account in accounts {
        let has = balances(caller, account, market).await?;
        for at in 0..2 {
            sums[at] += has[at];
            credits[at] += account.funds[at];
        }
        let traded = if pages < ALL_PAGES {
            traded(caller, account, market, &mut pages).await?
        } else {
            None
        };
        let Some((moved, paid)) = traded else {
            are_all_read = false;
            continue;
        };
        for at in 0..2 {
            fees[at] += paid[at];
            let expected = account.funds[at] + moved[at];
            if has[at] != expected {
                let (asset, id) = (&market.assets[at], account.id);
                let text = format!(
                    "account {id} has {} of {asset}; credits and fills make {}",
                    show(has[at]),
                    show(expected)
                );
                findings.add("balance", text);
            }
        }
        findings.checked("balances compared with credits and fills", 2);
    }
    if is_alone && are_all_read {
        for at in 0..2 {
            if sums[at] + fees[at] != credits[at] {
                let text = format!(
                    "{}: all balances and fees make {}, credits {}",
                    market.assets[at],
                    show(sums[at] + fees[at]),
                    show(credits[at])
                );
                findings.add("conservation", text);
            }
        }
        findings.checked("assets conserved over all accounts", 2);
    }
    Ok(())
}

/// Base and quote, available and held together.
async fn balances(
    caller: &mut Caller,
    account: &Account,
    market: &Market,
) -> Result<[i128; 2], LoadError> {
    let answer = caller.ok(&account.key, "GET", "/v1/balances", &Value::Null).await?;
    let mut has = [0; 2];
    for balance in answer["balances"].as_array().into_iter().flatten() {
        if let Some(at) = market.assets.iter().position(|asset| balance["asset"] == **asset) {
            has[at] = amount(&balance["available"]) + amount(&balance["held"]);
        }
    }
    Ok(has)
}

/// What fills moved, and what of it was fees; none if there are too many of them to read.
async fn traded(
    caller: &mut Caller,
    account: &Account,
    market: &Market,
    pages: &mut usize,
) -> Result<Option<([i128; 2], [i128; 2])>, LoadError> {
    let (mut moved, mut fees) = ([0; 2], [0; 2]);
    let mut before = None;
    for _ in 0..PAGES {
        *pages += 1;
        let page = before.map_or(String::new(), |before: String| format!("&before={before}"));
        let path = format!("/v1/fills?market={}&limit=1000{page}", market.symbol);
        let answer = caller.ok(&account.key, "GET", &path, &Value::Null).await?;
        for fill in answer["fills"].as_array().into_iter().flatten() {
            let (base, quote) = (amount(&fill["quantity"]), amount(&fill["quote_amount"]));
            let sign = if fill["side"] == "buy" { 1 } else { -1 };
            moved[0] += sign * base;
            moved[1] -= sign * quote;
            for (asset, paid, sign) in [("fee_asset", "fee", -1), ("rebate_asset", "rebate", 1)] {
                if let Some(at) = market.assets.iter().position(|name| fill[asset] == **name) {
                    moved[at] += sign * amount(&fill[paid]);
                    fees[at] -= sign * amount(&fill[paid]);
                }
            }
        }
        match answer["next"].as_str() {
            Some(next) => before = Some(next.to_owned()),
            None => return Ok(Some((moved, fees))),
        }
    }
    Ok(None)
}

fn amount(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or("0");
    Decimal::atom(ASSET_SCALE).count(text).map_or(0, u128::cast_signed)
}

fn show(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", Decimal::atom(ASSET_SCALE).format(amount.unsigned_abs()))
}
