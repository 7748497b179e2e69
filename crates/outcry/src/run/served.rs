//! The exchange as the gateway sees it: the node, and a feed that the views can always follow.
//!
//! Whoever feeds the views may be outrun: what retention has removed, or what was never written to
//! disk, is derived again from the command log, for the reader that stands where the views stand and
//! for no other: a client's old cursor must not cost a replay. Events that cannot be had at all end
//! the process, as for every consumer: views that stand still must not be taken for the exchange.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use node::{EventFeed, Exchange, FeedError, Node, ReplySink};
use parking_lot::Mutex;
use types::{EventBatch, PartitionId, RejectCode, ReplyTo, Request, Seq, Timestamp, Topology};
use views::Views;

use super::consumers::{Source, VIEWS_FILE, or_stop};

/// A node with feeds that derive.
pub struct Served {
    node: Arc<Node>,
    data: PathBuf,
    views: Arc<Views>,
}

impl Served {
    /// The node on `data` for a gateway that feeds these views.
    pub fn new(node: Arc<Node>, data: PathBuf, views: Arc<Views>) -> Self {
        Self { node, data, views }
    }
}

impl Exchange for Served {
    fn submit(
        &self,
        reply: ReplyTo,
        valid_until: Timestamp,
        request: Request,
    ) -> Result<(), RejectCode> {
        self.node.submit(reply, valid_until, request)
    }

    fn open_session(&self, sink: Arc<dyn ReplySink>) -> u64 {
        self.node.open_session(sink)
    }

    fn close_session(&self, session: u64) {
        self.node.close_session(session);
    }

    fn topology(&self) -> &Topology {
        self.node.topology()
    }

    fn feed(&self, partition: PartitionId) -> Arc<dyn EventFeed> {
        let cursor = self.views.applied(partition);
        let source = Source::new(&self.node, &self.data, partition, cursor, VIEWS_FILE);
        let feed = self.node.feed(partition);
        let views = Arc::clone(&self.views);
        Arc::new(DerivingFeed { partition, feed, views, source: Mutex::new(source) })
    }

    fn now(&self) -> Timestamp {
        self.node.now()
    }

    fn ahead_of_clock(&self) -> Duration {
        self.node.ahead_of_clock()
    }
}

struct DerivingFeed {
    partition: PartitionId,
    feed: Arc<dyn EventFeed>,
    views: Arc<Views>,
    /// Keeps the state from which it derives, from one read to the next.
    source: Mutex<Source>,
}

impl EventFeed for DerivingFeed {
    fn read(&self, after: Seq) -> Result<Option<Arc<EventBatch>>, FeedError> {
        match self.feed.read(after) {
            Err(_) if after == self.views.applied(self.partition) => {
                let mut source = self.source.lock();
                source.go_to(after);
                Ok(or_stop(source.read()))
            }
            result => result,
        }
    }

    fn head(&self) -> Seq {
        self.feed.head()
    }

    fn oldest(&self) -> Seq {
        self.feed.oldest()
    }

    fn wait(&self, after: Seq, timeout: Duration) -> bool {
        self.feed.wait(after, timeout)
    }

    fn is_closed(&self) -> bool {
        self.feed.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use node::{NodeConfig, NodeHooks, Reply};
    use types::{AccountId, Amount, AssetDef, AssetId, Request, TreasuryReference};

    use super::*;

    const P0: PartitionId = PartitionId(0);

    struct Answered(Sender<()>);

    impl ReplySink for Answered {
        fn deliver(&self, _: Reply<'_>) {
            let _ = self.0.send(());
        }
    }

    /// A node without an event log that remembers few events, and has had many.
    fn outrun_node(data: &std::path::Path) -> Arc<Node> {
        let config = NodeConfig {
            event_log: None,
            recent_events: 100,
            segment_size: 1 << 20,
            ..NodeConfig::new(data)
        };
        let node = Arc::new(Node::start(config, NodeHooks::default()).unwrap());
        let (answered, answers) = channel();
        let session = node.open_session(Arc::new(Answered(answered)));
        let ask = |request| {
            node.submit(ReplyTo::new(session, 1), Timestamp(u64::MAX), request).unwrap();
            answers.recv().unwrap();
        };
        let (account, asset) = (AccountId(1), AssetId(1));
        ask(Request::DefineAsset(AssetDef { id: asset, symbol: "BTC".into(), scale: 8 }));
        ask(Request::CreateAccount { account, fee_tier: 0 });
        for number in 1..=1_000 {
            let reference = TreasuryReference { source: 1, number };
            ask(Request::Credit {
                reference,
                operator: types::OperatorName::NONE,
                account,
                asset,
                amount: Amount::new(5),
            });
        }
        node
    }

    #[test]
    fn views_that_were_outrun_go_on_from_the_command_log() {
        let data = tempfile::tempdir().unwrap();
        let node = outrun_node(data.path());
        let views = Arc::new(Views::new(1));
        assert!(matches!(node.feed(P0).read(Seq(0)), Err(FeedError::TooOld { .. })));
        let served = Served::new(Arc::clone(&node), data.path().to_owned(), Arc::clone(&views));
        let feed = served.feed(P0);
        while let Some(batch) = feed.read(views.applied(P0)).unwrap() {
            let changes = views.on_batch(&batch).unwrap();
            assert!(changes.contradictions.is_empty());
        }
        assert_eq!(views.applied(P0), node.feed(P0).head());
        assert_eq!(views.balances(AccountId(1))[0].available, Amount::new(5_000));
        // A client that asks for what is long gone gets no replay.
        assert!(matches!(feed.read(Seq(0)), Err(FeedError::TooOld { .. })));
    }
}
