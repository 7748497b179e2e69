//! Quarantine: a component that has failed takes no step until an operator releases it, and the rest of
//! the exchange goes on.
//!
//! Invariants:
//! - the log decides who is quarantined, not the binary: [`types::Command::Quarantine`] stands before the
//!   command that the component failed on, so that every replay passes that command in the same way;
//! - what can be refused is refused, and what it had locked is free again; what states a fact is parked, in
//!   order, and is handled first when the component is released;
//! - parked messages are under way: an audit counts them, a snapshot has them.
//!
//! How a failure is found and how the log gets its entry is the sequencer's business.

use std::collections::{BTreeMap, VecDeque};

use book::Work;
use borsh::{BorshDeserialize, BorshSerialize};
use ledger::refuse_debit;
use types::{
    AccountId, Admit, AdmitList, AmendOrder, ClientOrderId, Component, Event, MarketId, Message,
    OrderId, RejectCode, ReplyTo, RequestKind, Seq,
};

use crate::messages::interruptible;
use crate::partition::Partition;

/// Who is quarantined.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Quarantines {
    of: BTreeMap<Component, Quarantine>,
}

#[derive(Debug, BorshSerialize, BorshDeserialize)]
struct Quarantine {
    since: Seq,
    reason: String,
    parked: VecDeque<Message>,
}

/// A component that is quarantined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Which.
    pub component: Component,
    /// The entry that says so. The command that it failed on is the next one.
    pub since: Seq,
    /// What it said when it failed, and where.
    pub reason: String,
    /// Messages that wait for it.
    pub parked: usize,
}

impl Quarantines {
    /// Whether `component` must not take a step.
    #[inline]
    pub fn holds(&self, component: Component) -> bool {
        !self.of.is_empty() && self.of.contains_key(&component)
    }

    /// Everything that waits.
    pub fn parked(&self) -> impl Iterator<Item = &Message> {
        self.of.values().flat_map(|quarantine| &quarantine.parked)
    }
}

impl Partition {
    /// Whose step was interrupted by a panic, if it can be quarantined. What happened between steps, and
    /// in the registry, on which all else stands, cannot.
    #[must_use]
    pub fn failed_component(&self) -> Option<Component> {
        self.stepping.filter(|component| !matches!(component, Component::Registry(_)))
    }

    /// How many components are quarantined here.
    #[must_use]
    pub fn quarantined_count(&self) -> usize {
        self.quarantines.of.len()
    }

    /// Who is quarantined here.
    pub fn quarantined(&self) -> impl Iterator<Item = Quarantined> {
        self.quarantines.of.iter().map(|(&component, quarantine)| Quarantined {
            component,
            since: quarantine.since,
            reason: quarantine.reason.clone(),
            parked: quarantine.parked.len(),
        })
    }

    /// From now on the component takes no step. What has waited for it in the middle of an order is
    /// treated like what will come.
    pub(crate) fn quarantine(&mut self, component: Component, reason: &str) {
        assert!(!self.quarantines.holds(component), "{component} is quarantined already");
        let (since, reason) = (self.seq, reason.to_owned());
        self.fx.emit(Event::Quarantined { component, reason: reason.clone() });
        let quarantine = Quarantine { since, reason, parked: VecDeque::new() };
        self.quarantines.of.insert(component, quarantine);
        if let Component::Market(market) = component {
            for message in self.take_deferred(market) {
                self.divert(message, component);
            }
        }
    }

    /// Lets the component go on. It takes its first step in the next entry: should it fail again, this one
    /// stands.
    pub(crate) fn release_quarantine(
        &mut self,
        reply: ReplyTo,
        component: Component,
        work: &mut Work,
    ) {
        let Some(quarantine) = self.quarantines.of.remove(&component) else {
            let market = match component {
                Component::Market(market) => market,
                Component::Ledger(_) | Component::Treasury | Component::Registry(_) => MarketId(0),
            };
            return self.refuse(
                reply,
                RequestKind::ReleaseQuarantine,
                (AccountId(0), market, ClientOrderId::NONE),
                RejectCode::NotQuarantined,
            );
        };
        let parked = quarantine.parked.len() as u64;
        self.fx.emit(Event::QuarantineReleased { reply, component, parked });
        // Requests wait until no message is left, so nothing of these is copied.
        assert!(self.fx.messages.is_empty(), "requests come after messages");
        self.fx.messages = quarantine.parked.into();
        work.remaining = 0;
    }

