//! A stream of all markets of a partition: those that have changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use types::{MarketId, Timestamp};
use views::Interval as Base;

use super::beat::Beat;
use super::name::Whole;
use super::payload::slot;
use super::whole::{Subject, Told, tell};
use crate::binance::render::TimeUnit;
use crate::binance::symbols;
use crate::ws::channel::Channel;
use crate::ws::hub::Scene;
use crate::ws::message::Head;
use crate::ws::ring::Conflation;

/// A stream that somebody subscribed to.
pub(super) struct AllStream {
    what: Whole,
    unit: TimeUnit,
    channel: Arc<Channel>,
    /// Since it was told last.
    changed: BTreeSet<MarketId>,
    /// When that was: windows move with the minutes.
    minute: Timestamp,
    was_idle: bool,
}

impl AllStream {
    pub(super) fn new(name: &str, what: Whole, unit: TimeUnit, scene: &Scene<'_>) -> Self {
        let partition = scene.now.partition;
        let head = Head { channel: name.to_owned(), market: None, partition };
        let channel = Arc::new(Channel::new(head, scene.now.seq, scene.bounds, None));
        let (changed, minute) = (BTreeSet::new(), Timestamp(0));
        Self { what, unit, channel, changed, minute, was_idle: false }
    }

    /// Where the next subscriber reads; everything is told once more.
    pub(super) fn begin(&mut self, scene: &Scene<'_>) -> &Arc<Channel> {
        self.note_all(scene);
        &self.channel
    }

    fn note_all(&mut self, scene: &Scene<'_>) {
        let here = symbols::markets(scene.views);
        let here = here.iter().filter(|market| market.def.home == scene.now.partition);
        self.changed.extend(here.map(|market| market.def.id));
    }

    /// A market's ticker has changed.
    pub(super) fn note(&mut self, market: MarketId) {
        self.changed.insert(market);
    }

    /// Tells what is told as soon as it happens: the best prices, a message for each market.
    pub(super) fn publish(&mut self, scene: &mut Scene<'_>) {
        if self.what == Whole::BookTicker {
            let now = scene.now.time;
            for market in std::mem::take(&mut self.changed) {
                self.tell(&[market], now, scene);
            }
        }
    }

    /// Tells what is due.
    pub(super) fn beat(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        if self.what == Whole::BookTicker {
            return self.publish(scene);
        }
        if !beat.is_second {
            return;
        }
        let minute = Base::Minute1.start_of(beat.now);
        if std::mem::replace(&mut self.minute, minute) != minute {
            self.note_all(scene);
        }
        if !self.changed.is_empty() {
            let changed: Vec<_> = std::mem::take(&mut self.changed).into_iter().collect();
            self.tell(&changed, beat.now, scene);
        }
    }

    fn tell(&self, markets: &[MarketId], now: Timestamp, scene: &mut Scene<'_>) {
        let views = scene.views;
        let infos: Vec<_> = markets
            .iter()
            .filter_map(|&market| views.market_info(market))
            .filter(|info| symbols::is_known(views, info))
            .map(|info| (symbols::symbol(&info), info))
            .collect();
        let told: Vec<Told<'_>> = infos
            .iter()
            .map(|(symbol, market)| {
                tell(self.what, Subject { views, market, symbol, now, unit: self.unit })
            })
            .collect();
        let (name, seq) = (&self.channel.head.channel, scene.now.seq);
        let slot = match &told[..] {
            [] => return,
            // Each market's replaces only its own.
            [one] if self.what == Whole::BookTicker => {
                slot(name, seq, one, Conflation::Replaced(markets[0].0.into()))
            }
            // The next one does not say what this one does.
            all => slot(name, seq, &all, Conflation::Never),
        };
        scene.news.push(&self.channel, slot);
    }

    /// Whether it is to be kept: it had a subscriber at this sweep or the one before.
    pub(super) fn sweep(&mut self) -> bool {
        let idle = self.channel.subscribers() == 0;
        !(idle && std::mem::replace(&mut self.was_idle, idle))
    }
}
