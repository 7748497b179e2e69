//! Admission: an order whose funds are held is accepted and matched, or refused.

use types::{
    Admit, Amount, BoxedConditions, CancelCause, Effects, Event, MarketState, Message, OrderId,
    OrderSpec, Price, Quantity, RejectCode, ReplyTo, RequestKind, Side, TimeInForce, Trigger,
};

use crate::liquidity::Probe;
use crate::lists::Member;
use crate::market::{Market, Work};
use crate::order::RestingOrder;
use crate::rules::aged;
use crate::snapshot::Pending;
use crate::taker::{Taker, lots_in};
use crate::waiting::{Waiting, WaitingOrder};

pub(crate) type Checked = Result<(), RejectCode>;

/// What an order that passed its checks does.
pub(crate) enum Entry {
    /// It waits for its trigger while the last price is this.
    Waits { last: Price },
    /// It meets nothing once it has slid to `price`, and rests.
    Slides { price: Price, quantity: Quantity },
    /// It meets nothing, or nothing yet, and rests.
    Rests { price: Price, quantity: Quantity },
    /// It takes what it finds.
    Matches,
}

impl Market {
    /// Takes a new order. Checks come in this order, and the first that fails refuses it:
    ///
    /// 1. version of the definition; state of the market;
    /// 2. price; quantity; combination of options; conditions; the operator's rules;
    /// 3. of an order with a trigger: there is no last price; it meets the trigger; too many wait.
    ///    Nothing more is checked before the trigger fires;
    /// 4. price outside of its band; post-only would match and does not slide; fill-or-kill is not fillable, or a minimum is not
    ///    met; nothing for a market order to match, less than one lot, or more than its budget pays;
    ///    an order whose fill must be known before and that reaches too far into the book is not
    ///    fillable, or has nothing to match;
    /// 5. room in the book for an order that would rest at once.
    ///
    /// # Panics
    /// When the budget is not exactly what a limit order, or a sale by quantity, needs.
    pub fn admit(&mut self, admit: &Admit, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        if let Some((price, quantity)) = self.rests_plainly(admit) {
            return self.rest_plainly(admit, price, quantity, fx);
        }
        self.admit_by_rules(admit, work, fx);
    }

    /// As [`Self::admit`], without the short way.
    fn admit_by_rules(&mut self, admit: &Admit, work: &mut Work, fx: &mut Effects) {
        match self.latest_date() {
            None => self.admit_as_is(admit, work, fx),
            Some(date) => self.admit_as_is(&aged(admit, date), work, fx),
        }
    }

    /// The price and quantity of an order that nothing stands against and that meets nothing, as almost
    /// every order that makes a market: a limit order without conditions, in continuous trading, where no
    /// rules ask for more. Of all others [`Self::check`] says what becomes of them.
    #[inline]
    fn rests_plainly(&self, admit: &Admit) -> Option<(Price, Quantity)> {
        let OrderSpec::Limit { price, quantity, time_in_force: TimeInForce::Gtc, .. } = admit.spec
        else {
            return None;
        };
        let is_plain = admit.conditions.is_none()
            && !self.has_rules
            && self.state == MarketState::Continuous
            && admit.version == self.def.version;
        let has_room = self.book.order_count() < self.def.bounds.max_orders as usize
            && self.book.level_count() < self.def.bounds.max_levels as usize;
        let rests = is_plain
            && has_room
            && self.check_price(price).is_ok()
            && self.check_quantity(quantity).is_ok()
            && !self.book.ladder(admit.side.opposite()).meets(price);
        rests.then_some((price, quantity))
    }

    #[inline]
    fn rest_plainly(&mut self, admit: &Admit, price: Price, quantity: Quantity, fx: &mut Effects) {
        let need = self.need(admit.side, price, quantity);
        assert!(admit.budget == need, "a limit order's hold is its need");
        let order = self.take_order_id();
        let Admit { account, hold, side, .. } = *admit;
        let market = self.def.id;
        let post_only = admit.spec.is_post_only();
        // Said anew, since it is known: a copy of a kind that is not known goes byte by byte.
        let time_in_force = TimeInForce::Gtc;
        let spec = OrderSpec::Limit { price, quantity, time_in_force, post_only };
        fx.emit_plain(|| Event::OrderPlaced {
            reply: admit.reply,
            market,
            order,
            account,
            client_order_id: admit.client_order_id.by_word(),
            side,
            spec,
            conditions: BoxedConditions::NONE,
        });
        self.book.insert_plain(order, admit, price, quantity);
        let hidden = Quantity::ZERO;
        fx.emit_plain(|| Event::OrderRested {
            market,
            order,
            account,
            side,
            price,
            quantity,
            hidden,
        });
        let version = self.def.version;
        fx.send_plain(|| Message::Rested { account, hold, order, price, version });
    }

