//! What a trader has: a key that signs, an HTTP connection, a WebSocket.

mod http;
mod key;
mod socket;

pub(crate) use http::Connection;
pub(crate) use key::{Key, WINDOW_MS};
pub(crate) use socket::{Receiver, Sender, login, open};
