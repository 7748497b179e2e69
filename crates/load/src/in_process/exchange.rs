//! The exchange, its requests under way, and what is heard of it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use node::{EventFeed, Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use tempfile::TempDir;
use tokio::sync::Notify;
use types::{
    CancelCause, EntryEvents, Event, OrderId, PartitionId, RejectCode, ReplyTo, Request, Seq,
    Timestamp,
};

use super::orders::Orders;
use super::requests::request;
use crate::LoadError;
use crate::book::Touch;
use crate::client::WINDOW_MS;
use crate::request::{Job, Want};
use crate::world::{Heard, Outcome, Standing, World};

const PARTITION: PartitionId = PartitionId(0);

/// An exchange of one partition with its own disk.
pub(crate) struct Engine {
    node: Node,
    feed: Arc<dyn EventFeed>,
    data: TempDir,
    news: Arc<News>,
    session: u64,
    /// Requests whose answer has not come, by token.
    waiting: RefCell<HashMap<u64, Job>>,
    tokens: Cell<u64>,
    orders: RefCell<Orders>,
    /// The last entry that was heard.
    heard: Cell<Seq>,
}

/// Tells the generator that something has happened; what, stands in the events.
#[derive(Default)]
struct News(Notify);

impl ReplySink for News {
    fn deliver(&self, _: Reply<'_>) {
        self.0.notify_one();
    }
}

/// How the node is run, and recovered after its end.
pub(super) fn config(data: &TempDir) -> NodeConfig {
    NodeConfig::new(data.path())
}

impl Engine {
    /// Founds an exchange on a temporary directory, with one market and rich accounts from 1 to `users`.
    pub(crate) async fn start(users: usize) -> Result<Self, LoadError> {
        let data = tempfile::tempdir()?;
        let node = Node::start(config(&data), NodeHooks::default()).map_err(LoadError::engine)?;
        let news = Arc::new(News::default());
        let session = node.open_session(Arc::clone(&news) as Arc<dyn ReplySink>);
        let engine = Self {
            feed: node.feed(PARTITION),
            node,
            data,
            news,
            session,
            waiting: RefCell::default(),
            tokens: Cell::new(0),
            orders: RefCell::default(),
            heard: Cell::new(Seq(0)),
        };
        for request in workload::founding(users as u32) {
            engine.found(request).await?;
        }
        Ok(engine)
    }

    /// Does what must succeed, and waits for it.
    async fn found(&self, request: Request) -> Result<(), LoadError> {
        let what = request.kind().name();
        let refused = |code: RejectCode| LoadError::Refused {
            what: what.to_owned(),
            answer: code.to_string(),
        };
        let token = self.send(request).map_err(refused)?;
        loop {
            while let Some(batch) = self.feed.read(self.heard.get()).map_err(LoadError::engine)? {
                self.heard.set(batch.last_seq().unwrap_or(self.heard.get()));
                let mut events = batch.iter().flat_map(|entry| entry.events);
                let is_answer =
                    |event: &&Event| event.answers().is_some_and(|to| to.token == token);
                match events.find(is_answer) {
                    Some(Event::Rejected { code, .. }) => return Err(refused(*code)),
                    Some(_) => return Ok(()),
                    None => {}
                }
            }
            self.news.0.notified().await;
        }
    }

    /// Sends a job's request. One that finds no room in the queue ends at once.
    pub(crate) fn push(&self, world: &World, job: Job) {
        let Some(request) = request(&job) else { return };
        match self.send(request) {
            Ok(token) => drop(self.waiting.borrow_mut().insert(token, job)),
            Err(code) => world.ended(&job, Outcome::Heard(Heard::Refused(code))),
        }
    }

    fn send(&self, request: Request) -> Result<u64, RejectCode> {
        let token = self.tokens.get() + 1;
        self.tokens.set(token);
        let valid_until = Timestamp(self.node.now().0 + WINDOW_MS * 1_000_000);
        self.node.submit(ReplyTo::new(self.session, token), valid_until, request)?;
        Ok(token)
    }

    /// The best prices.
    pub(crate) fn touch(&self) -> Touch {
        self.orders.borrow().touch()
    }

    /// Commands in the partition's queue, and requests without an answer.
    pub(crate) fn queues(&self) -> (f64, f64) {
        let queued: usize =
            self.node.stats().partitions.iter().map(|partition| partition.queue_len).sum();
        (queued as f64, self.waiting.borrow().len() as f64)
    }

    /// Its disk.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.data.path().to_owned()
    }

    /// Ends as a crash would: what was acknowledged must be on the disk all the same.
    pub(super) fn crash(self) -> TempDir {
        self.node.kill();
        self.data
    }

    /// Takes in what an entry did: the book first, then the answer, if one waits for it.
    fn take(&self, world: &World, entry: &EntryEvents<'_>) {
        world.seconds.borrow_mut().note(world.now(), |second| second.messages += 1);
        for event in entry.events {
            if let Some((user, order)) = self.orders.borrow_mut().apply(event) {
                world.agents.borrow_mut()[user].forget(order);
            }
        }
        for event in entry.events {
            let Some(to) = event.answers().filter(|to| to.session == self.session) else {
                continue;
            };
            if let Some(job) = self.waiting.borrow_mut().remove(&to.token) {
                world.ended(&job, outcome(&job, event, entry.events));
            }
        }
    }
}

/// Hears everything that happens, for ever.
pub(crate) async fn hear(world: Rc<World>, engine: Rc<Engine>) {
    loop {
        match engine.feed.read(engine.heard.get()) {
            Ok(Some(batch)) => {
                for entry in batch.iter() {
                    engine.take(&world, &entry);
                    engine.heard.set(entry.seq);
                }
                tokio::task::yield_now().await;
            }
            Ok(None) => engine.news.0.notified().await,
            Err(error) => {
                world.findings.borrow_mut().add("events", error.to_string());
                // Nothing comes any more, and all requests run out of patience.
                tokio::time::sleep(Duration::MAX).await;
            }
        }
    }
}

/// What became of a request by its answer and what else its entry did.
fn outcome(job: &Job, answer: &Event, events: &[Event]) -> Outcome {
    Outcome::Heard(match *answer {
        Event::Rejected { code, .. } => Heard::Refused(code),
        Event::OrderPlaced { order, .. } => Heard::Placed(order.0, standing(order, events)),
        Event::OrderCancelled { order, cause: CancelCause::Client, .. } if matches!(job.want, Want::Cancel { order: wanted } if wanted == order.0) => {
            Heard::Cancelled
        }
        _ => Heard::Nonsense(format!("{answer:?}")),
    })
}

fn standing(order: OrderId, events: &[Event]) -> Standing {
    for event in events {
        match event {
            Event::OrderRested { order: rested, .. } if *rested == order => return Standing::Rests,
            Event::OrderCancelled { order: ended, .. } if *ended == order => {
                return Standing::Cancelled;
            }
            Event::Trade(trade) => {
                let sides = [trade.buyer, trade.seller];
                if sides.iter().any(|side| side.order == order && side.remaining.get() == 0) {
                    return Standing::Filled;
                }
            }
            _ => {}
        }
    }
    Standing::GoesOn
}
