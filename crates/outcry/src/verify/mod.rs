//! `outcry verify`: is a stopped or copied data directory sound? Reads, never writes.

use crate::cli::VerifyArgs;
use crate::exit::{Failure, Status};

/// Runs every check and prints a verdict for each; `Differs` when the directory is damaged.
pub fn run(_args: &VerifyArgs) -> Result<Status, Failure> {
    Err(Failure::new(Status::Software, "not built yet"))
}
