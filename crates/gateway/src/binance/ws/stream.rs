//! One stream of a market: what is noted of each batch, and when it is told.

use std::sync::Arc;

use serde::Serialize;
use types::{Seq, Timestamp};
use views::{DepthLevel, Interval as Base, MarketChanges, MarketInfo};

use super::beat::Beat;
use super::name::{Kind, Speed, Whole};
use super::payload::{AggTradeEvent, DepthEvent, TradeEvent, slot};
use super::whole::{KlineEvent, Subject, tell};
use crate::binance::market::{Depth, Interval, gather, level, read_klines};
use crate::binance::render::TimeUnit;
use crate::binance::symbols;
use crate::ws::channel::Channel;
use crate::ws::depth::DepthUpdate;
use crate::ws::hub::Scene;
use crate::ws::message::Head;
use crate::ws::ring::{Conflation, Slot};

/// How long after the end of an interval a trade of it may still be heard of, in nanoseconds.
const LATE: u64 = 1_000_000_000;
/// Candles that are closed at one beat; when more have ended, the others are left out.
const MOST_CLOSED: usize = 5;

/// A stream that somebody subscribed to, with its times in one unit.
pub(super) struct Stream {
    info: Arc<MarketInfo>,
    /// The market's name here.
    symbol: String,
    unit: TimeUnit,
    channel: Arc<Channel>,
    noted: Noted,
    /// Whether nobody was subscribed at the last sweep.
    was_idle: bool,
}

/// What is to be told.
enum Noted {
    Trade,
    AggTrade,
    Best {
        /// The best levels as they were told last.
        told: Option<[Option<DepthLevel>; 2]>,
        is_due: bool,
    },
    Whole {
        what: Whole,
        is_due: bool,
        /// When the window began that was told last: it moves with the minutes.
        minute: Timestamp,
    },
    Kline {
        name: &'static str,
        interval: Interval,
        /// Which candle is not closed yet.
        open: Option<Timestamp>,
    },
    PartialDepth {
        levels: usize,
        speed: Speed,
        told: Option<Slot>,
    },
    Depth(Speed, Option<DepthUpdate>),
}

impl Noted {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Trade => Self::Trade,
            Kind::AggTrade => Self::AggTrade,
            Kind::Kline(name, interval) => Self::Kline { name, interval, open: None },
            Kind::Whole(Whole::BookTicker) => Self::Best { told: None, is_due: false },
            Kind::Whole(what) => Self::Whole { what, is_due: false, minute: Timestamp(0) },
            Kind::PartialDepth(levels, speed) => Self::PartialDepth { levels, speed, told: None },
            Kind::Depth(speed) => Self::Depth(speed, None),
        }
    }
}

impl Stream {
    pub(super) fn new(
        name: &str,
        kind: Kind,
        unit: TimeUnit,
        info: Arc<MarketInfo>,
        scene: &Scene<'_>,
    ) -> Self {
        let symbol = symbols::symbol(&info);
        let partition = scene.now.partition;
        let head = Head { channel: name.to_owned(), market: Some(symbol.clone()), partition };
        let channel = Arc::new(Channel::new(head, scene.now.seq, scene.bounds, None));
        Self { info, symbol, unit, channel, noted: Noted::new(kind), was_idle: false }
    }

    /// Where the next subscriber reads. What is told whole is told once more, so that nobody waits for a
    /// change.
    pub(super) fn begin(&mut self) -> &Arc<Channel> {
        match &mut self.noted {
            Noted::Best { told, is_due } => (*told, *is_due) = (None, true),
            Noted::Whole { is_due, .. } => *is_due = true,
            _ => {}
        }
        &self.channel
    }

    /// The market has other units: levels cannot be told as changes of what was told before, so that whoever
    /// keeps a book must begin anew.
    pub(super) fn restart(&mut self, info: &Arc<MarketInfo>, scene: &mut Scene<'_>) {
        self.info = Arc::clone(info);
        if let Noted::Depth(_, noted) = &mut self.noted {
            *noted = None;
            scene.news.restart(&self.channel, info, scene.now.seq);
        }
    }

    /// Takes in what a batch changed.
    pub(super) fn note(&mut self, change: &MarketChanges, scene: &mut Scene<'_>) {
        match &mut self.noted {
            Noted::Trade => {
                for trade in &change.trades {
                    let event = TradeEvent::new(&self.symbol, &self.info, trade, self.unit);
                    self.push(scene, trade.seq, &event, Conflation::Never);
                }
            }
            Noted::AggTrade => {
                let mut aggregates = Vec::new();
                gather(&mut aggregates, change.trades.iter());
                for one in &aggregates {
                    let event = AggTradeEvent::new(&self.symbol, &self.info, one, self.unit);
                    self.push(scene, one.seq, &event, Conflation::Never);
                }
            }
            Noted::Best { is_due, .. } | Noted::Whole { is_due, .. } => {
                *is_due |= change.ticker.is_some();
            }
            Noted::Kline { .. } | Noted::PartialDepth { .. } => {}
            Noted::Depth(_, noted) => {
                if !change.redefined && change.depth_seq != change.previous_depth_seq {
                    let update = DepthUpdate::new(change, scene.now.time);
                    match noted {
                        Some(sum) => sum.merge(&update),
                        None => *noted = Some(update),
                    }
                }
            }
        }
    }

