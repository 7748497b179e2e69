//! The reading half of a connection.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::decoder::{Decoder, Incoming, Violation};

/// Bytes that are read at once: what a connection at rest costs here.
const BUFFER: usize = 4 << 10;

/// Gives what a client sends.
pub struct Reader<R> {
    io: R,
    buffer: BytesMut,
    decoder: Decoder,
    is_over: bool,
}

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The client broke the rules.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(io: R, buffer: BytesMut, decoder: Decoder) -> Self {
        Self { io, buffer, decoder, is_over: false }
    }

    /// The next message or control frame; none after a close, an error or the end of the connection. May be
    /// dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> Option<Result<Incoming, ReadError>> {
        if self.is_over {
            return None;
        }
        let next = self.read().await.transpose();
        self.is_over =
            !matches!(next, Some(Ok(ref incoming)) if !matches!(incoming, Incoming::Close(_)));
        next
    }

    async fn read(&mut self) -> Result<Option<Incoming>, ReadError> {
        loop {
            if let Some(incoming) = self.decoder.decode(&mut self.buffer)? {
                return Ok(Some(incoming));
            }
            self.buffer.reserve(BUFFER);
            if self.io.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Throws away what comes until the client ends its side: a connection that is closed with unread bytes
    /// would take back what was sent last.
    pub async fn drain(&mut self) {
        self.is_over = true;
        loop {
            self.buffer.clear();
            self.buffer.reserve(BUFFER);
            if !matches!(self.io.read_buf(&mut self.buffer).await, Ok(count) if count > 0) {
                return;
            }
        }
    }
}