    fn admit_as_is(&mut self, admit: &Admit, work: &mut Work, fx: &mut Effects) {
        let entry = match self.check(admit) {
            Ok(entry) => entry,
            Err(code) => return self.refuse(admit, code, fx),
        };
        // Nothing below can fail.
        let order = self.take_order_id();
        self.accept(order, admit, entry, false, work, fx);
    }

    /// Lets an order in that passed its checks. `of_list`: a list depends on what becomes of it.
    #[inline]
    pub(crate) fn accept(
        &mut self,
        order: OrderId,
        admit: &Admit,
        entry: Entry,
        of_list: bool,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        let spec = match entry {
            Entry::Slides { price, .. } => admit.spec.at_price(price),
            Entry::Waits { .. } | Entry::Rests { .. } | Entry::Matches => admit.spec,
        };
        let placed = |conditions| Event::OrderPlaced {
            reply: admit.reply,
            market: self.def.id,
            order,
            account: admit.account,
            client_order_id: admit.client_order_id.by_word(),
            side: admit.side,
            spec,
            conditions,
        };
        if admit.conditions.is_none() {
            fx.emit_plain(|| placed(BoxedConditions::NONE));
        } else {
            fx.emit(placed(admit.conditions.clone()));
        }
        match entry {
            Entry::Waits { last } => self.wait(order, admit, last, fx),
            Entry::Slides { price, quantity } => {
                self.rest_new(order, admit, (price, quantity), of_list, fx);
                self.release_slid(admit, price, quantity, fx);
            }
            Entry::Rests { price, quantity } => {
                self.rest_new(order, admit, (price, quantity), of_list, fx);
            }
            Entry::Matches => {
                let taker = Taker::new(order, admit, self.last_price);
                self.run(Taker { of_list, ..taker }, work, fx);
                self.enter_fired(work, fx);
                self.send_pending(fx);
            }
        }
    }

    #[inline]
    fn rest_new(
        &mut self,
        order: OrderId,
        admit: &Admit,
        (price, quantity): (Price, Quantity),
        of_list: bool,
        fx: &mut Effects,
    ) {
        let resting = RestingOrder::new(order, admit, price, quantity);
        self.rest(&RestingOrder { of_list, ..resting }, fx);
    }

    /// Puts an order beside the book until its trigger fires.
    fn wait(&mut self, order: OrderId, admit: &Admit, last: Price, fx: &mut Effects) {
        let admit = Admit { reply: ReplyTo::NOBODY, ..admit.clone() };
        let Admit { account, hold, spec, .. } = admit;
        self.waiting.insert(order, admit, last);
        let (price, version) = (spec.limit_price(), self.def.version);
        fx.send(Message::Rested { account, hold, order, price, version });
    }

    /// A buyer whose order slid to a lower price needs less.
    fn release_slid(&self, admit: &Admit, price: Price, quantity: Quantity, fx: &mut Effects) {
        let amount = admit.budget - self.need(admit.side, price, quantity);
        if !amount.is_zero() {
            fx.send(Message::Released { account: admit.account, hold: admit.hold, amount });
        }
    }

    /// Lets the orders enter whose triggers have fired, one after the other; what one of them fires
    /// comes after those before it.
    pub(crate) fn enter_fired(&mut self, work: &mut Work, fx: &mut Effects) {
        while self.waiting.has_fired()
            && self.pending.is_none()
            && self.state == MarketState::Continuous
        {
            if !work.take() {
                return self.interrupt(Pending::Fired, fx);
            }
            if let Some(order) = self.waiting.next_fired() {
                self.enter(&order, work, fx);
            }
        }
    }

    /// An order whose trigger has fired enters as if it came now; what it is refused for cancels it.
    fn enter(&mut self, waiting: &WaitingOrder, work: &mut Work, fx: &mut Effects) {
        let &WaitingOrder { id: order, ref admit, .. } = waiting;
        let Admit { account, .. } = *admit;
        fx.emit(Event::OrderTriggered { market: self.def.id, order, account });
        self.leg_acts(Member { order, account, hold: admit.hold, need: admit.budget }, fx);
        let (nobody, not_fillable) = (ReplyTo::NOBODY, CancelCause::NotFillable);
        match self.check_entry(admit) {
            Ok(Entry::Rests { price, quantity }) => {
                self.rest(&RestingOrder::new(order, admit, price, quantity), fx);
            }
            Ok(Entry::Matches) => self.run(Taker::new(order, admit, self.last_price), work, fx),
            Err(RejectCode::BookFull | RejectCode::TooManyLevels) => {
                self.cancel_unentered(waiting, nobody, CancelCause::BookFull, fx);
            }
            Err(_) => self.cancel_unentered(waiting, nobody, not_fillable, fx),
            Ok(Entry::Waits { .. } | Entry::Slides { .. }) => {
                unreachable!("it has waited, and is not post-only")
            }
        }
    }

