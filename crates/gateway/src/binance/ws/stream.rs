//! One stream of a market: what is noted of each batch, and when it is told.

use std::sync::Arc;

use types::Seq;
use views::{MarketChanges, MarketInfo};

use super::beat::Beat;
use super::name::{Kind, Speed};
use super::payload::{Best, BookTicker, DepthEvent, TradeEvent, slot};
use crate::binance::render::TimeUnit;
use crate::binance::symbols;
use crate::ws::channel::Channel;
use crate::ws::depth::DepthUpdate;
use crate::ws::hub::{News, Scene};
use crate::ws::message::Head;
use crate::ws::ring::Conflation;

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
    /// The best levels as they were told last, and those that are to be told.
    BookTicker {
        told: Option<Best>,
        next: Option<(Seq, Best)>,
    },
    Depth(Speed, Option<DepthUpdate>),
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
        let noted = match kind {
            Kind::Trade => Noted::Trade,
            Kind::BookTicker => Noted::BookTicker { told: None, next: None },
            Kind::Depth(speed) => Noted::Depth(speed, None),
        };
        Self { info, symbol, unit, channel, noted, was_idle: false }
    }

    /// Where the next subscriber reads. What is told whole is told once more at once, so that nobody waits
    /// for a change.
    pub(super) fn begin(&mut self, scene: &Scene<'_>) -> &Arc<Channel> {
        if let Noted::BookTicker { told, next } = &mut self.noted {
            let depth = scene.views.depth(self.info.def.id, 1);
            *told = None;
            *next = Some((depth.seq, [depth.bids.first().copied(), depth.asks.first().copied()]));
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
                    let name = &self.channel.head.channel;
                    let slot = slot(name, trade.seq, &event, Conflation::Never);
                    scene.news.push(&self.channel, slot);
                }
            }
            Noted::BookTicker { next, .. } => {
                if let Some(ticker) = change.ticker {
                    *next = Some((change.depth_seq, [ticker.bid, ticker.ask]));
                }
            }
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
    pub(super) fn publish(&mut self, news: &mut News) {
        if let Noted::BookTicker { told, next } = &mut self.noted
            && let Some((seq, best)) = next.take()
            && *told != Some(best)
        {
            *told = Some(best);
            let event = BookTicker::new(&self.symbol, &self.info, seq, &best);
            let slot = slot(&self.channel.head.channel, seq, &event, Conflation::Replaced(0));
            news.push(&self.channel, slot);
        }
    }

    /// Tells what is due.
    pub(super) fn beat(&mut self, beat: Beat, scene: &mut Scene<'_>) {
        self.publish(scene.news);
        match &mut self.noted {
            Noted::Trade | Noted::BookTicker { .. } => {}
            Noted::Depth(speed, noted) => {
                if (*speed == Speed::Fast || beat.is_second)
                    && let Some(update) = noted.take()
                {
                    let time = self.unit.show(beat.now);
                    let event = DepthEvent::new(&self.symbol, &self.info, &update, time);
                    let name = &self.channel.head.channel;
                    let slot = slot(name, update.seq, &event, Conflation::Never);
                    scene.news.push(&self.channel, slot);
                }
            }
        }
    }

    /// Whether it is to be kept: it had a subscriber at this sweep or the one before.
    pub(super) fn sweep(&mut self) -> bool {
        let idle = self.channel.subscribers() == 0;
        !(idle && std::mem::replace(&mut self.was_idle, idle))
    }
}
