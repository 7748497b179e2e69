//! The protocol against a real gateway, a real node and real sockets.

mod batch;
mod book;
pub mod client;
mod limits;
mod orders;
mod phases;
mod private;
mod resume;
pub mod rig;
mod shedding;
mod slow;