    fn refuse(&self, admit: &Admit, code: RejectCode, fx: &mut Effects) {
        fx.emit(Event::Rejected {
            reply: admit.reply,
            request: RequestKind::PlaceOrder,
            account: admit.account,
            market: self.def.id,
            client_order_id: admit.client_order_id,
            code,
        });
        fx.send(Message::Refused { account: admit.account, hold: admit.hold, code });
    }

    #[inline]
    pub(crate) fn check(&mut self, admit: &Admit) -> Result<Entry, RejectCode> {
        self.check_version(admit.version)?;
        self.check_state(admit)?;
        match admit.spec {
            OrderSpec::Limit { price, quantity, time_in_force, post_only } => {
                self.check_price(price)?;
                self.check_quantity(quantity)?;
                let need = self.need(admit.side, price, quantity);
                assert!(admit.budget == need, "a limit order's hold is its need");
                let rests = time_in_force == TimeInForce::Gtc;
                ensure(rests || !post_only, RejectCode::InvalidCombination)?;
            }
            OrderSpec::MarketByQuantity { quantity, .. } => self.check_quantity(quantity)?,
            OrderSpec::MarketByQuote { quote, .. } => {
                ensure(!quote.is_zero(), RejectCode::InvalidQuantity)?;
            }
        }
        admit.conditions.check(&admit.spec, self.def.max_price)?;
        self.check_rules(admit)?;
        match admit.conditions.trigger {
            Some(trigger) => self.check_trigger(trigger),
            None => self.check_entry(admit),
        }
    }

    fn check_trigger(&self, trigger: Trigger) -> Result<Entry, RejectCode> {
        let last = self.last_price.ok_or(RejectCode::NoReferencePrice)?;
        ensure(!Waiting::is_met(trigger, last), RejectCode::WouldTrigger)?;
        let is_room = self.waiting.len() < self.def.bounds.max_waiting as usize;
        ensure(is_room, RejectCode::TooManyWaitingOrders)?;
        Ok(Entry::Waits { last })
    }

    /// What depends on the book: checked on arrival, or when the trigger has fired.
    #[inline]
    fn check_entry(&mut self, admit: &Admit) -> Result<Entry, RejectCode> {
        match admit.spec {
            OrderSpec::Limit { price, quantity, time_in_force, post_only } => {
                self.check_band(admit.side, price)?;
                let rests = time_in_force == TimeInForce::Gtc;
                let meets = self.would_match(admit.side, price);
                if post_only && meets {
                    return self.check_slide(admit, quantity);
                }
                if time_in_force == TimeInForce::Fok {
                    self.check_fillable(admit, price, quantity)?;
                }
                if let Some(minimum) = admit.conditions.minimum {
                    let is_met = meets && self.is_fillable(admit, price, quantity, minimum);
                    ensure(is_met, RejectCode::MinimumNotMet)?;
                }
                if !rests || meets {
                    return Ok(Entry::Matches);
                }
                self.room_for(admit.side, price)?;
                Ok(Entry::Rests { price, quantity })
            }
            OrderSpec::MarketByQuantity { quantity, .. } => {
                self.check_by_quantity(admit, quantity)?;
                Ok(Entry::Matches)
            }
            OrderSpec::MarketByQuote { quote, .. } => {
                self.check_by_quote(admit, quote)?;
                Ok(Entry::Matches)
            }
        }
    }

    #[inline]
    pub(crate) fn check_version(&self, version: u32) -> Checked {
        ensure(version == self.def.version, RejectCode::StaleDefinition)
    }

    /// A post-only order that would match slides to the next price at which it does not, if its client
    /// said so and there is one, where the operator's rules hold for it as for any other.
    fn check_slide(&mut self, admit: &Admit, quantity: Quantity) -> Result<Entry, RejectCode> {
        ensure(admit.conditions.slide, RejectCode::WouldMatch)?;
        let best = self.book.best(admit.side.opposite()).expect("it would match").get();
        let price = match admit.side {
            Side::Buy => Price::new(best - 1),
            Side::Sell => Price::new(best + 1),
        };
        self.check_price(price).map_err(|_| RejectCode::WouldMatch)?;
        self.check_worth(price, quantity)?;
        self.check_band(admit.side, price)?;
        self.room_for(admit.side, price)?;
        Ok(Entry::Slides { price, quantity })
    }

