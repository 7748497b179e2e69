//! How a connection ends: the close codes of this API.

use types::{PartitionId, Seq};
use websocket::{CloseFrame, Violation};

/// The reader did not keep up with a channel whose messages all count.
pub const SLOW_READER: u16 = 4008;
/// The API key that the connection was logged in with has been revoked.
pub const REVOKED: u16 = 4001;
/// The client sent more than it may, and went on when told.
pub const FLOOD: u16 = 4029;
/// The server stops (RFC 6455).
pub const GOING_AWAY: u16 = 1001;
/// Nothing is wrong (RFC 6455).
pub const NORMAL: u16 = 1000;
/// A message above the limit (RFC 6455).
pub const TOO_BIG: u16 = 1009;

/// Why a connection ends.
#[derive(Debug)]
pub enum End {
    /// The client broke off.
    Gone,
    /// It said goodbye, with this code if it gave one.
    Closed(Option<u16>),
    /// It sent what is no WebSocket message.
    Violation(Violation),
    /// Nothing was heard of the client, or nothing could be sent to it, for too long.
    Silent,
    /// It did not keep up.
    SlowReader {
        /// With this channel.
        channel: String,
        /// Of this partition.
        partition: PartitionId,
        /// Everything up to this entry was sent.
        seq: Seq,
        /// Whether the channel has a position in each partition.
        by_partition: bool,
    },
    /// It did not keep up with a stream of the Binance dialect, or what that counts by has changed.
    Behind {
        /// The stream.
        stream: String,
    },
    /// Its key is not valid any more.
    Revoked,
    /// It sent too much.
    Flood,
    /// A message was too big.
    TooBig {
        /// The limit in bytes.
        limit: usize,
    },
    /// The server stops.
    Shutdown,
}

impl End {
    /// What the client is told; none if nobody listens.
    #[must_use]
    pub fn frame(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone | Self::Silent => return None,
            Self::Closed(code) => (code.unwrap_or(NORMAL), String::new()),
            Self::Violation(violation) => (violation.code(), violation.to_string()),
            Self::SlowReader { channel, partition, seq, by_partition } => {
                let from = if *by_partition {
                    format!(r#"{{"{partition}":{seq}}}"#)
                } else {
                    seq.to_string()
                };
                (SLOW_READER, format!("slow reader of {channel}; resume_from {from}"))
            }
            Self::Behind { stream } => {
                (SLOW_READER, format!("messages of {stream:.60} are lost: connect again"))
            }
            Self::Revoked => (REVOKED, "the API key has been revoked".to_owned()),
            Self::Flood => (FLOOD, "too many messages".to_owned()),
            Self::TooBig { limit } => (TOO_BIG, format!("messages have at most {limit} bytes")),
            Self::Shutdown => (GOING_AWAY, "the server is shutting down".to_owned()),
        };
        // A control frame has at most 125 bytes, two of them for the code; symbols are short.
        Some(CloseFrame { code, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_fits_a_control_frame() {
        let longest = End::SlowReader {
            channel: format!("candles:{}:15m", "A".repeat(24)),
            partition: PartitionId(u16::MAX),
            seq: Seq(u64::MAX),
            by_partition: true,
        };
        for end in [longest, End::Flood, End::TooBig { limit: usize::MAX }, End::Shutdown] {
            assert!(end.frame().unwrap().reason.len() <= 123, "{end:?}");
        }
    }
}
