//! The protocol against a real gateway, a real node and real sockets.

mod book;
mod client;
mod limits;
mod orders;
mod phases;
mod private;
mod resume;
mod rig;
mod slow;
