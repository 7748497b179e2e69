//! The channels of one market, and what is noted for each until the next flush.
//!
//! Depth, ticker and candles are conflated here once for everybody: a flush encodes the state after
//! all batches since the last one. Trades and what happens to trading as such are encoded at once, one
//! message per entry.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use types::{Seq, Timestamp};
use views::{CandleChange, Interval, MarketChanges, MarketInfo, Ticker, Views};
use websocket::Text;

use super::channel::Channel;
use super::channel_name::{PublicChannel, PublicKind};
use super::depth::{self, DepthUpdate};
use super::encode;
use super::hub::{Beginning, News, Now, Place};
use super::message::{Head, MessageKind, Position};
use super::ring::{Conflation, RingBounds, Slot};
use crate::wire::answer;

/// Levels of each side in a depth snapshot.
const SNAPSHOT_LEVELS: usize = 1_000;
/// Trades in a snapshot.
const SNAPSHOT_TRADES: usize = 100;
/// Candles in a snapshot.
const SNAPSHOT_CANDLES: usize = 500;
/// Subscribers that come within this time share a snapshot and catch up by the channel.
const SNAPSHOT_LIFE: Duration = Duration::from_millis(50);

/// The channels of one market that somebody subscribed to.
pub(super) struct MarketChannels {
    info: Arc<MarketInfo>,
    topics: HashMap<PublicKind, MarketTopic>,
}

/// One of them.
pub(super) struct MarketTopic {
    info: Arc<MarketInfo>,
    channel: Arc<Channel>,
    noted: Noted,
    snapshot: Option<Snapshot>,
    /// Whether nobody was subscribed at the last sweep.
    was_idle: bool,
}

/// What the next flush will tell.
enum Noted {
    Depth(Option<DepthUpdate>),
    Trades,
    Market,
    Ticker(Option<(Ticker, Now)>),
    Candles(Interval, Vec<(CandleChange, Now)>),
}

struct Snapshot {
    text: Text,
    seq: Seq,
    cursor: u64,
    made: Instant,
}

impl MarketChannels {
    pub(super) fn new(info: Arc<MarketInfo>) -> Self {
        Self { info, topics: HashMap::new() }
    }

    /// The channel, created if nobody had subscribed to it.
    pub(super) fn topic(
        &mut self,
        kind: &PublicKind,
        now: Now,
        views: &Views,
        bounds: RingBounds,
    ) -> &mut MarketTopic {
        let info = &self.info;
        self.topics
            .entry(kind.clone())
            .or_insert_with(|| MarketTopic::new(kind, Arc::clone(info), now, views, bounds))
    }

    pub(super) fn note(
        &mut self,
        change: &MarketChanges,
        now: Now,
        views: &Views,
        news: &mut News,
    ) {
        if change.redefined
            && let Some(info) = views.market_info(change.market)
        {
            self.info = info;
        }
        for topic in self.topics.values_mut() {
            if change.redefined {
                topic.restart(&self.info, now, news);
            }
            topic.note(change, now, news);
        }
    }

    pub(super) fn publish(&mut self, news: &mut News) {
        for topic in self.topics.values_mut() {
            topic.publish(news);
        }
    }

    /// Forgets idle channels; false if none is left.
    pub(super) fn sweep(&mut self) -> bool {
        self.topics.retain(|_, topic| {
            let idle = topic.channel.subscribers() == 0;
            !(idle && std::mem::replace(&mut topic.was_idle, idle))
        });
        !self.topics.is_empty()
    }
}

impl MarketTopic {
    fn new(
        kind: &PublicKind,
        info: Arc<MarketInfo>,
        now: Now,
        views: &Views,
        bounds: RingBounds,
    ) -> Self {
        let symbol = info.def.symbol.clone();
        let head = Head {
            channel: PublicChannel { kind: kind.clone(), symbol: symbol.clone() }.to_string(),
            market: Some(symbol),
            partition: now.partition,
        };
        let (noted, since, depth_of) = match kind {
            PublicKind::Depth => {
                let book_seq = views.depth(info.def.id, 0).seq;
                (Noted::Depth(None), book_seq, Some(Arc::clone(&info)))
            }
            PublicKind::Trades => (Noted::Trades, now.seq, None),
            PublicKind::Market => (Noted::Market, now.seq, None),
            PublicKind::Ticker => (Noted::Ticker(None), now.seq, None),
            PublicKind::Candles(interval) => (Noted::Candles(*interval, Vec::new()), now.seq, None),
        };
        let channel = Arc::new(Channel::new(head, since, bounds, depth_of));
        Self { info, channel, noted, snapshot: None, was_idle: false }
    }

    pub(super) fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// The market counts in other units. What is conflated cannot be told as a change of what was told before:
    /// its readers get a snapshot. The others' messages name their entries, and thereby their units.
    fn restart(&mut self, info: &Arc<MarketInfo>, now: Now, news: &mut News) {
        self.info = Arc::clone(info);
        self.snapshot = None;
        match &mut self.noted {
            Noted::Trades | Noted::Market => return,
            Noted::Depth(noted) => *noted = None,
            Noted::Ticker(noted) => *noted = None,
            Noted::Candles(_, noted) => noted.clear(),
        }
        news.restart(&self.channel, info, now.seq);
    }

