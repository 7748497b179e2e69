//! Who waits for answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use types::{Event, EventBatch, PartitionId};

use crate::port::{BatchTimes, Reply, ReplySink};

pub(crate) struct Sessions {
    next: AtomicU64,
    sinks: RwLock<HashMap<u64, Arc<dyn ReplySink>>>,
}

impl Sessions {
    /// Numbers begin anew with each term, so that an answer of an earlier life finds nobody.
    pub fn new(term: u64) -> Self {
        Self { next: AtomicU64::new((term << 32) + 1), sinks: RwLock::default() }
    }

    pub fn open(&self, sink: Arc<dyn ReplySink>) -> u64 {
        let session = self.next.fetch_add(1, Ordering::Relaxed);
        self.sinks.write().insert(session, sink);
        session
    }

    pub fn close(&self, session: u64) {
        self.sinks.write().remove(&session);
    }

    fn sink(&self, session: u64) -> Option<Arc<dyn ReplySink>> {
        self.sinks.read().get(&session).cloned()
    }

    /// Delivers every answer in `batch`, with what comes before it in its entry, and with what follows it
    /// there before the next answer.
    pub fn deliver(&self, partition: PartitionId, batch: &EventBatch, times: BatchTimes) {
        let mut last = (0, None);
        for entry in batch.iter() {
            let mut rest = entry.events;
            while let Some(start) = rest.iter().position(|event| event.answers().is_some()) {
                let (answer, following) = rest[start..].split_first().expect("it was found");
                let to = answer.answers().expect("it was found by this");
                let is_next = |event: &Event| event.answers().is_some();
                let length = following.iter().position(is_next).unwrap_or(following.len());
                if last.0 != to.session {
                    last = (to.session, self.sink(to.session));
                }
                if let Some(sink) = &last.1 {
                    let (seq, time) = (entry.seq, entry.time);
                    let before = &entry.events[..entry.events.len() - following.len() - 1];
                    let events = &rest[start..=start + length];
                    sink.deliver(Reply { to, partition, seq, time, batch: times, before, events });
                }
                rest = &following[length..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use types::{AccountId, MarketId, ReplyTo, Seq, Timestamp};

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<(u64, usize, usize)>>);

    impl ReplySink for Heard {
        fn deliver(&self, reply: Reply<'_>) {
            self.0.lock().push((reply.to.token, reply.before.len(), reply.events.len()));
        }
    }

    #[test]
    fn an_answer_knows_what_came_before_it_and_ends_before_the_next_one() {
        let sessions = Sessions::new(1);
        let heard = Arc::new(Heard::default());
        let session = sessions.open(Arc::clone(&heard) as Arc<dyn ReplySink>);
        let event = |reply| Event::CancelAllAccepted {
            reply,
            account: AccountId(1),
            market: MarketId(1),
            count: 0,
        };
        let nobody = || event(ReplyTo::NOBODY);
        let to = |token| event(ReplyTo::new(session, token));
        let mut batch = EventBatch::new(PartitionId(0));
        batch.push(Seq(1), Timestamp(1), &mut vec![nobody(), to(1), to(2), nobody(), nobody()]);
        batch.push(Seq(2), Timestamp(1), &mut vec![to(3), nobody()]);
        sessions.deliver(PartitionId(0), &batch, BatchTimes::now());
        assert_eq!(*heard.0.lock(), [(1, 1, 1), (2, 2, 3), (3, 0, 2)]);
    }
}
