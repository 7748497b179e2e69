//! After a run, when nothing is under way: asks the exchange for everything that it acknowledged.

use std::collections::HashSet;

use chance::Random;
use serde_json::Value;

use super::known::Expected;
use super::{Findings, Known, money};
use crate::LoadError;
use crate::target::{Account, Caller, Market};

/// Orders that have gone from the book and are asked for, of one user; of more, a sample.
const GONE_OF_USER: usize = 500;
/// Orders whose answer never came that are asked for.
const UNRESOLVED: usize = 20_000;

/// What is compared.
pub(crate) struct Subject<'a> {
    pub(crate) accounts: Vec<&'a Account>,
    pub(crate) market: &'a Market,
    /// Nobody else trades in it.
    pub(crate) is_alone: bool,
}

/// Compares all that is known from answers with what the exchange says now.
pub(crate) async fn audit(
    caller: &mut Caller,
    subject: &Subject<'_>,
    known: &mut Known,
    random: &mut Random,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    findings.checked("orders acknowledged", known.acknowledged);
    let resolved = resolve(caller, subject, known, findings).await?;
    for user in 0..subject.accounts.len() {
        open_orders(caller, subject, known, user, &resolved, random, findings).await?;
    }
    ended_orders(caller, subject, known, findings).await?;
    money::check(caller, &subject.accounts, subject.market, subject.is_alone, findings).await
}

/// Finds out what became of orders whose answer never came. Both is right; that it is not known would not be.
async fn resolve(
    caller: &mut Caller,
    subject: &Subject<'_>,
    known: &Known,
    findings: &mut Findings,
) -> Result<HashSet<(usize, u64)>, LoadError> {
    let mut resolved = HashSet::new();
    for (user, name) in known.unresolved.iter().take(UNRESOLVED) {
        let key = &subject.accounts[*user].key;
        let path = format!("/v1/orders/by-client-id/{name}");
        let (status, answer) = caller.call(Some(key), "GET", &path, "").await?;
        match (status, answer["order"]["id"].as_u64()) {
            (200, Some(order)) => {
                resolved.insert((*user, order));
                findings.checked("unanswered orders that were done", 1);
            }
            (404, _) => findings.checked("unanswered orders that were not done", 1),
            _ => findings.add("unanswered", format!("{name}: {status} {answer}")),
        }
    }
    let left = known.unresolved.len().saturating_sub(UNRESOLVED);
    if left > 0 {
        findings.checked("unanswered orders not asked for", left as u64);
    }
    Ok(resolved)
}

/// Every open order is known, none is cancelled, and none that should be open has vanished without an end.
async fn open_orders(
    caller: &mut Caller,
    subject: &Subject<'_>,
    known: &Known,
    user: usize,
    resolved: &HashSet<(usize, u64)>,
    random: &mut Random,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let account = subject.accounts[user];
    let path = format!("/v1/orders?market={}", subject.market.symbol);
    let answer = caller.ok(&account.key, "GET", &path, &Value::Null).await?;
    let listed = answer["orders"].as_array().cloned().unwrap_or_default();
    let open: HashSet<u64> = listed.iter().filter_map(|order| order["id"].as_u64()).collect();
    let (alive, uncertain) = known.of_user(user);
    for order in &open {
        let is_known = alive.contains(order)
            || uncertain.contains(order)
            || resolved.contains(&(user, *order));
        if !is_known && known.unresolved.len() <= UNRESOLVED {
            let text = format!("order {order} of account {} is open", account.id);
            findings.add("open, though its end was acknowledged or it never was", text);
        }
    }
    findings.checked("open orders that are known", open.len() as u64);
    let mut gone: Vec<u64> = alive.union(uncertain).copied().collect();
    gone.retain(|order| !open.contains(order));
    gone.sort_unstable();
    while gone.len() > GONE_OF_USER {
        let at = random.below(gone.len() as u64) as usize;
        gone.swap_remove(at);
    }
    for order in gone {
        let path = format!("/v1/orders/{}/{order}", subject.market.symbol);
        ended_order(caller, account, &path, order, Expected::Ended, findings).await?;
    }
    Ok(())
}

async fn ended_orders(
    caller: &mut Caller,
    subject: &Subject<'_>,
    known: &Known,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    for &(user, order, expected) in &known.ended {
        let path = format!("/v1/orders/{}/{order}", subject.market.symbol);
        ended_order(caller, subject.accounts[user], &path, order, expected, findings).await?;
    }
    Ok(())
}

async fn ended_order(
    caller: &mut Caller,
    account: &Account,
    path: &str,
    order: u64,
    expected: Expected,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let (status, answer) = caller.call(Some(&account.key), "GET", path, "").await?;
    let is = answer["order"]["status"].as_str().unwrap_or("missing");
    let is_right = match expected {
        Expected::Filled => is == "filled",
        Expected::Cancelled => is == "cancelled",
        Expected::Ended => matches!(is, "filled" | "cancelled"),
    };
    if status != 200 {
        let text = format!("order {order} of account {}: {status} {answer}", account.id);
        findings.add("acknowledged and lost", text);
    } else if !is_right {
        let text = format!("order {order} of account {} is {is}, not {expected:?}", account.id);
        findings.add("other than acknowledged", text);
    }
    findings.checked("ended orders asked for again", 1);
    Ok(())
}
