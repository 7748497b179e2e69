//! The frame of data messages:
//! `{"channel":…,"type":"update","market":…,"partition":0,"seq":7,"time":1700000000000,"data":…}`.

use serde::Serialize;
use types::{PartitionId, Seq, Timestamp};
use websocket::Text;

/// What all messages of a channel begin with, but for their position.
#[derive(Clone, Debug)]
pub struct Head {
    /// The channel's name.
    pub channel: String,
    /// The market's symbol, for public channels.
    pub market: Option<String>,
    /// Whose entries `seq` counts.
    pub partition: PartitionId,
}

/// A whole message or the change since the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// All there is, as of `seq`.
    Snapshot,
    /// What changed.
    Update,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// The first entry that it covers, where messages of several entries are one.
    pub first_seq: Option<Seq>,
    /// The last entry that it covers.
    pub seq: Seq,
    /// When that was stamped.
    pub time: Timestamp,
}

impl Position {
    /// Of one entry, or of a state after it.
    #[must_use]
    pub fn at(seq: Seq, time: Timestamp) -> Self {
        Self { first_seq: None, seq, time }
    }
}

#[derive(Serialize)]
struct Message<'a, T> {
    channel: &'a str,
    #[serde(rename = "type")]
    kind: MessageKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    market: Option<&'a str>,
    partition: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seq: Option<u64>,
    seq: u64,
    time: u64,
    data: T,
}

impl Head {
    /// A message.
    #[must_use]
    pub fn message(&self, kind: MessageKind, at: Position, data: impl Serialize) -> Text {
        to_text(&Message {
            channel: &self.channel,
            kind,
            market: self.market.as_deref(),
            partition: self.partition.0,
            first_seq: at.first_seq.map(|seq| seq.0),
            seq: at.seq.0,
            time: at.time.as_millis(),
            data,
        })
    }
}

/// JSON, ready to be sent.
///
/// # Panics
/// Never for what this crate serializes: plain structs of texts and numbers.
#[must_use]
pub fn to_text(value: &impl Serialize) -> Text {
    serde_json::to_string(value)
        .expect("plain structs of texts and numbers always serialize")
        .into()
}
