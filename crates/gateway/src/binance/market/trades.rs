//! `GET trades`, `historicalTrades` and `aggTrades`.
//!
//! The newest trades are in the views, older ones in the history. The history follows a moment behind, so
//! that what it does not have yet is taken from the views.

use std::sync::Arc;

use serde::Serialize;
use store::TradeRow;
use types::{Price, Quantity, Seq, Side, Timestamp, TradeId};
use views::{MarketInfo, TradeView};

use crate::binance::endpoint::{Answer, Call};
use crate::binance::error::Error;
use crate::binance::render::{self, Time, TimeUnit};
use crate::error::ApiError;
use crate::history;

const ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;
/// Most reads of the history for one answer: a taker may have met very many makers at a price.
const MOST_READS: usize = 20;

/// A trade.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicTrade {
    id: u64,
    price: String,
    qty: String,
    quote_qty: String,
    time: Time,
    is_buyer_maker: bool,
    is_best_match: bool,
}

/// What one taker traded at one price.
#[derive(Serialize)]
pub(in crate::binance) struct AggregateTrade {
    /// Its id: 1, 2, 3, ... in each market.
    #[serde(rename = "a")]
    pub(in crate::binance) id: u64,
    #[serde(rename = "p")]
    price: String,
    #[serde(rename = "q")]
    quantity: String,
    #[serde(rename = "f")]
    first: u64,
    #[serde(rename = "l")]
    last: u64,
    #[serde(rename = "T")]
    time: Time,
    #[serde(rename = "m")]
    is_buyer_maker: bool,
    #[serde(rename = "M")]
    is_best_match: bool,
}

/// Both sides of an auction rested: the seller counts as the taker's counterpart.
pub(in crate::binance) fn is_buyer_maker(aggressor: Option<Side>) -> bool {
    aggressor == Some(Side::Sell)
}

impl PublicTrade {
    fn new(market: &MarketInfo, trade: &TradeView, unit: TimeUnit) -> Self {
        let market = &*market.at(trade.seq);
        Self {
            id: trade.trade.0,
            price: render::price(market, trade.price),
            qty: render::lots(market, trade.quantity.get()),
            quote_qty: render::quote(market, trade.quote_amount),
            time: unit.show(trade.time),
            is_buyer_maker: is_buyer_maker(trade.aggressor),
            is_best_match: true,
        }
    }
}

/// `GET trades`: the newest, oldest first.
pub(in crate::binance) async fn trades(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let limit = call.params.limit(ROWS, MOST_ROWS)?;
    let newest_first = call.shared.views.trades(market.def.id, limit);
    answer(&call, &market, newest_first.iter().rev())
}

/// `GET historicalTrades`: from `fromId` on.
pub(in crate::binance) async fn historical_trades(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let limit = call.params.limit(ROWS, MOST_ROWS)?;
    let Some(from) = call.params.id("fromId")? else {
        let newest_first = call.shared.views.trades(market.def.id, limit);
        return answer(&call, &market, newest_first.iter().rev());
    };
    let trades = trades_from(&call, &market, TradeId(from), limit).await?;
    answer(&call, &market, trades.iter())
}

fn answer<'a>(
    call: &Call,
    market: &MarketInfo,
    trades: impl Iterator<Item = &'a TradeView>,
) -> Result<Answer, Error> {
    let trades: Vec<_> = trades.map(|trade| PublicTrade::new(market, trade, call.unit)).collect();
    Answer::of(&trades)
}

/// Trades from an id on, oldest first.
async fn trades_from(
    call: &Call,
    market: &Arc<MarketInfo>,
    from: TradeId,
    limit: usize,
) -> Result<Vec<TradeView>, ApiError> {
    let mut recent = call.shared.views.trades(market.def.id, MOST_ROWS);
    recent.reverse();
    let known = recent.first().is_none_or(|oldest| oldest.trade <= from);
    let mut trades = Vec::new();
    if !known {
        let id = market.def.id;
        let rows =
            history::read(&call.shared, move |store| store.trades_from(id, from, limit as u32));
        trades.extend(rows.await?.iter().map(view));
    }
    let next = trades.last().map_or(from, |last: &TradeView| last.trade.next());
    // What the history lacks must follow without a hole.
    let follows = known || recent.first().is_some_and(|oldest| oldest.trade <= next);
    if follows {
        let missing = limit - trades.len();
        trades.extend(recent.into_iter().filter(|trade| trade.trade >= next).take(missing));
    }
    Ok(trades)
}

fn view(row: &TradeRow) -> TradeView {
    TradeView {
        trade: row.trade,
        price: row.price,
        quantity: row.quantity,
        quote_amount: row.quote_amount,
        aggressor: row.aggressor,
        time: row.time,
        seq: row.seq,
        aggregate: row.aggregate,
    }
}

/// `GET aggTrades`.
pub(in crate::binance) async fn aggregate_trades(call: Call) -> Result<Answer, Error> {
    let market = call.market()?;
    let limit = call.params.limit(ROWS, MOST_ROWS)?;
    let from = call.params.id("fromId")?;
    let (since, until) = (call.params.time("startTime")?, call.params.end_time("endTime")?);
    if from.is_some() && (since.is_some() || until.is_some()) {
        return Err(Error::invalid_combination());
    }
    let until = until.unwrap_or(Timestamp(u64::MAX));
    let aggregates = match (from, since) {
        (Some(from), _) => {
            let first = first_trade(&call, &market, move |trade| trade.aggregate >= from).await?;
            forward(&call, &market, first, until, limit).await?
        }
        (None, Some(since)) => {
            let first = first_trade(&call, &market, move |trade| trade.time >= since).await?;
            forward(&call, &market, first, until, limit).await?
        }
        (None, None) => newest(&call, &market, until, limit).await?,
    };
    let show = |aggregate: &Aggregate| aggregate.show(&market, call.unit);
    Answer::of(&aggregates.iter().map(show).collect::<Vec<_>>())
}

