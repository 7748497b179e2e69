//! The views as one thing, and how events are fed to them. Reading is in `read`, saving in `snapshot`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use types::{AccountId, Component, EntryEvents, Event, EventBatch, MarketId, PartitionId};

use crate::accounts::Accounts;
use crate::changes::Changes;
use crate::definitions::Definitions;
use crate::error::ViewError;
use crate::hash::IdMap;
use crate::market::Market;
use crate::quarantines::Quarantines;
use crate::recorder::Recorder;
use crate::treasury::Treasury;
use crate::watermarks::Watermarks;

type SharedMarket = Arc<Mutex<Market>>;

/// All read models of one exchange.
///
/// Each read is consistent in itself (one market, one account). Two reads may lie an entry apart, and
/// while an entry is being applied its markets may be ahead of its accounts; who waits for a mark of
/// [`Self::watermarks`] first sees at least everything up to it.
pub struct Views {
    /// Held while a batch is applied and while a snapshot is taken.
    pub(crate) writer: Mutex<()>,
    pub(crate) watermarks: Watermarks,
    pub(crate) log_time: AtomicU64,
    pub(crate) contradictions: AtomicU64,
    pub(crate) definitions: RwLock<Definitions>,
    /// Rises with each change of them.
    pub(crate) definitions_version: AtomicU64,
    pub(crate) markets: RwLock<IdMap<MarketId, SharedMarket>>,
    pub(crate) accounts: Accounts,
    pub(crate) treasury: Mutex<Treasury>,
    pub(crate) quarantines: RwLock<Quarantines>,
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
            definitions_version: AtomicU64::new(0),
            markets: RwLock::default(),
            accounts: Accounts::default(),
            treasury: Mutex::default(),
            quarantines: RwLock::default(),
        }
    }

    /// Applies the entries of a batch that are not applied yet, raises the partition's mark, and
    /// tells what changed. An event that contradicts the view is a bug somewhere: it is named in
    /// [`Changes::contradictions`] and counted, and the view goes on with the next event.
    ///
    /// # Errors
    /// [`ViewError::Gap`] and [`ViewError::UnknownPartition`]; then nothing was applied.
    pub fn on_batch(&self, batch: &EventBatch) -> Result<Changes, ViewError> {
        self.on_batch_for(batch, &|_| true)
    }

    /// As [`Self::on_batch`], but of accounts that are not followed it tells only fills, each with its order behind
    /// it: most accounts have nobody who listens to every step of their orders.
    ///
    /// # Errors
    /// As [`Self::on_batch`].
    pub fn on_batch_for(
        &self,
        batch: &EventBatch,
        is_followed: &dyn Fn(AccountId) -> bool,
    ) -> Result<Changes, ViewError> {
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
            self.accounts.apply(partition, &entry, &mut recorder, is_followed);
            self.apply_treasury(&entry);
            self.apply_quarantines(partition, &entry);
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
            match self.definitions.write().apply(event, entry.seq, entry.time) {
                Ok(change) => recorder.changes.definitions.extend(change),
                Err(what) => recorder.contradiction(partition, entry.seq, index, what),
            }
            self.definitions_version.fetch_add(1, Ordering::Release);
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
        for event in entry.events.iter().filter(|event| Treasury::concerns(event)) {
            self.treasury.lock().apply(event, entry.time);
        }
    }

    fn apply_quarantines(&self, partition: PartitionId, entry: &EntryEvents<'_>) {
        let concerns = |event: &&Event| {
            matches!(event, Event::Quarantined { .. } | Event::QuarantineReleased { .. })
        };
        for event in entry.events.iter().filter(concerns) {
            self.quarantines.write().apply(partition, entry.seq, entry.time, event);
        }
    }

    pub(crate) fn market(&self, market: MarketId) -> Option<SharedMarket> {
        self.markets.read().get(&market).cloned()
    }

    fn market_or_new(&self, market: MarketId) -> SharedMarket {
        let known = self.market(market);
        known.unwrap_or_else(|| self.markets.write().entry(market).or_default().clone())
    }
}

/// The market whose view an event changes.
fn market_of(event: &Event) -> Option<MarketId> {
    match *event {
        Event::OrderRested { market, .. }
        | Event::OrderCancelled { market, .. }
        | Event::OrderReduced { market, .. }
        | Event::OrderRefilled { market, .. }
        | Event::OrderReplaced { market, .. }
        | Event::MarketStateChanged { market, .. }
        | Event::MarketStatePlanned { market, .. }
        | Event::TradingInterrupted { market, .. }
        | Event::MarketReopening { market, .. }
        | Event::RedefinitionPlanned { market, .. }
        | Event::DelistingPlanned { market, .. }
        | Event::AuctionUncrossed { market, .. } => Some(market),
        Event::Trade(ref trade) => Some(trade.market),
        Event::Quarantined { component: Component::Market(market), .. }
        | Event::QuarantineReleased { component: Component::Market(market), .. } => Some(market),
        Event::Quarantined { .. } | Event::QuarantineReleased { .. } => None,
        Event::MarketListed { ref market, .. } | Event::MarketRedefined { ref market, .. } => {
            Some(market.id)
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
        | Event::VolumeChanged { .. } => None,
    }
}
