//! Reading what one wrote: what each account's last answers said to wait for, and the waiting itself.
//!
//! An account's marks are forgotten when there are many and the views have passed them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;
use types::{AccountId, PartitionId, Seq};
use views::Views;

use crate::error::{ApiError, GatewayCode};
use crate::outcome::Outcome;

const SHARDS: usize = 64;
/// A shard with more accounts than this forgets those that the views have passed.
const PRUNE_ABOVE: usize = 1_024;

/// Entries of some partitions that must have been applied.
pub(crate) type Marks = Vec<(PartitionId, Seq)>;

/// Knows what accounts wrote, and waits for views.
pub(crate) struct CatchUp {
    views: Arc<Views>,
    /// Nobody waits for longer.
    bound: Duration,
    risen: Arc<Risen>,
    wrote: [Mutex<HashMap<AccountId, Marks>>; SHARDS],
    /// The last entry of each partition that anybody was answered from here.
    answered: Vec<AtomicU64>,
}

/// Wakes those who wait, and costs an atomic load when nobody does.
#[derive(Default)]
struct Risen {
    waiters: AtomicUsize,
    notify: Notify,
}

impl CatchUp {
    /// Of these views. Nobody waits for longer than `bound`.
    pub(crate) fn new(views: Arc<Views>, bound: Duration) -> Self {
        let risen = Arc::new(Risen::default());
        let hook = Arc::clone(&risen);
        views.watermarks().on_applied(Box::new(move |_, _| {
            if hook.waiters.load(Ordering::SeqCst) > 0 {
                hook.notify.notify_waiters();
            }
        }));
        let partitions = views.watermarks().partitions();
        let answered = (0..partitions).map(|_| AtomicU64::new(0)).collect();
        Self { views, bound, risen, wrote: std::array::from_fn(|_| Mutex::default()), answered }
    }

    /// Remembers what a reader of this account must wait for.
    pub(crate) fn wrote(&self, account: AccountId, outcome: &Outcome) {
        if let Some(last) = self.answered.get(usize::from(outcome.partition.0)) {
            last.fetch_max(outcome.seq.0, Ordering::Relaxed);
        }
        let mut shard = self.shard(account).lock();
        if shard.len() > PRUNE_ABOVE {
            shard.retain(|_, marks| !self.all_applied(marks));
        }
        let known = shard.entry(account).or_default();
        raise(known, outcome.partition, outcome.seq);
        if outcome.passed_seq > Seq(0) {
            raise(known, outcome.passed, outcome.passed_seq);
        }
    }

    /// What everybody was answered from here, up to now.
    pub(crate) fn answered(&self) -> Marks {
        let mark = |(partition, last): (u16, &AtomicU64)| {
            (PartitionId(partition), Seq(last.load(Ordering::Relaxed)))
        };
        (0..).zip(&self.answered).map(mark).collect()
    }

    /// What a reader of this account must have seen.
    pub(crate) fn marks_of(&self, account: AccountId) -> Marks {
        let shard = self.shard(account).lock();
        shard.get(&account).cloned().unwrap_or_default()
    }

    /// Waits until the views show all that `account` was answered.
    ///
    /// # Errors
    /// [`GatewayCode::NotCaughtUp`] after the bound.
    pub(crate) async fn own_writes(&self, account: AccountId) -> Result<(), ApiError> {
        self.reach_all(&self.marks_of(account)).await
    }

    /// Waits until the views show what anybody was answered from here before: who has been told of a trade
    /// may expect the other side to see it. After the bound they show what they do.
    pub(crate) async fn settled(&self) {
        let _ = self.reach_all(&self.answered()).await;
    }

    /// Waits until the views have applied all these entries.
    ///
    /// # Errors
    /// [`GatewayCode::NotCaughtUp`] when one does not come within the bound.
    pub(crate) async fn reach_all(&self, marks: &[(PartitionId, Seq)]) -> Result<(), ApiError> {
        for &(partition, seq) in marks {
            self.reach(partition, seq).await?;
        }
        Ok(())
    }

    fn all_applied(&self, marks: &Marks) -> bool {
        marks.iter().all(|&(partition, seq)| self.is_applied(partition, seq))
    }

    fn is_applied(&self, partition: PartitionId, seq: Seq) -> bool {
        self.views.watermarks().is_applied(partition, seq)
    }

    /// Waits until the views have applied entry `seq` of `partition`.
    ///
    /// # Errors
    /// [`GatewayCode::NotCaughtUp`] after the bound.
    pub(crate) async fn reach(&self, partition: PartitionId, seq: Seq) -> Result<(), ApiError> {
        if self.until(|| self.is_applied(partition, seq)).await {
            return Ok(());
        }
        let applied = self.views.applied(partition);
        Err(ApiError::with(
            GatewayCode::NotCaughtUp,
            format!(
                "entry {seq} of partition {partition} is not visible yet; the last one is {applied}"
            ),
        ))
    }

    /// Waits until the views are such that `is_so`: asked now, and whenever they have applied something.
    /// False if they are not within the bound.
    pub(crate) async fn until(&self, is_so: impl Fn() -> bool) -> bool {
        if is_so() {
            return true;
        }
        self.risen.waiters.fetch_add(1, Ordering::SeqCst);
        let _waiting = Countdown(&self.risen.waiters);
        let risen = async {
            loop {
                // Registered before the look, so that no rise between the two is missed.
                let mut notified = std::pin::pin!(self.risen.notify.notified());
                notified.as_mut().enable();
                if is_so() {
                    return;
                }
                notified.await;
            }
        };
        timeout(self.bound, risen).await.is_ok()
    }

    fn shard(&self, account: AccountId) -> &Mutex<HashMap<AccountId, Marks>> {
        &self.wrote[account.0 as usize % SHARDS]
    }
}

/// Adds an entry, if none after it is there.
pub(crate) fn raise(marks: &mut Marks, partition: PartitionId, seq: Seq) {
    match marks.iter_mut().find(|mark| mark.0 == partition) {
        Some(mark) => mark.1 = mark.1.max(seq),
        None => marks.push((partition, seq)),
    }
}

struct Countdown<'a>(&'a AtomicUsize);

impl Drop for Countdown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
