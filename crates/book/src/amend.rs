//! Amending a resting order. Less quantity at the same price keeps the place in the queue; all else
//! takes the order out and lets it enter anew, under another id and the same hold.

use types::{
    Admit, AmendOrder, Amount, Effects, Event, MarketState, Message, Price, Quantity, RejectCode,
    RequestKind,
};

use crate::admit::ensure;
use crate::market::{Market, Work};
use crate::order::{RestingOrder, hidden_at_first};
use crate::taker::Taker;

/// What a valid amendment does.
enum Change {
    /// It stays in its place with this open quantity.
    Less { remaining: Quantity },
    /// It enters anew.
    Replace { price: Price, remaining: Quantity },
}

impl Market {
    /// Amends an order, whose hold already contains `amend.extra` besides what the order needs. What
    /// is not needed any more is released. The ledger is told once for each amendment of an order that
    /// rests, also when it is rejected; if the order is unknown, it has ended, and its ledger has
    /// released everything with it.
    ///
    /// Checks come in this order: the order and its owner; state; version; price; quantity; quantity
    /// above what is filled; the operator's rules; something changes; its place is kept, if that is asked; the
    /// band; a post-only order would not match, now or when trading goes on; the hold suffices; there is room
    /// in the book.
    pub fn amend(&mut self, amend: &AmendOrder, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        let reject = |market: &Self, code, fx: &mut Effects| {
            market.reject(amend.reply, RequestKind::AmendOrder, amend.account, code, fx);
        };
        let Some(place) = self.find_own(amend.account, amend.order) else {
            let Some(waiting) = self.find_waiting(amend.account, amend.order) else {
                return reject(self, RejectCode::UnknownOrder, fx);
            };
            let Admit { account, hold, spec, .. } = waiting.admit;
            reject(self, RejectCode::NotAmendable, fx);
            let (order, price, release) = (amend.order, spec.limit_price(), amend.extra);
            let version = self.def.version;
            return fx.send(Message::Amended { account, hold, order, price, version, release });
        };
        let old = self.book.view(place);
        match self.check_amend(amend, &old) {
            Err(code) => {
                reject(self, code, fx);
                self.amended(&old, amend.extra, fx);
            }
            Ok(Change::Less { remaining }) => self.reduce(place, &old, remaining, amend, fx),
            Ok(Change::Replace { price, remaining }) => {
                self.book.remove(place);
                self.replace(&old, price, remaining, amend, work, fx);
                self.enter_fired(work, fx);
                self.send_pending(fx);
            }
        }
    }

    fn check_amend(
        &mut self,
        amend: &AmendOrder,
        old: &RestingOrder,
    ) -> Result<Change, RejectCode> {
        match self.state {
            MarketState::Continuous | MarketState::Auction | MarketState::PreOpen => {}
            MarketState::Closed => return Err(RejectCode::MarketClosed),
            MarketState::CancelOnly => return Err(RejectCode::MarketCancelOnly),
            MarketState::Halted => return Err(RejectCode::MarketHalted),
            MarketState::Delisted => return Err(RejectCode::MarketDelisted),
        }
        self.check_version(amend.version)?;
        let old_total = old.filled + old.remaining;
        let price = amend.price.unwrap_or(old.price);
        let total = amend.quantity.unwrap_or(old_total);
        self.check_price(price)?;
        self.check_quantity(total)?;
        ensure(total > old.filled, RejectCode::QuantityBelowFilled)?;
        let visible = (!old.visible.is_zero()).then_some(old.visible);
        self.check_limit_rules(price, total, visible)?;
        let changes = price != old.price || total != old_total;
        ensure(changes, RejectCode::NothingToAmend)?;
        let remaining = total - old.filled;
        if price == old.price && total < old_total {
            return Ok(Change::Less { remaining });
        }
        ensure(!amend.keep_priority, RejectCode::LosesPriority)?;
        self.check_band(old.side, price)?;
        // Also while nothing matches: what is let across now would match when trading goes on.
        let meets = self.book.ladder(old.side.opposite()).meets(price);
        ensure(!(old.post_only && meets), RejectCode::WouldMatch)?;
        let has = old.need(&self.scaling) + amend.extra;
        let needs = self.need(old.side, price, remaining);
        ensure(needs <= has, RejectCode::InsufficientBalance)?;
        let takes = self.would_match(old.side, price);
        ensure(takes || self.has_room_to_move(old, price), RejectCode::TooManyLevels)?;
        Ok(Change::Replace { price, remaining })
    }

    /// Whether an order that leaves its place may rest at `price`. Orders do not become more; levels
    /// may, if others stay at its old price.
    fn has_room_to_move(&mut self, old: &RestingOrder, price: Price) -> bool {
        let is_deep = self.book.level_count() >= self.def.bounds.max_levels as usize;
        !is_deep || self.book.has_level(old.side, price) || self.book.is_alone(old.id)
    }

    fn reduce(
        &mut self,
        place: u32,
        old: &RestingOrder,
        remaining: Quantity,
        amend: &AmendOrder,
        fx: &mut Effects,
    ) {
        let by = old.remaining - remaining;
        self.book.reduce_hidden_first(place, by);
        fx.emit(Event::OrderReduced {
            reply: amend.reply,
            market: self.def.id,
            order: old.id,
            account: old.account,
            remaining,
            visible: self.book.at(place).shown,
        });
        let freed = self.need(old.side, old.price, by);
        self.amended(old, freed + amend.extra, fx);
    }

    /// Lets an order that was taken out enter anew.
    fn replace(
        &mut self,
        old: &RestingOrder,
        price: Price,
        remaining: Quantity,
        amend: &AmendOrder,
        work: &mut Work,
        fx: &mut Effects,
    ) {
        let order = self.take_order_id();
        fx.emit(Event::OrderReplaced {
            reply: amend.reply,
            market: self.def.id,
            old_order: old.id,
            order,
            account: old.account,
            side: old.side,
            price,
            quantity: remaining,
        });
        let budget = self.need(old.side, price, remaining);
        let has = old.need(&self.scaling) + amend.extra;
        let hidden = hidden_at_first(old.visible, remaining);
        let expires_at = old.expires_at.or_else(|| self.latest_date());
        let entering = RestingOrder { id: order, price, remaining, hidden, expires_at, ..*old };
        self.amended(&entering, has - budget, fx);
        if self.would_match(old.side, price) {
            self.run(Taker::again(&entering, budget, self.last_price), work, fx);
        } else {
            self.rest(&entering, fx);
        }
    }

    /// Tells the ledger how the order stands after the amendment, and gives back what is not needed.
    fn amended(&self, order: &RestingOrder, release: Amount, fx: &mut Effects) {
        let &RestingOrder { account, hold, id, price, .. } = order;
        let version = self.def.version;
        fx.send(Message::Amended { account, hold, order: id, price, version, release });
    }
}
