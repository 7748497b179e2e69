//! The private channels of one account in one partition.
//!
//! An account's orders and fills are told by the partitions of their markets, its balances by the
//! partition of its ledger. A subscription therefore has one place in every partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{AccountId, EntryEvents};
use views::Views;
use websocket::Text;

use super::channel::Channel;
use super::channel_name::PrivateKind;
use super::events::{self, Indexed};
use super::hub::{Beginning, News, Now, Place};
use super::message::{Head, MessageKind, Position};
use super::ring::{Conflation, RingBounds, Slot};
use crate::wire::answer;

/// Fills in a snapshot.
const SNAPSHOT_FILLS: usize = 100;

/// The channels of an account that somebody subscribed to.
pub(super) struct AccountChannels {
    account: AccountId,
    channels: BTreeMap<PrivateKind, Private>,
}

struct Private {
    channel: Arc<Channel>,
    /// Whether nobody was subscribed at the last sweep.
    was_idle: bool,
}

impl AccountChannels {
    pub(super) fn new(account: AccountId) -> Self {
        Self { account, channels: BTreeMap::new() }
    }

    /// The channel, created if nobody had subscribed to it.
    pub(super) fn channel(
        &mut self,
        kind: PrivateKind,
        now: Now,
        bounds: RingBounds,
    ) -> &Arc<Channel> {
        let private = self.channels.entry(kind).or_insert_with(|| {
            let head =
                Head { channel: kind.name().to_owned(), market: None, partition: now.partition };
            let channel = Arc::new(Channel::new(head, now.seq, bounds, None));
            Private { channel, was_idle: false }
        });
        &private.channel
    }

    /// Tells of an entry: `events` are those that concern the account.
    pub(super) fn note(
        &self,
        entry: &EntryEvents<'_>,
        events: &[Indexed<'_>],
        views: &Views,
        news: &mut News,
    ) {
        for (&kind, Private { channel, .. }) in &self.channels {
            if let Some(text) = encode(kind, self.account, &channel.head, entry, events, views) {
                news.push(channel, Slot::new(entry.seq, text, Conflation::Never));
            }
        }
    }

    /// A place with a snapshot.
    pub(super) fn begin(
        &mut self,
        kind: PrivateKind,
        now: Now,
        views: &Views,
        bounds: RingBounds,
    ) -> Place {
        let channel = Arc::clone(self.channel(kind, now, bounds));
        let text = snapshot(kind, self.account, &channel.head, now, views);
        Place { cursor: channel.end(), channel, seq: now.seq, beginning: Beginning::Snapshot(text) }
    }

    /// Forgets idle channels; false if none is left.
    pub(super) fn sweep(&mut self) -> bool {
        self.channels.retain(|_, private| {
            let idle = private.channel.subscribers() == 0;
            !(idle && std::mem::replace(&mut private.was_idle, idle))
        });
        !self.channels.is_empty()
    }
}

/// The message of an entry, if it says anything of the account on this channel.
pub(super) fn encode(
    kind: PrivateKind,
    account: AccountId,
    head: &Head,
    entry: &EntryEvents<'_>,
    events: &[Indexed<'_>],
    views: &Views,
) -> Option<Text> {
    let items = events::items(kind, account, entry.seq, events, views);
    let at = Position::at(entry.seq, entry.time);
    (!items.is_empty()).then(|| head.message(MessageKind::Update, at, items))
}

/// What the partition has of the account.
fn snapshot(kind: PrivateKind, account: AccountId, head: &Head, now: Now, views: &Views) -> Text {
    let at = Position::at(now.seq, now.time);
    match kind {
        PrivateKind::Orders => {
            let mut orders = Vec::new();
            for order in views.open_orders(account, None) {
                let info = views.market_info(order.market);
                if let Some(info) = info.filter(|info| info.def.home == now.partition) {
                    orders.push(answer::Order::new(&info, &order));
                }
            }
            head.message(MessageKind::Snapshot, at, orders)
        }
        PrivateKind::Fills => {
            let mut fills = Vec::new();
            for fill in views.fills(account, None, SNAPSHOT_FILLS).iter().rev() {
                if fill.partition == now.partition
                    && let Some(info) = views.market_info(fill.market)
                {
                    fills.push(answer::Fill::new(&info, fill));
                }
            }
            head.message(MessageKind::Snapshot, at, fills)
        }
        PrivateKind::Balances => {
            let balances: Vec<_> = views
                .balances(account)
                .into_iter()
                .filter_map(|b| events::balance_item(b.asset, b.available, b.held, views))
                .collect();
            head.message(MessageKind::Snapshot, at, balances)
        }
    }
}