    /// Tells what is told as soon as it happens.
    pub(super) fn publish(&mut self, scene: &mut Scene<'_>) {
        let Noted::Best { told, is_due } = &mut self.noted else {
            return;
        };
        if !std::mem::take(is_due) {
            return;
        }
        let depth = scene.views.depth(self.info.def.id, 1);
        let best = [depth.bids.first().copied(), depth.asks.first().copied()];
        if *told != Some(best) {
            *told = Some(best);
            let event = tell(Whole::BookTicker, self.subject(scene, scene.now.time));
            self.push(scene, depth.seq, &event, Conflation::Replaced(0));
        }
    }

    /// Tells what is due.
    pub(super) fn beat(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        let is_due = |speed| speed == Speed::Fast || beat.is_second;
        match &mut self.noted {
            Noted::Trade | Noted::AggTrade => {}
            Noted::Best { .. } => self.publish(scene),
            Noted::Whole { what, is_due, minute } => {
                let now = Base::Minute1.start_of(beat.now);
                if beat.is_second && (*is_due || *minute != now) {
                    (*is_due, *minute) = (false, now);
                    let event = tell(*what, self.subject(scene, beat.now));
                    self.push(scene, scene.now.seq, &event, Conflation::Replaced(0));
                }
            }
            Noted::Kline { .. } => self.tell_candles(beat, scene),
            &mut Noted::PartialDepth { levels, speed, .. } if is_due(speed) => {
                self.tell_levels(levels, scene);
            }
            Noted::PartialDepth { .. } => {}
            Noted::Depth(speed, noted) => {
                if is_due(*speed)
                    && let Some(update) = noted.take()
                {
                    let time = self.unit.show(beat.now);
                    let event = DepthEvent::new(&self.symbol, &self.info, &update, time);
                    self.push(scene, update.seq, &event, Conflation::Never);
                }
            }
        }
    }

    /// Candles that have ended, each once, and the one that goes on.
    fn tell_candles(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        let Noted::Kline { name, interval, open } = &mut self.noted else {
            return;
        };
        let (name, interval) = (*name, *interval);
        let mut start = open.unwrap_or_else(|| interval.start_of(beat.now));
        // What the log's clock has passed has ended for certain; an idle log's clock stands still.
        let passed = scene.now.time.0.max(beat.now.0.saturating_sub(LATE));
        let mut ended = Vec::new();
        while interval.next(start).0 <= passed && ended.len() < MOST_CLOSED {
            ended.push(start);
            start = interval.next(start);
        }
        if interval.next(start).0 <= passed {
            start = interval.start_of(beat.now);
        }
        *open = Some(start);
        let is_due = beat.is_second && (name == "1s" || beat.is_even);
        let going_on = is_due.then_some((start, false));
        let subject = self.subject(scene, beat.now);
        let mut slots = Vec::new();
        for (start, is_closed) in ended.into_iter().map(|start| (start, true)).chain(going_on) {
            let (at, market) = (Some(start), &self.info);
            for kline in read_klines(scene.views, beat.now, market, interval, (at, at), 1) {
                let event = KlineEvent::new(subject, name, &kline, is_closed);
                // A closed one is told for certain, one that goes on until there is a newer one.
                let conflation =
                    if is_closed { Conflation::Never } else { Conflation::Replaced(0) };
                slots.push(slot(&self.channel.head.channel, scene.now.seq, &event, conflation));
            }
        }
        for slot in slots {
            scene.news.push(&self.channel, slot);
        }
    }

    /// The best levels: those that have not changed are not encoded anew.
    fn tell_levels(&mut self, levels: usize, scene: &mut Scene<'_>) {
        let depth = scene.views.depth(self.info.def.id, levels);
        let Noted::PartialDepth { told, .. } = &mut self.noted else {
            return;
        };
        if told.as_ref().is_none_or(|slot| slot.seq != depth.seq) {
            let side =
                |side: &[DepthLevel]| side.iter().map(|one| level(&self.info, one)).collect();
            let event = Depth {
                last_update_id: depth.seq.0,
                bids: side(&depth.bids),
                asks: side(&depth.asks),
            };
            let name = &self.channel.head.channel;
            *told = Some(slot(name, depth.seq, &event, Conflation::Replaced(0)));
        }
        if let Some(slot) = told {
            scene.news.push(&self.channel, slot.clone());
        }
    }

    fn subject<'a>(&'a self, scene: &Scene<'a>, now: Timestamp) -> Subject<'a> {
        let (market, symbol, unit) = (&*self.info, self.symbol.as_str(), self.unit);
        Subject { views: scene.views, market, symbol, now, unit }
    }

    fn push(
        &self,
        scene: &mut Scene<'_>,
        seq: Seq,
        event: &impl Serialize,
        conflation: Conflation,
    ) {
        let slot = slot(&self.channel.head.channel, seq, event, conflation);
        scene.news.push(&self.channel, slot);
    }

    /// Whether it is to be kept: it had a subscriber at this sweep or the one before.
    pub(super) fn sweep(&mut self) -> bool {
        let idle = self.channel.subscribers() == 0;
        !(idle && std::mem::replace(&mut self.was_idle, idle))
    }
}
