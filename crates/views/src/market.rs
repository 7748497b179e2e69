//! One market: its book as levels and orders, its last trades, its candles.

use std::collections::VecDeque;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    AccountId, CancelCause, Conversion, Decimal, Event, MarketDef, OrderId, Price, Quantity, Seq,
    Side, Timestamp, Trade,
};

use crate::candle::{Candle, Interval, Series};
use crate::changes::{PhaseChange, TradeView};
use crate::depth::{Depth, DepthSnapshot};
use crate::error::Contradiction;
use crate::hash::IdMap;
use crate::recorder::MarketRecord;
use crate::ticker::{self, Ticker, Window};

/// Trades kept per market.
const MAX_TRADES: usize = 1_000;

/// An order in the book.
#[derive(Clone, Copy, Debug, BorshSerialize, BorshDeserialize)]
struct RestingOrder {
    account: AccountId,
    side: Side,
    price: Price,
    /// What others see of it.
    shown: Quantity,
    /// What an iceberg has besides.
    hidden: Quantity,
}

/// What is known of a market.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub(crate) struct Market {
    tick: Decimal,
    lot: Decimal,
    /// Of the definition that tick and lot are of; zero until it is heard.
    version: u32,
    last_price: Option<Price>,
    depth_seq: Seq,
    depth: Depth,
    orders: IdMap<OrderId, RestingOrder>,
    trades: VecDeque<TradeView>,
    /// Aggregates of trades so far, and the taker of the last one.
    aggregates: u64,
    last_taker: Option<OrderId>,
    series: [Series; Interval::ALL.len()],
}

impl Default for Market {
    fn default() -> Self {
        Self {
            // Until the definition is heard, ticks and lots are shown as counts.
            tick: Decimal::new(1, 0),
            lot: Decimal::new(1, 0),
            version: 0,
            last_price: None,
            depth_seq: Seq(0),
            depth: Depth::default(),
            orders: IdMap::default(),
            trades: VecDeque::new(),
            aggregates: 0,
            last_taker: None,
            series: Default::default(),
        }
    }
}

impl Market {
    /// Takes in an event of this market.
    pub(crate) fn apply(
        &mut self,
        seq: Seq,
        time: Timestamp,
        event: &Event,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        match *event {
            Event::OrderRested { order, account, side, price, quantity, hidden, .. } => {
                let resting = RestingOrder { account, side, price, shown: quantity, hidden };
                self.rest(seq, order, resting, record)
            }
            Event::Trade(ref trade) => self.trade(seq, time, trade, record),
            Event::OrderCancelled { order, remaining, cause, .. } => {
                // Without an entry in the book it was an incoming order, known to its account only.
                let Some(resting) = self.orders.get(&order).copied() else {
                    return Ok(());
                };
                self.leave(seq, order, record)?;
                // Self-trade prevention may have reduced it before without saying so.
                let expected = resting.shown + resting.hidden;
                if cause != CancelCause::SelfTrade && remaining != expected {
                    return Err(Contradiction::Remaining { order, expected, found: remaining });
                }
                Ok(())
            }
            Event::OrderReduced { order, remaining, visible, .. } => {
                if !self.orders.contains_key(&order) {
                    return Ok(());
                }
                let hidden = remaining.checked_sub(visible).ok_or(Contradiction::Remaining {
                    order,
                    expected: remaining,
                    found: visible,
                })?;
                self.shrink(seq, order, visible, hidden, record)
            }
            Event::OrderRefilled { order, quantity, hidden, .. } => {
                self.refill(seq, order, quantity, hidden, record)
            }
            Event::OrderReplaced { old_order, .. } => self.leave(seq, old_order, record),
            Event::MarketListed { ref market, .. } => {
                self.define(market);
                Ok(())
            }
            Event::MarketRedefined { ref market, old_tick, old_lot } => {
                record.phases.push(PhaseChange { seq, time, event: event.clone() });
                record.redefined = true;
                self.redefine(seq, market, (old_tick, old_lot))
            }
            Event::MarketStateChanged { .. }
            | Event::MarketStatePlanned { .. }
            | Event::RedefinitionPlanned { .. }
            | Event::DelistingPlanned { .. }
            | Event::TradingInterrupted { .. }
            | Event::Quarantined { .. }
            | Event::QuarantineReleased { .. }
            | Event::MarketReopening { .. }
            | Event::AuctionUncrossed { .. } => {
                record.phases.push(PhaseChange { seq, time, event: event.clone() });
                Ok(())
            }
            Event::Rejected { .. }
            | Event::Repeated { .. }
            | Event::OrderPlaced { .. }
            | Event::OrderTriggered { .. }
            | Event::OrderDecremented { .. }
            | Event::CancelAllAccepted { .. }
            | Event::BalanceChanged { .. }
            | Event::Credited { .. }
            | Event::Debited { .. }
            | Event::DebitReserved { .. }
            | Event::DebitReleased { .. }
            | Event::TransferredOut { .. }
            | Event::TransferredIn { .. }
            | Event::AccountCreated { .. }
            | Event::AccountFrozen { .. }
            | Event::AccountFeeTierSet { .. }
            | Event::AssetDefined { .. }
            | Event::FeeTierSet { .. }
            | Event::MarketRulesSet { .. }
            | Event::ProposalMade { .. }
            | Event::ApprovalAwaited { .. }
            | Event::ProposalDecided { .. }
            | Event::ReservesAttested { .. }
            | Event::CreditPolicySet { .. }
            | Event::SourceKindSet { .. }
            | Event::CountdownSet { .. }
            | Event::OrderListPlaced(_)
            | Event::OrderListAdvanced { .. }
            | Event::OrderListEnded { .. }
            | Event::FeeScheduleSet { .. }
            | Event::MarketFeesSet { .. }
            | Event::FeeTierChanged { .. }
            | Event::VolumeChanged { .. } => Ok(()),
        }
    }

