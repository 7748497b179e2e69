//! `outcry replay DIR`: a recorded session through the whole exchange, every trade, cancelled
//! remainder and book compared with the recording.
//!
//! The exchange is driven by requests alone and judged by events alone, so that nothing here knows
//! how it is run. What is compared stands in `check.rs`; the book that it is compared with is kept
//! from the events in `mirror.rs`.

mod canonical;
mod check;
mod command;
mod embedded;
mod lobster;
mod mirror;
mod owners;
mod pace;
mod report;
mod venue;

use std::path::Path;

pub use command::run;

use crate::exit::{Failure, Status};
use crate::session::{Session, SessionError};
use check::Differs;
use report::Verdict;
use venue::Venue;

/// How to replay.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Wait between inputs as long as the venue did.
    recorded_speed: bool,
    /// Start at the opening auction where one was recorded.
    auction: bool,
}

/// Replays the session in `dir` on a fresh exchange behind `venue`.
///
/// # Errors
/// If the session cannot be read or the exchange fails. That they differ is a verdict.
fn replay(dir: &Path, venue: &mut dyn Venue, plan: &Plan) -> Result<Verdict, Failure> {
    match Session::open(dir)? {
        Session::Canonical(files) => canonical::replay(&files, venue, plan),
        Session::Lobster(files) => lobster::replay(&files, venue, plan),
    }
}

/// Why a replay ends before the recording does.
enum Stop {
    /// The recording and the exchange part here.
    Differs(Differs),
    /// It cannot go on.
    Failed(Failure),
}

impl From<Differs> for Stop {
    fn from(difference: Differs) -> Self {
        Self::Differs(difference)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let status = match error {
            SessionError::Open { .. } => Status::Io,
            SessionError::NoSession { .. } | SessionError::Row { .. } => Status::DataError,
        };
        Self::new(status, error)
    }
}
