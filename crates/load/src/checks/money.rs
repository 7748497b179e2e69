//! Balances against what was credited and what was traded, exactly.

use std::time::Duration;

use serde_json::Value;
use types::Decimal;

use super::Findings;
use crate::LoadError;
use crate::target::{ASSET_SCALE, Account, Caller, Market};

/// Pages of a thousand fills that are read of one user at most.
const PAGES: usize = 50;
/// Pages that are read of all.
const ALL_PAGES: usize = 2_000;
/// Times that what differs is read again, over all users, and the pause before it: balances and fills follow the log by a
/// moment each.
const AGAIN: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

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
    let mut reader = Reader { caller, market, pages: 0, again: AGAIN };
    let mut are_all_read = true;
    for account in accounts {
        let (has, traded) = reader.read(account).await?;
        for at in 0..2 {
            sums[at] += has[at];
            credits[at] += account.funds[at];
        }
        let Some(traded) = traded else {
            are_all_read = false;
            continue;
        };
        for at in 0..2 {
            fees[at] += traded.fees[at];
            let expected = account.funds[at] + traded.moved[at];
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

/// What fills of an account moved, base and quote, and what of it was fees.
#[derive(Default)]
struct Traded {
    moved: [i128; 2],
    fees: [i128; 2],
}

/// Reads accounts: of all together no more pages of fills, and none again more often, than can be waited for.
struct Reader<'a> {
    caller: &'a mut Caller,
    market: &'a Market,
    /// Of fills, read so far; those that were read again do not count.
    pages: usize,
    /// Accounts may be read again so often.
    again: u32,
}

impl Reader<'_> {
    /// Balances, and what fills moved; no fills if there are too many of them to read.
    async fn read(&mut self, account: &Account) -> Result<([i128; 2], Option<Traded>), LoadError> {
        let pages = self.pages;
        if pages >= ALL_PAGES {
            return Ok((self.balances(account).await?, None));
        }
        loop {
            self.pages = pages;
            let has = self.balances(account).await?;
            let traded = self.traded(account).await?;
            let agree = traded.as_ref().is_none_or(|traded| {
                (0..2).all(|at| has[at] == account.funds[at] + traded.moved[at])
            });
            if agree || self.again == 0 {
                return Ok((has, traded));
            }
            self.again -= 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Base and quote, available and held together.
    async fn balances(&mut self, account: &Account) -> Result<[i128; 2], LoadError> {
        let answer = self.caller.ok(&account.key, "GET", "/v1/balances", &Value::Null).await?;
        let mut has = [0; 2];
        for balance in answer["balances"].as_array().into_iter().flatten() {
            let is_its = |asset: &String| balance["asset"] == **asset;
            if let Some(at) = self.market.assets.iter().position(is_its) {
                has[at] = amount(&balance["available"]) + amount(&balance["held"]);
            }
        }
        Ok(has)
    }

    /// None if there are too many to read.
    async fn traded(&mut self, account: &Account) -> Result<Option<Traded>, LoadError> {
        let mut traded = Traded::default();
        let mut before = String::new();
        for _ in 0..PAGES {
            self.pages += 1;
            let path = format!("/v1/fills?market={}&limit=1000{before}", self.market.symbol);
            let answer = self.caller.ok(&account.key, "GET", &path, &Value::Null).await?;
            for fill in answer["fills"].as_array().into_iter().flatten() {
                traded.add(fill, self.market);
            }
            match answer["next"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => return Ok(Some(traded)),
            }
        }
        Ok(None)
    }
}

impl Traded {
    fn add(&mut self, fill: &Value, market: &Market) {
        let (base, quote) = (amount(&fill["quantity"]), amount(&fill["quote_amount"]));
        let sign = if fill["side"] == "buy" { 1 } else { -1 };
        self.moved[0] += sign * base;
        self.moved[1] -= sign * quote;
        for (asset, paid, sign) in [("fee_asset", "fee", -1), ("rebate_asset", "rebate", 1)] {
            if let Some(at) = market.assets.iter().position(|name| fill[asset] == **name) {
                self.moved[at] += sign * amount(&fill[paid]);
                self.fees[at] -= sign * amount(&fill[paid]);
            }
        }
    }
}

fn amount(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or("0");
    Decimal::atom(ASSET_SCALE).count(text).map_or(0, u128::cast_signed)
}

fn show(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", Decimal::atom(ASSET_SCALE).format(amount.unsigned_abs()))
}
