//! The writing half of a connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::close::CloseFrame;
use crate::frame::{LONGEST_HEAD, Opcode, write_head};
use crate::offer::Agreed;
use crate::text::Text;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 32 << 10;
/// A payload from this size on is not gathered but written from where it is: many connections may lie behind
/// with the same one.
const LARGE: usize = 8 << 10;

/// What connections cost on the wire.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes of frames that were sent.
    pub bytes: AtomicU64,
    /// Messages that were compressed, each counted once however often it was sent.
    pub compressions: AtomicU64,
}

/// Sends to a client.
pub struct Writer<W> {
    io: W,
    /// What is to be written.
    buffer: BytesMut,
    /// And after it.
    large: Bytes,
    deflates: Option<Deflates>,
    traffic: Arc<Traffic>,
}

/// Which texts are sent compressed.
#[derive(Clone, Copy, Debug)]
struct Deflates {
    shortest: usize,
    longest: usize,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Texts from `shortest` bytes on are compressed if that was agreed.
    pub(crate) fn new(
        io: W,
        agreed: Option<Agreed>,
        shortest: usize,
        traffic: Arc<Traffic>,
    ) -> Self {
        let deflates = agreed.map(|agreed| Deflates { shortest, longest: agreed.longest() });
        Self { io, buffer: BytesMut::new(), large: Bytes::new(), deflates, traffic }
    }

    /// A text, into the buffer, which is written out when it is full.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn feed(&mut self, text: &Text) -> io::Result<()> {
        let fits = self.deflates.is_some_and(|Deflates { shortest, longest }| {
            (shortest..=longest).contains(&text.len())
        });
        let deflated = if fits { text.deflated(&self.traffic.compressions) } else { None };
        match deflated {
            Some(deflated) => self.frame(Opcode::Text, true, deflated).await,
            None => self.frame(Opcode::Text, false, text.plain()).await,
        }
    }

    /// Bytes, as they are; otherwise as [`Self::feed`].
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn feed_binary(&mut self, content: Vec<u8>) -> io::Result<()> {
        self.frame(Opcode::Binary, false, &content.into()).await
    }

    /// Asks whether the client is there; otherwise as [`Self::feed`].
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn feed_ping(&mut self) -> io::Result<()> {
        self.frame(Opcode::Ping, false, &Bytes::new()).await
    }

    /// Answers a ping, whose at most 125 bytes these are; otherwise as [`Self::feed`].
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn feed_pong(&mut self, content: Vec<u8>) -> io::Result<()> {
        self.frame(Opcode::Pong, false, &content.into()).await
    }

    /// The last frame, behind all others, written out.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn close(&mut self, frame: Option<&CloseFrame>) -> io::Result<()> {
        let payload = frame.map(CloseFrame::payload).unwrap_or_default();
        self.frame(Opcode::Close, false, &payload.into()).await?;
        self.flush().await
    }

    /// Writes everything out. May be dropped while it waits, and so may all others here: what is written is not
    /// written again.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.write_out().await?;
        self.io.flush().await
    }

    /// Ends this side of the connection.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        self.io.shutdown().await
    }

    async fn frame(&mut self, opcode: Opcode, compressed: bool, payload: &Bytes) -> io::Result<()> {
        if !self.large.is_empty() || self.buffer.len() >= BUFFER {
            self.write_out().await?;
        }
        // From here to the next wait the frame is added whole.
        self.buffer.reserve(LONGEST_HEAD);
        let before = self.buffer.len();
        write_head(&mut self.buffer, opcode, compressed, payload.len());
        let head = self.buffer.len() - before;
        self.traffic.bytes.fetch_add((head + payload.len()) as u64, Ordering::Relaxed);
        if payload.len() < LARGE {
            self.buffer.extend_from_slice(payload);
        } else {
            self.large = payload.clone();
        }
        Ok(())
    }

    async fn write_out(&mut self) -> io::Result<()> {
        // Together, so that the head of a large frame is no packet of its own.
        let mut bytes = (&mut self.buffer).chain(&mut self.large);
        while bytes.has_remaining() {
            if self.io.write_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        self.large = Bytes::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::*;

    /// Takes everything, and keeps how much each write brought.
    #[derive(Default)]
    struct Writes(Vec<usize>);

    impl AsyncWrite for Writes {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(context, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let count = parts.iter().map(|part| part.len()).sum();
            self.0.push(count);
            Poll::Ready(Ok(count))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn the_head_of_a_large_frame_is_written_with_it() {
        let mut writer = Writer::new(Writes::default(), None, 0, Arc::default());
        for _ in 0..2 {
            writer.feed_binary(vec![7; LARGE]).await.unwrap();
        }
        writer.feed_pong(vec![1; 5]).await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(writer.io.0, [4 + LARGE, 4 + LARGE, 2 + 5]);
    }
}
