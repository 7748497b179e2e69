//! A list that comes, and its pending legs when their time has come: the rules in their order (9.4), one
//! hold (12.5), the market.

use std::rc::Rc;

use types::{
    AccountId, AssetId, ClientOrderId, Event, ListEnd, ListLeg, MarketId, OrderId, OrderListKind,
    OrderListPlaced, OrderSpec, PlaceOrder, PlaceOrderList, RejectCode, ReplyTo, Request,
    RequestKind, Side, TimeInForce, Trigger,
};

use super::funds::Place;
use super::lists::List;
use super::market::Market;
use super::order::Order;
use super::place::{check_order, hold};
use super::{Asker, Exchange, pays_with};

/// Funded orders that enter a market together.
#[derive(Debug)]
struct Entry {
    /// As if each was placed by itself.
    placed: Vec<PlaceOrder>,
    orders: Vec<Order>,
    /// Whose, of what, how much.
    held: (u32, AssetId, u128),
    kind: OrderListKind,
    request: Rc<PlaceOrderList>,
    /// The list whose pending legs they are; none if they begin one.
    list: Option<u64>,
}

/// Pending legs that were looked at and have not entered yet.
#[derive(Debug)]
pub(super) struct Coming {
    asker: Asker,
    list: u64,
    entry: Result<Entry, RejectCode>,
}

impl Coming {
    /// What is held for them.
    pub(super) fn need(&self) -> Option<(u32, AssetId, u128)> {
        self.entry.as_ref().ok().map(|entry| entry.held)
    }

    fn has_name(&self, account: u32, name: ClientOrderId) -> bool {
        let named = |order: &PlaceOrder| order.client_order_id == name;
        self.asker.account == account
            && self.entry.as_ref().is_ok_and(|entry| entry.placed.iter().any(named))
    }
}

impl Exchange {
    pub(super) fn place_order_list(
        &mut self,
        asker: &Asker,
        list: &PlaceOrderList,
    ) -> Result<(), RejectCode> {
        self.account(asker.account)?;
        let request = Request::PlaceOrderList(Box::new(list.clone()));
        if !asker.client_id.is_none() && self.repeated(asker, &request)? {
            return Ok(());
        }
        let outcome = self.decide_list(asker, list);
        self.remember(asker, &request, outcome);
        outcome.map(|_| ())
    }

    fn decide_list(&mut self, asker: &Asker, list: &PlaceOrderList) -> Result<OrderId, RejectCode> {
        let kind = kind_of(&list.legs, &list.pending).ok_or(RejectCode::InvalidCombination)?;
        self.check_names(asker, list.client_order_id, list.legs.iter().chain(&list.pending))?;
        self.check_market(asker, list)?;
        let at = self.market(asker.market)?;
        for leg in list.legs.iter().chain(&list.pending) {
            check_order(&self.markets[at], &order_of(list, leg), self.now)?;
        }
        let entry = self.fund(asker, Rc::new(list.clone()), kind, None)?;
        self.enter_together(asker, entry)
    }

