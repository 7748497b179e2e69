//! Reading from the event log what a client missed, as the messages that it would have been sent.

use std::sync::Arc;

use node::{EventFeed, FeedError};
use types::{EntryEvents, Event, Seq};
use views::{MarketInfo, TradeView, Views};
use websocket::Text;

use super::account_channels;
use super::channel_name::PublicKind;
use super::encode;
use super::events::by_account;
use super::hub::Topic;
use super::message::{Head, MessageKind, Position};

/// How much a replay may be.
#[derive(Clone, Copy, Debug)]
pub struct ReplayBounds {
    /// Entries that it looks at.
    pub entries: u64,
    /// Bytes of messages that it gives.
    pub bytes: usize,
}

/// What to read.
pub struct Missed {
    /// The partition's events.
    pub feed: Arc<dyn EventFeed>,
    /// For definitions.
    pub views: Arc<Views>,
    /// Whose events.
    pub topic: Topic,
    /// What the messages begin with.
    pub head: Head,
    /// Entries after this one
    pub after: Seq,
    /// up to and with this one.
    pub through: Seq,
    /// At most so much.
    pub bounds: ReplayBounds,
}

/// Why what was missed cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not kept any more, or unreadable.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// It is more than a replay may give.
    #[error("more was missed than a replay may give")]
    TooMuch,
    /// The reading thread failed.
    #[error("the replay failed")]
    Failed,
}

/// The messages of the entries that were missed, in order.
///
/// # Errors
/// When they cannot be told: then the client needs a snapshot.
pub async fn read(missed: Missed) -> Result<Vec<Text>, ReplayError> {
    if missed.through.0.saturating_sub(missed.after.0) > missed.bounds.entries {
        return Err(ReplayError::TooMuch);
    }
    // Old events come from disk.
    tokio::task::spawn_blocking(move || missed.read()).await.unwrap_or(Err(ReplayError::Failed))
}

impl Missed {
    fn read(&self) -> Result<Vec<Text>, ReplayError> {
        let mut texts = Vec::new();
        let mut bytes = 0;
        let mut after = self.after;
        while after < self.through {
            let Some(batch) = self.feed.read(after)? else {
                // The views have applied `through`, so the feed must have it.
                return Err(ReplayError::Failed);
            };
            for entry in batch.iter_after(after) {
                if entry.seq > self.through {
                    return Ok(texts);
                }
                after = entry.seq;
                if let Some(text) = self.message(&entry) {
                    bytes += text.len();
                    texts.push(text);
                }
                if bytes > self.bounds.bytes {
                    return Err(ReplayError::TooMuch);
                }
            }
        }
        Ok(texts)
    }

    fn message(&self, entry: &EntryEvents<'_>) -> Option<Text> {
        match &self.topic {
            Topic::Public(PublicKind::Market, market) => self.phases(entry, market),
            Topic::Public(_, market) => {
                let trades: Vec<TradeView> = entry
                    .events
                    .iter()
                    .filter_map(|event| match event {
                        Event::Trade(trade) if trade.market == market.def.id => Some(TradeView {
                            trade: trade.trade,
                            price: trade.price,
                            quantity: trade.quantity,
                            quote_amount: trade.quote_amount,
                            aggressor: trade.aggressor,
                            time: entry.time,
                            seq: entry.seq,
                            // Not told on these channels.
                            aggregate: 0,
                        }),
                        _ => None,
                    })
                    .collect();
                let at = Position::at(entry.seq, entry.time);
                (!trades.is_empty()).then(|| {
                    let market = self.market(market);
                    self.head.message(MessageKind::Update, at, encode::trades(&market, &trades))
                })
            }
            Topic::Private(kind, account) => {
                let events = by_account(entry, |a| a == *account).remove(account)?;
                account_channels::encode(*kind, *account, &self.head, entry, &events, &self.views)
            }
        }
    }

    /// A market as it is known now, with the units of its past.
    fn market(&self, known: &Arc<MarketInfo>) -> Arc<MarketInfo> {
        self.views.market_info(known.def.id).unwrap_or_else(|| Arc::clone(known))
    }

    fn phases(&self, entry: &EntryEvents<'_>, market: &Arc<MarketInfo>) -> Option<Text> {
        let items = encode::phases(&self.market(market).at(entry.seq), entry.events);
        let at = Position::at(entry.seq, entry.time);
        (!items.is_empty()).then(|| self.head.message(MessageKind::Update, at, items))
    }
}
