//! The operation `subscribe`: all channels of a request or none, each with a snapshot or from where
//! the client left off.

use serde::Serialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use types::RejectCode;
use websocket::Text;

use super::channel_name::ChannelName;
use super::connection::Connection;
use super::hub::Topic;
use super::outbox::Out;
use super::protocol::{ResumeFrom, Subscribe};
use super::requests::answer;
use super::subscription::{Begun, Subscription};
use crate::error::{ApiError, GatewayCode};

/// Subscriptions of a request that have begun.
#[derive(Default)]
pub struct AllBegun {
    channels: Vec<BegunChannel>,
    texts: Vec<Text>,
    subscriptions: Vec<Subscription>,
    permits: Vec<OwnedSemaphorePermit>,
}

#[derive(Serialize)]
struct BegunChannel {
    channel: String,
    /// Whether all of it goes on where the client left off; else a snapshot follows, of each partition
    /// that does not.
    resumed: bool,
    /// Why it does not, though asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same of each partition, if it comes from several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partitions: Vec<BegunPartition>,
}

#[derive(Serialize)]
struct BegunPartition {
    partition: u16,
    resumed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

#[derive(Serialize)]
struct Subscribed {
    channels: Vec<BegunChannel>,
}

impl BegunChannel {
    fn new(name: &ChannelName, partitions: Vec<BegunPartition>) -> Self {
        Self {
            channel: name.to_string(),
            resumed: partitions.iter().all(|partition| partition.resumed),
            code: partitions.iter().find_map(|partition| partition.code),
            partitions: if partitions.len() > 1 { partitions } else { Vec::new() },
        }
    }
}

impl AllBegun {
    /// The answer, then the snapshots and what was missed, then the messages from now on.
    pub fn into_out(self, id: &Value, op: &'static str) -> Out<Subscription> {
        let mut texts = vec![answer(id, op, Subscribed { channels: self.channels })];
        texts.extend(self.texts);
        Out::Subscribed { texts, subscriptions: self.subscriptions, permits: self.permits }
    }

    fn add(&mut self, begun: Begun) -> bool {
        self.texts.extend(begun.texts);
        self.subscriptions.push(begun.subscription);
        self.permits.extend(begun.permit);
        begun.resumed
    }
}

/// Begins the subscriptions of a request.
///
/// # Errors
/// Names that are none, markets that do not exist, channels that are subscribed already, more than a
/// connection may have, private ones without a login, a `resume_from` that is none or, for channels of
/// several partitions, does not name them.
pub async fn subscribe(connection: &Connection, fields: &Subscribe) -> Result<AllBegun, ApiError> {
    let resume_from = fields.resume_from()?;
    let names = read_names(&fields.channels)?;
    let mut topics = Vec::with_capacity(names.len());
    for name in &names {
        let topic = topic(connection, name)?;
        let partitions = connection.shared.fan_out.hubs_of(&topic).len();
        if partitions > 1 && matches!(resume_from, Some(ResumeFrom::Seq(_))) {
            let what = format!("{name} comes from {partitions} partitions: an object is expected");
            return Err(ApiError::invalid_field("resume_from", what));
        }
        topics.push(topic);
    }
    reserve(connection, &names)?;
    let shared = &connection.shared;
    let mut all = AllBegun::default();
    for (name, topic) in names.iter().zip(&topics) {
        if let Topic::Private(_, account) = topic {
            // Who was answered about an order finds it in the snapshot. Late views are no reason to
            // refuse: what is not in the snapshot follows it.
            let _ = shared.catch_up.own_writes(*account).await;
        }
        let mut partitions = Vec::new();
        for hub in shared.fan_out.hubs_of(topic) {
            let bell = &connection.outbox.bell;
            let resume_from = resume_from.as_ref();
            let begun =
                Subscription::begin(&shared.fan_out, hub, name, topic, resume_from, bell).await;
            let asked = resume_from.is_some_and(|from| from.of(hub.partition).is_some());
            let resumed = all.add(begun);
            let code = (asked && !resumed).then_some("ResumeTooOld");
            partitions.push(BegunPartition { partition: hub.partition.0, resumed, code });
        }
        all.channels.push(BegunChannel::new(name, partitions));
    }
    shared.answers.note(connection.source);
    let mut channels = connection.channels.lock();
    for name in names {
        channels.insert(name, true);
    }
    Ok(all)
}

/// Names of channels, each once.
pub fn read_names(texts: &[String]) -> Result<Vec<ChannelName>, ApiError> {
    if texts.is_empty() {
        return Err(ApiError::invalid_field("channels", "at least one is expected"));
    }
    let mut names = Vec::with_capacity(texts.len());
    for text in texts {
        let name: ChannelName = text.parse().map_err(|()| {
            ApiError::invalid_field("channels", format_args!("there is no channel {text:?}"))
        })?;
        if names.contains(&name) {
            return Err(ApiError::invalid_field("channels", format_args!("{name} is named twice")));
        }
        names.push(name);
    }
    Ok(names)
}

fn topic(connection: &Connection, name: &ChannelName) -> Result<Topic, ApiError> {
    let shared = &connection.shared;
    match name {
        ChannelName::Public(public) => {
            let market = shared.views.market_by_symbol(&public.symbol);
            let market = market.ok_or(RejectCode::UnknownMarket)?;
            Ok(Topic::Public(public.kind.clone(), market))
        }
        ChannelName::Private(kind) => Ok(Topic::Private(*kind, connection.session.reader(shared)?)),
    }
}

/// Puts the names on the list, all or none.
fn reserve(connection: &Connection, names: &[ChannelName]) -> Result<(), ApiError> {
    let most = connection.shared.config.limits.socket_subscriptions;
    let mut channels = connection.channels.lock();
    if let Some(name) = names.iter().find(|name| channels.contains_key(name)) {
        let what = format!("{name} is subscribed already");
        return Err(ApiError::invalid_field("channels", what));
    }
    if channels.len() + names.len() > most {
        let what = format!("a connection has at most {most} subscriptions");
        return Err(ApiError::with(GatewayCode::RateLimited, what));
    }
    channels.extend(names.iter().map(|name| (name.clone(), false)));
    Ok(())
}
