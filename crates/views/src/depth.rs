//! The book as levels: what is offered at which price, and by how many orders.
//!
//! # Checksum
//! A client that keeps a book by the changes it is sent compares this number with its own. It is the
//! CRC-32 (IEEE 802.3, as in zlib and PNG; `crc32("123456789")` is `CBF43926`) of an ASCII text: the
//! best 25 bids and the best 25 asks, taken in turn (bid 1, ask 1, bid 2, ask 2, ...; when one side
//! has fewer, the other goes on alone), each as `price:quantity`, joined with `|`. Prices and
//! quantities are the decimal strings of the depth messages, with all decimal places of the market's
//! tick and lot. An empty book has checksum 0.
//!
//! Bids 100.5 × 2.000 and 100.0 × 1.250 and an ask 101.0 × 0.500 give the text
//! `100.5:2.000|101.0:0.500|100.0:1.250` and the checksum `2F175681`.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use types::{Decimal, Price, Quantity, Seq, Side};

/// Levels of each side that the checksum covers.
pub const CHECKSUM_LEVELS: usize = 25;

/// One price of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct DepthLevel {
    /// The price.
    pub price: Price,
    /// Sum of lots that rest there. In a change, zero: the level is gone.
    pub quantity: u128,
    /// Number of orders.
    pub orders: u32,
}

/// The best levels of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepthSnapshot {
    /// The last entry that changed the book.
    pub seq: Seq,
    /// Best (highest) first.
    pub bids: Vec<DepthLevel>,
    /// Best (lowest) first.
    pub asks: Vec<DepthLevel>,
    /// See the module's text; over the best 25 levels whatever the limit asked for.
    pub checksum: u32,
    /// Price of the last trade.
    pub last_price: Option<Price>,
}

#[derive(Clone, Copy, Debug, Default, BorshSerialize, BorshDeserialize)]
struct Level {
    quantity: u128,
    orders: u32,
}

/// Both sides of a book as levels.
#[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Depth {
    bids: BTreeMap<Price, Level>,
    asks: BTreeMap<Price, Level>,
}

/// A level would hold less than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NegativeLevel;

impl Depth {
    fn side(&self, side: Side) -> &BTreeMap<Price, Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Price, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// How many levels a side has.
    pub(crate) fn count(&self, side: Side) -> usize {
        self.side(side).len()
    }

    /// An order joins a level.
    pub(crate) fn add(&mut self, side: Side, price: Price, quantity: Quantity) {
        let level = self.side_mut(side).entry(price).or_default();
        level.quantity += u128::from(quantity.get());
        level.orders += 1;
    }

    /// An order of a level shows more.
    pub(crate) fn show(&mut self, side: Side, price: Price, quantity: Quantity) {
        self.side_mut(side).entry(price).or_default().quantity += u128::from(quantity.get());
    }

    /// An order of a level has `quantity` less, and leaves if `whole`.
    pub(crate) fn take(
        &mut self,
        side: Side,
        price: Price,
        quantity: Quantity,
        whole: bool,
    ) -> Result<(), NegativeLevel> {
        let levels = self.side_mut(side);
        let level = levels.get_mut(&price).ok_or(NegativeLevel)?;
        let rest = level.quantity.checked_sub(u128::from(quantity.get()));
        let orders = level.orders.checked_sub(u32::from(whole));
        let (Some(rest), Some(orders)) = (rest, orders) else {
            return Err(NegativeLevel);
        };
        *level = Level { quantity: rest, orders };
        if orders == 0 {
            levels.remove(&price);
        }
        Ok(())
    }

    /// What rests at a price now; quantity zero if nothing.
    pub(crate) fn level(&self, side: Side, price: Price) -> DepthLevel {
        let level = self.side(side).get(&price).copied().unwrap_or_default();
        public(&price, &level)
    }

    /// Best level of a side.
    pub(crate) fn best(&self, side: Side) -> Option<DepthLevel> {
        self.levels(side).next()
    }

    /// Levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = DepthLevel> + '_ {
        let (bids, asks) = match side {
            Side::Buy => (Some(self.bids.iter().rev()), None),
            Side::Sell => (None, Some(self.asks.iter())),
        };
        let bids = bids.into_iter().flatten();
        let asks = asks.into_iter().flatten();
        bids.chain(asks).map(|(price, level)| public(price, level))
    }

    /// The checksum of the module's text.
    pub(crate) fn checksum(&self, tick: Decimal, lot: Decimal) -> u32 {
        let mut crc = Crc32::new();
        let mut bids = self.levels(Side::Buy).take(CHECKSUM_LEVELS);
        let mut asks = self.levels(Side::Sell).take(CHECKSUM_LEVELS);
        let mut first = true;
        loop {
            let pair = [bids.next(), asks.next()];
            if pair == [None, None] {
                return if first { 0 } else { crc.finish() };
            }
            for level in pair.into_iter().flatten() {
                if !first {
                    crc.update(b"|");
                }
                first = false;
                crc.update_decimal(tick, u128::from(level.price.get()));
                crc.update(b":");
                crc.update_decimal(lot, level.quantity);
            }
        }
    }
}

fn public(price: &Price, level: &Level) -> DepthLevel {
    DepthLevel { price: *price, quantity: level.quantity, orders: level.orders }
}

/// CRC-32 (IEEE), a byte at a time.
struct Crc32(u32);

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

impl Crc32 {
    fn new() -> Self {
        Self(!0)
    }

    fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 >> 8) ^ CRC_TABLE[usize::from(self.0 as u8 ^ byte)];
        }
    }

    /// `count` units as [`Decimal::format`] writes them, without building a string.
    fn update_decimal(&mut self, unit: Decimal, count: u128) {
        let value = count * u128::from(unit.units);
        let Ok(mut value) = u64::try_from(value) else {
            return self.update(unit.format(count).as_bytes());
        };
        let mut text = [0u8; 40];
        let mut at = text.len();
        let mut place = 0;
        while value > 0 || place <= unit.scale {
            if place == unit.scale && place > 0 {
                at -= 1;
                text[at] = b'.';
            }
            at -= 1;
            text[at] = b'0' + (value % 10) as u8;
            value /= 10;
            place += 1;
        }
        self.update(&text[at..]);
    }

    fn finish(self) -> u32 {
        !self.0
    }
}
