//! A small exchange to run nodes with: two assets, one market, some accounts with funds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use engine::Partition;
use journal::CommandReader;
use node::{DataDir, Exchange, Node, NodeConfig, NodeHooks, Reply, ReplySink};
use types::{
    AccountId, Amount, AssetDef, AssetId, BoxedConditions, ClientOrderId, Decimal, Event,
    MarketBounds, MarketDef, MarketId, OrderSpec, PartitionId, PlaceOrder, Price, Quantity,
    RejectCode, ReplyTo, Request, SelfTradePrevention, Seq, Side, TimeInForce, Timestamp, Topology,
    TreasuryReference,
};

pub const BASE: AssetId = AssetId(1);
pub const QUOTE: AssetId = AssetId(2);
pub const MARKET: MarketId = MarketId(1);
pub const NEVER: Timestamp = Timestamp(u64::MAX);
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Small files, so that tests are quick.
pub fn config(data: &Path, partitions: u16) -> NodeConfig {
    let mut config = NodeConfig::new(data);
    config.topology = Topology::spread(partitions);
    config.segment_size = 1 << 20;
    config
}

/// An answer as a client sees it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub token: u64,
    pub seq: Seq,
    pub events: Vec<Event>,
}

struct Sink(Sender<Answer>);

impl ReplySink for Sink {
    fn deliver(&self, reply: Reply<'_>) {
        let _ = self.0.send(Answer {
            token: reply.to.token,
            seq: reply.seq,
            events: reply.events.to_vec(),
        });
    }
}

/// A session of a node.
pub struct Client {
    pub node: Arc<Node>,
    pub session: u64,
    pub answers: Receiver<Answer>,
    next_token: AtomicU64,
}

impl Client {
    pub fn new(node: &Arc<Node>) -> Self {
        let (sender, answers) = unbounded();
        Self {
            node: Arc::clone(node),
            session: node.open_session(Arc::new(Sink(sender))),
            answers,
            next_token: AtomicU64::new(1),
        }
    }

    /// Hands a request in and does not wait.
    pub fn send(&self, request: Request) -> Result<u64, RejectCode> {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        self.node.submit(ReplyTo::new(self.session, token), NEVER, request)?;
        Ok(token)
    }

    /// Hands a request in and waits for its answer.
    pub fn ask(&self, request: Request) -> Answer {
        let token = self.send(request).unwrap();
        let answer = self.answers.recv_timeout(PATIENCE).unwrap();
        assert_eq!(answer.token, token);
        answer
    }

    /// [`Self::ask`], and no rejection. A definition may still be on its way to another partition.
    pub fn demand(&self, request: &Request) -> Answer {
        for _ in 0..2000 {
            let answer = self.ask(request.clone());
            match &answer.events[0] {
                Event::Rejected { code, .. } if code.is_retryable() => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Event::Rejected { code, .. } => panic!("{request:?} was rejected: {code}"),
                _ => return answer,
            }
        }
        panic!("{request:?} is rejected for ever");
    }

    /// Assets, a market at home in the last partition, and accounts 1 to `accounts` with funds.
    pub fn found(&self, accounts: u32) {
        for (id, symbol) in [(BASE, "BTC"), (QUOTE, "USDT")] {
            self.demand(&Request::DefineAsset(AssetDef { id, symbol: symbol.into(), scale: 8 }));
        }
        self.demand(&Request::ListMarket(Box::new(market(self.node.topology()))));
        let mut number = 0;
        for account in (1..=accounts).map(AccountId) {
            self.demand(&Request::CreateAccount { account, fee_tier: 0 });
            for asset in [BASE, QUOTE] {
                number += 1;
                self.demand(&Request::Credit {
                    reference: TreasuryReference { source: 1, number },
                    operator: types::OperatorName::NONE,
                    account,
                    asset,
                    amount: Amount::new(1 << 60),
                });
            }
        }
    }
}

pub fn market(topology: &Topology) -> MarketDef {
    MarketDef {
        id: MARKET,
        symbol: "BTC-USDT".into(),
        base: BASE,
        quote: QUOTE,
        tick: "0.01".parse::<Decimal>().unwrap(),
        lot: "0.0001".parse::<Decimal>().unwrap(),
        max_price: Price::new(100_000_000),
        max_quantity: Quantity::new(1_000_000_000),
        bounds: MarketBounds { max_orders_per_account: 1_000_000, ..MarketBounds::default() },
        home: *topology.markets.last().unwrap(),
        version: 1,
    }
}

pub fn limit(account: u32, side: Side, price: u64, quantity: u64) -> Request {
    Request::PlaceOrder(PlaceOrder {
        account: AccountId(account),
        market: MARKET,
        version: 1,
        client_order_id: ClientOrderId::NONE,
        side,
        spec: OrderSpec::Limit {
            price: Price::new(price),
            quantity: Quantity::new(quantity),
            time_in_force: TimeInForce::Gtc,
            post_only: false,
        },
        conditions: BoxedConditions::NONE,
        self_trade_prevention: SelfTradePrevention::None,
    })
}

/// The `n`-th order of a stream that trades much.
pub fn nth_order(n: u64, accounts: u32) -> Request {
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let side = if mixed & 1 == 0 { Side::Buy } else { Side::Sell };
    let account = 1 + (mixed >> 1) as u32 % accounts;
    limit(account, side, 10_000 + (mixed >> 8) % 20, 1 + (mixed >> 16) % 50)
}

pub fn start(config: NodeConfig) -> Arc<Node> {
    Arc::new(Node::start(config, NodeHooks::default()).unwrap())
}

pub fn stop(node: Arc<Node>, client: Client) {
    drop(client);
    Arc::into_inner(node).expect("nobody else holds the node").stop();
}

pub fn kill(node: Arc<Node>, client: Client) {
    drop(client);
    Arc::into_inner(node).expect("nobody else holds the node").kill();
}

/// Applies the log of a partition to a new engine.
pub fn rebuild(data: &Path, partition: PartitionId) -> Partition {
    let data = DataDir::new(data);
    let identity = data.identity(partition).unwrap();
    let reader = CommandReader::open(data.commands(partition), identity, Seq(1), None).unwrap();
    let mut rebuilt = Partition::new(partition, 1);
    let mut events = Vec::new();
    for entry in reader {
        let entry = entry.unwrap();
        rebuilt.apply(entry.seq, entry.time, &entry.command, &mut events);
        events.clear();
    }
    rebuilt
}

/// Balances by account and asset, as the event feeds of all partitions tell them.
pub fn balances(node: &Node) -> BTreeMap<(AccountId, AssetId), (Amount, Amount)> {
    let mut found = BTreeMap::new();
    for id in 0..node.topology().partitions {
        let feed = node.feed(PartitionId(id));
        let mut cursor = Seq(0);
        while let Some(batch) = feed.read(cursor).unwrap() {
            for event in batch.iter_after(cursor).flat_map(|entry| entry.events) {
                if let Event::BalanceChanged { account, asset, available, held } = *event {
                    found.insert((account, asset), (available, held));
                }
            }
            cursor = batch.last_seq().unwrap();
        }
    }
    found
}

/// Waits until no partition has anything to do.
pub fn settle(node: &Node) {
    let mut before = Vec::new();
    loop {
        let stats = node.stats().partitions;
        let now: Vec<_> = stats.iter().map(|part| (part.last_seq, part.queue_len)).collect();
        if now == before {
            return;
        }
        before = now;
        std::thread::sleep(Duration::from_millis(30));
    }
}
