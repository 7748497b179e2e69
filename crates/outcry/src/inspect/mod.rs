//! `outcry inspect`: prints a partition's log for people, entry by entry with its events.

use crate::cli::InspectArgs;
use crate::exit::{Failure, Status};

/// Prints the entries of the asked range.
pub fn run(_args: &InspectArgs) -> Result<Status, Failure> {
    Err(Failure::new(Status::Software, "not built yet"))
}
