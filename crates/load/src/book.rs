//! The book as agents read it from the stream of depth, and its checks: no gap, no level out of place, the checksum.

use std::collections::BTreeMap;

use serde::Deserialize;
use types::Decimal;

/// Levels of each side that the checksum covers.
const CHECKED: usize = 25;

type Levels<'a> = Vec<(&'a str, &'a str)>;

/// `data` of a message of depth.
#[derive(Deserialize)]
pub(crate) struct Changes<'a> {
    #[serde(borrow)]
    bids: Levels<'a>,
    #[serde(borrow)]
    asks: Levels<'a>,
    checksum: u32,
}

/// The best prices, in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touch {
    pub(crate) bid: Option<u64>,
    pub(crate) ask: Option<u64>,
}

/// Levels by price in ticks, each as the price and quantity are written.
pub(crate) struct Book {
    tick: Decimal,
    sides: [BTreeMap<u64, (String, String)>; 2],
}

impl Book {
    /// An empty one.
    pub(crate) fn new(tick: Decimal) -> Self {
        Self { tick, sides: [BTreeMap::new(), BTreeMap::new()] }
    }

    /// Forgets all levels: a snapshot follows.
    pub(crate) fn clear(&mut self) {
        self.sides = [BTreeMap::new(), BTreeMap::new()];
    }

    /// The best prices.
    pub(crate) fn touch(&self) -> Touch {
        let bid = self.sides[0].last_key_value().map(|(ticks, _)| *ticks);
        let ask = self.sides[1].first_key_value().map(|(ticks, _)| *ticks);
        Touch { bid, ask }
    }

    /// Takes a snapshot or an update. Says what is wrong with it, if something is.
    pub(crate) fn apply(&mut self, changes: &Changes<'_>) -> Result<(), String> {
        for (side, levels) in [&changes.bids, &changes.asks].into_iter().enumerate() {
            for &(price, quantity) in levels {
                let ticks = self
                    .tick
                    .count_u64(price)
                    .map_err(|error| format!("a level at {price}: {error}"))?;
                if quantity.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
                    self.sides[side].remove(&ticks);
                } else {
                    self.sides[side].insert(ticks, (price.to_owned(), quantity.to_owned()));
                }
            }
        }
        match self.checksum() {
            sum if sum == changes.checksum => Ok(()),
            sum => Err(format!("the book has the checksum {sum}, not {}", changes.checksum)),
        }
    }

    /// The best levels in turn, bid first (docs/websocket.md, "depth").
    fn checksum(&self) -> u32 {
        let mut bids = self.sides[0].values().rev().take(CHECKED);
        let mut asks = self.sides[1].values().take(CHECKED);
        let mut crc = flate2::Crc::new();
        let mut is_first = true;
        loop {
            let (bid, ask) = (bids.next(), asks.next());
            if bid.is_none() && ask.is_none() {
                return crc.sum();
            }
            for (price, quantity) in [bid, ask].into_iter().flatten() {
                if !is_first {
                    crc.update(b"|");
                }
                is_first = false;
                crc.update(price.as_bytes());
                crc.update(b":");
                crc.update(quantity.as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Changes};

    fn apply(book: &mut Book, text: &str) -> Result<(), String> {
        book.apply(&serde_json::from_str::<Changes<'_>>(text).unwrap())
    }

    #[test]
    fn levels_come_and_go_and_a_wrong_checksum_is_told() {
        let mut book = Book::new("0.01".parse().unwrap());
        let mut crc = flate2::Crc::new();
        crc.update(b"10.00:1.0|10.02:2.0|9.99:3.0");
        let sum = crc.sum();
        let text = format!(
            r#"{{"bids":[["9.99","3.0"],["10.00","1.0"]],"asks":[["10.02","2.0"]],"checksum":{sum}}}"#
        );
        apply(&mut book, &text).unwrap();
        assert_eq!((book.touch().bid, book.touch().ask), (Some(1_000), Some(1_002)));
        let gone = r#"{"bids":[["10.00","0.0"],["9.99","0.00000"]],"asks":[["10.02","0.0"]],"checksum":0}"#;
        apply(&mut book, gone).unwrap();
        assert_eq!((book.touch().bid, book.touch().ask), (None, None));
        apply(&mut book, &text.replace(&sum.to_string(), "1")).unwrap_err();
    }
}
