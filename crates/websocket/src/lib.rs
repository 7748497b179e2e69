//! WebSocket for servers: the handshake (RFC 6455, and RFC 8441 over HTTP/2), frames, and compression (RFC 7692).
//!
//! What distinguishes it is the [`Text`]: a message that is encoded once, and compressed at most once, however
//! many connections it goes to. That works because a server here never lets a message refer to an earlier one
//! (`server_no_context_takeover`), and because what it compresses refers back over at most 4 KiB.
//!
//! [`Upgrade`] takes a request and gives a connection's two halves: a [`Reader`], which gives whole messages, and
//! a [`Writer`]. Neither answers anything by itself: pings and closes are given to the caller like messages.
//! [`Decoder`] is what a reader does with bytes, without any I/O.
//!
//! *Invariants:* a message never takes more memory than its limit, however it is fragmented or compressed; what
//! violates the protocol is found as soon as its bytes are there; both halves may be dropped at any `await` of
//! theirs and go on afterwards, nothing being lost or sent twice.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub mod client;
mod close;
mod decoder;
mod deflate;
mod frame;
mod handshake;
mod inflate;
mod offer;
mod reader;
mod text;
mod writer;

pub use close::CloseFrame;
pub use decoder::{Decoder, Incoming, Violation};
pub use handshake::{Connection, Refused, Settings, SocketReader, SocketWriter, Upgrade};
pub use offer::{Agreed, agree};
pub use reader::{ReadError, Reader};
pub use text::Text;
pub use writer::{Traffic, Writer};
