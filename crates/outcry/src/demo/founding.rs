//! Assets, markets, accounts and funds of the demonstration. Each step may be repeated: after a
//! crash in the middle the next start does what is missing.

use store::Store;
use types::{
    AccountId, Amount, AssetDef, AssetId, Decimal, Event, FeeRates, MakerRate, MarketBounds,
    MarketDef, MarketId, PartitionId, PartsPerMillion, Price, Quantity, RejectCode, Request,
    Timestamp, TreasuryReference,
};

use super::session::Session;
use crate::exit::{Failure, Status};

/// Who vouches for the invented funds.
const SOURCE: u32 = 2;
const SCALE: u8 = 8;
const PARTICIPANTS: usize = 4;
const BTC: AssetId = AssetId(1);
const ETH: AssetId = AssetId(2);
const USDT: AssetId = AssetId(3);

/// Whole units of each asset: for visitors, and for each participant.
const FUNDS: [(AssetId, u128, u128); 3] =
    [(BTC, 10, 5_000), (ETH, 100, 100_000), (USDT, 1_000_000, 300_000_000)];

/// Who there is.
pub struct Founded {
    /// The account that visitors share.
    pub visitor: AccountId,
    /// The accounts of simulated participants.
    pub participants: Vec<AccountId>,
}

/// Makes whatever is missing.
pub fn found(session: &Session, store: &Store) -> Result<Founded, Failure> {
    for (id, symbol) in [(BTC, "BTC"), (ETH, "ETH"), (USDT, "USDT")] {
        let asset = AssetDef { id, symbol: symbol.to_owned(), scale: SCALE };
        ensure(session, &Request::DefineAsset(asset))?;
    }
    for market in markets() {
        ensure(session, &Request::ListMarket(Box::new(market)))?;
    }
    let rates = FeeRates { maker: MakerRate(500), taker: PartsPerMillion(1_000) };
    ensure(session, &Request::SetFeeTier { tier: 0, rates })?;
    let mut accounts = Vec::new();
    for n in 0..=PARTICIPANTS {
        let name = if n == 0 { "demo".to_owned() } else { format!("demo participant {n}") };
        let account = account(store, &name)?;
        ensure(session, &Request::CreateAccount { account, fee_tier: 0 })?;
        accounts.push(account);
    }
    fund(session, &accounts)?;
    let participants = accounts.split_off(1);
    Ok(Founded { visitor: accounts[0], participants })
}

/// The three markets. Tick times lot is a whole number of quote atoms in each.
fn markets() -> [MarketDef; 3] {
    let market = |id, symbol: &str, base, quote, tick, lot| MarketDef {
        id: MarketId(id),
        symbol: symbol.to_owned(),
        base,
        quote,
        tick,
        lot,
        max_price: Price::new(1_000_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds::default(),
        home: PartitionId(0),
        version: 1,
    };
    let cent = Decimal::new(1, 2);
    [
        market(1, "BTC-USDT", BTC, USDT, cent, Decimal::new(1, 5)),
        market(2, "ETH-USDT", ETH, USDT, cent, Decimal::new(1, 4)),
        market(3, "ETH-BTC", ETH, BTC, Decimal::new(1, 5), Decimal::new(1, 3)),
    ]
}

/// The credits are numbered in a fixed order, so that a repetition is recognised.
fn fund(session: &Session, accounts: &[AccountId]) -> Result<(), Failure> {
    let mut number = 0;
    for (n, &account) in accounts.iter().enumerate() {
        for (asset, visitor, participant) in FUNDS {
            number += 1;
            let units = if n == 0 { visitor } else { participant };
            ensure(
                session,
                &Request::Credit {
                    reference: TreasuryReference { source: SOURCE, number },
                    operator: types::OperatorName::NONE,
                    account,
                    asset,
                    amount: Amount::new(units * 10_u128.pow(u32::from(SCALE))),
                },
            )?;
        }
    }
    Ok(())
}

/// The account of this name, made if there is none.
fn account(store: &Store, name: &str) -> Result<AccountId, Failure> {
    let failed = Failure::of(Status::Io, "demo");
    let known = store.list_accounts(AccountId(0), 1_000).map_err(failed)?;
    if let Some(account) = known.iter().find(|account| account.name == name) {
        return Ok(account.id);
    }
    let made = store.create_account(name, Timestamp(0)).map_err(Failure::of(Status::Io, "demo"))?;
    Ok(made.id)
}

/// Asks for something that may be there already.
fn ensure(session: &Session, request: &Request) -> Result<(), Failure> {
    let events = session.ask(request)?;
    match events.first() {
        Some(Event::Rejected { code, .. })
            if !matches!(
                code,
                RejectCode::AlreadyDefined | RejectCode::AccountExists | RejectCode::ReferenceUsed
            ) =>
        {
            let what = format!("demo: {} was rejected: {}", request.kind().name(), code.text());
            Err(Failure::new(Status::Software, what))
        }
        _ => Ok(()),
    }
}
