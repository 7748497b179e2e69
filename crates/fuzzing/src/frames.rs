//! Frames of a socket: however they are cut on their way, they give the same messages, none above the limit, and
//! end in a violation or do not.

use bytes::BytesMut;
use websocket::{Decoder, Incoming};

/// Bytes of a message.
const LIMIT: usize = 1 << 10;

/// The first byte says how the others are cut.
pub fn run(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else { return };
    let whole = messages([bytes]);
    let cut = messages(bytes.chunks(usize::from(cut).max(1)));
    assert_eq!(whole, cut);
    for message in whole.0 {
        let (length, limit) = match message {
            Incoming::Text(text) => (text.len(), LIMIT),
            Incoming::Binary(content) => (content.len(), LIMIT),
            Incoming::Ping(content) | Incoming::Pong(content) => (content.len(), 125),
            Incoming::Close(frame) => (frame.map_or(0, |frame| frame.reason.len()), 123),
        };
        assert!(length <= limit, "{length} bytes");
    }
}

/// What is given, and whether a violation ended it: which one it is found to be first depends on the cuts.
fn messages<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Incoming>, bool) {
    let (mut decoder, mut buffer) = (Decoder::new(LIMIT, true), BytesMut::new());
    let mut messages = Vec::new();
    for part in parts {
        buffer.extend_from_slice(part);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}
