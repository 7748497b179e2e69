//! A small exchange in this process that writes a data directory, with a clock that moves only when
//! told, and the binary that looks at it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use node::{Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use store::Store;
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Conditions, Event,
    FeeRates, MakerRate, MarketBounds, MarketDef, MarketId, OrderId, OrderSpec, PartitionId,
    PartsPerMillion, PlaceOrder, Price, Quantity, Redefinition, ReplyTo, Request,
    SelfTradePrevention, Seq, Side, TimeInForce, Timestamp, Topology, TreasuryReference,
};

pub const MARKET: MarketId = MarketId(1);
const BASE: AssetId = AssetId(1);
const QUOTE: AssetId = AssetId(2);
const PATIENCE: Duration = Duration::from_secs(60);
/// 2026-01-02T03:04:05Z.
const START: u64 = 1_767_323_045_000_000_000;

struct Sink(Sender<Vec<Event>>);

impl ReplySink for Sink {
    fn deliver(&self, reply: Reply<'_>) {
        let _ = self.0.send(reply.events.to_vec());
    }
}

/// A running exchange and one session of it.
pub struct Venue {
    pub node: Node,
    clock: Arc<AtomicU64>,
    answers: Receiver<Vec<Event>>,
    session: u64,
}

impl Venue {
    pub fn start(data: &Path, partitions: u16) -> Self {
        let mut config = NodeConfig::new(data);
        config.topology = Topology::spread(partitions);
        config.segment_size = 1 << 20;
        config.keep_snapshots = 3;
        let clock = Arc::new(AtomicU64::new(START));
        let read = Arc::clone(&clock);
        let now = move || Timestamp(read.load(Ordering::Relaxed));
        let hooks = NodeHooks { clock: Arc::new(now), ..NodeHooks::default() };
        let node = Node::start(config, hooks).unwrap();
        let (sender, answers) = channel();
        let session = node.open_session(Arc::new(Sink(sender)));
        Self { node, clock, answers, session }
    }

    /// A second later, asks and waits for the answer.
    pub fn ask(&self, request: Request) -> Vec<Event> {
        self.clock.fetch_add(1_000_000_000, Ordering::Relaxed);
        let reply = ReplyTo::new(self.session, 1);
        self.node.submit(reply, Timestamp(u64::MAX), request).unwrap();
        self.answers.recv_timeout(PATIENCE).unwrap()
    }

