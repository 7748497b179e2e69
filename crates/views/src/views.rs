//! The views as one thing: feeding, reading, saving.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use borsh::{BorshDeserialize, BorshSerialize};
use parking_lot::{Mutex, RwLock};
use types::{
    AccountId, AssetDef, AssetId, ClientOrderId, EntryEvents, Event, EventBatch, FeeRates,
    MarketId, OrderId, PartitionId, Seq, Timestamp,
};

use crate::account::PendingDebit;
use crate::accounts::Accounts;
use crate::candle::{Candle, Interval};
use crate::changes::{AccountView, BalanceView, Changes, TradeView};
use crate::definitions::{Definitions, MarketInfo};
use crate::depth::DepthSnapshot;
use crate::error::{RestoreError, ViewError};
use crate::hash::IdMap;
use crate::market::Market;
use crate::order::{FillView, OrderView};
use crate::recorder::Recorder;
use crate::ticker::Ticker;
use crate::watermarks::Watermarks;

/// Format of a snapshot. A change of any stored type raises it.
const SNAPSHOT_VERSION: u32 = 1;

type SharedMarket = Arc<Mutex<Market>>;

/// All read models of one exchange.
///
/// Each read is consistent in itself (one market, one account). Two reads may lie an entry apart, and
/// while an entry is being applied its markets may be ahead of its accounts; who waits for a mark of
/// [`Self::watermarks`] first sees at least everything up to it.
pub struct Views {
    /// Held while a batch is applied and while a snapshot is taken.
    writer: Mutex<()>,
    watermarks: Watermarks,
    log_time: AtomicU64,
    contradictions: AtomicU64,
    definitions: RwLock<Definitions>,
    markets: RwLock<IdMap<MarketId, SharedMarket>>,
    accounts: Accounts,
    /// Source → its last number that became value.
    treasury: Mutex<BTreeMap<u32, u64>>,
}

/// Feeding.
impl Views {
    /// Empty views of an exchange with this many partitions.
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self {
            writer: Mutex::new(()),
            watermarks: Watermarks::new(partitions),
            log_time: AtomicU64::new(0),
            contradictions: AtomicU64::new(0),
            definitions: RwLock::default(),
            markets: RwLock::default(),
            accounts: Accounts::default(),
            treasury: Mutex::default(),
        }
    }

    /// Applies the entries of a batch that are not applied yet, raises the partition's mark, and
    /// tells what changed. An event that contradicts the view is a bug somewhere: it is named in
    /// [`Changes::contradictions`] and counted, and the view goes on with the next event.
    ///
    /// # Errors
    /// [`ViewError::Gap`] and [`ViewError::UnknownPartition`]; then nothing was applied.
    pub fn on_batch(&self, batch: &EventBatch) -> Result<Changes, ViewError> {
        let _writing = self.writer.lock();
        let partition = batch.partition;
        if partition.0 >= self.watermarks.partitions() {
            return Err(ViewError::UnknownPartition(partition));
        }
        let applied = self.watermarks.applied(partition);
        let found = batch.first_seq().unwrap_or(applied);
        if found > applied.next() {
            return Err(ViewError::Gap { partition, expected: applied.next(), found });
        }
        let mut recorder = Recorder::new(batch, applied);
        for entry in batch.iter_after(applied) {
            self.log_time.fetch_max(entry.time.0, Ordering::AcqRel);
            self.apply_definitions(partition, &entry, &mut recorder);
            self.apply_markets(partition, &entry, &mut recorder);
            self.accounts.apply(partition, &entry, &mut recorder);
            self.apply_treasury(&entry);
            recorder.changes.through = entry.seq;
        }
        let changes = recorder.finish(self.log_time(), |market| self.market_or_new(market));
        let wrong = changes.contradictions.len() as u64;
        self.contradictions.fetch_add(wrong, Ordering::Relaxed);
        self.watermarks.advance(partition, changes.through);
        Ok(changes)
    }

    fn apply_definitions(
        &self,
        partition: PartitionId,
        entry: &EntryEvents<'_>,
        recorder: &mut Recorder,
    ) {
        for (index, event) in (0..).zip(entry.events) {
            if !Definitions::concerns(event) {
                continue;
            }
            match self.definitions.write().apply(event) {
                Ok(change) => recorder.changes.definitions.extend(change),
                Err(what) => recorder.contradiction(partition, entry.seq, index, what),
            }
        }
    }

    /// Each run of events of one market goes in under one lock, so that readers do not see half of
    /// what an order did.
    fn apply_markets(
        &self,
        partition: PartitionId,
        entry: &EntryEvents<'_>,
        recorder: &mut Recorder,
    ) {
        let mut events = (0..).zip(entry.events).peekable();
        while let Some(&(_, event)) = events.peek() {
            let Some(id) = market_of(event) else {
                events.next();
                continue;
            };
            let market = self.market_or_new(id);
            let mut market = market.lock();
            let same = |&(_, event): &(u32, &Event)| market_of(event).is_none_or(|m| m == id);
            while let Some((index, event)) = events.next_if(same) {
                if market_of(event).is_none() {
                    continue;
                }
                let record = recorder.market(id, &market);
                if let Err(what) = market.apply(entry.seq, entry.time, event, record) {
                    recorder.contradiction(partition, entry.seq, index, what);
                }
            }
        }
    }

    fn apply_treasury(&self, entry: &EntryEvents<'_>) {
        for event in entry.events {
            if let Event::Credited { reference, .. } | Event::Debited { reference, .. } = event {
                let mut treasury = self.treasury.lock();
                let last = treasury.entry(reference.source).or_default();
                *last = reference.number.max(*last);
            }
        }
    }

    fn market(&self, market: MarketId) -> Option<SharedMarket> {
        self.markets.read().get(&market).cloned()
    }

    fn market_or_new(&self, market: MarketId) -> SharedMarket {
        let known = self.market(market);
        known.unwrap_or_else(|| self.markets.write().entry(market).or_default().clone())
    }
}

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

    /// Fee tiers that were set, by number. Tier 0 is free until set.
    #[must_use]
    pub fn fee_tiers(&self) -> Vec<(u8, FeeRates)> {
        let definitions = self.definitions.read();
        definitions.fee_tiers.iter().map(|(&tier, &rates)| (tier, rates)).collect()
    }

    /// The last number of a source that became value; zero for none. Numbers of rejected commands
    /// are not seen here: who counts the numbers keeps its own record.
    #[must_use]
    pub fn last_reference(&self, source: u32) -> u64 {
        self.treasury.lock().get(&source).copied().unwrap_or(0)
    }
}

