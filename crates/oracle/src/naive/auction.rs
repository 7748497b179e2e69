//! The call auction: one price, then pairs (8).

use types::{CancelCause, Event, Price, Quantity, ReplyTo, SelfTradePrevention, Side};

use super::market::Market;
use super::order::Order;

/// What would trade at a price.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    price: u64,
    lots: u128,
    /// Lots beyond that: of the buyers above zero, of the sellers below.
    surplus: i128,
}

impl Market {
    /// Uncrosses the book, round by round (8.3). If nothing crosses, that is said with zeros where an
    /// auction ends.
    pub fn uncross(&mut self, ends_auction: bool) {
        if ends_auction && self.auction_price().is_none() {
            self.say_price(0, 0);
        }
        while let Some((price, lots)) = self.auction_price() {
            self.say_price(price, lots);
            while self.pair(price) {}
        }
    }

    fn say_price(&mut self, price: u64, lots: u64) {
        let (price, quantity) = (Price::new(price), Quantity::new(lots));
        self.events.push(Event::AuctionUncrossed { market: self.def.id, price, quantity });
    }

    /// The price at which most trades, and how many lots (8.1). None if nothing crosses.
    fn auction_price(&self) -> Option<(u64, u64)> {
        let mut all: Vec<_> = self.resting().map(|order| self.candidate(order.price)).collect();
        let most = all.iter().map(|candidate| candidate.lots).max().filter(|&lots| lots > 0)?;
        all.retain(|candidate| candidate.lots == most);
        let smallest = all.iter().map(|candidate| candidate.surplus.abs()).min()?;
        all.retain(|candidate| candidate.surplus.abs() == smallest);
        let low = all.iter().map(|candidate| candidate.price).min()?;
        let high = all.iter().map(|candidate| candidate.price).max()?;
        let price = if all.iter().all(|candidate| candidate.surplus > 0) {
            high
        } else if all.iter().all(|candidate| candidate.surplus < 0) {
            low
        } else {
            match self.last_price {
                Some(last) => last.clamp(low, high),
                None => u64::try_from((u128::from(low) + u128::from(high)) / 2).ok()?,
            }
        };
        Some((price, u64::try_from(most).unwrap_or(u64::MAX)))
    }

    fn candidate(&self, price: u64) -> Candidate {
        let lots = |side: Side| -> u128 {
            let willing = self.side(side).iter().filter(|order| order.accepts(price));
            willing.map(|order| u128::from(order.remaining)).sum()
        };
        let (buys, sales) = (lots(Side::Buy), lots(Side::Sell));
        Candidate { price, lots: buys.min(sales), surplus: buys as i128 - sales as i128 }
    }

    /// Pairs the first orders of both sides at the price. Whether there were two that cross it.
    fn pair(&mut self, price: u64) -> bool {
        let crosses = |order: Option<&Order>| order.is_some_and(|order| order.accepts(price));
        if !crosses(self.bids.first()) || !crosses(self.asks.first()) {
            return false;
        }
        let mut bid = self.bids.remove(0);
        let mut ask = self.asks.remove(0);
        let lots = bid.shown.min(ask.shown);
        let younger = if bid.id > ask.id { &bid } else { &ask };
        if bid.account == ask.account && younger.prevention != SelfTradePrevention::None {
            self.prevent_in_auction(bid, ask, lots);
            return true;
        }
        self.trade_in_auction(&mut bid, &mut ask, price, lots);
        self.put_back(bid);
        self.put_back(ask);
        true
    }

    /// Two orders of one account meet: the younger counts as the incoming one (5.1).
    fn prevent_in_auction(&mut self, bid: Order, ask: Order, lots: u64) {
        let (older, younger) = if bid.id > ask.id { (ask, bid) } else { (bid, ask) };
        let (ends_older, ends_younger) = match younger.prevention {
            SelfTradePrevention::None => unreachable!("they trade"),
            SelfTradePrevention::ExpireTaker => (false, true),
            SelfTradePrevention::ExpireMaker => (true, false),
            SelfTradePrevention::ExpireBoth => (true, true),
            SelfTradePrevention::Decrement => {
                for mut order in [older, younger] {
                    self.decrement(&mut order, lots);
                    self.put_back(order);
                }
                return;
            }
        };
        for (order, ends) in [(older, ends_older), (younger, ends_younger)] {
            if ends {
                self.cancelled(&order, ReplyTo::NOBODY, CancelCause::SelfTrade);
            } else {
                self.put_back(order);
            }
        }
    }
}
