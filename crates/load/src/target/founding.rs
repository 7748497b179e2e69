//! The market and the accounts that agents trade with, made through the operators' API.

use serde_json::{Value, json};
use types::{Decimal, MarketDef};

use super::Caller;
use crate::LoadError;
use crate::client::Key;

/// Decimal places of the assets, which balances are counted in.
pub(crate) const ASSET_SCALE: u8 = 8;
/// Whole units that every account is given of the base and the quote asset.
const FUNDS: [u64; 2] = [100_000, 1_000_000_000];

/// The market that is traded.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    pub(crate) symbol: String,
    /// Base and quote.
    pub(crate) assets: [String; 2],
    pub(crate) tick: Decimal,
    pub(crate) lot: Decimal,
}

/// An account of ours.
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) key: Key,
    /// What it was given of base and quote, in units of [`ASSET_SCALE`].
    pub(crate) funds: [i128; 2],
}

impl Market {
    /// The one of an engine in this process, whose assets nobody asks for.
    pub(crate) fn in_engine() -> Self {
        let MarketDef { symbol, tick, lot, .. } = workload::definition();
        Self { symbol: symbol.as_str().to_owned(), assets: Default::default(), tick, lot }
    }
}

impl Account {
    /// One of an engine in this process: nothing is signed there.
    pub(crate) fn in_engine(user: usize) -> Self {
        Self { id: user as u64 + 1, key: Key::new("", ""), funds: [0; 2] }
    }
}

/// Finds the market, or lists it with its assets: a tick of 0.01 and a lot of 0.00001.
pub(crate) async fn found_market(
    caller: &mut Caller,
    operator: &Key,
    symbol: &str,
) -> Result<Market, LoadError> {
    let path = format!("/v1/markets/{symbol}");
    let (status, market) = caller.call(None, "GET", &path, "").await?;
    if status == 200 {
        return read_market(&market);
    }
    let (base, quote) = symbol
        .split_once('-')
        .ok_or_else(|| LoadError::Usage(format!("--market {symbol}: not BASE-QUOTE")))?;
    let (_, assets) = caller.call(None, "GET", "/v1/assets", "").await?;
    for asset in [base, quote] {
        let is_known = assets["assets"]
            .as_array()
            .is_some_and(|known| known.iter().any(|known| known["symbol"] == asset));
        if !is_known {
            let body = json!({"symbol": asset, "scale": ASSET_SCALE});
            caller.ok(operator, "POST", "/v1/admin/assets", &body).await?;
        }
    }
    let body = json!({
        "symbol": symbol, "base": base, "quote": quote, "tick": "0.01", "lot": "0.00001",
        "max_price": "10000000", "max_quantity": "10000",
    });
    let listed = caller.ok(operator, "POST", "/v1/admin/markets", &body).await?;
    read_market(&listed["market"])
}

fn read_market(market: &Value) -> Result<Market, LoadError> {
    let text = |name: &str| market[name].as_str().unwrap_or_default().to_owned();
    let unit = |name: &str| {
        text(name).parse().map_err(|_| LoadError::Refused {
            what: "a market's units".to_owned(),
            answer: market.to_string(),
        })
    };
    Ok(Market {
        symbol: text("symbol"),
        assets: [text("base"), text("quote")],
        tick: unit("tick")?,
        lot: unit("lot")?,
    })
}

/// Makes accounts, each with funds and a key. `run` tells them from those of other runs.
pub(crate) async fn open_accounts(
    caller: &mut Caller,
    operator: &Key,
    market: &Market,
    run: &str,
    users: &[usize],
) -> Result<Vec<Account>, LoadError> {
    let mut accounts = Vec::new();
    for user in users {
        let name = format!("load {run} {user}");
        let made =
            caller.ok(operator, "POST", "/v1/admin/accounts", &json!({"name": name})).await?;
        let account = &made["account"]["id"];
        for (asset, amount) in market.assets.iter().zip(FUNDS) {
            let reference = format!("{asset} of {name}");
            let credit = json!({
                "account": account, "asset": asset, "amount": amount.to_string(), "reference": reference,
            });
            let credited = caller.ok(operator, "POST", "/v1/admin/credits", &credit).await?;
            if credited["status"] != "done" {
                let what = format!("the credit {reference} without a second operator");
                return Err(LoadError::Refused { what, answer: credited.to_string() });
            }
        }
        let wanted = json!({"account": account, "permissions": ["read", "trade"]});
        let key = caller.ok(operator, "POST", "/v1/admin/keys", &wanted).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        accounts.push(Account {
            id: account.as_u64().unwrap_or_default(),
            key: Key::new(&text(&key["key"]["key"]), &text(&key["secret"])),
            funds: FUNDS.map(|units| i128::from(units) * 10_i128.pow(u32::from(ASSET_SCALE))),
        });
    }
    Ok(accounts)
}