    /// A listing may be heard from the registry's partition after a change of units from the market's own.
    fn define(&mut self, def: &MarketDef) {
        if def.version > self.version {
            (self.tick, self.lot, self.version) = (def.tick, def.lot, def.version);
        }
    }

    /// Everything but trades, which name their entry, counts in other units from now on.
    fn redefine(
        &mut self,
        seq: Seq,
        def: &MarketDef,
        old: (Decimal, Decimal),
    ) -> Result<(), Contradiction> {
        self.define(def);
        let invalid = Contradiction::InvalidMarket(def.id);
        let conversion = Conversion::between(old, (def.tick, def.lot)).ok_or(invalid)?;
        let mut depth = Depth::default();
        for (&id, order) in &mut self.orders {
            let quantity = |lots| conversion.quantity(lots).ok_or(Contradiction::CannotRest(id));
            order.price = conversion.price(order.price).ok_or(Contradiction::CannotRest(id))?;
            (order.shown, order.hidden) = (quantity(order.shown)?, quantity(order.hidden)?);
            depth.add(order.side, order.price, order.shown);
        }
        (self.depth, self.depth_seq) = (depth, seq);
        self.last_price = self
            .last_price
            .map(|price| conversion.price_down(price).min(def.max_price))
            .filter(|price| !price.is_zero());
        self.series.iter_mut().for_each(|series| series.convert(&conversion));
        Ok(())
    }

    fn rest(
        &mut self,
        seq: Seq,
        order: OrderId,
        resting: RestingOrder,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        if self.orders.contains_key(&order) {
            return Err(Contradiction::CannotRest(order));
        }
        self.orders.insert(order, resting);
        self.depth.add(resting.side, resting.price, resting.shown);
        self.touched(seq, &resting, record);
        Ok(())
    }

    fn trade(
        &mut self,
        seq: Seq,
        time: Timestamp,
        trade: &Trade,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        self.note_trade(seq, time, trade, record);
        let mut outcome = Ok(());
        for (side, party) in [(Side::Buy, &trade.buyer), (Side::Sell, &trade.seller)] {
            let part = if trade.aggressor == Some(side) {
                self.check_incoming(party.order)
            } else {
                self.fill_resting(seq, side, party.order, trade.quantity, party.remaining, record)
            };
            outcome = outcome.and(part);
        }
        outcome
    }

    fn note_trade(&mut self, seq: Seq, time: Timestamp, trade: &Trade, record: &mut MarketRecord) {
        let aggregate = self.aggregate_of(seq, trade);
        let public = TradeView {
            trade: trade.trade,
            price: trade.price,
            quantity: trade.quantity,
            quote_amount: trade.quote_amount,
            aggressor: trade.aggressor,
            time,
            seq,
            aggregate,
        };
        if self.trades.len() == MAX_TRADES {
            self.trades.pop_front();
        }
        self.trades.push_back(public);
        self.last_price = Some(trade.price);
        record.trades.push(public);
        for (interval, series) in Interval::ALL.into_iter().zip(&mut self.series) {
            if let Some(candle) = series.add(interval, &public) {
                record.candle_closed(interval, candle);
            }
        }
    }

    /// The aggregate that a trade belongs to.
    fn aggregate_of(&mut self, seq: Seq, trade: &Trade) -> u64 {
        let taker = trade.taker();
        let goes_on = self.trades.back().is_some_and(|last| {
            taker.is_some()
                && self.last_taker == taker
                && (last.seq, last.price, last.aggressor) == (seq, trade.price, trade.aggressor)
        });
        self.last_taker = taker;
        if !goes_on {
            self.aggregates += 1;
        }
        self.aggregates
    }

    /// An incoming order does not rest while it matches.
    fn check_incoming(&self, order: OrderId) -> Result<(), Contradiction> {
        if self.orders.contains_key(&order) {
            return Err(Contradiction::WrongRole(order));
        }
        Ok(())
    }

