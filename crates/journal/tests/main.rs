//! The tests of the journal: files, crashes and what is read back.

mod command_log;
mod common;
mod crash_images;
mod event_log;
mod fixtures;
mod snapshot;
