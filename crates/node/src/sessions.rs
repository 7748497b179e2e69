//! Who waits for answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use types::{EventBatch, PartitionId};

use crate::port::{Reply, ReplySink};

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

    /// Delivers every answer in `batch`, with what follows it in its entry.
    pub fn deliver(&self, partition: PartitionId, batch: &EventBatch) {
        let mut last = (0, None);
        for entry in batch.iter() {
            for (index, event) in entry.events.iter().enumerate() {
                let Some(to) = event.answers() else {
                    continue;
                };
                if last.0 != to.session {
                    last = (to.session, self.sink(to.session));
                }
                if let Some(sink) = &last.1 {
                    sink.deliver(Reply {
                        to,
                        partition,
                        seq: entry.seq,
                        time: entry.time,
                        events: &entry.events[index..],
                    });
                }
            }
        }
    }
}
