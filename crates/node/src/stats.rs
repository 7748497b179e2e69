//! Counters of a node, for metrics. Cheap to keep, read at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use types::{PartitionId, Seq};

/// What a node has done since it started.
#[derive(Clone, Debug, Default)]
pub struct NodeStats {
    /// By partition.
    pub partitions: Vec<PartitionStats>,
}

/// What a partition has done since the start.
#[derive(Clone, Debug, Default)]
pub struct PartitionStats {
    /// Which.
    pub partition: PartitionId,
    /// The last durable entry.
    pub last_seq: Seq,
    /// The last entry whose events are in the event log.
    pub written_seq: Seq,
    /// Entries made durable.
    pub entries: u64,
    /// Batches, each with one sync.
    pub batches: u64,
    /// Requests refused because the queue or something behind it was full.
    pub refused: u64,
    /// Requests that wait.
    pub queue_len: usize,
    /// Messages to other partitions that are not acknowledged.
    pub outbox_len: u64,
    /// Components that have failed and wait for an operator.
    pub quarantined: u64,
    /// Nanoseconds of a write and sync of the command log: median, 99 %, 99.9 %, largest. Within an
    /// eighth.
    pub sync_p50: u64,
    /// See `sync_p50`.
    pub sync_p99: u64,
    /// See `sync_p50`.
    pub sync_p999: u64,
    /// The longest, exactly.
    pub sync_max: u64,
}

/// The counters behind [`PartitionStats`], written by the partition's thread.
#[derive(Default)]
pub(crate) struct Counters {
    pub entries: AtomicU64,
    pub batches: AtomicU64,
    pub refused: AtomicU64,
    pub outbox_len: AtomicU64,
    pub quarantined: AtomicU64,
    pub sync: Histogram,
}

const SUB_BUCKETS: usize = 8;
const BUCKETS: usize = 64 * SUB_BUCKETS;

/// Counts of durations by size: eight buckets per power of two.
pub(crate) struct Histogram {
    counts: Box<[AtomicU64; BUCKETS]>,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: Box::new([const { AtomicU64::new(0) }; BUCKETS]), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub fn record(&self, duration: Duration) {
        let nanos = duration.as_nanos() as u64;
        self.counts[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
        self.max.fetch_max(nanos, Ordering::Relaxed);
    }

    pub fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    /// The upper end of the bucket in which the given share, in thousandths, is reached.
    pub fn quantile(&self, thousandths: u64) -> u64 {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        let wanted = (counts.iter().sum::<u64>() * thousandths).div_ceil(1000);
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && wanted > 0 {
                return upper_end(index).min(self.max());
            }
        }
        0
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < SUB_BUCKETS as u64 {
        return nanos as usize;
    }
    let exponent = nanos.ilog2() as usize;
    let sub = (nanos >> (exponent - 3)) as usize & (SUB_BUCKETS - 1);
    (exponent - 2) * SUB_BUCKETS + sub
}

fn upper_end(bucket: usize) -> u64 {
    if bucket < SUB_BUCKETS {
        return bucket as u64;
    }
    let (exponent, sub) = (bucket / SUB_BUCKETS + 2, bucket % SUB_BUCKETS);
    let width = 1_u64 << (exponent - 3);
    (1 << exponent) + width * sub as u64 + (width - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_an_eighth() {
        let histogram = Histogram::default();
        for nanos in 1..=10_000 {
            histogram.record(Duration::from_nanos(nanos));
        }
        for (thousandths, exact) in [(500, 5000), (990, 9900), (999, 9990), (1000, 10_000)] {
            let found = histogram.quantile(thousandths);
            assert!(found >= exact && found <= exact + exact / 8, "{thousandths}: {found}");
        }
        assert_eq!(Histogram::default().quantile(500), 0);
        for nanos in [0, 1, 7, 8, 9, 1 << 40, u64::MAX] {
            assert!(upper_end(bucket(nanos)) >= nanos);
        }
    }
}