    fn note(&mut self, change: &MarketChanges, now: Now, news: &mut News) {
        if change.redefined && !matches!(self.noted, Noted::Trades | Noted::Market) {
            return;
        }
        match &mut self.noted {
            Noted::Depth(noted) => {
                if change.depth_seq != change.previous_depth_seq {
                    let update = DepthUpdate::new(change, now.time);
                    match noted {
                        Some(sum) => sum.merge(&update),
                        None => *noted = Some(update),
                    }
                }
            }
            Noted::Trades => {
                for trades in change.trades.chunk_by(|a, b| a.seq == b.seq) {
                    let at = Position::at(trades[0].seq, trades[0].time);
                    let items = encode::trades(&self.info, trades);
                    let text = self.channel.head.message(MessageKind::Update, at, items);
                    news.push(&self.channel, Slot::new(at.seq, text, Conflation::Never));
                }
            }
            Noted::Market => {
                for phases in change.phases.chunk_by(|a, b| a.seq == b.seq) {
                    let at = Position::at(phases[0].seq, phases[0].time);
                    let events = phases.iter().map(|phase| &phase.event);
                    let items = encode::phases(&self.info.at(at.seq), events);
                    let text = self.channel.head.message(MessageKind::Update, at, items);
                    news.push(&self.channel, Slot::new(at.seq, text, Conflation::Never));
                }
            }
            Noted::Ticker(noted) => {
                if let Some(ticker) = change.ticker {
                    *noted = Some((ticker, now));
                }
            }
            Noted::Candles(interval, noted) => {
                for candle in change.candles.iter().filter(|c| c.interval == *interval) {
                    noted.retain(|(older, _)| older.candle.start != candle.candle.start);
                    noted.push((*candle, now));
                }
            }
        }
    }

    /// Hands over what is noted.
    fn publish(&mut self, news: &mut News) {
        let head = &self.channel.head;
        match &mut self.noted {
            Noted::Depth(noted) => {
                if let Some(update) = noted.take() {
                    let text = update.encode(head, &self.info);
                    let seq = update.seq;
                    let conflation = Conflation::Merged(Arc::new(update));
                    news.push(&self.channel, Slot::new(seq, text, conflation));
                }
            }
            Noted::Trades | Noted::Market => {}
            Noted::Ticker(noted) => {
                if let Some((ticker, now)) = noted.take() {
                    let body = encode::ticker(&self.info, &ticker, now.seq);
                    let at = Position::at(now.seq, now.time);
                    let text = head.message(MessageKind::Update, at, body);
                    news.push(&self.channel, Slot::new(at.seq, text, Conflation::Replaced(0)));
                }
            }
            Noted::Candles(_, noted) => {
                for (change, now) in noted.drain(..) {
                    let body = encode::candle(&self.info, &change.candle, change.closed);
                    let at = Position::at(now.seq, now.time);
                    let text = head.message(MessageKind::Update, at, body);
                    let key = Conflation::Replaced(change.candle.start.0);
                    news.push(&self.channel, Slot::new(at.seq, text, key));
                }
            }
        }
    }

    /// A place with a snapshot.
    pub(super) fn begin(&mut self, now: Now, views: &Views, news: &mut News) -> Place {
        let fresh = |snapshot: &Snapshot| {
            snapshot.made.elapsed() < SNAPSHOT_LIFE && self.channel.has(snapshot.cursor)
        };
        if !self.snapshot.as_ref().is_some_and(fresh) {
            // What is noted is in the snapshot: it must not follow it.
            self.publish(news);
            let (text, seq) = self.encode_snapshot(now, views);
            let cursor = self.channel.end();
            self.snapshot = Some(Snapshot { text, seq, cursor, made: Instant::now() });
        }
        let snapshot = self.snapshot.as_ref().expect("made above");
        Place {
            channel: Arc::clone(&self.channel),
            cursor: snapshot.cursor,
            seq: snapshot.seq,
            beginning: Beginning::Snapshot(snapshot.text.clone()),
        }
    }

    fn encode_snapshot(&self, now: Now, views: &Views) -> (Text, Seq) {
        let head = &self.channel.head;
        let market = self.info.def.id;
        let at = Position::at(now.seq, now.time);
        let text = match &self.noted {
            Noted::Depth(_) => {
                let book = views.depth(market, SNAPSHOT_LEVELS + 1);
                let text =
                    depth::encode_snapshot(head, &self.info, &book, SNAPSHOT_LEVELS, now.time);
                return (text, book.seq);
            }
            Noted::Trades => {
                let mut trades = views.trades(market, SNAPSHOT_TRADES);
                trades.reverse();
                head.message(MessageKind::Snapshot, at, encode::trades(&self.info, &trades))
            }
            Noted::Market => {
                let info = views.market_info(market).unwrap_or_else(|| Arc::clone(&self.info));
                head.message(MessageKind::Snapshot, at, answer::Trading::new(&info))
            }
            Noted::Ticker(_) => {
                let body = encode::ticker(&self.info, &views.ticker(market), now.seq);
                head.message(MessageKind::Snapshot, at, body)
            }
            Noted::Candles(interval, _) => {
                let all = (Timestamp(0), Timestamp(u64::MAX));
                let candles = views.candles(market, *interval, all.0, all.1, SNAPSHOT_CANDLES);
                let body = encode::candles(&self.info, &candles);
                head.message(MessageKind::Snapshot, at, body)
            }
        };
        (text, now.seq)
    }
}
