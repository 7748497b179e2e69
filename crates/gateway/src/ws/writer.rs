//! The writing half of a connection: takes answers and channel messages and sends them, several per
//! flush. A client that does not read stops this loop and nothing else; when it reads again, what it
//! lost meanwhile is known by its cursors.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use websocket::{SocketWriter, Text};

use super::close::End;
use super::outbox::{Out, Outbox};
use super::subscription::{Next, Source};

/// Sends until the connection ends, also when nothing of it is taken for as long as `patience`; counts
/// messages in `sent`.
pub async fn write_messages<S: Source>(
    socket: &mut SocketWriter,
    outbox: &Outbox<S>,
    patience: Duration,
    sent: &AtomicU64,
) -> End {
    let mut writer = Writer { socket, sent, patience, unflushed: false };
    let mut subscriptions = Vec::new();
    loop {
        match round(&mut writer, outbox, &mut subscriptions).await {
            Ok(()) => outbox.bell.notified().await,
            Err(end) => return end,
        }
    }
}

/// Sends all that there is.
async fn round<S: Source>(
    writer: &mut Writer<'_>,
    outbox: &Outbox<S>,
    subscriptions: &mut Vec<S>,
) -> Result<(), End> {
    loop {
        while let Some(out) = outbox.pop() {
            perform(writer, subscriptions, out).await?;
        }
        for subscription in subscriptions.iter_mut() {
            match subscription.next() {
                Next::Nothing => {}
                Next::Messages(texts) => {
                    let count = texts.len();
                    writer.feed_all(texts).await?;
                    subscription.sent(count);
                }
                Next::Lost => return Err(subscription.slow_reader()),
            }
        }
        if !writer.flush().await? {
            return Ok(());
        }
    }
}

async fn perform<S: Source>(
    writer: &mut Writer<'_>,
    subscriptions: &mut Vec<S>,
    out: Out<S>,
) -> Result<(), End> {
    match out {
        Out::Text(text) => writer.feed(&text).await,
        Out::Subscribed { texts, subscriptions: new, permits } => {
            writer.feed_all(texts).await?;
            drop(permits);
            subscriptions.extend(new);
            Ok(())
        }
        Out::Unsubscribed { names, answer } => {
            subscriptions.retain(|subscription| !names.contains(subscription.name()));
            writer.feed(&answer).await
        }
        Out::Ping => writer.feed_ping().await,
        Out::Pong(content) => writer.feed_pong(content).await,
        Out::Finish => {
            writer.flush().await?;
            Err(End::Shutdown)
        }
    }
}

/// The socket, with a patience.
struct Writer<'a> {
    socket: &'a mut SocketWriter,
    sent: &'a AtomicU64,
    /// A client that takes nothing for so long is given up.
    patience: Duration,
    unflushed: bool,
}

impl Writer<'_> {
    async fn feed_all(&mut self, texts: Vec<Text>) -> Result<(), End> {
        for text in texts {
            self.feed(&text).await?;
        }
        Ok(())
    }

    /// Into the socket's buffer, which is written out when it is full.
    async fn feed(&mut self, text: &Text) -> Result<(), End> {
        self.count();
        patiently(self.patience, self.socket.feed(text)).await
    }

    async fn feed_ping(&mut self) -> Result<(), End> {
        self.count();
        patiently(self.patience, self.socket.feed_ping()).await
    }

    async fn feed_pong(&mut self, content: Vec<u8>) -> Result<(), End> {
        self.count();
        patiently(self.patience, self.socket.feed_pong(content)).await
    }

    fn count(&mut self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.unflushed = true;
    }

    /// Everything out; false if there was nothing.
    async fn flush(&mut self) -> Result<bool, End> {
        let had = std::mem::take(&mut self.unflushed);
        if had {
            patiently(self.patience, self.socket.flush()).await?;
        }
        Ok(had)
    }
}

async fn patiently(
    patience: Duration,
    write: impl Future<Output = io::Result<()>>,
) -> Result<(), End> {
    match timeout(patience, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Silent),
    }
}
