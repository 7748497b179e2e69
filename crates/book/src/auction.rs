//! The call auction: one price for all that crossed.
//! Icebergs take part with all they have.
//!
//! The price is one of the limits in the book, chosen by these rules in turn:
//! 1. the most lots trade;
//! 2. the smallest surplus of one side remains;
//! 3. market pressure: if at all prices still tied the surplus is on the buy side, the highest of
//!    them; if at all on the sell side, the lowest;
//! 4. the last trade's price, or the nearest to it within the tied range; without a last trade, the
//!    middle of the range, rounded down. (Between tied prices the same lots trade.)

use types::{Amount, Effects, Event, Price, Quantity, Side};

use crate::book::{Book, LevelView};
use crate::market::{Market, Work};
use crate::snapshot::Pending;

/// What an auction comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clearing {
    pub(crate) price: Price,
    /// Lots that can trade there.
    pub(crate) volume: u128,
    /// How many price levels of both sides were looked at to find it.
    pub(crate) levels: usize,
}

/// Finding the price of a round looks at every crossed level. So many of them count as one step of
/// work, about as long as a trade takes.
const LEVELS_PER_STEP: usize = 8;

impl Market {
    /// Uncrosses a crossed book. The announced quantity is what the limits allow; self-trade
    /// prevention may let less of it trade, and what it takes out may leave the book crossed at other
    /// prices: then there is another round, with a price of its own. A round costs a step and more for
    /// many levels, or all that the entry has left: so there are few rounds in an entry, however the
    /// orders of one group lie.
    pub(crate) fn uncross(&mut self, work: &mut Work, fx: &mut Effects) {
        while let Some(clearing) = clearing(&self.book, self.last_price) {
            let crossed = self.book.ladder(Side::Sell).meets(clearing.price)
                && self.book.ladder(Side::Buy).meets(clearing.price);
            assert!(crossed, "each round takes something out of the book");
            work.take_up_to(1 + clearing.levels / LEVELS_PER_STEP);
            let volume = u64::try_from(clearing.volume).unwrap_or(u64::MAX);
            fx.emit(Event::AuctionUncrossed {
                market: self.def.id,
                price: clearing.price,
                quantity: Quantity::new(volume),
            });
            if !self.pair(clearing.price, work, fx) {
                return;
            }
        }
    }

    /// Goes on with an interrupted round, or after it: then nothing crosses at its price any more.
    pub(crate) fn resume_uncrossing(&mut self, price: Price, work: &mut Work, fx: &mut Effects) {
        if self.pair(price, work, fx) {
            self.uncross(work, fx);
        }
    }

    /// Pairs off, in priority order, all that crosses at `price`. False if it was interrupted, or if
    /// another round is needed for which no work is left.
    fn pair(&mut self, price: Price, work: &mut Work, fx: &mut Effects) -> bool {
        while let (Some((bid_price, bid)), Some((ask_price, ask))) =
            (self.book.front(Side::Buy), self.book.front(Side::Sell))
        {
            if bid_price < price || ask_price > price {
                break;
            }
            if !work.take() {
                self.interrupt(Pending::Uncrossing { price }, fx);
                return false;
            }
            if self.is_self_trade_in_auction(bid, ask) {
                self.prevent_self_trade_in_auction(bid, ask, fx);
            } else {
                self.trade_at(price, bid_price, bid, ask, fx);
            }
        }
        if work.remaining == 0 && self.book.is_crossed() {
            self.interrupt(Pending::Uncrossing { price }, fx);
            return false;
        }
        true
    }

    /// One trade of an auction: both sides rested, both pay as such.
    fn trade_at(&mut self, price: Price, bid_price: Price, bid: u32, ask: u32, fx: &mut Effects) {
        let lots = self.book.at(bid).shown.min(self.book.at(ask).shown);
        let bid_shows = self.book.fill(bid, lots);
        let ask_shows = self.book.fill(ask, lots);
        let paid = self.scaling.notional(price, lots);
        let improvement = self.scaling.notional(bid_price, lots) - paid;
        let buyer = self.resting_party(bid, improvement);
        let seller = self.resting_party(ask, Amount::ZERO);
        self.settle(price, lots, None, &buyer, &seller, fx);
        for place in [bid, ask] {
            if self.book.at(place).of_list {
                self.resting_leg_acts(place, fx);
            }
        }
        if bid_shows.is_zero() {
            self.close_or_refill(bid, fx);
        }
        if ask_shows.is_zero() {
            self.close_or_refill(ask, fx);
        }
    }
}

/// A price with what would be bought and sold there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    price: Price,
    demand: u128,
    supply: u128,
}

impl Candidate {
    fn volume(&self) -> u128 {
        self.demand.min(self.supply)
    }

    fn surplus(&self) -> u128 {
        self.demand.abs_diff(self.supply)
    }
}

/// The price of an auction, or nothing if nothing crosses.
pub(crate) fn clearing(book: &Book, last: Option<Price>) -> Option<Clearing> {
    let (bid, ask) = (book.best(Side::Buy)?, book.best(Side::Sell)?);
    if bid < ask {
        return None;
    }
    // Beyond the best prices nothing can trade.
    let levels = |side, within: &dyn Fn(Price) -> bool| -> Vec<LevelView> {
        let levels = book.levels(side).map(|level| LevelView {
            quantity: level.quantity + book.hidden_at(side, level.price),
            ..level
        });
        levels.take_while(|level| within(level.price)).collect()
    };
    let mut bids = levels(Side::Buy, &|price| price >= ask);
    bids.reverse();
    let asks = levels(Side::Sell, &|price| price <= bid);
    let levels = bids.len() + asks.len();
    let tied = tied(&candidates(&bids, &asks));
    Some(Clearing { price: choose(&tied, last), volume: tied[0].volume(), levels })
}

/// Every limit price with its demand and supply. Both lists are by rising price.
fn candidates(bids: &[LevelView], asks: &[LevelView]) -> Vec<Candidate> {
    let mut candidates = Vec::with_capacity(bids.len() + asks.len());
    let (mut bids, mut asks) = (bids.iter().peekable(), asks.iter().peekable());
    let mut demand = bids.clone().map(|level| level.quantity).sum::<u128>();
    let mut supply = 0;
    loop {
        let next = [bids.peek(), asks.peek()];
        let Some(price) = next.into_iter().flatten().map(|level| level.price).min() else {
            return candidates;
        };
        if let Some(level) = asks.next_if(|level| level.price == price) {
            supply += level.quantity;
        }
        candidates.push(Candidate { price, demand, supply });
        // Bids of this price buy here, but not above.
        if let Some(level) = bids.next_if(|level| level.price == price) {
            demand -= level.quantity;
        }
    }
}

/// The candidates with the most volume and among them the smallest surplus, by rising price.
fn tied(candidates: &[Candidate]) -> Vec<Candidate> {
    let rank = |candidate: &Candidate| (std::cmp::Reverse(candidate.volume()), candidate.surplus());
    let best = candidates.iter().map(rank).min();
    let tied = candidates.iter().filter(|&c| Some(rank(c)) == best);
    tied.copied().collect()
}

/// Market pressure, then the reference price.
fn choose(tied: &[Candidate], last: Option<Price>) -> Price {
    let (low, high) = (tied[0].price, tied[tied.len() - 1].price);
    if tied.iter().all(|c| c.demand > c.supply) {
        return high;
    }
    if tied.iter().all(|c| c.demand < c.supply) {
        return low;
    }
    match last {
        Some(last) => last.clamp(low, high),
        None => Price::new(low.get() + (high.get() - low.get()) / 2),
    }
}
