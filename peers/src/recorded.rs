//! Sessions of real exchanges as flows, where they are at hand: `OUTCRY_RECORDINGS` names their folder.
//!
//! Orders get numbers as they come. An amendment is a cancel and a new order, as the rules of these recordings have it.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use workload::{NaiveBook, Operation, Session, Side};

/// A flow's name, a folder, and what it is.
const RECORDINGS: [(&str, &str, &str); 3] = [
    ("recorded_shanghai", "l3-sse600519-am", "a morning of a share in Shanghai, after its auction"),
    ("recorded_bitstamp", "l3-bitstamp-btcusd-2015", "five hours of BTC/USD at Bitstamp"),
    ("recorded_nasdaq", "l3-nasdaq-arl-20250717", "a day of a share at NASDAQ, hardly a trade"),
];

/// What there is: name, meaning, session. Says what is not.
pub fn sessions() -> Vec<(&'static str, &'static str, Session)> {
    let Some(recordings) = std::env::var_os("OUTCRY_RECORDINGS") else {
        println!("SKIPPED: recorded sessions (OUTCRY_RECORDINGS is not set)");
        return Vec::new();
    };
    let read = |(name, folder, meaning): (&'static str, &str, &'static str)| {
        let folder = Path::new(&recordings).join(folder);
        if !folder.exists() {
            println!("SKIPPED: {name}: {} is not there", folder.display());
            return None;
        }
        Some((name, meaning, session(&folder)))
    };
    RECORDINGS.into_iter().filter_map(read).collect()
}

fn session(folder: &Path) -> Session {
    let mut recorded = Recorded::default();
    for row in rows(folder, "seed.csv") {
        recorded.row(&row);
    }
    let before = std::mem::take(&mut recorded.operations);
    assert!(recorded.fills.is_empty(), "seeds rest");
    for row in rows(folder, "input.csv") {
        recorded.row(&row);
    }
    Session { before, timed: recorded.operations, fills: recorded.fills }
}

/// The rows of a file, plain or compressed, without its head.
fn rows(folder: &Path, name: &str) -> Vec<String> {
    let plain = folder.join(name);
    let mut text = String::new();
    if plain.exists() {
        text = std::fs::read_to_string(plain).expect("a table");
    } else {
        let file = std::fs::File::open(folder.join(format!("{name}.zst"))).expect("a table");
        let mut file = zstd::Decoder::new(file).expect("compressed");
        file.read_to_string(&mut text).expect("a table");
    }
    text.lines().skip(1).map(str::to_owned).collect()
}

#[derive(Default)]
struct Recorded {
    operations: Vec<Operation>,
    book: NaiveBook,
    fills: Vec<workload::Fill>,
    orders: u64,
    /// Our numbers by the venue's ids.
    numbers: HashMap<String, u64>,
}

impl Recorded {
    /// `seq,ts,op,id,side,tif,price,qty`
    fn row(&mut self, row: &str) {
        let [_, _, operation, id, side, time_in_force, price, lots] =
            row.split(',').collect::<Vec<_>>()[..]
        else {
            panic!("eight columns: {row}");
        };
        let place = || Operation::Limit {
            side: if side == "B" { Side::Buy } else { Side::Sell },
            price: price.parse().expect("ticks"),
            lots: lots.parse().expect("lots"),
            rests: time_in_force == "GTC",
        };
        match operation {
            "CANCEL" => self.cancel(id),
            "AMEND" => {
                self.cancel(id);
                self.place(id, place());
            }
            "NEW" | "SEED" => self.place(id, place()),
            _ => panic!("a kind that these recordings do not have: {row}"),
        }
    }

    fn cancel(&mut self, id: &str) {
        let order = self.numbers[id];
        if self.book.is_open(order) {
            self.send(Operation::Cancel { order });
        }
    }

    fn place(&mut self, id: &str, operation: Operation) {
        self.orders += 1;
        self.numbers.insert(id.to_owned(), self.orders);
        self.send(operation);
    }

    fn send(&mut self, operation: Operation) {
        self.book.apply(self.orders, &operation, &mut self.fills);
        self.operations.push(operation);
    }
}