    /// A message for a component that takes no step: refused in its place, or parked.
    pub(crate) fn divert(&mut self, message: Message, component: Component) {
        let code = RejectCode::ComponentQuarantined;
        match message {
            Message::Admit(admit) => self.refuse_admit(&admit, code),
            Message::AmendOrder(amend) => self.refuse_amendment(&amend, code),
            Message::CancelOrder { reply, account, market, .. } => {
                let whom = (account, market, ClientOrderId::NONE);
                self.refuse(reply, RequestKind::CancelOrder, whom, code);
            }
            Message::CancelThenPlace { reply, replace, .. } => {
                let order = &replace.order;
                let whom = (order.account, order.market, order.client_order_id);
                self.refuse(reply, RequestKind::ReplaceOrder, whom, code);
            }
            Message::Place { reply, order, .. } => {
                let whom = (order.account, order.market, order.client_order_id);
                self.refuse(reply, RequestKind::PlaceOrder, whom, code);
            }
            // Those that follow on an order which is filled belong to a list that is known: they wait.
            Message::AdmitList(ref admit) if admit.list == OrderId(0) => {
                self.refuse_list(admit, code);
            }
            // Nothing has left yet. What has left already, SettleDebit tells: it is parked.
            Message::Debit { reply, reference, account, asset, .. } => {
                refuse_debit(reply, reference, account, asset, code, &mut self.fx);
            }
            Message::Rested { .. }
            | Message::Filled { .. }
            | Message::Released { .. }
            | Message::Closed { .. }
            | Message::Refused { .. }
            | Message::Credit { .. }
            | Message::SettleDebit { .. }
            | Message::Debited { .. }
            | Message::TransferIn { .. }
            | Message::Define { .. }
            | Message::Amended { .. }
            | Message::AmendmentRefused { .. }
            | Message::Resume { .. }
            | Message::AdmitList(_)
            | Message::PlacePending(_)
            | Message::ListSettled { .. }
            | Message::PendingDropped { .. }
            | Message::ChangeMarket { .. }
            | Message::FireTimers { .. } => {
                let quarantine = self.quarantines.of.get_mut(&component).expect("checked before");
                quarantine.parked.push_back(message);
            }
        }
    }

    /// Rejects a funded order and gives its funds back.
    pub(crate) fn refuse_admit(&mut self, admit: &Admit, code: RejectCode) {
        let &Admit { reply, account, market, hold, client_order_id, .. } = admit;
        let whom = (account, market, client_order_id);
        self.refuse(reply, RequestKind::PlaceOrder, whom, code);
        self.fx.send(Message::Refused { account, hold, code });
    }

    /// Rejects a funded list and gives its funds back.
    pub(crate) fn refuse_list(&mut self, admit: &AdmitList, code: RejectCode) {
        let &AdmitList { reply, account, market, client_order_id, .. } = admit;
        let whom = (account, market, client_order_id);
        self.refuse(reply, RequestKind::PlaceOrderList, whom, code);
        for leg in &admit.legs {
            self.fx.send(Message::Refused { account, hold: leg.hold, code });
        }
    }

    fn refuse_amendment(&mut self, amend: &AmendOrder, code: RejectCode) {
        let &AmendOrder { reply, account, market, hold, order, extra: release, .. } = amend;
        let whom = (account, market, ClientOrderId::NONE);
        self.refuse(reply, RequestKind::AmendOrder, whom, code);
        self.fx.send(Message::AmendmentRefused { account, hold, market, order, release });
    }

    fn refuse(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        (account, market, client_order_id): (AccountId, MarketId, ClientOrderId),
        code: RejectCode,
    ) {
        self.fx.emit(Event::Rejected { reply, request, account, market, client_order_id, code });
    }

    /// Takes what waits for a market to finish what it was interrupted in.
    pub(crate) fn take_deferred(&mut self, market: MarketId) -> Vec<Message> {
        let (mine, others) = std::mem::take(&mut self.deferred)
            .into_iter()
            .partition::<Vec<_>, _>(|message| interruptible(message) == Some(market));
        self.deferred = others.into();
        mine
    }
}
