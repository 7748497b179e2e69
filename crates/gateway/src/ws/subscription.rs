//! A connection's place in a channel, and how it begins: with a snapshot, or where the client left off.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit};
use types::Seq;
use websocket::Text;

use super::channel::{Channel, Taken};
use super::channel_name::ChannelName;
use super::close::End;
use super::fan_out::FanOut;
use super::hub::{Beginning, Hub, Place, Topic};
use super::protocol::ResumeFrom;
use super::replay::{self, Missed};
use crate::http::pair_metrics::Pair;

/// A place in a channel of one partition. Dropping it ends the subscription.
pub struct Subscription {
    id: u64,
    name: ChannelName,
    topic: Topic,
    hub: Arc<Hub>,
    channel: Arc<Channel>,
    cursor: u64,
    seq: Seq,
    /// Whose messages are counted.
    pair: Option<Arc<Pair>>,
}

/// Where a connection's messages come from.
pub trait Source {
    /// What the client calls it.
    type Name: PartialEq;

    /// Its name.
    fn name(&self) -> &Self::Name;

    /// What is new.
    fn next(&mut self) -> Next;

    /// So many messages that [`Self::next`] gave were sent.
    fn sent(&self, messages: usize);

    /// How a connection ends that did not keep up with this.
    fn slow_reader(&self) -> End;
}

/// What is to be sent next.
pub enum Next {
    /// Nothing now.
    Nothing,
    /// These texts.
    Messages(Vec<Text>),
    /// The client has not kept up with messages that all count.
    Lost,
}

/// A subscription with what the client is sent first.
pub struct Begun {
    /// From now on.
    pub subscription: Subscription,
    /// What was missed, or a snapshot.
    pub texts: Vec<Text>,
    /// Whether it goes on where the client left off.
    pub resumed: bool,
    /// Held while the texts of a replay are in memory.
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Subscription {
    /// Subscribes to a topic in one of its partitions.
    pub async fn begin(
        fan_out: &FanOut,
        hub: &Arc<Hub>,
        name: &ChannelName,
        topic: &Topic,
        resume_from: Option<&ResumeFrom>,
        bell: &Arc<Notify>,
    ) -> Begun {
        let resume_from = resume_from.and_then(|from| from.of(hub.partition));
        let id = fan_out.next_subscription();
        // Taken before the place, so that a queue of replays does not use up the channel's memory.
        let permit = match resume_from {
            Some(_) if topic.is_replayable() => {
                Arc::clone(&fan_out.replays).acquire_owned().await.ok()
            }
            _ => None,
        };
        let Place { channel, cursor, seq, beginning } =
            hub.subscribe(topic, resume_from, id, Arc::clone(bell));
        let mut subscription = Self {
            id,
            name: name.clone(),
            topic: topic.clone(),
            hub: Arc::clone(hub),
            channel,
            cursor,
            seq,
            pair: fan_out.pair_of(topic),
        };
        match beginning {
            Beginning::Snapshot(text) => {
                Begun { subscription, texts: vec![text], resumed: false, permit: None }
            }
            Beginning::Resumed => {
                Begun { subscription, texts: Vec::new(), resumed: true, permit: None }
            }
            Beginning::Replay(after) => {
                let missed = subscription.missed(fan_out, after);
                match replay::read(missed).await {
                    Ok(texts) => Begun { subscription, texts, resumed: true, permit },
                    Err(_) => {
                        let texts = vec![subscription.begin_again()];
                        Begun { subscription, texts, resumed: false, permit: None }
                    }
                }
            }
        }
    }

    fn missed(&self, fan_out: &FanOut, after: Seq) -> Missed {
        Missed {
            feed: fan_out.feed(self.hub.partition),
            views: Arc::clone(self.hub.views()),
            topic: self.topic.clone(),
            head: self.channel.head.clone(),
            after,
            through: self.seq,
            bounds: fan_out.replay_bounds,
        }
    }

    /// Moves on to a snapshot of now.
    fn begin_again(&mut self) -> Text {
        let place = self.hub.begin_again(&self.topic);
        debug_assert!(Arc::ptr_eq(&place.channel, &self.channel), "channels live while subscribed");
        self.cursor = place.cursor;
        self.seq = place.seq;
        match place.beginning {
            Beginning::Snapshot(text) => text,
            Beginning::Resumed | Beginning::Replay(_) => unreachable!("asked for a snapshot"),
        }
    }
}

impl Source for Subscription {
    type Name = ChannelName;

    fn name(&self) -> &ChannelName {
        &self.name
    }

    /// A reader of conflated data that lies too far behind gets a new snapshot.
    fn next(&mut self) -> Next {
        match self.channel.take(&mut self.cursor, false) {
            Taken::Nothing => Next::Nothing,
            Taken::Messages { texts, seq } => {
                self.seq = seq;
                Next::Messages(texts)
            }
            Taken::Lost if self.topic.is_replayable() => Next::Lost,
            Taken::Lost => Next::Messages(vec![self.begin_again()]),
        }
    }

    fn sent(&self, messages: usize) {
        if let Some(pair) = &self.pair {
            pair.sent(messages);
        }
    }

    fn slow_reader(&self) -> End {
        End::SlowReader {
            channel: self.name.to_string(),
            partition: self.hub.partition,
            seq: self.seq,
            by_partition: matches!(self.name, ChannelName::Private(_)),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.channel.leave(self.id);
    }
}
