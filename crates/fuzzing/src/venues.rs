//! Exchanges that targets begin with, and what their views say.

use std::rc::Rc;
use std::sync::Arc;

use chance::Random;
use sim::venue::Venue;
use types::{EventBatch, PartitionId, Seq};
use views::{MarketInfo, Views};

const MILLISECOND: u64 = 1_000_000;

/// Of one partition, before anybody asks anything.
pub fn founded() -> Venue {
    Venue::new(1, Random::new(1))
}

/// Of three partitions, with orders of all kinds, and something under way.
pub fn busy() -> Rc<Venue> {
    thread_local! {
        static BUSY: Rc<Venue> = Rc::new(make_busy());
    }
    BUSY.with(Rc::clone)
}

fn make_busy() -> Venue {
    let mut venue = Venue::new(3, Random::new(1));
    for _ in 0..300 {
        let request = venue.draw();
        venue.submit(request);
        venue.settle();
        venue.wait(MILLISECOND);
    }
    for _ in 0..20 {
        let request = venue.draw();
        venue.submit(request);
    }
    venue
}

/// The views of all that happened, one partition heard after the other.
pub fn views(venue: &Venue) -> Views {
    let views = Views::new(venue.topology.partitions);
    for (id, log) in (0..).map(PartitionId).zip(&venue.events) {
        for (seq, (time, events)) in (1..).map(Seq).zip(log) {
            let mut batch = EventBatch::new(id);
            batch.push(seq, *time, &mut events.clone());
            views.on_batch(&batch).expect("entries come in order");
        }
    }
    views
}

/// Calls with a market as gateways see it.
pub fn with_market(read: impl FnOnce(&MarketInfo)) {
    thread_local! {
        static MARKET: Arc<MarketInfo> = views(&founded()).markets().remove(0);
    }
    MARKET.with(|market| read(market));
}
