//! The consumers of events in this process: the views, which are brought up to date here before
//! anybody reads them and are then fed by the gateway, who must see each change as it happens; and
//! the SQL history on a thread of its own. Each has its cursor; none ever skips an event. The views
//! begin with their snapshot, the history where its database stands.
//!
//! What retention has removed from the event log is derived again from the command log.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine::Partition;
use journal::JournalError;
use node::{DataDir, EventFeed, Exchange, FeedError, Node};
use rustix::process::setpriority_process;
use store::{Projector, Store, StoreError};
use types::{EventBatch, PartitionId, Seq};
use views::Views;

use super::views_file::{Keeper, OnSaved, ViewsFile};
use crate::exit::{Failure, Status};
use crate::record;

/// Disk that the event log may keep for each consumer, in bytes for each partition. What is beyond is
/// derived from the command log.
const BUDGET: u64 = 1 << 30;
/// Entries that go into one SQL transaction, at least, as long as there are so many.
const ENTRIES_PER_COMMIT: usize = 4_096;
/// Transactions that are not full begin at least so far apart: a page that is changed in many of them is written in
/// each, and an order that is placed and ends within one is written once. Who reads his own write in the history waits
/// for so much longer at most.
const COMMIT_EVERY: Duration = Duration::from_millis(20);
/// Likewise, and at least so many times as long as the last one took: under load they come less often, and are larger.
const PAUSE_PER_COMMIT: u32 = 4;
/// But never further apart than this.
const COMMIT_AT_LEAST: Duration = Duration::from_millis(250);
/// By how much the thread of the history stands back, from 0 to 19: at 5 it gets a third of what others do.
const HISTORY_NICE: i32 = 5;
/// How long to wait for events before looking whether the node has stopped.
const WAIT: Duration = Duration::from_millis(500);
/// The same where one thread reads several partitions in turn.
const SHORT_WAIT: Duration = Duration::from_millis(5);
/// Entries whose events are derived again at once.
const DERIVED_AT_ONCE: usize = 65_536;
const HISTORY: &str = "history";
const VIEWS: &str = "views";

/// The consumers by the names that they register with.
pub const NAMES: [&str; 2] = [VIEWS, HISTORY];

/// What a consumer that has lost its place must be given back.
pub(super) const VIEWS_FILE: &str = "views.snapshot";
const HISTORY_FILE: &str = "history.sqlite";

/// The threads of all consumers.
pub struct Consumers {
    history: JoinHandle<()>,
    keeper: Keeper,
}

/// The views, up to date. They have one feeder at a time: from here on it is the gateway, which goes
/// on where they stand.
pub fn views(node: &Node, data: &Path, file: &ViewsFile) -> Result<Arc<Views>, Failure> {
    let partitions = (0..node.topology().partitions).map(PartitionId);
    let heads: Vec<Seq> = partitions.clone().map(|id| node.feed(id).head()).collect();
    let views = file.load(&heads);
    for partition in partitions {
        node.register_consumer(partition, VIEWS, views.applied(partition), BUDGET);
    }
    bring_up_to_date(node, data, &views)?;
    Ok(Arc::new(views))
}

/// Feeds the views what has happened so far, as long as the gateway does not feed them.
pub fn bring_up_to_date(node: &Node, data: &Path, views: &Views) -> Result<(), Failure> {
    for partition in (0..node.topology().partitions).map(PartitionId) {
        let cursor = views.applied(partition);
        catch_up(Source::new(node, data, partition, cursor, VIEWS_FILE), views)?;
    }
    Ok(())
}

