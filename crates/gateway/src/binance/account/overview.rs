//! `GET account`, and what is used of the limits.

use serde::Serialize;
use types::{AccountId, Amount, AssetDef, MarketId};

use super::commission::Commissions;
use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::market::RateLimit;
use crate::binance::render::{self, Time};
use crate::state::Shared;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    maker_commission: i32,
    taker_commission: i32,
    buyer_commission: i32,
    seller_commission: i32,
    commission_rates: Commissions,
    can_trade: bool,
    can_withdraw: bool,
    can_deposit: bool,
    brokered: bool,
    require_self_trade_prevention: bool,
    prevent_sor: bool,
    update_time: Time,
    account_type: &'static str,
    balances: Vec<Balance>,
    permissions: [&'static str; 1],
    uid: u32,
}

/// A balance.
#[derive(Clone, Debug, Serialize)]
pub(in crate::binance) struct Balance {
    pub(in crate::binance) asset: String,
    pub(in crate::binance) free: String,
    pub(in crate::binance) locked: String,
}

/// Every asset with what an account has of it, free and locked.
pub(in crate::binance) fn holdings(
    shared: &Shared,
    account: AccountId,
) -> Vec<(std::sync::Arc<AssetDef>, Amount, Amount)> {
    let balances = shared.views.balances(account);
    let held = |asset: std::sync::Arc<AssetDef>| {
        let balance = balances.iter().find(|balance| balance.asset == asset.id);
        let (free, locked) =
            balance.map_or_else(Default::default, |balance| (balance.available, balance.held));
        (asset, free, locked)
    };
    shared.views.assets().into_iter().map(held).collect()
}

impl Balance {
    pub(in crate::binance) fn new(asset: &AssetDef, free: Amount, locked: Amount) -> Self {
        Self {
            asset: asset.symbol.clone(),
            free: render::amount(asset, free),
            locked: render::amount(asset, locked),
        }
    }
}

/// `GET account`.
pub(in crate::binance) async fn account(call: Call) -> Result<Answer, Error> {
    /// A rate in millionths is so many times one in hundredths of a percent.
    const PPM_OF_BASIS_POINT: i32 = 100;
    let omits_zeros = call.params.bool("omitZeroBalances")?.unwrap_or(false);
    let account = call.caught_up().await?;
    let view = call.shared.views.account(account).ok_or_else(Error::not_permitted)?;
    // The rates of the account's tier, as they are where a market has none of its own.
    let rates = super::commission::rates(&call.shared, account, MarketId(0));
    let may = call.caller.as_ref().map(|caller| caller.permissions).unwrap_or_default();
    let has_something = |&(_, free, locked): &(_, Amount, Amount)| {
        !omits_zeros || !free.is_zero() || !locked.is_zero()
    };
    let holdings = holdings(&call.shared, account);
    let balances = holdings.iter().filter(|holding| has_something(holding));
    Answer::of(&Account {
        maker_commission: rates.maker.0 / PPM_OF_BASIS_POINT,
        taker_commission: rates.taker.0 as i32 / PPM_OF_BASIS_POINT,
        buyer_commission: 0,
        seller_commission: 0,
        commission_rates: Commissions::new(rates),
        can_trade: !view.frozen && may.trade,
        can_withdraw: !view.frozen && may.withdraw,
        can_deposit: true,
        brokered: false,
        require_self_trade_prevention: false,
        prevent_sor: false,
        update_time: call.unit.show(call.shared.views.log_time()),
        account_type: "SPOT",
        balances: balances
            .map(|(asset, free, locked)| Balance::new(asset, *free, *locked))
            .collect(),
        permissions: ["SPOT"],
        uid: account.0,
    })
}

/// `GET rateLimit/order`.
pub(in crate::binance) async fn order_limits(call: Call) -> Result<Answer, Error> {
    let used = call.shared.limiter.orders_of(call.account()?);
    let [ten_seconds, day] = RateLimit::ORDERS;
    Answer::of(&[ten_seconds.used(used.ten_seconds), day.used(used.day)])
}