/// Aggregates from a trade on, which is the first of one.
async fn forward(
    call: &Call,
    market: &Arc<MarketInfo>,
    first: Option<TradeId>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Aggregate>, ApiError> {
    let (mut aggregates, mut next) = (Vec::new(), first);
    for _ in 0..MOST_READS {
        let Some(from) = next else { break };
        let trades = trades_from(call, market, from, MOST_ROWS).await?;
        next = trades.last().filter(|_| trades.len() == MOST_ROWS).map(|last| last.trade.next());
        let ended = trades.iter().any(|trade| trade.time > until);
        gather(&mut aggregates, trades.iter().filter(|trade| trade.time <= until));
        if aggregates.len() > limit || ended {
            break;
        }
    }
    aggregates.truncate(limit);
    Ok(aggregates)
}

/// The newest aggregates up to a time, as far as twice as many trades tell of them.
async fn newest(
    call: &Call,
    market: &Arc<MarketInfo>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Aggregate>, ApiError> {
    let recent = call.shared.views.trades(market.def.id, MOST_ROWS);
    let Some(last) = recent.first() else {
        return Ok(Vec::new());
    };
    let end = match until.0 {
        u64::MAX => last.trade.next(),
        _ => {
            let after = first_trade(call, market, move |trade| trade.time > until).await?;
            after.unwrap_or_else(|| last.trade.next())
        }
    };
    let mut trades: Vec<TradeView> = Vec::new();
    let mut begin = end;
    for _ in 0..MOST_READS {
        let from = TradeId(begin.0.saturating_sub(MOST_ROWS as u64).max(1));
        let count = (begin.0 - from.0) as usize;
        if count == 0 {
            break;
        }
        let mut older = trades_from(call, market, from, count).await?;
        older.append(&mut trades);
        (trades, begin) = (older, from);
        let distinct = trades.last().zip(trades.first());
        if distinct.is_some_and(|(last, first)| last.aggregate - first.aggregate > limit as u64) {
            break;
        }
    }
    // The first one may have begun before.
    let cut = trades.first().filter(|first| first.trade > TradeId(1)).map(|first| first.aggregate);
    let mut aggregates = Vec::new();
    gather(&mut aggregates, trades.iter().filter(|trade| Some(trade.aggregate) != cut));
    let surplus = aggregates.len().saturating_sub(limit);
    Ok(aggregates.split_off(surplus))
}

/// The first trade for which `is_there` holds; it holds for all later ones too.
async fn first_trade(
    call: &Call,
    market: &Arc<MarketInfo>,
    is_there: impl Fn(&TradeView) -> bool + Send + 'static,
) -> Result<Option<TradeId>, ApiError> {
    let recent = call.shared.views.trades(market.def.id, MOST_ROWS);
    let Some(oldest) = recent.last() else {
        return Ok(None);
    };
    if !is_there(oldest) || oldest.trade == TradeId(1) {
        let found = recent.iter().rev().find(|trade| is_there(trade));
        return Ok(found.map(|trade| trade.trade));
    }
    let (id, oldest) = (market.def.id, oldest.trade);
    let found = history::read(&call.shared, move |store| {
        store.first_trade(id, oldest, |row| is_there(&view(row)))
    });
    Ok(Some(found.await?))
}

/// One taker's trades at one price.
pub(in crate::binance) struct Aggregate {
    id: u64,
    first: TradeId,
    last: TradeId,
    price: Price,
    quantity: Quantity,
    pub(in crate::binance) time: Timestamp,
    pub(in crate::binance) seq: Seq,
    aggressor: Option<Side>,
}

/// Adds trades, oldest first, to the aggregates that they belong to.
pub(in crate::binance) fn gather<'a>(
    aggregates: &mut Vec<Aggregate>,
    trades: impl Iterator<Item = &'a TradeView>,
) {
    for trade in trades {
        match aggregates.last_mut().filter(|last| last.id == trade.aggregate) {
            Some(known) => {
                known.last = trade.trade;
                known.quantity = views::add_filled(known.quantity, trade.quantity);
            }
            None => aggregates.push(Aggregate {
                id: trade.aggregate,
                first: trade.trade,
                last: trade.trade,
                price: trade.price,
                quantity: trade.quantity,
                time: trade.time,
                seq: trade.seq,
                aggressor: trade.aggressor,
            }),
        }
    }
}

impl Aggregate {
    /// As it is told.
    pub(in crate::binance) fn show(&self, market: &MarketInfo, unit: TimeUnit) -> AggregateTrade {
        let market = &*market.at(self.seq);
        AggregateTrade {
            id: self.id,
            price: render::price(market, self.price),
            quantity: render::lots(market, self.quantity.get()),
            first: self.first.0,
            last: self.last.0,
            time: unit.show(self.time),
            is_buyer_maker: is_buyer_maker(self.aggressor),
            is_best_match: true,
        }
    }
}