/// Starts the history, and the thread that saves the views.
pub fn start(
    node: &Arc<Node>,
    data: &Path,
    (views, file): (&Arc<Views>, ViewsFile),
    store: &Arc<Store>,
) -> Result<Consumers, Failure> {
    let partitions = (0..node.topology().partitions).map(PartitionId);
    let projector = store.projector();
    let mut sources = Vec::new();
    for partition in partitions {
        let cursor = projector.cursor(partition).map_err(Failure::of(Status::Io, "history"))?;
        node.register_consumer(partition, HISTORY, cursor, BUDGET);
        sources.push(Source::new(node, data, partition, cursor, HISTORY_FILE));
    }
    let weak = Arc::downgrade(node);
    let history = spawn(HISTORY.to_owned(), move || project(sources, projector, &weak));
    let keeper = Keeper::start(file, Arc::clone(views), advance_views(Arc::downgrade(node)));
    Ok(Consumers { history, keeper })
}

/// The views are built again from their file: what follows it must be there, not what follows them.
fn advance_views(node: Weak<Node>) -> OnSaved {
    Box::new(move |cursors| {
        if let Some(node) = node.upgrade() {
            for (partition, &cursor) in (0..).map(PartitionId).zip(cursors) {
                node.advance_consumer(partition, VIEWS, cursor);
            }
        }
    })
}

impl Consumers {
    /// Saves the views, stops the node, and waits until the history has read to its end. The views
    /// come first: while the node runs, the data directory is ours.
    pub fn finish(self, stop_node: impl FnOnce()) {
        self.keeper.finish();
        stop_node();
        // A panic has stopped the process.
        let _ = self.history.join();
    }
}

/// A partition's events from a cursor on.
pub(super) struct Source {
    data: DataDir,
    partition: PartitionId,
    feed: Arc<dyn EventFeed>,
    cursor: Seq,
    /// Where the consumer keeps its cursor.
    file: &'static str,
    /// The state at the cursor, while events are derived.
    deriving: Option<Partition>,
}

impl Source {
    pub fn new(
        node: &Node,
        data: &Path,
        partition: PartitionId,
        cursor: Seq,
        file: &'static str,
    ) -> Self {
        let feed = node.feed(partition);
        Self { data: DataDir::new(data), partition, feed, cursor, file, deriving: None }
    }

    /// What follows, if there is something. The caller moves the cursor when it has it.
    pub fn read(&mut self) -> Result<Option<Arc<EventBatch>>, Failure> {
        match self.feed.read(self.cursor) {
            Ok(batch) => {
                self.deriving = None;
                Ok(batch)
            }
            Err(FeedError::TooOld { oldest }) => self.derive_until(oldest).map(Some),
            Err(error @ FeedError::Unreadable(_)) => {
                let (id, dir) = (self.partition, self.data.events(self.partition));
                let dir = dir.display();
                let what =
                    format!("partition {id}: {error}. {dir} is derived: remove it and start");
                Err(Failure::new(Status::Io, what))
            }
        }
    }

    /// Events after the cursor and before entry `oldest`, a piece of them, out of the command log.
    fn derive_until(&mut self, oldest: Seq) -> Result<Arc<EventBatch>, Failure> {
        tracing::info!("deriving events of partition {} after {}", self.partition, self.cursor);
        let log = record::Source::new(&self.data, self.partition)?;
        let mut state = match self.deriving.take().filter(|state| state.seq() == self.cursor) {
            Some(state) => state,
            None => log.state_up_to(self.cursor)?,
        };
        let mut batch = EventBatch::new(self.partition);
        let collect = |visit: &record::Visit<'_>| {
            let (seq, time) = (visit.entry.seq, visit.entry.time);
            if seq > self.cursor {
                batch.push(seq, time, &mut visit.events.to_vec());
            }
            let is_enough = seq.next() >= oldest || batch.len() >= DERIVED_AT_ONCE;
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        log.visit(&mut state, collect).map_err(|error| self.lost(error))?;
        if batch.is_empty() {
            let what = format!("partition {}: no events after {}", self.partition, self.cursor);
            return Err(Failure::new(Status::Io, what));
        }
        self.deriving = Some(state);
        Ok(Arc::new(batch))
    }

