//! What clients insist on from `/sapi` at start: coins, fees, transfers in and out; and empty lists of what
//! a spot exchange does not have.

use serde::Serialize;
use serde_json::{Value, json};
use store::TransferQuery;
use types::Amount;

use super::commission::{maker_rate, rates};
use super::overview::holdings;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::render::{self, Time, ZERO};
use crate::binance::symbols::{self, symbol};
use crate::history;

const MOST_ROWS: usize = 1_000;
/// The `status` of a deposit that is there, and of a withdrawal that is gone.
const CREDITED: u8 = 1;
const COMPLETED: u8 = 6;

/// `GET capital/config/getall`: the assets. Value comes and goes by operators, not by chains: there are no
/// networks.
pub(in crate::binance) async fn coins(call: Call) -> Result<Answer, Error> {
    let account = call.caught_up().await?;
    let pending = call.shared.views.pending_debits(account);
    let coin = |(asset, free, locked): &(std::sync::Arc<types::AssetDef>, Amount, Amount)| {
        let leaving = pending.iter().filter(|debit| debit.asset == asset.id);
        let leaving = leaving.fold(Amount::ZERO, |sum, debit| sum + debit.amount);
        json!({
            "coin": asset.symbol,
            "name": asset.symbol,
            "free": render::amount(asset, *free),
            "locked": render::amount(asset, locked.saturating_sub(leaving)),
            "freeze": ZERO,
            "withdrawing": render::amount(asset, leaving),
            "ipoing": ZERO,
            "ipoable": ZERO,
            "storage": ZERO,
            "depositAllEnable": false,
            "withdrawAllEnable": false,
            "trading": true,
            "isLegalMoney": false,
            "networkList": [],
        })
    };
    let coins: Vec<Value> = holdings(&call.shared, account).iter().map(coin).collect();
    Answer::of(&coins)
}

/// `POST asset/getUserAsset`: what an account has.
pub(in crate::binance) async fn user_assets(call: Call) -> Result<Answer, Error> {
    let wanted = call.params.text("asset")?;
    let account = call.caught_up().await?;
    let has_some = |(asset, free, locked): &(std::sync::Arc<types::AssetDef>, Amount, Amount)| {
        (!free.is_zero() || !locked.is_zero()) && wanted.is_none_or(|name| name == asset.symbol)
    };
    let holdings = holdings(&call.shared, account);
    let some = holdings.iter().filter(|holding| has_some(holding));
    let assets: Vec<Value> = some
        .map(|(asset, free, locked)| {
            json!({
                "asset": asset.symbol,
                "free": render::amount(asset, *free),
                "locked": render::amount(asset, *locked),
                "freeze": ZERO,
                "withdrawing": ZERO,
                "ipoable": ZERO,
                "btcValuation": ZERO,
            })
        })
        .collect();
    Answer::of(&assets)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TradeFee {
    symbol: String,
    maker_commission: String,
    taker_commission: String,
}

/// `GET asset/tradeFee`: of a market, or of all.
pub(in crate::binance) async fn trade_fees(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let markets = match call.market_if_named()? {
        Some(market) => vec![market],
        None => symbols::markets(&call.shared.views),
    };
    let fee = |market: &std::sync::Arc<views::MarketInfo>| {
        let rates = rates(&call.shared, account, market.def.id);
        TradeFee {
            symbol: symbol(market),
            maker_commission: maker_rate(rates),
            taker_commission: render::rate(rates.taker.0),
        }
    };
    Answer::of(&markets.iter().map(fee).collect::<Vec<_>>())
}

/// `GET system/status`.
pub(in crate::binance) async fn system_status(_: Call) -> Result<Answer, Error> {
    Answer::of(&json!({ "status": 0, "msg": "normal" }))
}

/// What a spot exchange has none of.
pub(in crate::binance) async fn nothing(_: Call) -> Result<Answer, Error> {
    Answer::of(&json!([]))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deposit {
    id: String,
    amount: String,
    coin: String,
    network: &'static str,
    status: u8,
    address: &'static str,
    address_tag: &'static str,
    tx_id: String,
    insert_time: Time,
    complete_time: Time,
    transfer_type: u8,
    confirm_times: &'static str,
    unlock_confirm: u8,
    wallet_type: u8,
}

/// `GET capital/deposit/hisrec`: credits, newest first.
pub(in crate::binance) async fn deposits(call: Call) -> Result<Answer, Error> {
    let rows = transfers(&call, "credit", CREDITED).await?;
    let deposit = |moved: &Moved| Deposit {
        id: moved.id.to_string(),
        amount: moved.amount.clone(),
        coin: moved.coin.clone(),
        network: "",
        status: CREDITED,
        address: "",
        address_tag: "",
        tx_id: moved.reference.clone(),
        insert_time: moved.time,
        complete_time: moved.time,
        transfer_type: 1,
        confirm_times: "1/1",
        unlock_confirm: 1,
        wallet_type: 0,
    };
    Answer::of(&rows.iter().map(deposit).collect::<Vec<_>>())
}

/// `GET capital/withdraw/history`: debits, newest first.
pub(in crate::binance) async fn withdrawals(call: Call) -> Result<Answer, Error> {
    let rows = transfers(&call, "debit", COMPLETED).await?;
    let withdrawal = |moved: &Moved| {
        json!({
            "id": moved.id.to_string(),
            "amount": moved.amount,
            "transactionFee": "0",
            "coin": moved.coin,
            "status": COMPLETED,
            "address": "",
            "txId": moved.reference,
            "applyTime": text_of(moved.at),
            "completeTime": text_of(moved.at),
            "network": "",
            "transferType": 1,
            "confirmNo": 1,
            "walletType": 0,
        })
    };
    Answer::of(&rows.iter().map(withdrawal).collect::<Vec<_>>())
}

/// A credit or debit.
struct Moved {
    id: u64,
    coin: String,
    amount: String,
    reference: String,
    at: types::Timestamp,
    time: Time,
}

/// Of one kind, newest first. All have the one `status` that these ever have: there is nothing of another.
async fn transfers(call: &Call, kind: &'static str, status: u8) -> Result<Vec<Moved>, Error> {
    let account = call.account()?;
    let asset = match call.params.text("coin")? {
        None => None,
        Some(name) => match call.shared.views.asset_by_symbol(name) {
            Some(asset) => Some(asset.id),
            None => return Ok(Vec::new()),
        },
    };
    let (since, until) = (call.params.time("startTime")?, call.params.end_time("endTime")?);
    let limit = call.params.limit(MOST_ROWS, MOST_ROWS)? as u32;
    let offset = call.params.int::<u32>("offset")?.unwrap_or(0);
    if call.params.int::<u8>("status")?.is_some_and(|wanted| wanted != status) {
        return Ok(Vec::new());
    }
    call.history_settled().await?;
    let query = TransferQuery { account, kind, asset, since, until, offset, limit };
    let rows = history::read(&call.shared, move |store| store.transfers_of(&query)).await?;
    let moved = |row: &store::LedgerRow| {
        let asset = call.shared.views.asset(row.asset)?;
        Some(Moved {
            id: row.id,
            coin: asset.symbol.clone(),
            amount: render::amount(&asset, Amount::new(row.delta.unsigned_abs())),
            reference: row.reference.clone(),
            at: row.time,
            time: call.unit.show(row.time),
        })
    };
    Ok(rows.iter().filter_map(moved).collect())
}

/// `2024-02-29 12:34:56` (UTC).
fn text_of(time: types::Timestamp) -> String {
    let seconds = time.0 / 1_000_000_000;
    let (year, month, day) = crate::binance::market::date(time);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
