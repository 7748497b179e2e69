//! `GET myTrades`: an account's side of trades, out of the history.

use serde::Serialize;
use store::{FillRow, FillsByTradeQuery};
use types::{OrderId, Side, TradeId};
use views::MarketInfo;

use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::ids;
use crate::binance::orders::{commission, times};
use crate::binance::params::Params;
use crate::binance::render::{self, Time, TimeUnit};
use crate::binance::symbols::symbol;
use crate::history;

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MyTrade {
    symbol: String,
    id: u64,
    order_id: u64,
    order_list_id: i64,
    price: String,
    qty: String,
    quote_qty: String,
    commission: String,
    commission_asset: String,
    time: Time,
    is_buyer: bool,
    is_maker: bool,
    is_best_match: bool,
}

impl MyTrade {
    fn new(market: &MarketInfo, row: &FillRow, unit: TimeUnit) -> Result<Self, Error> {
        let (commission, commission_asset) = commission(market, &history::fill_view(row)?);
        let name = symbol(market);
        let market = &*market.at(row.seq);
        Ok(Self {
            symbol: name,
            id: row.trade.0,
            order_id: row.order.0,
            order_list_id: ids::list_id(row.list),
            price: render::price(market, row.price),
            qty: render::lots(market, row.quantity.get()),
            quote_qty: render::quote(market, row.quote_amount),
            commission,
            commission_asset,
            time: unit.show(row.time),
            is_buyer: row.side == Side::Buy,
            is_maker: row.aggressor != Some(row.side),
            is_best_match: true,
        })
    }
}

/// `GET myTrades`: from `fromId` or `startTime` on, or the newest.
pub(in crate::binance) async fn my_trades(call: Call) -> Result<Answer, Error> {
    let account = call.account()?;
    let market = call.market()?;
    let order = call.params.id("orderId")?.map(OrderId);
    let from = call.params.id("fromId")?.map(TradeId);
    let (since, until) = times(&call)?;
    if from.is_some() && (since.is_some() || until.is_some()) {
        return Err(Error::invalid_combination());
    }
    let limit = call.params.limit(ROWS, MOST_ROWS)? as u32;
    call.history_settled().await?;
    let query =
        FillsByTradeQuery { account, market: market.def.id, order, from, since, until, limit };
    let rows = history::read(&call.shared, move |store| store.fills_by_trade(&query)).await?;
    let trades = rows.iter().map(|row| MyTrade::new(&market, row, call.unit));
    Answer::of(&trades.collect::<Result<Vec<_>, _>>()?)
}

/// Of `myTrades`.
pub(in crate::binance) fn my_trades_weight(params: &Params) -> u32 {
    if params.has("orderId") { 5 } else { 20 }
}
