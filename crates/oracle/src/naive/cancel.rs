//! Cancels and amendments as the exchange gets them (6).

use types::{
    AccountId, CancelCause, ClientOrderId, Event, MarketId, OrderId, RejectCode, ReplaceOrder,
    ReplyTo, Request, RequestKind,
};

use super::amend::{Amendment, AmendmentNeeds};
use super::funds::Place;
use super::order::Order;
use super::{Asker, Exchange};

impl Exchange {
    pub(super) fn cancel_order(&mut self, asker: &Asker, order: OrderId) -> Result<(), RejectCode> {
        let at = self.market(asker.market)?;
        let cause = CancelCause::Client;
        let done = self.markets[at].cancel(asker.account, order.0, asker.reply, cause);
        self.collect(at);
        done
    }

    pub(super) fn cancel_by_client_id(&mut self, asker: &Asker) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        let Some((at, order)) = self.find_client_id(asker.account, asker.client_id) else {
            return self.cancel_list_by_name(asker);
        };
        // The market answers as to a cancel by the order's id: it does not know the client's.
        let market = self.markets[at].def.id.0;
        let (request, client_id) = (RequestKind::CancelOrder, ClientOrderId::NONE);
        let asker = Asker { market, request, client_id, ..*asker };
        if let Err(code) = self.cancel_order(&asker, order) {
            self.reject(&asker, code);
        }
        Ok(())
    }

    /// The open order that the account calls so: its market's place in the list, and its id.
    fn find_client_id(&self, account: u32, name: ClientOrderId) -> Option<(usize, OrderId)> {
        let named = |order: &&Order| order.account == account && order.client_id == name;
        self.markets.iter().enumerate().find_map(|(at, market)| {
            let order = market.open().find(named)?;
            Some((at, OrderId(order.id)))
        })
    }

    /// The market of the open order, or the list, that the account calls so.
    pub fn market_of_client_id(&self, account: u32, name: ClientOrderId) -> Option<MarketId> {
        let found = self.find_client_id(account, name).map(|(at, _)| at);
        let found = found.or_else(|| self.find_list(account, name).map(|(at, _)| at));
        found.map(|at| self.markets[at].def.id)
    }

    pub(super) fn cancel_all(&mut self, asker: &Asker) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        let reply = asker.reply;
        let (account, market) = (AccountId(asker.account), MarketId(asker.market));
        let Ok(at) = self.market(asker.market) else {
            self.events.push(Event::CancelAllAccepted { reply, account, market, count: 0 });
            return Ok(());
        };
        let found = &self.markets[at];
        let own = found.open().filter(|order| order.account == account.0);
        let mut own: Vec<_> = own.map(|order| (order.placed, order.id)).collect();
        own.sort_unstable();
        let count = own.len() as u32;
        self.events.push(Event::CancelAllAccepted { reply, account, market, count });
        for (_, order) in own {
            let market = &mut self.markets[at];
            let done = market.cancel(account.0, order, ReplyTo::NOBODY, CancelCause::CancelAll);
            if let Err(code) = done {
                // A market that is halted refuses each, and the other of a pair is gone by now; nobody
                // waits for that answer.
                self.collect(at);
                let request = RequestKind::CancelOrder;
                self.reject(&Asker { reply: ReplyTo::NOBODY, request, ..*asker }, code);
            }
        }
        self.collect(at);
        Ok(())
    }

    /// A cancel, then a placement of the same account (6.6).
    pub(super) fn replace_order(
        &mut self,
        asker: &Asker,
        replace: &ReplaceOrder,
    ) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        let order = Request::PlaceOrder(replace.order.clone());
        if !asker.client_id.is_none() && self.repeated(asker, &order)? {
            return Ok(());
        }
        let at = self.open_market(asker.market)?;
        let (account, cause) = (asker.account, CancelCause::Client);
        let done = self.markets[at].cancel(account, replace.cancel.0, ReplyTo::NOBODY, cause);
        self.collect(at);
        self.fit_holds();
        match done {
            Err(code) if replace.stop_on_failure => {
                // The market answers, which does not know the client's id.
                self.reject(&Asker { client_id: ClientOrderId::NONE, ..*asker }, code);
            }
            Ok(()) | Err(_) => {
                let asker = Asker { request: RequestKind::PlaceOrder, ..*asker };
                if let Err(code) = self.place_order(&asker, &replace.order) {
                    self.reject(&asker, code);
                }
            }
        }
        Ok(())
    }

    pub(super) fn amend_order(
        &mut self,
        asker: &Asker,
        request: &Request,
    ) -> Result<(), RejectCode> {
        let &Request::AmendOrder { version, order, price, quantity, keep_priority, .. } = request
        else {
            unreachable!("dispatched by kind");
        };
        let account = asker.account;
        let frozen = self.account(account)?.frozen;
        if frozen {
            return Err(RejectCode::AccountFrozen);
        }
        let at = self.open_market(asker.market)?;
        let market = &self.markets[at];
        if version != market.def.version {
            return Err(RejectCode::StaleDefinition);
        }
        let asked = Amendment {
            price: price.map(|price| price.get()),
            total: quantity.map(|total| total.get()),
            keep_priority,
        };
        let AmendmentNeeds { asset, extra, more_lots_to_buy } =
            market.check_amendment(account, order.0, asked)?;
        if more_lots_to_buy > 0 {
            self.check_position(market, AccountId(account), more_lots_to_buy)?;
        }
        if extra > self.funds.available(account, asset) {
            return Err(RejectCode::InsufficientBalance);
        }
        self.funds.post(asset, Place::Available(account), Place::Held(account), extra);
        let done = self.markets[at].amend(account, order.0, asked, asker.reply);
        self.collect(at);
        done
    }
}
