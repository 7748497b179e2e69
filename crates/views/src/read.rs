//! Reading the views: each function takes one short lock and copies what it returns.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use types::{
    AccountId, AssetDef, AssetId, ClientOrderId, FeeRates, FeeSchedule, MarketId, OrderId,
    PartitionId, Seq, Side, SourceKind, Timestamp,
};

use crate::account::PendingDebit;
use crate::candle::{Candle, Interval};
use crate::changes::{AccountView, BalanceView, TradeView};
use crate::definitions::MarketInfo;
use crate::depth::DepthSnapshot;
use crate::fees::AccountFees;
use crate::market::Market;
use crate::order::{FillView, OrderView};
use crate::order_list::OrderListView;
use crate::ticker::{Ticker, Window};
use crate::treasury::{GuardView, ProposalView};
use crate::views::Views;
use crate::watermarks::Watermarks;

/// Reading: how far, and what everybody knows.
impl Views {
    /// How far each partition's events are applied.
    #[must_use]
    pub fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    /// The last applied entry of a partition.
    #[must_use]
    pub fn applied(&self, partition: PartitionId) -> Seq {
        self.watermarks.applied(partition)
    }

    /// Blocks until `seq` is applied; false if `timeout` passed before.
    #[must_use]
    pub fn wait_for(&self, partition: PartitionId, seq: Seq, timeout: Duration) -> bool {
        self.watermarks.wait_for(partition, seq, timeout)
    }

    /// The newest stamp of any applied entry.
    #[must_use]
    pub fn log_time(&self) -> Timestamp {
        Timestamp(self.log_time.load(Ordering::Acquire))
    }

    /// Events so far that contradicted the view. Above zero there is a bug.
    #[must_use]
    pub fn contradictions(&self) -> u64 {
        self.contradictions.load(Ordering::Relaxed)
    }

    /// All assets, by id.
    #[must_use]
    pub fn assets(&self) -> Vec<Arc<AssetDef>> {
        self.definitions.read().assets.values().cloned().collect()
    }

    /// An asset by id.
    #[must_use]
    pub fn asset(&self, asset: AssetId) -> Option<Arc<AssetDef>> {
        self.definitions.read().assets.get(&asset).cloned()
    }

    /// An asset by its ticker.
    #[must_use]
    pub fn asset_by_symbol(&self, symbol: &str) -> Option<Arc<AssetDef>> {
        self.definitions.read().asset_by_symbol(symbol)
    }

    /// Rises when an asset, a market with its state, plans and rules, or a fee changes. It counts from this
    /// process' start: what it was when something was read tells whether that still holds.
    #[must_use]
    pub fn definitions_version(&self) -> u64 {
        self.definitions_version.load(Ordering::Acquire)
    }

    /// All markets, by id.
    #[must_use]
    pub fn markets(&self) -> Vec<Arc<MarketInfo>> {
        self.definitions.read().markets.values().cloned().collect()
    }

    /// A market by id.
    #[must_use]
    pub fn market_info(&self, market: MarketId) -> Option<Arc<MarketInfo>> {
        self.definitions.read().markets.get(&market).cloned()
    }

    /// A market by its symbol.
    #[must_use]
    pub fn market_by_symbol(&self, symbol: &str) -> Option<Arc<MarketInfo>> {
        self.definitions.read().market_by_symbol(symbol)
    }

    /// A market by its symbol without hyphens, as `BTCUSDT`. Of two whose symbols are alike then, the one
    /// that was listed first.
    #[must_use]
    pub fn market_by_compact_symbol(&self, symbol: &str) -> Option<Arc<MarketInfo>> {
        self.definitions.read().market_by_compact_symbol(symbol)
    }

    /// Fee tiers that were set, by number. Tier 0 is free until set.
    #[must_use]
    pub fn fee_tiers(&self) -> Vec<(u8, FeeRates)> {
        let definitions = self.definitions.read();
        definitions.fees.tiers.iter().map(|(&tier, &rates)| (tier, rates)).collect()
    }

    /// Tiers with rates of their own in a market, by market and tier.
    #[must_use]
    pub fn market_fees(&self) -> Vec<(MarketId, u8, FeeRates)> {
        let definitions = self.definitions.read();
        let fees = definitions.fees.in_markets.iter();
        fees.map(|(&(market, tier), &rates)| (market, tier, rates)).collect()
    }

    /// Which volume leads to which tier. Empty if volumes are not counted.
    #[must_use]
    pub fn fee_schedule(&self) -> FeeSchedule {
        self.definitions.read().fees.schedule.clone()
    }

    /// The rates of a tier in a market.
    #[must_use]
    pub fn fee_rates(&self, market: MarketId, tier: u8) -> FeeRates {
        self.definitions.read().fees.rates(market, tier)
    }

    /// An account's tier and volume as of the log's newest time, or nothing if it was not opened.
    #[must_use]
    pub fn account_fees(&self, account: AccountId) -> Option<AccountFees> {
        let (schedule, now) = (self.fee_schedule(), self.log_time());
        let fees = self.accounts.read(account, |a| {
            let view = a.view?;
            Some(AccountFees::new(view.fee_tier, view.is_pinned, &a.volumes, &schedule, now))
        });
        fees.flatten()
    }

    /// The last number of a source that became value; zero for none. Numbers of rejected commands
    /// are not seen here: who counts the numbers keeps its own record.
    #[must_use]
    pub fn last_reference(&self, source: u32) -> u64 {
        self.treasury.lock().last_reference(source)
    }

