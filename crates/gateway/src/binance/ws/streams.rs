//! The streams of a partition.

use std::collections::HashMap;
use std::sync::Arc;

use types::{EventBatch, MarketId};
use views::{Changes, MarketInfo};

use super::beat::Beat;
use super::name::Kind;
use super::stream::Stream;
use crate::binance::render::TimeUnit;
use crate::ws::channel::Channel;
use crate::ws::hub::{News, Scene};

/// The streams that somebody subscribed to.
#[derive(Default)]
pub(crate) struct Streams {
    markets: HashMap<MarketId, HashMap<(String, TimeUnit), Stream>>,
}

impl Streams {
    /// The channel of a stream, made if nobody had subscribed to it.
    pub(super) fn of_market(
        &mut self,
        name: &str,
        kind: Kind,
        unit: TimeUnit,
        market: &Arc<MarketInfo>,
        scene: &mut Scene<'_>,
    ) -> Arc<Channel> {
        let streams = self.markets.entry(market.def.id).or_default();
        let stream = streams
            .entry((name.to_owned(), unit))
            .or_insert_with(|| Stream::new(name, kind, unit, Arc::clone(market), scene));
        Arc::clone(stream.begin(scene))
    }

    /// Takes in a batch, which the views have applied.
    pub(crate) fn note(&mut self, _batch: &EventBatch, changes: &Changes, scene: &mut Scene<'_>) {
        for change in &changes.markets {
            let Some(streams) = self.markets.get_mut(&change.market) else {
                continue;
            };
            let redefined = scene.views.market_info(change.market).filter(|_| change.redefined);
            for stream in streams.values_mut() {
                if let Some(info) = &redefined {
                    stream.restart(info, scene);
                }
                stream.note(change, scene);
            }
        }
    }

    /// Tells what is told as soon as it happens.
    pub(crate) fn publish(&mut self, news: &mut News) {
        for stream in self.markets.values_mut().flat_map(HashMap::values_mut) {
            stream.publish(news);
        }
    }

    /// Tells what is due.
    pub(super) fn beat(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        for stream in self.markets.values_mut().flat_map(HashMap::values_mut) {
            stream.beat(beat, scene);
        }
    }

    /// Forgets streams that have been without a subscriber since the last time.
    pub(crate) fn sweep(&mut self) {
        self.markets.retain(|_, streams| {
            streams.retain(|_, stream| stream.sweep());
            !streams.is_empty()
        });
    }
}
