//! `outcry explain order`: the life of one order, found by replaying the log of its market's home.

use crate::cli::ExplainCommand;
use crate::exit::{Failure, Status};

/// Explains what was asked for; `Differs` when there is no such thing.
pub fn run(_command: &ExplainCommand) -> Result<Status, Failure> {
    Err(Failure::new(Status::Software, "not built yet"))
}
