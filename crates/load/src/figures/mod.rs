//! What is counted while a run goes on: by phase, and by second of the run.

mod phase;
mod seconds;

use hdrhistogram::Histogram;

pub(crate) use phase::PhaseFigures;
pub(crate) use seconds::Seconds;

/// A histogram of microseconds up to a minute, to one in a hundred.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 2).expect("valid bounds")
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was done.
    Done,
    /// The exchange said no, and was right to: the code.
    Refused(String),
    /// The exchange had no room, or the limits none: the code. Nothing was done.
    Shed(String),
    /// No answer, in time or at all, or a failure of the exchange: a code, of ours if it has none.
    Failed(String),
}
