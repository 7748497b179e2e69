//! Collects what a batch changes, and completes it at the end of the batch.

use std::sync::Arc;

use parking_lot::Mutex;
use types::{AccountId, EventBatch, MarketId, PartitionId, Price, Seq, Side, Timestamp};

use crate::candle::{Candle, Interval};
use crate::changes::{
    AccountChanges, AccountUpdate, CandleChange, Changes, LevelChange, MarketChanges, PhaseChange,
    TradeView,
};
use crate::depth::DepthLevel;
use crate::error::{Contradiction, ViewError};
use crate::hash::IdMap;
use crate::market::Market;

/// Changes under way.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) changes: Changes,
    markets: Vec<MarketRecord>,
    market_at: IdMap<MarketId, usize>,
    account_at: IdMap<AccountId, usize>,
}

/// Changes of one market under way.
pub(crate) struct MarketRecord {
    market: MarketId,
    previous_depth_seq: Seq,
    best_before: [Option<DepthLevel>; 2],
    levels: Vec<(Side, Price)>,
    candles: Vec<CandleChange>,
    pub(crate) trades: Vec<TradeView>,
    pub(crate) phases: Vec<PhaseChange>,
    pub(crate) redefined: bool,
}

impl Recorder {
    pub(crate) fn new(batch: &EventBatch, after: Seq) -> Self {
        let mut recorder = Self::default();
        recorder.changes.partition = batch.partition;
        recorder.changes.after = after;
        recorder.changes.through = after;
        recorder
    }

    /// The record of a market, begun with the market as it is before its first change.
    pub(crate) fn market(&mut self, id: MarketId, market: &Market) -> &mut MarketRecord {
        let records = &mut self.markets;
        let at = *self.market_at.entry(id).or_insert_with(|| {
            records.push(MarketRecord::begin(id, market));
            records.len() - 1
        });
        &mut self.markets[at]
    }

    pub(crate) fn account(&mut self, account: AccountId, update: AccountUpdate) {
        let accounts = &mut self.changes.accounts;
        let at = *self.account_at.entry(account).or_insert_with(|| {
            accounts.push(AccountChanges { account, updates: Vec::new() });
            accounts.len() - 1
        });
        accounts[at].updates.push(update);
    }

    pub(crate) fn contradiction(
        &mut self,
        partition: PartitionId,
        seq: Seq,
        index: u32,
        what: Contradiction,
    ) {
        let error = ViewError::Contradiction { partition, seq, index, what };
        self.changes.contradictions.push(error);
    }

    /// Completes the changes with the markets as they are after the batch.
    pub(crate) fn finish(
        mut self,
        now: Timestamp,
        market: impl Fn(MarketId) -> Arc<Mutex<Market>>,
    ) -> Changes {
        self.changes.time = now;
        for record in self.markets {
            let market = market(record.market);
            let market = market.lock();
            self.changes.markets.push(record.finish(now, &market));
        }
        self.changes
    }
}

impl MarketRecord {
    fn begin(id: MarketId, market: &Market) -> Self {
        Self {
            market: id,
            previous_depth_seq: market.depth_seq(),
            best_before: best(market),
            levels: Vec::new(),
            candles: Vec::new(),
            trades: Vec::new(),
            phases: Vec::new(),
            redefined: false,
        }
    }

    pub(crate) fn touch(&mut self, side: Side, price: Price) {
        if self.levels.last() != Some(&(side, price)) {
            self.levels.push((side, price));
        }
    }

    pub(crate) fn candle_closed(&mut self, interval: Interval, candle: Candle) {
        self.candles.push(CandleChange { interval, candle, closed: true });
    }

    fn finish(mut self, now: Timestamp, market: &Market) -> MarketChanges {
        self.levels.sort_unstable_by_key(|&(side, price)| match side {
            Side::Buy => (side, u64::MAX - price.get()),
            Side::Sell => (side, price.get()),
        });
        self.levels.dedup();
        let levels: Vec<_> = self
            .levels
            .iter()
            .map(|&(side, price)| LevelChange { side, level: market.levels().level(side, price) })
            .collect();
        if !self.trades.is_empty() {
            let last = Interval::ALL.into_iter().filter_map(|interval| {
                let candle = market.last_candle(interval)?;
                Some(CandleChange { interval, candle, closed: false })
            });
            self.candles.extend(last);
            self.candles.sort_by_key(|change| (change.interval, change.candle.start));
        }
        let ticker_changed =
            self.redefined || !self.trades.is_empty() || best(market) != self.best_before;
        MarketChanges {
            market: self.market,
            previous_depth_seq: self.previous_depth_seq,
            depth_seq: market.depth_seq(),
            checksum: if levels.is_empty() { 0 } else { market.checksum() },
            levels,
            trades: self.trades,
            ticker: ticker_changed.then(|| market.ticker(now)),
            candles: self.candles,
            phases: self.phases,
            redefined: self.redefined,
        }
    }
}

fn best(market: &Market) -> [Option<DepthLevel>; 2] {
    [market.levels().best(Side::Buy), market.levels().best(Side::Sell)]
}
