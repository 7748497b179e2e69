//! The clock of streams that have a pace: ten beats a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use types::Timestamp;

use crate::state::Shared;

const BEAT: Duration = Duration::from_millis(100);
const SECOND: u64 = 1_000_000_000;

/// A moment at which streams with a pace are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    /// The exchange's clock.
    pub(super) now: Timestamp,
    /// A second has begun since the beat before.
    pub(super) is_second: bool,
    /// Two seconds have.
    pub(super) is_even: bool,
}

/// Tells the streams of all partitions what is due, until it is dropped.
pub(crate) async fn keep_time(shared: Arc<Shared>) {
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = shared.exchange.now();
    loop {
        ticks.tick().await;
        let now = shared.exchange.now();
        let begins = |length: u64| now.0 / length != before.0 / length;
        let beat = Beat { now, is_second: begins(SECOND), is_even: begins(2 * SECOND) };
        for hub in shared.fan_out.hubs() {
            hub.with_streams(|streams, scene| streams.beat(beat, scene));
        }
        before = now;
    }
}
