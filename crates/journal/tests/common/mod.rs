//! Logs with known content, and copies of them to be broken.

use std::fs;
use std::path::{Path, PathBuf};

use journal::{BatchBuilder, CommandLog, CommandReader, Identity, JournalError, Options};
use types::{
    AccountId, Amount, AssetId, BoxedConditions, Command, Entry, Event, MarketId, OrderId,
    OrderSpec, PartitionId, PlaceOrder, Price, Quantity, ReplyTo, Request, SelfTradePrevention,
    Seq, Side, TimeInForce, Timestamp,
};

pub const IDENTITY: Identity =
    Identity { cluster: 0x0123_4567_89ab_cdef, partition: PartitionId(3) };

/// A generator of numbers that repeats itself for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A directory in memory where the machine has one: thousands of images need no real disk.
pub fn memory_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

pub fn options(segment_size: u64) -> Options {
    Options { segment_size, ..Options::default() }
}

/// Some command for entry `seq`; always the same one.
pub fn command(seq: u64) -> Command {
    let mut random = Random(seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let account = AccountId(random.below(1000) as u32);
    let market = MarketId(random.below(7) as u32);
    let request = match random.below(3) {
        0 => Request::CancelOrder { account, market, order: OrderId(random.below(1 << 40)) },
        _ => Request::PlaceOrder(PlaceOrder {
            account,
            market,
            version: 1,
            client_order_id: format!("order-{seq}").parse().unwrap(),
            side: Side::Buy,
            spec: OrderSpec::Limit {
                price: Price::new(random.below(1 << 30)),
                quantity: Quantity::new(random.below(1 << 30)),
                time_in_force: TimeInForce::Gtc,
                post_only: false,
            },
            conditions: BoxedConditions::NONE,
            self_trade_prevention: SelfTradePrevention::None,
        }),
    };
    Command::Request {
        reply: ReplyTo::new(random.below(u64::MAX), seq),
        valid_until: Timestamp(u64::MAX),
        request,
    }
}

pub fn time(seq: u64) -> Timestamp {
    Timestamp(1_700_000_000_000_000_000 + seq * 1_000_003)
}

pub fn entry(seq: u64) -> Entry {
    Entry { seq: Seq(seq), time: time(seq), command: command(seq) }
}

pub fn events(seq: u64) -> Vec<Event> {
    (0..seq % 4)
        .map(|index| Event::BalanceChanged {
            account: AccountId(seq as u32),
            asset: AssetId(index as u32),
            available: Amount::new(u128::from(seq) << 40),
            held: Amount::new(u128::from(index)),
        })
        .collect()
}

/// Appends the next `count` entries as one record, with everything before it acknowledged.
pub fn append(log: &mut CommandLog, batch: &mut BatchBuilder, count: u64) {
    let first = log.last_seq().0 + 1;
    for seq in first..first + count {
        batch.push_command(time(seq), &command(seq));
    }
    log.append(batch, Seq(first - 1), 1).unwrap();
}

/// A log of records with the given numbers of entries.
pub fn write_log(dir: &Path, segment_size: u64, counts: &[u64], seal: bool) {
    let (mut log, _) = CommandLog::open(dir, IDENTITY, options(segment_size)).unwrap();
    let mut batch = BatchBuilder::new();
    for &count in counts {
        append(&mut log, &mut batch, count);
    }
    log.sync().unwrap();
    if seal {
        log.seal(1).unwrap();
    }
}

pub fn read_all(dir: &Path, from: u64) -> Result<Vec<Entry>, JournalError> {
    CommandReader::open(dir, IDENTITY, Seq(from), None)?.collect()
}

/// The segment files, oldest first.
pub fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files
}

/// Offset and length of each record of a segment, by the documented bytes alone.
pub fn records(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 128;
    while at + 128 <= bytes.len() && &bytes[at..at + 4] == b"OCRB" {
        let payload = u32::from_le_bytes(bytes[at + 56..at + 60].try_into().unwrap()) as usize;
        let len = (128 + payload + 8).next_multiple_of(64);
        found.push((at, len));
        at += len;
    }
    found
}