    /// No leg has a name that is remembered, and none stands twice (12.13).
    fn check_names<'a>(
        &self,
        asker: &Asker,
        list: ClientOrderId,
        legs: impl Iterator<Item = &'a ListLeg>,
    ) -> Result<(), RejectCode> {
        let mut seen = vec![list];
        for name in legs.map(|leg| leg.client_order_id).filter(|name| !name.is_none()) {
            let coming = self.coming.iter().any(|coming| coming.has_name(asker.account, name));
            if coming || seen.contains(&name) || self.is_remembered(asker.account, name) {
                return Err(RejectCode::ClientIdReused);
            }
            seen.push(name);
        }
        Ok(())
    }

    fn check_market(&self, asker: &Asker, list: &PlaceOrderList) -> Result<(), RejectCode> {
        if self.account(asker.account)?.frozen {
            return Err(RejectCode::AccountFrozen);
        }
        let market = &self.markets[self.open_market(asker.market)?];
        if list.version == market.def.version { Ok(()) } else { Err(RejectCode::StaleDefinition) }
    }

    /// Holds the funds for what is placed at once (12.5).
    fn fund(
        &mut self,
        asker: &Asker,
        request: Rc<PlaceOrderList>,
        kind: OrderListKind,
        list: Option<u64>,
    ) -> Result<Entry, RejectCode> {
        let market = &self.markets[self.market(asker.market)?];
        let legs = if list.is_some() { &request.pending } else { &request.legs };
        let placed: Vec<_> = legs.iter().map(|leg| order_of(&request, leg)).collect();
        self.check_account_rules(market, &placed)?;
        let asset = pays_with(market, placed[0].side);
        let available = self.funds.available(asker.account, asset);
        let needs: Vec<_> = placed.iter().map(|order| hold(market, order, available)).collect();
        let larger = *needs.iter().max().expect("one or two");
        if larger > available || needs.contains(&0) {
            return Err(RejectCode::InsufficientBalance);
        }
        self.follow_volume(asker.account);
        let mut orders = Vec::new();
        for (order, need) in placed.iter().zip(needs) {
            orders.push(self.new_order(order, need)?);
        }
        let account = asker.account;
        self.funds.post(asset, Place::Available(account), Place::Held(account), larger);
        Ok(Entry { placed, orders, held: (account, asset, larger), kind, request, list })
    }

    /// Lets funded legs enter their market. What that says is remembered under their names.
    fn enter_together(&mut self, asker: &Asker, entry: Entry) -> Result<OrderId, RejectCode> {
        let at = self.market(asker.market)?;
        let placed = entry.placed.clone();
        let outcome = self.markets[at].admit_together(asker.reply, entry);
        self.collect(at);
        for (nth, order) in placed.into_iter().enumerate() {
            let outcome = outcome.map(|first| OrderId(first.0 + nth as u64));
            let asker = Asker { client_id: order.client_order_id, ..*asker };
            self.remember(&asker, &Request::PlaceOrder(order), outcome);
        }
        outcome
    }

    /// Places what pended behind orders that were filled, as long as there is something (12.8).
    pub(super) fn place_what_pended(&mut self) {
        self.look_at_pending();
        while let Some(Coming { asker, list, entry }) = self.coming.pop_front() {
            let entered = entry.and_then(|entry| self.enter_together(&asker, entry));
            if let Err(code) = entered {
                let at = self.market(asker.market).expect("its list was there");
                self.markets[at].list_ended(list, asker.account, ListEnd::Refused { code });
                self.collect(at);
            }
            self.look_at_pending();
        }
    }

    /// Looks at pending legs whose working orders are filled, in that order, and holds their funds.
    fn look_at_pending(&mut self) {
        self.fit_holds();
        while let Some(at) = self.markets.iter().position(|m| !m.filled_lists.is_empty()) {
            let list = self.markets[at].filled_lists.remove(0);
            let asker = Asker {
                reply: ReplyTo::NOBODY,
                request: RequestKind::PlaceOrderList,
                account: list.account,
                market: list.request.market.0,
                client_id: list.request.client_order_id,
            };
            let entry = self.check_pending(&asker, &list);
            self.coming.push_back(Coming { asker, list: list.id, entry });
        }
    }

    fn check_pending(&mut self, asker: &Asker, list: &List) -> Result<Entry, RejectCode> {
        let request = Rc::clone(&list.request);
        self.check_names(asker, request.client_order_id, request.pending.iter())?;
        self.check_market(asker, &request)?;
        let at = self.market(asker.market)?;
        for leg in &request.pending {
            check_order(&self.markets[at], &order_of(&request, leg), self.now)?;
        }
        self.fund(asker, request, list.kind, Some(list.id))
    }

    /// Whether legs pend while there are several markets.
    pub fn may_place_in_one_of_many(&self) -> bool {
        let pends = |market: &Market| market.lists.iter().any(|list| list.pending() > 0);
        self.markets.len() > 1 && self.markets.iter().any(pends)
    }

    /// Legs of the account that are about to enter the market.
    pub(super) fn coming_orders(
        &self,
        account: AccountId,
        market: MarketId,
    ) -> impl Iterator<Item = &[PlaceOrder]> {
        let entries = self.coming.iter().filter_map(|coming| coming.entry.as_ref().ok());
        let legs = entries.map(|entry| &entry.placed[..]);
        legs.filter(move |legs| (legs[0].account, legs[0].market) == (account, market))
    }

    pub(super) fn cancel_order_list(
        &mut self,
        asker: &Asker,
        list: OrderId,
    ) -> Result<(), RejectCode> {
        let at = self.market(asker.market)?;
        let done = self.markets[at].cancel_list(asker.account, list.0, asker.reply);
        self.collect(at);
        done
    }

    /// The list that the account calls so: its market's place, and its id.
    pub(super) fn find_list(&self, account: u32, name: ClientOrderId) -> Option<(usize, OrderId)> {
        let named = |list: &&List| {
            list.account == account && list.request.client_order_id == name && !name.is_none()
        };
        self.markets.iter().enumerate().find_map(|(at, market)| {
            let list = market.lists.iter().find(named)?;
            Some((at, OrderId(list.id)))
        })
    }

    pub(super) fn cancel_list_by_name(&mut self, asker: &Asker) -> Result<(), RejectCode> {
        let found = self.find_list(asker.account, asker.client_id);
        let (at, list) = found.ok_or(RejectCode::UnknownOrder)?;
        // The market is asked for the list's first order, and answers so.
        let market = self.markets[at].def.id.0;
        let (request, client_id) = (RequestKind::CancelOrder, ClientOrderId::NONE);
        let asker = Asker { market, request, client_id, ..*asker };
        if let Err(code) = self.cancel_order_list(&asker, list) {
            self.reject(&asker, code);
        }
        Ok(())
    }
}

