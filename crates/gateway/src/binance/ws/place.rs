//! A connection's place in a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use types::AccountId;
use websocket::Text;

use super::name::{self, Name};
use super::streams::Streams;
use crate::binance::render::TimeUnit;
use crate::binance::symbols;
use crate::http::pair_metrics::Pair;
use crate::state::Shared;
use crate::ws::channel::{Channel, Taken};
use crate::ws::close::End;
use crate::ws::hub::{Hub, Scene};
use crate::ws::subscription::{Next, Source};

/// A place in a stream. Dropping it ends the subscription.
pub(super) struct Place {
    id: u64,
    name: String,
    frame: Frame,
    channel: Arc<Channel>,
    cursor: u64,
    /// Whose messages are counted.
    pair: Option<Arc<Pair>>,
    /// Whether the client wants the stream's name around its messages.
    is_combined: Arc<AtomicBool>,
}

/// What is put around messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The stream's name, if the client wants it; messages of markets come with it.
    Stream,
    /// The same, of an account's events: the name is the client's listen key.
    ListenKey,
    /// The number of the subscription.
    Subscription(u32),
}

/// Who subscribes.
pub(super) struct Reader {
    pub(super) unit: TimeUnit,
    pub(super) is_combined: Arc<AtomicBool>,
    pub(super) bell: Arc<Notify>,
}

impl Place {
    fn new(
        shared: &Shared,
        name: &str,
        frame: Frame,
        reader: &Reader,
        channel: Arc<Channel>,
    ) -> Self {
        let id = shared.fan_out.next_subscription();
        channel.join(id, Arc::clone(&reader.bell));
        let (cursor, is_combined) = (channel.end(), Arc::clone(&reader.is_combined));
        Self { id, name: name.to_owned(), frame, channel, cursor, pair: None, is_combined }
    }

    fn of_pair(mut self, pair: Arc<Pair>) -> Self {
        self.pair = Some(pair);
        self
    }

    fn frame(&self, texts: Vec<Text>, combined: bool) -> Vec<Text> {
        let around = |begin: String| {
            let texts = texts.iter().map(|text| format!("{begin}{text}}}").into());
            texts.collect()
        };
        match self.frame {
            Frame::ListenKey if combined => {
                around(format!(r#"{{"stream":"{}","data":"#, self.name))
            }
            Frame::Subscription(id) => around(format!(r#"{{"subscriptionId":{id},"event":"#)),
            Frame::Stream | Frame::ListenKey => texts,
        }
    }
}

/// Whether there is a market stream of this name.
pub(super) fn is_stream(shared: &Shared, name: &str) -> bool {
    match name::parse(name) {
        Some(Name::Market(symbol, _)) => symbols::market(&shared.views, &symbol).is_ok(),
        Some(Name::All(_)) => true,
        None => false,
    }
}

/// Places in the market stream of this name. None for a name that no stream has: that is harmless.
pub(super) fn of_stream(shared: &Shared, name: &str, reader: &Reader) -> Vec<Place> {
    let at = |hub: &Arc<Hub>, channel: &dyn Fn(&mut Streams, &Scene<'_>) -> Arc<Channel>| {
        // Under the hub's lock: what is told from now on is read.
        hub.with_streams(|streams, scene| {
            Place::new(shared, name, Frame::Stream, reader, channel(streams, scene))
        })
    };
    match name::parse(name) {
        Some(Name::Market(symbol, kind)) => {
            let Ok(market) = symbols::market(&shared.views, &symbol) else {
                return Vec::new();
            };
            let hub = shared.fan_out.hub(market.def.home);
            let place = hub.map(|hub| {
                at(hub, &|streams, scene| {
                    streams.of_market(name, kind, reader.unit, &market, scene)
                })
            });
            place.into_iter().map(|place| place.of_pair(shared.metrics.pairs.of(&market))).collect()
        }
        Some(Name::All(what)) => {
            let hubs = shared.fan_out.hubs().iter();
            let all = |streams: &mut Streams, scene: &Scene<'_>| {
                streams.of_all(name, what, reader.unit, scene)
            };
            hubs.map(|hub| at(hub, &all)).collect()
        }
        None => Vec::new(),
    }
}

/// Places in an account's events, one in every partition.
pub(super) fn of_account(
    shared: &Shared,
    account: AccountId,
    name: &str,
    frame: Frame,
    reader: &Reader,
) -> Vec<Place> {
    let place = |hub: &Arc<Hub>| {
        hub.with_streams(|streams, scene| {
            let names = &shared.cancel_names;
            let channel = streams.accounts.of(account, reader.unit, names, scene);
            Place::new(shared, name, frame, reader, channel)
        })
    };
    shared.fan_out.hubs().iter().map(place).collect()
}

impl Source for Place {
    type Name = String;

    fn name(&self) -> &String {
        &self.name
    }

    fn next(&mut self) -> Next {
        let combined = self.is_combined.load(Ordering::Relaxed);
        match self.channel.take(&mut self.cursor, combined) {
            Taken::Nothing => Next::Nothing,
            Taken::Messages { texts, .. } => Next::Messages(self.frame(texts, combined)),
            Taken::Lost => Next::Lost,
        }
    }

    fn sent(&self, messages: usize) {
        if let Some(pair) = &self.pair {
            pair.sent(messages);
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