/// Reading: markets. A market without events yet reads as an empty one.
impl Views {
    /// The best `limit` levels of each side.
    #[must_use]
    pub fn depth(&self, market: MarketId, limit: usize) -> DepthSnapshot {
        self.read_market(market, |market| market.depth(limit))
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

/// Saving.
impl Views {
    /// Everything, with the cursors, in a fixed order: the same state gives the same bytes. Feeding
    /// waits meanwhile.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let _still = self.writer.lock();
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("memory takes all that is written");
        bytes
    }

    fn write_to(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let partitions = self.watermarks.partitions();
        let marks: Vec<_> = (0..partitions).map(|p| self.applied(PartitionId(p))).collect();
        SNAPSHOT_VERSION.serialize(out)?;
        marks.serialize(out)?;
        self.log_time().serialize(out)?;
        self.contradictions().serialize(out)?;
        self.treasury.lock().serialize(out)?;
        self.definitions.read().image().serialize(out)?;
        let markets: BTreeMap<_, _> =
            self.markets.read().iter().map(|(&id, market)| (id, market.clone())).collect();
        (markets.len() as u32).serialize(out)?;
        for (id, market) in markets {
            id.serialize(out)?;
            market.lock().serialize(out)?;
        }
        self.accounts.serialize(out)
    }

    /// Views as they were when [`Self::snapshot`] gave these bytes; feed them with the events after
    /// [`Self::applied`]. `partitions` is that of the exchange.
    ///
    /// # Errors
    /// When the bytes are of another version or exchange, or damaged. Whoever stores them adds a
    /// checksum: damage that still decodes is not noticed here.
    pub fn restore(bytes: &[u8], partitions: u16) -> Result<Self, RestoreError> {
        let input = &mut &bytes[..];
        let found = u32::deserialize(input)?;
        if found != SNAPSHOT_VERSION {
            return Err(RestoreError::Version { expected: SNAPSHOT_VERSION, found });
        }
        let marks = Vec::<Seq>::deserialize(input)?;
        if marks.len() != usize::from(partitions) {
            let found = marks.len() as u16;
            return Err(RestoreError::Partitions { expected: partitions, found });
        }
        let mut views = Self::new(partitions);
        for (partition, &mark) in (0..).map(PartitionId).zip(&marks) {
            views.watermarks.advance(partition, mark);
        }
        views.log_time = AtomicU64::new(u64::deserialize(input)?);
        views.contradictions = AtomicU64::new(u64::deserialize(input)?);
        views.treasury = Mutex::new(BorshDeserialize::deserialize(input)?);
        let definitions = Definitions::from_image(BorshDeserialize::deserialize(input)?);
        views.definitions = RwLock::new(definitions.map_err(std::io::Error::other)?);
        for _ in 0..u32::deserialize(input)? {
            let id = MarketId::deserialize(input)?;
            let market = Arc::new(Mutex::new(Market::deserialize(input)?));
            views.markets.get_mut().insert(id, market);
        }
        views.accounts = Accounts::deserialize(input)?;
        if !input.is_empty() {
            return Err(std::io::Error::other("bytes are left over").into());
        }
        Ok(views)
    }
}

/// The market whose view an event changes.
fn market_of(event: &Event) -> Option<MarketId> {
    match *event {
        Event::OrderRested { market, .. }
        | Event::OrderCancelled { market, .. }
        | Event::OrderReduced { market, .. }
        | Event::OrderReplaced { market, .. }
        | Event::MarketStateChanged { market, .. }
        | Event::AuctionUncrossed { market, .. } => Some(market),
        Event::Trade(ref trade) => Some(trade.market),
        Event::MarketListed { ref market, .. } => Some(market.id),
        Event::Rejected { .. }
        | Event::Repeated { .. }
        | Event::OrderPlaced { .. }
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
        | Event::FeeTierSet { .. } => None,
    }
}
