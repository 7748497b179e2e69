//! What `verify`, `inspect` and `explain` share: opening a data directory to read it, replaying its
//! logs with a visitor, and lines for people and scripts.
//!
//! *Invariant:* nothing here writes into a data directory.

mod command;
mod event;
mod fees;
mod line;
mod lists;
mod names;
mod rules;
mod source;
mod time;
mod treasury;

pub use command::command_line;
pub use event::event_line;
pub use line::Line;
pub use names::Names;
pub use source::{Source, Visit, failure, open, refusal};
pub use time::rfc3339;