    /// Why the commands after the cursor cannot be read, and what to do when they were trimmed.
    fn lost(&self, error: JournalError) -> Failure {
        let JournalError::NotKept { oldest, .. } = error else {
            return record::failure(error);
        };
        let Self { partition, cursor, file, .. } = self;
        let what = format!(
            "partition {partition}: {file} is missing, unusable or too old: what follows entry {cursor} \
             is neither in the event log nor in the command log, which was trimmed and begins with \
             entry {oldest}. Put back {file} from a backup, or the command log's older segments"
        );
        Failure::new(Status::Io, what)
    }

    /// The consumer has read up to `cursor`.
    pub fn go_to(&mut self, cursor: Seq) {
        self.cursor = cursor;
    }

    fn pass(&mut self, batch: &EventBatch) {
        self.cursor = batch.last_seq().unwrap_or(self.cursor);
    }
}

/// Feeds the views with all that was before this start, so that nobody reads what was long ago.
fn catch_up(mut source: Source, views: &Views) -> Result<(), Failure> {
    let head = source.feed.head();
    while source.cursor < head
        && let Some(batch) = source.read()?
    {
        let changes = views.on_batch(&batch).map_err(software)?;
        for contradiction in changes.contradictions {
            tracing::error!("views: {contradiction}");
        }
        source.pass(&batch);
    }
    Ok(())
}

/// Feeds the SQL history until the node has stopped.
fn project(mut sources: Vec<Source>, mut projector: Projector, node: &Weak<Node>) {
    // Of this thread alone: where there are too few processors, the history lags rather than orders.
    let _ = setpriority_process(None, HISTORY_NICE);
    let wait = if sources.len() == 1 { WAIT } else { SHORT_WAIT };
    loop {
        let were_closed = sources.iter().all(|source| source.feed.is_closed());
        let began = Instant::now();
        let entries =
            sources.iter_mut().map(|source| or_stop(project_some(source, &mut projector, node)));
        match entries.max().unwrap_or_default() {
            0 if were_closed => return,
            0 => {
                for source in &sources {
                    source.feed.wait(source.cursor, wait);
                }
            }
            ENTRIES_PER_COMMIT.. => {}
            _ => {
                let took = began.elapsed();
                let apart = (took * PAUSE_PER_COMMIT).clamp(COMMIT_EVERY, COMMIT_AT_LEAST);
                thread::sleep(apart.saturating_sub(took));
            }
        }
    }
}

/// One transaction's worth of a partition: how many entries it had. None, if there was nothing, or it must
/// wait for another partition.
fn project_some(
    source: &mut Source,
    projector: &mut Projector,
    node: &Weak<Node>,
) -> Result<usize, Failure> {
    let before = source.cursor;
    let (mut batches, mut entries) = (Vec::new(), 0);
    while entries < ENTRIES_PER_COMMIT
        && let Some(batch) = source.read()?
    {
        source.pass(&batch);
        entries += batch.len();
        batches.push(batch);
    }
    if batches.is_empty() {
        return Ok(0);
    }
    match projector.apply(&batches) {
        Ok(_) => {}
        // The market's listing is still to come from the registry's partition.
        Err(StoreError::UnknownMarket { .. }) => {
            source.cursor = before;
            return Ok(0);
        }
        Err(error) => return Err(Failure::new(Status::Io, format_args!("SQL history: {error}"))),
    }
    if let Some(node) = node.upgrade() {
        node.advance_consumer(source.partition, HISTORY, source.cursor);
    }
    Ok(entries)
}

/// A consumer that cannot go on stops the process: it may not skip, and nobody may rely on it.
pub(super) fn or_stop<T>(result: Result<T, Failure>) -> T {
    result.unwrap_or_else(|failure| {
        tracing::error!("{failure}");
        std::process::exit(failure.status as i32);
    })
}

fn software(error: impl std::fmt::Display) -> Failure {
    Failure::new(Status::Software, error)
}

/// A thread with a name.
pub(super) fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = thread::Builder::new().name(name);
    thread.spawn(run).expect("the system can start a thread")
}
