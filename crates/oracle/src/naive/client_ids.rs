//! The memory of client ids and what became of each command (docs/api.md, "Idempotency"). Nothing is
//! forgotten here: a duel ends before the day is over for which ids are remembered.

use types::{AccountId, ClientOrderId, Event, MarketId, OrderId, RejectCode, Request};

use super::{Asker, Exchange};

/// A client id that was used.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    request: Request,
    outcome: Result<OrderId, RejectCode>,
}

impl Exchange {
    /// Whether the command was done before, and is hereby answered.
    ///
    /// # Errors
    /// [`RejectCode::ClientIdReused`] if the id was another command's.
    pub(super) fn repeated(
        &mut self,
        asker: &Asker,
        request: &Request,
    ) -> Result<bool, RejectCode> {
        let name = (asker.account, asker.client_id);
        let Some(known) = self.remembered.get(&name) else { return Ok(false) };
        if known.request != *request {
            return Err(RejectCode::ClientIdReused);
        }
        self.events.push(Event::Repeated {
            reply: asker.reply,
            request: asker.request,
            account: AccountId(asker.account),
            market: MarketId(asker.market),
            client_order_id: asker.client_id,
            outcome: known.outcome,
        });
        Ok(true)
    }

    /// Whether the account's id was used.
    pub(super) fn is_remembered(&self, account: u32, id: ClientOrderId) -> bool {
        self.remembered.contains_key(&(account, id))
    }

    /// Remembers what became of a command, unless another try might fare better.
    pub(super) fn remember(
        &mut self,
        asker: &Asker,
        request: &Request,
        outcome: Result<OrderId, RejectCode>,
    ) {
        if asker.client_id.is_none() || outcome.is_err_and(RejectCode::is_retryable) {
            return;
        }
        let known = Remembered { request: request.clone(), outcome };
        self.remembered.insert((asker.account, asker.client_id), known);
    }

    /// An amendment gave an order another id: what it is known as follows.
    pub(super) fn rename(&mut self, market: MarketId, old: OrderId, new: OrderId) {
        for known in self.remembered.values_mut() {
            let placed =
                matches!(&known.request, Request::PlaceOrder(order) if order.market == market);
            if placed && known.outcome == Ok(old) {
                known.outcome = Ok(new);
            }
        }
    }
}
