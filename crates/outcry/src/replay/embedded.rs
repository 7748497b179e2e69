//! The whole embedded exchange as a venue: sequencer, durable journal, engine, event log and views,
//! as `outcry run` has them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use node::{EventFeed, Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use types::{
    Event, MarketId, PartitionId, Price, Quantity, RejectCode, ReplyTo, Request, Seq, Timestamp,
};
use views::{DepthLevel, Views};

use super::venue::{ShownBook, Venue};
use crate::exit::{Failure, Status};
use crate::session::LevelRow;

const ONLY: PartitionId = PartitionId(0);

/// An exchange in this process with a data directory of its own.
pub struct Embedded {
    node: Node,
    feed: Arc<dyn EventFeed>,
    views: Views,
    cursor: Seq,
    session: u64,
}

/// The replay reads events, which carry the answers too.
struct Unheard;

impl ReplySink for Unheard {
    fn deliver(&self, _: Reply<'_>) {}
}

impl Embedded {
    /// A new exchange in `data`, which is empty.
    pub fn start(data: &Path) -> Result<Self, Failure> {
        let node = Node::start(NodeConfig::new(data), NodeHooks::default())
            .map_err(Failure::of(Status::CannotCreate, "cannot start an exchange"))?;
        Ok(Self {
            feed: node.feed(ONLY),
            session: node.open_session(Arc::new(Unheard)),
            node,
            views: Views::new(1),
            cursor: Seq(0),
        })
    }

    /// Ends the exchange in order.
    pub fn stop(self) {
        self.node.stop();
    }
}

impl Venue for Embedded {
    fn submit(&mut self, token: u64, request: &Request) -> Result<bool, Failure> {
        let reply = ReplyTo::new(self.session, token);
        match self.node.submit(reply, Timestamp(u64::MAX), request.clone()) {
            Ok(()) => Ok(true),
            Err(RejectCode::Overloaded) => Ok(false),
            Err(code) => Err(Failure::new(Status::Software, code.text())),
        }
    }

    fn receive(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        loop {
            let read = self.feed.read(self.cursor);
            let batch = read.map_err(Failure::of(Status::Io, "cannot read events"))?;
            let Some(batch) = batch else {
                self.feed.wait(self.cursor, Duration::from_secs(1));
                continue;
            };
            let changes = self.views.on_batch(&batch);
            let changes = changes.map_err(Failure::of(Status::Software, "views"))?;
            if let Some(contradiction) = changes.contradictions.first() {
                return Err(Failure::new(Status::Software, contradiction));
            }
            for entry in batch.iter_after(self.cursor) {
                events.extend_from_slice(entry.events);
            }
            self.cursor = batch.last_seq().unwrap_or(self.cursor);
            return Ok(());
        }
    }

    fn shown_book(&self, market: MarketId) -> Option<ShownBook> {
        let depth = self.views.depth(market, usize::MAX);
        let rows = |levels: &[DepthLevel]| levels.iter().map(row).collect();
        Some(ShownBook { bids: rows(&depth.bids), asks: rows(&depth.asks) })
    }
}

fn row(level: &DepthLevel) -> LevelRow {
    let DepthLevel { price, quantity, orders } = *level;
    LevelRow {
        price: Price::new(price.get()),
        quantity: Quantity::new(u64::try_from(quantity).unwrap_or(u64::MAX)),
        orders: Some(u64::from(orders)),
    }
}