    fn fill_resting(
        &mut self,
        seq: Seq,
        side: Side,
        order: OrderId,
        quantity: Quantity,
        left: Quantity,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        let resting = self.orders.get(&order).ok_or(Contradiction::UnknownOrder(order))?;
        if resting.side != side {
            return Err(Contradiction::WrongRole(order));
        }
        let (shown, hidden) = (resting.shown, resting.hidden);
        let expected = shown.checked_sub(quantity).map(|shown| shown + hidden);
        if left.is_zero() {
            self.leave(seq, order, record)?;
        } else {
            self.shrink(seq, order, left.saturating_sub(hidden), hidden.min(left), record)?;
        }
        if expected == Some(left) {
            return Ok(());
        }
        let expected = expected.unwrap_or(Quantity::ZERO);
        Err(Contradiction::Remaining { order, expected, found: left })
    }

    /// An iceberg that showed nothing any more shows its next part.
    fn refill(
        &mut self,
        seq: Seq,
        order: OrderId,
        shown: Quantity,
        hidden: Quantity,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        let resting = self.orders.get_mut(&order).ok_or(Contradiction::UnknownOrder(order))?;
        let (expected, found) = (resting.hidden, shown + hidden);
        if !resting.shown.is_zero() || expected != found {
            return Err(Contradiction::Remaining { order, expected, found });
        }
        (resting.shown, resting.hidden) = (shown, hidden);
        let resting = *resting;
        self.depth.show(resting.side, resting.price, shown);
        self.touched(seq, &resting, record);
        Ok(())
    }

    /// A resting order leaves the book.
    fn leave(
        &mut self,
        seq: Seq,
        order: OrderId,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        let resting = self.orders.remove(&order).ok_or(Contradiction::UnknownOrder(order))?;
        let taken = self.depth.take(resting.side, resting.price, resting.shown, true);
        self.touched(seq, &resting, record);
        taken.map_err(|_| Contradiction::NegativeLevel(order))
    }

    /// A resting order shows only `shown`.
    fn shrink(
        &mut self,
        seq: Seq,
        order: OrderId,
        shown: Quantity,
        hidden: Quantity,
        record: &mut MarketRecord,
    ) -> Result<(), Contradiction> {
        let resting = self.orders.get_mut(&order).ok_or(Contradiction::UnknownOrder(order))?;
        let Some(less) = resting.shown.checked_sub(shown) else {
            return Err(Contradiction::Remaining { order, expected: resting.shown, found: shown });
        };
        (resting.shown, resting.hidden) = (shown, hidden);
        let resting = *resting;
        let taken = self.depth.take(resting.side, resting.price, less, false);
        self.touched(seq, &resting, record);
        taken.map_err(|_| Contradiction::NegativeLevel(order))
    }

    fn touched(&mut self, seq: Seq, resting: &RestingOrder, record: &mut MarketRecord) {
        self.depth_seq = seq;
        record.touch(resting.side, resting.price);
    }

    /// The entry of the last change of the book.
    pub(crate) fn depth_seq(&self) -> Seq {
        self.depth_seq
    }

    pub(crate) fn levels(&self) -> &Depth {
        &self.depth
    }

    pub(crate) fn checksum(&self) -> u32 {
        self.depth.checksum(self.tick, self.lot)
    }

    pub(crate) fn depth(&self, limit: usize) -> DepthSnapshot {
        DepthSnapshot {
            seq: self.depth_seq,
            bids: self.depth.levels(Side::Buy).take(limit).collect(),
            asks: self.depth.levels(Side::Sell).take(limit).collect(),
            checksum: self.checksum(),
            last_price: self.last_price,
        }
    }

    /// The newest `limit` trades, newest first.
    pub(crate) fn trades(&self, limit: usize) -> Vec<TradeView> {
        self.trades.iter().rev().take(limit).copied().collect()
    }

    pub(crate) fn candles(
        &self,
        interval: Interval,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Vec<Candle> {
        self.series[interval as usize].range(from, to, limit)
    }

    pub(crate) fn last_candle(&self, interval: Interval) -> Option<Candle> {
        self.series[interval as usize].last().copied()
    }

    pub(crate) fn window(&self, interval: Interval, from: Timestamp) -> Window {
        let series = &self.series[interval as usize];
        Window { traded: ticker::sum(series.since(from)), close_before: series.close_before(from) }
    }

    pub(crate) fn ticker(&self, now: Timestamp) -> Ticker {
        let window = ticker::window(&self.series[Interval::Minute1 as usize], now);
        Ticker {
            time: now,
            open: window.map(|w| w.open),
            high: window.map(|w| w.high),
            low: window.map(|w| w.low),
            last: self.last_price,
            volume: window.map_or(0, |w| w.volume),
            quote_volume: window.map_or(0, |w| w.quote_volume),
            trades: window.map_or(0, |w| w.trades),
            bid: self.depth.best(Side::Buy),
            ask: self.depth.best(Side::Sell),
        }
    }

    /// Number of orders in the book.
    pub(crate) fn resting_orders(&self) -> usize {
        self.orders.len()
    }
}
