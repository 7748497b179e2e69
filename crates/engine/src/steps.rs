//! One step: a request or message is handled by the one component that it is for.

use book::Work;
use borsh::{BorshDeserialize, BorshSerialize};
use types::{
    Admit, AmendOrder, ClientOrderId, Component, Event, MarketId, Message, RejectCode, ReplyTo,
    Request, RequestKind, Timestamp,
};

use crate::partition::Partition;

/// Something to do. Holds a whole message, as the queue is moved through and not kept.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Step {
    /// A client's, which arrived while earlier work was left.
    Request {
        reply: ReplyTo,
        valid_until: Timestamp,
        request: Request,
    },
    /// A component's.
    Message(Message),
}

impl Step {
    /// The market that must not be interrupted for this, if it goes to one.
    fn market(&self) -> Option<MarketId> {
        match self {
            Self::Message(Message::Resume { .. }) => None,
            Self::Message(message) => match message.to() {
                Component::Market(market) => Some(market),
                Component::Ledger(_) | Component::Treasury | Component::Registry(_) => None,
            },
            Self::Request { request, .. } => match *request {
                Request::CancelOrder { market, .. } | Request::SetMarketState { market, .. } => {
                    Some(market)
                }
                _ => None,
            },
        }
    }
}

impl Partition {
    /// Does one step. A market that is in the middle of an order takes nothing but its own
    /// `Resume`; what comes for it meanwhile waits, in order.
    pub(crate) fn step(&mut self, step: Step, work: &mut Work) {
        if let Some(market) = step.market()
            && self.is_interrupted(market)
        {
            self.deferred.push_back(step);
            return;
        }
        match step {
            Step::Request {
                reply,
                valid_until,
                request,
            } => {
                self.request(reply, valid_until, &request, work);
            }
            Step::Message(message) => self.message(&message, work),
        }
    }

    fn message(&mut self, message: &Message, work: &mut Work) {
        match message {
            Message::Admit(admit) => self.admit(admit, work),
            Message::AmendOrder(amend) => self.amend(amend, work),
            Message::CancelOrder {
                reply,
                account,
                market,
                order,
                cause,
            } => {
                match self
                    .markets
                    .get_mut(market.0 as usize)
                    .and_then(Option::as_mut)
                {
                    Some(book) => book.cancel(*reply, *account, *order, *cause, &mut self.fx),
                    None => {
                        self.reject_at_market(*reply, RequestKind::CancelOrder, *account, *market)
                    }
                }
            }
            Message::Resume { market } => self.resume(*market, work),
            Message::Debited {
                reference,
                asset,
                amount,
                outcome,
            } => {
                let treasury = self.treasury.as_mut().expect("messages are routed");
                treasury.debited(*reference, *asset, *amount, *outcome);
            }
            Message::Define { definition, .. } => self.define(definition.clone()),
            Message::Rested { .. }
            | Message::Filled(_)
            | Message::Released { .. }
            | Message::Closed { .. }
            | Message::Refused { .. }
            | Message::Credit { .. }
            | Message::Debit { .. }
            | Message::SettleDebit { .. }
            | Message::TransferIn { .. } => self.ledger.receive(message, &mut self.fx),
        }
    }

    fn admit(&mut self, admit: &Admit, work: &mut Work) {
        match self
            .markets
            .get_mut(admit.market.0 as usize)
            .and_then(Option::as_mut)
        {
            Some(market) => market.admit(admit, work, &mut self.fx),
            None => {
                // The ledger's partition heard of the market before this one did.
                let code = RejectCode::UnknownMarket;
                self.fx.emit(Event::Rejected {
                    reply: admit.reply,
                    request: RequestKind::PlaceOrder,
                    account: admit.account,
                    market: admit.market,
                    client_order_id: admit.client_order_id,
                    code,
                });
                let (account, hold) = (admit.account, admit.hold);
                self.fx.send(Message::Refused {
                    account,
                    hold,
                    code,
                });
            }
        }
    }

    fn amend(&mut self, amend: &AmendOrder, work: &mut Work) {
        match self
            .markets
            .get_mut(amend.market.0 as usize)
            .and_then(Option::as_mut)
        {
            Some(market) => market.amend(amend, work, &mut self.fx),
            None => unreachable!("an order of market {} has an id", amend.market),
        }
    }

    fn resume(&mut self, market: MarketId, work: &mut Work) {
        let book = self
            .markets
            .get_mut(market.0 as usize)
            .and_then(Option::as_mut);
        book.expect("only a market here sends itself a message")
            .resume(work, &mut self.fx);
        if !self.is_interrupted(market) {
            self.take_up_deferred(market);
        }
    }

    /// What waited for `market` goes to the front of the queue, in order.
    fn take_up_deferred(&mut self, market: MarketId) {
        let (mine, others) = std::mem::take(&mut self.deferred)
            .into_iter()
            .partition::<Vec<_>, _>(|step| step.market() == Some(market));
        self.deferred = others.into();
        for step in mine.into_iter().rev() {
            self.queue.push_front(step);
        }
    }

    fn is_interrupted(&self, market: MarketId) -> bool {
        self.market(market)
            .is_some_and(book::Market::is_interrupted)
    }

    pub(crate) fn reject_at_market(
        &mut self,
        reply: ReplyTo,
        request: RequestKind,
        account: types::AccountId,
        market: MarketId,
    ) {
        let known = self.definitions.market(market).is_some();
        let code = if known {
            RejectCode::WrongPartition
        } else {
            RejectCode::UnknownMarket
        };
        let client_order_id = ClientOrderId::NONE;
        self.fx.emit(Event::Rejected {
            reply,
            request,
            account,
            market,
            client_order_id,
            code,
        });
    }
}
