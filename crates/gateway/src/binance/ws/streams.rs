//! The streams of a partition.

use std::collections::HashMap;
use std::sync::Arc;

use types::{AccountId, EventBatch, MarketId};
use views::{Changes, MarketInfo};

use super::account::AccountStreams;
use super::all::AllStream;
use super::beat::Beat;
use super::name::{Kind, Whole};
use super::stream::Stream;
use crate::binance::render::TimeUnit;
use crate::ws::channel::Channel;
use crate::ws::hub::Scene;

/// A stream's name, and the unit of its times.
type Key = (String, TimeUnit);

/// The streams that somebody subscribed to.
#[derive(Default)]
pub(crate) struct Streams {
    markets: HashMap<MarketId, HashMap<Key, Stream>>,
    all: HashMap<Key, AllStream>,
    /// Those of accounts.
    pub(super) accounts: AccountStreams,
}

impl Streams {
    /// Whether somebody listens to the account here.
    pub(crate) fn follow(&self, account: AccountId) -> bool {
        self.accounts.follow(account)
    }

    /// The channel of a market's stream, made if nobody had subscribed to it.
    pub(super) fn of_market(
        &mut self,
        name: &str,
        kind: Kind,
        unit: TimeUnit,
        market: &Arc<MarketInfo>,
        scene: &Scene<'_>,
    ) -> Arc<Channel> {
        let streams = self.markets.entry(market.def.id).or_default();
        let stream = streams
            .entry((name.to_owned(), unit))
            .or_insert_with(|| Stream::new(name, kind, unit, Arc::clone(market), scene));
        Arc::clone(stream.begin())
    }

    /// The channel of a stream of all markets, made if nobody had subscribed to it.
    pub(super) fn of_all(
        &mut self,
        name: &str,
        what: Whole,
        unit: TimeUnit,
        scene: &Scene<'_>,
    ) -> Arc<Channel> {
        let new = || AllStream::new(name, what, unit, scene);
        let stream = self.all.entry((name.to_owned(), unit)).or_insert_with(new);
        Arc::clone(stream.begin(scene))
    }

    /// Takes in a batch, which the views have applied.
    pub(crate) fn note(&mut self, batch: &EventBatch, changes: &Changes, scene: &mut Scene<'_>) {
        for change in &changes.markets {
            if change.ticker.is_some() {
                self.all.values_mut().for_each(|stream| stream.note(change.market));
            }
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
        self.accounts.note(batch, changes, scene);
    }

    /// Tells what is told as soon as it happens.
    pub(crate) fn publish(&mut self, scene: &mut Scene<'_>) {
        self.of_markets().for_each(|stream| stream.publish(scene));
        self.all.values_mut().for_each(|stream| stream.publish(scene));
    }

    /// Tells what is due.
    pub(super) fn beat(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        self.of_markets().for_each(|stream| stream.beat(beat, scene));
        self.all.values_mut().for_each(|stream| stream.beat(beat, scene));
    }

    fn of_markets(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.markets.values_mut().flat_map(HashMap::values_mut)
    }

    /// Forgets streams that have been without a subscriber since the last time.
    pub(crate) fn sweep(&mut self) {
        self.markets.retain(|_, streams| {
            streams.retain(|_, stream| stream.sweep());
            !streams.is_empty()
        });
        self.all.retain(|_, stream| stream.sweep());
        self.accounts.sweep();
    }
}
