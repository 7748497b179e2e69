//! A connection's place in a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::name;
use crate::binance::render::TimeUnit;
use crate::binance::symbols;
use crate::state::Shared;
use crate::ws::channel::{Channel, Taken};
use crate::ws::close::End;
use crate::ws::subscription::{Next, Source};

/// A place in a stream. Dropping it ends the subscription.
pub(super) struct Place {
    id: u64,
    name: String,
    channel: Arc<Channel>,
    cursor: u64,
    /// Whether the client wants the stream's name around its messages.
    is_combined: Arc<AtomicBool>,
}

/// Who subscribes.
pub(super) struct Reader {
    pub(super) unit: TimeUnit,
    pub(super) is_combined: Arc<AtomicBool>,
    pub(super) bell: Arc<Notify>,
}

impl Place {
    fn new(shared: &Shared, name: &str, reader: &Reader, channel: Arc<Channel>) -> Self {
        let id = shared.fan_out.next_subscription();
        channel.join(id, Arc::clone(&reader.bell));
        let (cursor, is_combined) = (channel.end(), Arc::clone(&reader.is_combined));
        Self { id, name: name.to_owned(), channel, cursor, is_combined }
    }
}

/// Places in the stream of this name. None for a name that no stream has: that is harmless.
pub(super) fn places(shared: &Shared, name: &str, reader: &Reader) -> Vec<Place> {
    let Some((symbol, kind)) = name::parse(name) else {
        return Vec::new();
    };
    let Ok(market) = symbols::market(&shared.views, &symbol) else {
        return Vec::new();
    };
    let hub = shared.fan_out.hub(market.def.home);
    let place = hub.map(|hub| {
        // Under the hub's lock: what is told from now on is read.
        hub.with_streams(|streams, scene| {
            let channel = streams.of_market(name, kind, reader.unit, &market, scene);
            Place::new(shared, name, reader, channel)
        })
    });
    place.into_iter().collect()
}

impl Source for Place {
    type Name = String;

    fn name(&self) -> &String {
        &self.name
    }

    fn next(&mut self) -> Next {
        match self.channel.take(&mut self.cursor, self.is_combined.load(Ordering::Relaxed)) {
            Taken::Nothing => Next::Nothing,
            Taken::Messages { texts, .. } => Next::Messages(texts),
            Taken::Lost => Next::Lost,
        }
    }

    fn slow_reader(&self) -> End {
        End::Behind { stream: self.name.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.channel.leave(self.id);
    }
}
