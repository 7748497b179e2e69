//! The events of an account in one partition, as its owner is told them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use types::{AccountId, EntryEvents, Event, EventBatch, Seq};
use views::{AccountUpdate, Changes};

use super::payload::bare_slot;
use super::report::{Reporter, Told};
use crate::binance::names::CancelNames;
use crate::binance::render::TimeUnit;
use crate::ws::channel::Channel;
use crate::ws::hub::Scene;
use crate::ws::message::Head;
use crate::ws::ring::Conflation;

/// The streams of accounts that somebody listens to.
#[derive(Default)]
pub(super) struct AccountStreams {
    streams: HashMap<AccountId, HashMap<TimeUnit, AccountStream>>,
}

/// One of them, with its times in one unit.
struct AccountStream {
    channel: Arc<Channel>,
    reporter: Reporter,
    /// Whether nobody was subscribed at the last sweep.
    was_idle: bool,
}

/// What of a batch concerns an account.
#[derive(Default)]
struct Concern<'a> {
    updates: &'a [AccountUpdate],
    seqs: BTreeSet<Seq>,
}

impl AccountStreams {
    /// The channel of an account, made if nobody had subscribed to it.
    pub(super) fn of(
        &mut self,
        account: AccountId,
        unit: TimeUnit,
        names: &Arc<CancelNames>,
        scene: &Scene<'_>,
    ) -> Arc<Channel> {
        let streams = self.streams.entry(account).or_default();
        let stream = streams.entry(unit).or_insert_with(|| {
            let partition = scene.now.partition;
            let head = Head { channel: "user data".to_owned(), market: None, partition };
            let channel = Arc::new(Channel::new(head, scene.now.seq, scene.bounds, None));
            let reporter = Reporter::new(account, unit, Arc::clone(names), scene.views);
            AccountStream { channel, reporter, was_idle: false }
        });
        Arc::clone(&stream.channel)
    }

    /// Takes in a batch, which the views have applied.
    pub(super) fn note(&mut self, batch: &EventBatch, changes: &Changes, scene: &mut Scene<'_>) {
        if self.streams.is_empty() {
            return;
        }
        let entries: Vec<EntryEvents<'_>> = batch.iter_after(changes.after).collect();
        for (account, Concern { updates, seqs }) in self.concerned(&entries, changes) {
            let Some(streams) = self.streams.get_mut(&account) else {
                continue;
            };
            for seq in seqs {
                // Entries follow each other without a hole.
                let at = (seq.0 - changes.after.0 - 1) as usize;
                let (entry, updates) = (&entries[at], of_entry(updates, seq));
                for stream in streams.values_mut() {
                    stream.note(entry, updates, scene);
                }
            }
        }
    }

    /// Which entries concern which of the accounts that somebody listens to.
    fn concerned<'a>(
        &self,
        entries: &[EntryEvents<'_>],
        changes: &'a Changes,
    ) -> BTreeMap<AccountId, Concern<'a>> {
        let mut found: BTreeMap<AccountId, Concern<'a>> = BTreeMap::new();
        for known in changes.accounts.iter().filter(|c| self.streams.contains_key(&c.account)) {
            let seqs = known.updates.iter().map(|update| update.seq).collect();
            found.insert(known.account, Concern { updates: &known.updates, seqs });
        }
        for entry in entries {
            for account in entry.events.iter().filter_map(beside_orders) {
                if self.streams.contains_key(&account) {
                    found.entry(account).or_default().seqs.insert(entry.seq);
                }
            }
        }
        found
    }

    /// Whether somebody listens to the account.
    pub(super) fn follow(&self, account: AccountId) -> bool {
        self.streams.contains_key(&account)
    }

    /// Forgets streams that have been without a subscriber since the last time.
    pub(super) fn sweep(&mut self) {
        self.streams.retain(|_, streams| {
            streams.retain(|_, stream| {
                let idle = stream.channel.subscribers() == 0;
                !(idle && std::mem::replace(&mut stream.was_idle, idle))
            });
            !streams.is_empty()
        });
    }
}

impl AccountStream {
    fn note(&mut self, entry: &EntryEvents<'_>, updates: &[AccountUpdate], scene: &mut Scene<'_>) {
        let told: Vec<Told> = self.reporter.tell(entry, updates, scene.views);
        for event in &told {
            let slot = bare_slot(entry.seq, event, Conflation::Never);
            scene.news.push(&self.channel, slot);
        }
    }
}

/// Those of an entry: updates are in the order of the log.
fn of_entry(updates: &[AccountUpdate], seq: Seq) -> &[AccountUpdate] {
    let begin = updates.partition_point(|update| update.seq < seq);
    let end = updates.partition_point(|update| update.seq <= seq);
    &updates[begin..end]
}

/// Whose value or list an event is about that changes no order.
fn beside_orders(event: &Event) -> Option<AccountId> {
    match *event {
        Event::Credited { account, .. }
        | Event::Debited { account, .. }
        | Event::TransferredOut { account, .. }
        | Event::TransferredIn { account, .. }
        | Event::OrderListAdvanced { account, .. }
        | Event::OrderListEnded { account, .. } => Some(account),
        Event::OrderListPlaced(ref placed) => Some(placed.account),
        _ => None,
    }
}
