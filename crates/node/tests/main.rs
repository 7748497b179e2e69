//! The tests of a node: its threads, its start and its end.

mod common;
mod founding;
mod overload;
mod partitions;
mod quarantine;
mod reopening;
mod restart;
