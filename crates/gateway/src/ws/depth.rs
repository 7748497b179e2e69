//! Changes of price levels: collected, encoded, and merged for a reader that lies behind.

use std::collections::BTreeMap;

use serde::Serialize;
use types::{Price, Seq, Side, Timestamp};
use views::{DepthLevel, DepthSnapshot, LevelChange, MarketChanges, MarketInfo};
use websocket::Text;

use super::message::{Head, MessageKind, Position};

/// The levels of both sides that changed, each with its latest quantity in lots (zero: gone).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelChanges {
    bids: BTreeMap<Price, u128>,
    asks: BTreeMap<Price, u128>,
}

impl LevelChanges {
    /// A level is now this; what was noted for it before is void.
    pub fn set(&mut self, side: Side, price: Price, quantity: u128) {
        match side {
            Side::Buy => self.bids.insert(price, quantity),
            Side::Sell => self.asks.insert(price, quantity),
        };
    }

    /// Bids, best first.
    pub fn bids(&self) -> impl Iterator<Item = (Price, u128)> {
        self.bids.iter().rev().map(|(&price, &quantity)| (price, quantity))
    }

    /// Asks, best first.
    pub fn asks(&self) -> impl Iterator<Item = (Price, u128)> {
        self.asks.iter().map(|(&price, &quantity)| (price, quantity))
    }

    /// Takes in what happened after this.
    pub fn extend(&mut self, later: &Self) {
        self.bids.extend(&later.bids);
        self.asks.extend(&later.asks);
    }
}

/// What a depth message says: after its entries, the changed levels are these.
#[derive(Clone, Debug)]
pub struct DepthUpdate {
    /// The first entry that it covers: the one after the message before.
    pub first_seq: Seq,
    /// The last entry that it covers.
    pub seq: Seq,
    /// When that was stamped.
    pub time: Timestamp,
    /// The levels.
    pub changes: LevelChanges,
    /// Of the book after `seq`, as defined in `views::depth`.
    pub checksum: u32,
}

impl DepthUpdate {
    /// What a batch changed.
    #[must_use]
    pub fn new(change: &MarketChanges, time: Timestamp) -> Self {
        let mut changes = LevelChanges::default();
        for LevelChange { side, level } in &change.levels {
            changes.set(*side, level.price, level.quantity);
        }
        Self {
            first_seq: change.previous_depth_seq.next(),
            seq: change.depth_seq,
            time,
            changes,
            checksum: change.checksum,
        }
    }

    /// Covers this update and those that follow it, without a gap, in one.
    pub fn merge(&mut self, later: &Self) {
        debug_assert_eq!(self.seq.next(), later.first_seq);
        self.changes.extend(&later.changes);
        self.seq = later.seq;
        self.time = later.time;
        self.checksum = later.checksum;
    }

    /// The message.
    #[must_use]
    pub fn encode(&self, head: &Head, market: &MarketInfo) -> Text {
        let at = Position { first_seq: Some(self.first_seq), seq: self.seq, time: self.time };
        let level = |(price, quantity)| level(market, price, quantity);
        let body = DepthBody {
            bids: self.changes.bids().map(level).collect(),
            asks: self.changes.asks().map(level).collect(),
            checksum: self.checksum,
            complete: None,
        };
        head.message(MessageKind::Update, at, body)
    }
}

/// `data` of a depth message. Bids and asks best first.
#[derive(Serialize)]
struct DepthBody {
    bids: Vec<[String; 2]>,
    asks: Vec<[String; 2]>,
    checksum: u32,
    /// In snapshots: whether there are no further levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
}

/// `["100.00","1.5"]`: price and quantity.
fn level(market: &MarketInfo, price: Price, quantity: u128) -> [String; 2] {
    [market.def.tick.format(price.get().into()), market.def.lot.format(quantity)]
}

/// The snapshot message of a book, and the entry that changed it last.
#[must_use]
pub fn encode_snapshot(
    head: &Head,
    market: &MarketInfo,
    depth: &DepthSnapshot,
    limit: usize,
    time: Timestamp,
) -> Text {
    let levels = |side: &[DepthLevel]| {
        side.iter().take(limit).map(|l| level(market, l.price, l.quantity)).collect()
    };
    let body = DepthBody {
        bids: levels(&depth.bids),
        asks: levels(&depth.asks),
        checksum: depth.checksum,
        complete: Some(depth.bids.len() <= limit && depth.asks.len() <= limit),
    };
    head.message(MessageKind::Snapshot, Position::at(depth.seq, time), body)
}