    /// Asks until it is not rejected any more: a definition may be on its way to another partition.
    pub fn demand(&self, request: &Request) -> Vec<Event> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let answer = self.ask(request.clone());
            match answer[0] {
                Event::Rejected { code, .. } if code.is_retryable() => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Event::Rejected { code, .. } => panic!("{request:?} was rejected: {code}"),
                _ => return answer,
            }
        }
        panic!("{request:?} is rejected for ever");
    }

    /// Two assets, a market in the last partition, three accounts with funds.
    pub fn found(&self) {
        for (id, symbol) in [(BASE, "BTC"), (QUOTE, "USDT")] {
            self.demand(&Request::DefineAsset(AssetDef { id, symbol: symbol.into(), scale: 8 }));
        }
        self.demand(&Request::ListMarket(Box::new(MarketDef {
            id: MARKET,
            symbol: "BTC-USDT".into(),
            base: BASE,
            quote: QUOTE,
            tick: "0.01".parse().unwrap(),
            lot: "0.0001".parse().unwrap(),
            max_price: Price::new(100_000_000),
            max_quantity: Quantity::new(1_000_000_000),
            bounds: MarketBounds::default(),
            home: *self.node.topology().markets.last().unwrap(),
            version: 1,
        })));
        let rates = FeeRates { maker: MakerRate(1_000), taker: PartsPerMillion(2_000) };
        self.demand(&Request::SetFeeTier { tier: 0, rates });
        for account in 1..=3 {
            self.demand(&Request::CreateAccount { account: AccountId(account), fee_tier: 0 });
            for (asset, whole) in [(BASE, 10), (QUOTE, 1_000)] {
                let number = u64::from((account - 1) * 2 + asset.0);
                self.demand(&Request::Credit {
                    reference: TreasuryReference { source: 1, number },
                    operator: types::OperatorName::NONE,
                    account: AccountId(account),
                    asset,
                    amount: Amount::new(whole * 100_000_000),
                });
            }
        }
    }

    /// Some trading, with snapshots in between.
    pub fn trade(&self) {
        use Side::{Buy, Sell};
        use TimeInForce::{Gtc, Ioc};
        self.demand(&limit(1, Sell, 10_000, 10_000, Gtc, "first"));
        self.demand(&limit(2, Sell, 10_000, 5_000, Gtc, "second"));
        self.demand(&limit(3, Buy, 10_100, 3_000, Gtc, ""));
        self.demand(&amend(1, 1, None, Some(8_000)));
        self.demand(&amend(2, 2, Some(9_950), None));
        self.snapshot();
        self.demand(&limit(3, Buy, 9_950, 6_000, Ioc, ""));
        self.ask(cancel(1, 99));
        self.demand(&limit(2, Sell, 10_000, 2_500, Gtc, ""));
        self.snapshot();
        self.demand(&limit(3, Buy, 9_000, 10_000, Gtc, ""));
        self.demand(&cancel(3, 7));
        self.demand(&Request::Transfer {
            from: AccountId(2),
            to: AccountId(3),
            asset: QUOTE,
            amount: Amount::new(1),
            client_id: "gift".parse().unwrap(),
        });
    }

    /// New units for the market, and then its end: planned, and carried out as the clock comes to them.
    pub fn redefine_and_delist(&self) {
        let now = Timestamp(self.clock.load(Ordering::Relaxed));
        let [redefined, delisted] = [100, 200].map(|s| now.saturating_add_nanos(s * 1_000_000_000));
        let redefinition = Redefinition {
            tick: "0.02".parse().unwrap(),
            lot: "0.0001".parse().unwrap(),
            max_price: Price::new(50_000_000),
            max_quantity: Quantity::new(1_000_000_000),
            bounds: None,
        };
        self.demand(&Request::PlanRedefinition {
            market: MARKET,
            at: redefined,
            redefinition: Some(Box::new(redefinition)),
        });
        self.demand(&Request::PlanDelisting { market: MARKET, at: Some(delisted) });
        self.clock.store(delisted.0, Ordering::Relaxed);
        self.demand(&Request::FreezeAccount { account: AccountId(1), frozen: false });
    }

    /// One of each partition.
    pub fn snapshot(&self) {
        for id in 0..self.node.topology().partitions {
            let outcome = self.node.request_snapshot(PartitionId(id));
            outcome.recv_timeout(PATIENCE).unwrap().unwrap();
        }
    }

    /// Writes the SQL history of all events so far.
    pub fn project(&self, data: &Path) {
        let store = Store::open(data).unwrap();
        let mut projector = store.projector();
        for id in (0..self.node.topology().partitions).map(PartitionId) {
            let feed = self.node.feed(id);
            let mut cursor = Seq(0);
            while let Some(batch) = feed.read(cursor).unwrap() {
                cursor = batch.last_seq().unwrap();
                projector.apply(&[batch]).unwrap();
            }
        }
    }
}

/// A whole data directory of an exchange that has stopped in order.
pub fn written(partitions: u16) -> tempfile::TempDir {
    written_by(partitions, Venue::trade)
}

/// The same after trading of another kind.
pub fn written_by(partitions: u16, trade: impl FnOnce(&Venue)) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let venue = Venue::start(data.path(), partitions);
    venue.found();
    trade(&venue);
    venue.project(data.path());
    venue.node.stop();
    data
}

pub fn limit(
    account: u32,
    side: Side,
    price: u64,
    quantity: u64,
    time_in_force: TimeInForce,
    id: &str,
) -> Request {
    Request::PlaceOrder(PlaceOrder {
        account: AccountId(account),
        market: MARKET,
        version: 1,
        client_order_id: if id.is_empty() { ClientOrderId::NONE } else { id.parse().unwrap() },
        side,
        spec: OrderSpec::Limit {
            price: Price::new(price),
            quantity: Quantity::new(quantity),
            time_in_force,
            post_only: false,
        },
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    })
}

/// The same order under conditions.
pub fn under(mut request: Request, conditions: Conditions) -> Request {
    if let Request::PlaceOrder(order) = &mut request {
        order.conditions = conditions.into();
    }
    request
}

/// One that changes no price asks to keep the order's place.
fn amend(account: u32, order: u64, price: Option<u64>, quantity: Option<u64>) -> Request {
    Request::AmendOrder {
        account: AccountId(account),
        market: MARKET,
        version: 1,
        order: OrderId(order),
        price: price.map(Price::new),
        quantity: quantity.map(Quantity::new),
        keep_priority: price.is_none(),
    }
}

fn cancel(account: u32, order: u64) -> Request {
    Request::CancelOrder { account: AccountId(account), market: MARKET, order: OrderId(order) }
}

/// What the binary said.
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs the binary on `data`, which replaces `DATA` in the words.
pub fn outcry(words: &[&str], data: &Path) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outcry"));
    for &word in words {
        if word == "DATA" {
            command.arg(data)
        } else {
            command.arg(word)
        };
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}