    #[inline]
    fn check_state(&self, admit: &Admit) -> Checked {
        let rests = matches!(
            admit.spec,
            OrderSpec::Limit { time_in_force: TimeInForce::Gtc, post_only: false, .. }
        );
        let waits = admit.conditions.trigger.is_some();
        let collects = waits || (rests && admit.conditions.minimum.is_none());
        match self.state {
            MarketState::Continuous => Ok(()),
            MarketState::Auction | MarketState::PreOpen => {
                ensure(collects, RejectCode::NotDuringAuction)
            }
            MarketState::Closed => Err(RejectCode::MarketClosed),
            MarketState::CancelOnly => Err(RejectCode::MarketCancelOnly),
            MarketState::Halted => Err(RejectCode::MarketHalted),
            MarketState::Delisted => Err(RejectCode::MarketDelisted),
        }
    }

    #[inline]
    pub(crate) fn check_price(&self, price: Price) -> Checked {
        let valid = !price.is_zero() && price <= self.def.max_price;
        ensure(valid, RejectCode::InvalidPrice)
    }

    #[inline]
    pub(crate) fn check_quantity(&self, quantity: Quantity) -> Checked {
        let valid = !quantity.is_zero() && quantity <= self.def.max_quantity;
        ensure(valid, RejectCode::InvalidQuantity)
    }

    /// Whether a limit order would match on arrival. During an auction nothing does.
    #[inline]
    pub(crate) fn would_match(&self, side: Side, limit: Price) -> bool {
        self.state == MarketState::Continuous && self.book.ladder(side.opposite()).meets(limit)
    }

    fn check_fillable(&self, admit: &Admit, price: Price, quantity: Quantity) -> Checked {
        ensure(self.is_fillable(admit, price, quantity, quantity), RejectCode::NotFillable)
    }

    /// Whether at least `enough` of `quantity` would trade at once.
    fn is_fillable(
        &self,
        admit: &Admit,
        price: Price,
        quantity: Quantity,
        enough: Quantity,
    ) -> bool {
        let mut probe = Probe::new(admit, Some(price), quantity);
        probe.enough = enough;
        self.executable(&probe).is_some_and(|executable| executable.lots >= enough)
    }

    fn check_by_quantity(&self, admit: &Admit, quantity: Quantity) -> Checked {
        let any = self.book.best(admit.side.opposite()).is_some();
        ensure(any, RejectCode::NoLiquidity)?;
        // What a buyer who waited has locked is all that he pays.
        let waited = admit.conditions.trigger.is_some();
        match admit.side {
            Side::Buy if waited => Ok(()),
            Side::Buy => {
                let mut probe = Probe::new(admit, None, quantity);
                probe.budget = admit.budget;
                let executable = self.executable(&probe).ok_or(RejectCode::NoLiquidity)?;
                ensure(executable.quote <= admit.budget, RejectCode::InsufficientBalance)
            }
            Side::Sell => {
                let need = self.scaling.base(quantity);
                assert!(admit.budget == need, "a sale's hold is its need");
                Ok(())
            }
        }
    }

    fn check_by_quote(&self, admit: &Admit, quote: Amount) -> Checked {
        let best = self.book.best(admit.side.opposite());
        let best = best.ok_or(RejectCode::NoLiquidity)?;
        let lots = self.scaling.lots_for(quote, best);
        ensure(!lots.is_zero(), RejectCode::InvalidQuantity)?;
        match admit.side {
            Side::Buy => {
                assert!(admit.budget == quote, "a buy by quote holds that quote");
                Ok(())
            }
            Side::Sell => {
                let lots = lots_in(admit.budget, &self.scaling);
                ensure(!lots.is_zero(), RejectCode::InsufficientBalance)
            }
        }
    }

    /// Whether one more order may rest at `price`.
    #[inline]
    pub(crate) fn room_for(&mut self, side: Side, price: Price) -> Checked {
        let bounds = self.def.bounds;
        let full = self.book.order_count() >= bounds.max_orders as usize;
        ensure(!full, RejectCode::BookFull)?;
        let deep = self.book.level_count() >= bounds.max_levels as usize;
        if deep && !self.book.has_level(side, price) {
            return Err(RejectCode::TooManyLevels);
        }
        Ok(())
    }
}

#[inline]
pub(crate) fn ensure(holds: bool, code: RejectCode) -> Checked {
    if holds { Ok(()) } else { Err(code) }
}

#[cfg(test)]
mod tests;