impl Market {
    /// Funded orders come to the market together: all enter, or none (12.3).
    fn admit_together(&mut self, reply: ReplyTo, entry: Entry) -> Result<OrderId, RejectCode> {
        let Entry { placed, mut orders, kind, request, list, .. } = entry;
        // The units may have changed while pending legs were on their way (15.6).
        if request.version != self.def.version {
            return Err(RejectCode::StaleDefinition);
        }
        let is_pair = orders.len() == 2;
        let mut to_wait = 0;
        for order in &mut orders {
            self.check_admission(order, is_pair, to_wait)?;
            to_wait += usize::from(order.conditions.trigger.is_some());
        }
        let ids: Vec<u64> = (1..=orders.len() as u64).map(|nth| self.last_order + nth).collect();
        self.last_order += ids.len() as u64;
        let (account, first) = (orders[0].account, ids[0]);
        self.say_together(reply, &ids, kind, &request, list);
        if is_pair || list.is_none() {
            let (id, orders) = (list.unwrap_or(first), ids.clone());
            self.lists.push(List { id, account, orders, kind, request });
        }
        if let Some(list) = list.filter(|_| !is_pair) {
            self.list_ended(list, account, ListEnd::Done);
        }
        for ((mut order, placed), id) in orders.into_iter().zip(placed).zip(ids) {
            order.id = id;
            self.accept(ReplyTo::NOBODY, placed.client_order_id, order);
        }
        self.enter_fired();
        Ok(OrderId(first))
    }

    fn say_together(
        &mut self,
        reply: ReplyTo,
        ids: &[u64],
        kind: OrderListKind,
        request: &PlaceOrderList,
        list: Option<u64>,
    ) {
        let (market, account) = (self.def.id, AccountId(request.account.0));
        let orders: Vec<_> = ids.iter().map(|&id| OrderId(id)).collect();
        self.events.push(match list {
            Some(list) => Event::OrderListAdvanced { market, list: OrderId(list), account, orders },
            None => Event::OrderListPlaced(Box::new(OrderListPlaced {
                reply,
                market,
                list: orders[0],
                account,
                client_order_id: request.client_order_id,
                kind,
                orders,
                pending: request.pending.clone(),
            })),
        });
    }
}

/// A leg as an order by itself.
fn order_of(list: &PlaceOrderList, leg: &ListLeg) -> PlaceOrder {
    PlaceOrder {
        account: list.account,
        market: list.market,
        version: list.version,
        client_order_id: leg.client_order_id,
        side: leg.side,
        spec: leg.spec,
        conditions: leg.conditions.into(),
        self_trade_prevention: list.self_trade_prevention,
    }
}

/// What legs make, if they make a list (12.1, 12.2).
pub fn kind_of(legs: &[ListLeg], pending: &[ListLeg]) -> Option<OrderListKind> {
    let works = |leg: &ListLeg| {
        matches!(leg.spec, OrderSpec::Limit { .. }) && leg.conditions.trigger.is_none()
    };
    match (legs.len(), pending.len()) {
        (2, 0) if are_pair(legs) => Some(OrderListKind::OneCancelsOther),
        (1, 1) if works(&legs[0]) => Some(OrderListKind::OneTriggersOther),
        (1, 2) if works(&legs[0]) && are_pair(pending) => Some(OrderListKind::OneTriggersPair),
        _ => None,
    }
}

fn are_pair(legs: &[ListLeg]) -> bool {
    let (first, second) = (&legs[0], &legs[1]);
    let by_quote = |leg: &ListLeg| matches!(leg.spec, OrderSpec::MarketByQuote { .. });
    let rests = match first.spec {
        OrderSpec::Limit { time_in_force: TimeInForce::Gtc, .. } => {
            first.conditions.minimum.is_none() && !first.conditions.slide
        }
        _ => false,
    };
    first.side == second.side
        && !by_quote(first)
        && !by_quote(second)
        && first.spec.quantity() == second.spec.quantity()
        && (first.conditions.trigger.is_some() || rests)
        && second.conditions.trigger.is_some()
        && lies_above(first) != lies_above(second)
}

fn lies_above(leg: &ListLeg) -> bool {
    match (leg.conditions.trigger, leg.side) {
        (Some(Trigger::Rises { .. }), _) => true,
        (Some(Trigger::Falls { .. }), _) => false,
        (Some(Trigger::Trails { .. }), side) => side == Side::Buy,
        (None, side) => side == Side::Sell,
    }
}
