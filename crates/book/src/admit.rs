//! Admission: an order whose funds are held is accepted and matched, or refused.

use types::{
    Admit, Amount, Effects, Event, MarketState, Message, OrderSpec, Price, Quantity, RejectCode,
    RequestKind, Side, TimeInForce,
};

use crate::liquidity::Probe;
use crate::market::{Market, Work};
use crate::order::RestingOrder;
use crate::taker::{Taker, lots_in};

type Checked = Result<(), RejectCode>;

/// What an order that passed its checks does.
enum Entry {
    /// It meets nothing, or nothing yet, and rests.
    Rests { price: Price, quantity: Quantity },
    /// It takes what it finds.
    Matches,
}

impl Market {
    /// Takes a new order. Checks come in this order, and the first that fails refuses it:
    ///
    /// 1. version of the definition; state of the market;
    /// 2. price; quantity; combination of options;
    /// 3. post-only would match; fill-or-kill is not fillable; nothing for a market order to match,
    ///    less than one lot, or more than its budget pays; an order whose fill must be known before
    ///    and that reaches too far into the book is not fillable, or has nothing to match;
    /// 4. room in the book for an order that would rest at once.
    ///
    /// # Panics
    /// When the budget is not exactly what a limit order, or a sale by quantity, needs.
    pub fn admit(&mut self, admit: &Admit, work: &mut Work, fx: &mut Effects) {
        self.assert_not_interrupted();
        let entry = match self.check(admit) {
            Ok(entry) => entry,
            Err(code) => return self.refuse(admit, code, fx),
        };
        // Nothing below can fail.
        let order = self.take_order_id();
        fx.emit(Event::OrderPlaced {
            reply: admit.reply,
            market: self.def.id,
            order,
            account: admit.account,
            client_order_id: admit.client_order_id,
            side: admit.side,
            spec: admit.spec,
        });
        match entry {
            Entry::Rests { price, quantity } => {
                self.rest(&RestingOrder::new(order, admit, price, quantity), fx);
            }
            Entry::Matches => self.run(Taker::new(order, admit), work, fx),
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
    fn check(&mut self, admit: &Admit) -> Result<Entry, RejectCode> {
        self.check_version(admit.version)?;
        self.check_state(&admit.spec)?;
        match admit.spec {
            OrderSpec::Limit { price, quantity, time_in_force, post_only } => {
                self.check_price(price)?;
                self.check_quantity(quantity)?;
                let need = self.need(admit.side, price, quantity);
                assert!(admit.budget == need, "a limit order's hold is its need");
                let rests = time_in_force == TimeInForce::Gtc;
                ensure(rests || !post_only, RejectCode::InvalidCombination)?;
                let meets = self.would_match(admit.side, price);
                ensure(!(post_only && meets), RejectCode::WouldMatch)?;
                if time_in_force == TimeInForce::Fok {
                    self.check_fillable(admit, price, quantity)?;
                }
                if !rests || meets {
                    return Ok(Entry::Matches);
                }
                self.room_for(admit.side, price)?;
                Ok(Entry::Rests { price, quantity })
            }
            OrderSpec::MarketByQuantity { quantity, .. } => {
                self.check_quantity(quantity)?;
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

    #[inline]
    fn check_state(&self, spec: &OrderSpec) -> Checked {
        let collects = matches!(
            spec,
            OrderSpec::Limit { time_in_force: TimeInForce::Gtc, post_only: false, .. }
        );
        match self.state {
            MarketState::Continuous => Ok(()),
            MarketState::Auction => ensure(collects, RejectCode::NotDuringAuction),
            MarketState::CancelOnly => Err(RejectCode::MarketCancelOnly),
            MarketState::Halted => Err(RejectCode::MarketHalted),
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
        let executable = self.executable(&Probe::new(admit, Some(price), quantity));
        let whole = executable.is_some_and(|executable| executable.lots == quantity);
        ensure(whole, RejectCode::NotFillable)
    }

    fn check_by_quantity(&self, admit: &Admit, quantity: Quantity) -> Checked {
        let any = self.book.best(admit.side.opposite()).is_some();
        ensure(any, RejectCode::NoLiquidity)?;
        match admit.side {
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
        ensure(!quote.is_zero(), RejectCode::InvalidQuantity)?;
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
