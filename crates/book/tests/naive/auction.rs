//! The price of an auction, by trying every price; and its trades.

use book::{RestingOrder, Work};
use types::*;

use super::*;

impl Naive {
    pub(super) fn volume_at(&self, price: Price) -> (u128, u128) {
        let sum = |side: Side, takes: &dyn Fn(&RestingOrder) -> bool| -> u128 {
            let orders = self.orders.iter().filter(|o| o.side == side && takes(o));
            orders.map(|o| u128::from(o.remaining.get())).sum()
        };
        (sum(Side::Buy, &|o| o.price >= price), sum(Side::Sell, &|o| o.price <= price))
    }

    /// The auction's price and volume, if anything trades.
    pub(super) fn auction_price(&self) -> Option<(Price, u128)> {
        let mut prices: Vec<Price> = self.orders.iter().map(|o| o.price).collect();
        prices.sort();
        prices.dedup();
        let volume = |p: &Price| {
            let (demand, supply) = self.volume_at(*p);
            demand.min(supply)
        };
        let most = prices.iter().map(volume).max().filter(|&v| v > 0)?;
        prices.retain(|p| volume(p) == most);
        let surplus = |p: &Price| {
            let (demand, supply) = self.volume_at(*p);
            demand as i128 - supply as i128
        };
        let least = prices.iter().map(|p| surplus(p).abs()).min().unwrap();
        prices.retain(|p| surplus(p).abs() == least);
        let (low, high) = (prices[0], *prices.last().unwrap());
        let price = if prices.iter().all(|p| surplus(p) > 0) {
            high
        } else if prices.iter().all(|p| surplus(p) < 0) {
            low
        } else if let Some(last) = self.last_price {
            last.max(low).min(high)
        } else {
            Price::new(u64::midpoint(low.get(), high.get()))
        };
        Some((price, most))
    }

    /// Prices of both sides between the best ask and the best bid.
    fn crossed_levels(&self) -> u32 {
        let (bid, ask) = (self.first(Side::Buy).unwrap(), self.first(Side::Sell).unwrap());
        let crossed = |&(_, price): &(Side, Price)| price >= ask.price && price <= bid.price;
        self.prices().into_iter().filter(crossed).count() as u32
    }

    pub(super) fn auction(&mut self, mut at: Option<Price>, work: &mut Work, fx: &mut Effects) {
        loop {
            let price = match at.take() {
                Some(price) => price,
                None => {
                    let Some((price, volume)) = self.auction_price() else {
                        return;
                    };
                    fx.emit(Event::AuctionUncrossed {
                        market: self.def.id,
                        price,
                        quantity: Quantity::new(volume as u64),
                    });
                    work.remaining = work.remaining.saturating_sub(1 + self.crossed_levels() / 8);
                    price
                }
            };
            while let (Some(bid), Some(ask)) = (self.first(Side::Buy), self.first(Side::Sell)) {
                if bid.price < price || ask.price > price {
                    break;
                }
                if work.remaining == 0 {
                    self.pending = Some(Pending::Auction(price));
                    fx.send(Message::Resume { market: self.def.id });
                    return;
                }
                work.remaining -= 1;
                self.auction_step(price, bid, ask, fx);
            }
            if work.remaining == 0 && self.auction_price().is_some() {
                self.pending = Some(Pending::Auction(price));
                fx.send(Message::Resume { market: self.def.id });
                return;
            }
        }
    }

    pub(super) fn auction_step(
        &mut self,
        price: Price,
        bid: RestingOrder,
        ask: RestingOrder,
        fx: &mut Effects,
    ) {
        let lots = bid.remaining.min(ask.remaining).get();
        let (old, young) = if bid.id < ask.id { (bid, ask) } else { (ask, bid) };
        let (nobody, cause) = (ReplyTo::NOBODY, CancelCause::SelfTrade);
        let own = bid.self_trade_group == ask.self_trade_group;
        match young.self_trade_prevention {
            SelfTradePrevention::ExpireTaker if own => self.end_resting(young, nobody, cause, fx),
            SelfTradePrevention::ExpireMaker if own => self.end_resting(old, nobody, cause, fx),
            SelfTradePrevention::ExpireBoth if own => {
                self.end_resting(old, nobody, cause, fx);
                self.end_resting(young, nobody, cause, fx);
            }
            SelfTradePrevention::Decrement if own => {
                self.shrink(old, lots, fx);
                self.shrink(young, lots, fx);
            }
            _ => {
                let improvement =
                    self.need(Side::Buy, bid.price, lots) - self.need(Side::Buy, price, lots);
                let (bid, ask) = (self.fill(bid.id, lots), self.fill(ask.id, lots));
                let buyer = (bid, i64::from(bid.fees.maker.0), improvement);
                let seller = (ask, i64::from(ask.fees.maker.0), 0);
                self.state_trade(price, lots, None, buyer, seller, fx);
                self.bury(bid, fx);
                self.bury(ask, fx);
            }
        }
    }
}