    /// What guards an asset.
    #[must_use]
    pub fn guard(&self, asset: AssetId) -> GuardView {
        self.treasury.lock().guard_of(asset)
    }

    /// The sources whose kind was set, with it.
    #[must_use]
    pub fn source_kinds(&self) -> Vec<(u32, SourceKind)> {
        self.treasury.lock().source_kinds()
    }

    /// Open proposals, by number.
    #[must_use]
    pub fn proposals(&self) -> Vec<ProposalView> {
        self.treasury.lock().open()
    }

    /// An open proposal.
    #[must_use]
    pub fn proposal(&self, number: u64) -> Option<ProposalView> {
        self.treasury.lock().proposal(number)
    }
}

/// Reading: markets. A market without events yet reads as an empty one.
impl Views {
    /// The best `limit` levels of each side.
    #[must_use]
    pub fn depth(&self, market: MarketId, limit: usize) -> DepthSnapshot {
        self.read_market(market, |market| market.depth(limit))
    }

    /// How many levels each side has: bids, asks.
    #[must_use]
    pub fn level_counts(&self, market: MarketId) -> [usize; 2] {
        self.read_market(market, |market| {
            [Side::Buy, Side::Sell].map(|side| market.levels().count(side))
        })
    }

    /// The newest `limit` trades, newest first; at most 1,000 are kept.
    #[must_use]
    pub fn trades(&self, market: MarketId, limit: usize) -> Vec<TradeView> {
        self.read_market(market, |market| market.trades(limit))
    }

    /// The rolling ticker.
    #[must_use]
    pub fn ticker(&self, market: MarketId) -> Ticker {
        let now = self.log_time();
        self.read_market(market, |market| market.ticker(now))
    }

    /// The newest `limit` candles that begin at or after `from` and before `to`, oldest first. The
    /// last one may still change. Intervals without trades have none.
    #[must_use]
    pub fn candles(
        &self,
        market: MarketId,
        interval: Interval,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Vec<Candle> {
        self.read_market(market, |market| market.candles(interval, from, to, limit))
    }

    /// What the candles of this length say about the time from `from`, where one of them begins, to now.
    #[must_use]
    pub fn window(&self, market: MarketId, interval: Interval, from: Timestamp) -> Window {
        self.read_market(market, |market| market.window(interval, from))
    }

    /// Number of orders in the book.
    #[must_use]
    pub fn resting_orders(&self, market: MarketId) -> usize {
        self.read_market(market, Market::resting_orders)
    }

    fn read_market<T>(&self, market: MarketId, read: impl FnOnce(&Market) -> T) -> T {
        match self.market(market) {
            Some(market) => read(&market.lock()),
            None => read(&Market::default()),
        }
    }
}

/// Reading: accounts. An account that no event named reads as an empty one.
impl Views {
    /// Every account that was opened, by id.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountId> {
        self.accounts.ids()
    }

    /// The account as such, if it was opened.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<AccountView> {
        self.accounts.read(account, |account| account.view).flatten()
    }

    /// Balances by asset: every asset that the account ever had.
    #[must_use]
    pub fn balances(&self, account: AccountId) -> Vec<BalanceView> {
        self.accounts.read(account, |account| account.balances()).unwrap_or_default()
    }

    /// Open orders by market and id, of one market or of all.
    #[must_use]
    pub fn open_orders(&self, account: AccountId, market: Option<MarketId>) -> Vec<OrderView> {
        self.accounts.read(account, |account| account.open_orders(market)).unwrap_or_default()
    }

    /// An order of the account, open or among the last 500 closed.
    #[must_use]
    pub fn order(&self, account: AccountId, market: MarketId, order: OrderId) -> Option<OrderView> {
        self.accounts.read(account, |account| account.order(market, order)).flatten()
    }

    /// The newest order of the account with this client id, open or among the last 500 closed.
    #[must_use]
    pub fn order_by_client_id(
        &self,
        account: AccountId,
        client_id: &ClientOrderId,
    ) -> Option<OrderView> {
        self.accounts.read(account, |account| account.order_by_client_id(client_id)).flatten()
    }

    /// Lists that have not ended, by market and id, of one market or of all.
    #[must_use]
    pub fn open_order_lists(
        &self,
        account: AccountId,
        market: Option<MarketId>,
    ) -> Vec<OrderListView> {
        let read = self.accounts.read(account, |account| account.open_lists(market));
        read.unwrap_or_default()
    }

    /// The last closed orders, newest first; at most 500 are kept.
    #[must_use]
    pub fn closed_orders(
        &self,
        account: AccountId,
        market: Option<MarketId>,
        limit: usize,
    ) -> Vec<OrderView> {
        let read = self.accounts.read(account, |account| account.closed_orders(market, limit));
        read.unwrap_or_default()
    }

    /// The last fills, newest first; at most 500 are kept.
    #[must_use]
    pub fn fills(
        &self,
        account: AccountId,
        market: Option<MarketId>,
        limit: usize,
    ) -> Vec<FillView> {
        self.accounts.read(account, |account| account.fills(market, limit)).unwrap_or_default()
    }

    /// Debits that are reserved and neither settled nor released, by name.
    #[must_use]
    pub fn pending_debits(&self, account: AccountId) -> Vec<PendingDebit> {
        self.accounts.read(account, |account| account.pending_debits()).unwrap_or_default()
    }
}
