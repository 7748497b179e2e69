//! A market as bytes, for snapshots and moves: canonical, so that equal markets give equal bytes.
//! Orders stand in priority order; how the book lies in memory is not written but built anew.

use std::collections::BTreeMap;
use std::io;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{MarketDef, MarketRules, MarketState, OrderId, Price, Scaling, Side, TradeId};

use crate::book::Book;
use crate::lists::OrderList;
use crate::market::Market;
use crate::order::RestingOrder;
use crate::redefine::Redefining;
use crate::rules::AveragePrice;
use crate::taker::Taker;
use crate::waiting::{Waiting, WaitingOrder};

/// Work that goes on in a later entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Pending {
    /// An incoming order is not through yet.
    Taker(Taker),
    /// A round of an auction is not through yet, or the next one has not begun.
    Uncrossing { price: Price },
    /// Orders whose triggers fired have not entered yet.
    Fired,
    /// What was due has not been done yet.
    Timers,
    /// Not all orders are converted to new units yet.
    Redefining,
    /// Not all orders of a market that has ended are cancelled yet.
    Delisting,
}

impl BorshSerialize for Market {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.def.serialize(writer)?;
        self.scaling.serialize(writer)?;
        self.state.serialize(writer)?;
        self.next_order.serialize(writer)?;
        self.next_trade.serialize(writer)?;
        self.last_price.serialize(writer)?;
        self.pending.serialize(writer)?;
        write_book(&self.book, writer)?;
        write_waiting(&self.waiting, writer)?;
        Redefining::write(self.redefining.as_deref(), writer)?;
        self.lists.iter().collect::<Vec<_>>().serialize(writer)?;
        if self.pending.is_some() {
            self.lists.filled.serialize(writer)?;
        }
        (&self.rules, &self.average, &self.plans, &self.next_step).serialize(writer)
    }
}

impl BorshDeserialize for Market {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let def = MarketDef::deserialize_reader(reader)?;
        let scaling = Scaling::deserialize_reader(reader)?;
        let mut market = Self::new(def, scaling);
        market.state = MarketState::deserialize_reader(reader)?;
        market.next_order = OrderId::deserialize_reader(reader)?;
        market.next_trade = TradeId::deserialize_reader(reader)?;
        market.last_price = Option::deserialize_reader(reader)?;
        market.pending = Option::deserialize_reader(reader)?;
        read_book(&mut market, reader)?;
        read_waiting(&mut market, reader)?;
        market.redefining = Redefining::read(&market, reader)?;
        for (id, list) in Vec::<(OrderId, OrderList)>::deserialize_reader(reader)? {
            if market.may_keep(id, &list).is_err() {
                let what = format!("list {id} cannot be in market {}", market.def.id);
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            market.lists.insert(id, list);
        }
        if market.pending.is_some() {
            market.lists.filled = Vec::deserialize_reader(reader)?;
        }
        market.set_rules(MarketRules::deserialize_reader(reader)?);
        market.average = AveragePrice::deserialize_reader(reader)?;
        market.plans = BorshDeserialize::deserialize_reader(reader)?;
        market.next_step = Option::deserialize_reader(reader)?;
        Ok(market)
    }
}

impl Market {
    fn may_rest(&self, order: &RestingOrder) -> bool {
        self.check_price(order.price).is_ok()
            && self.check_quantity(order.remaining).is_ok()
            && order.hidden < order.remaining
            && order.id < self.next_order
            && self.book.order(order.id).is_none()
    }
}

/// The orders of both sides in priority order.
pub(crate) fn write_book<W: io::Write>(book: &Book, writer: &mut W) -> io::Result<()> {
    (book.order_count() as u64).serialize(writer)?;
    for side in [Side::Buy, Side::Sell] {
        for order in book.orders(side) {
            order.serialize(writer)?;
        }
    }
    Ok(())
}

/// Fills the empty book of a market whose definition and next order id are known.
pub(crate) fn read_book<R: io::Read>(market: &mut Market, reader: &mut R) -> io::Result<()> {
    for _ in 0..u64::deserialize_reader(reader)? {
        let order = RestingOrder::deserialize_reader(reader)?;
        if !market.may_rest(&order) {
            let what = format!("order {} cannot rest in market {}", order.id, market.def.id);
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        market.book.insert(&order);
    }
    Ok(())
}

/// Those that wait by id, then which of them were fired.
pub(crate) fn write_waiting<W: io::Write>(waiting: &Waiting, writer: &mut W) -> io::Result<()> {
    waiting.iter().collect::<Vec<_>>().serialize(writer)?;
    waiting.fired().collect::<Vec<_>>().serialize(writer)
}

/// Fills the empty list of waiting orders of a market whose next order id is known.
pub(crate) fn read_waiting<R: io::Read>(market: &mut Market, reader: &mut R) -> io::Result<()> {
    let waiting = Vec::<WaitingOrder>::deserialize_reader(reader)?;
    let fired = Vec::<OrderId>::deserialize_reader(reader)?;
    let mut by_id: BTreeMap<OrderId, WaitingOrder> =
        waiting.into_iter().map(|order| (order.id, order)).collect();
    let is_wrong = |order: &WaitingOrder| {
        order.admit.conditions.trigger.is_none() || order.id >= market.next_order
    };
    let fired = fired.iter().map(|id| by_id.remove(id)).collect::<Option<Vec<_>>>();
    let (Some(fired), None) = (fired, by_id.values().find(|order| is_wrong(order))) else {
        let what = format!("an order cannot wait in market {}", market.def.id);
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    };
    by_id.into_values().for_each(|order| market.waiting.restore(order));
    fired.into_iter().for_each(|order| market.waiting.restore_fired(order));
    Ok(())
}
