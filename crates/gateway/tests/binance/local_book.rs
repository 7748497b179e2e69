//! Books that clients keep by the documented procedure: diffs, then a snapshot, then diffs. They are the
//! market's own, for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::client::{Client, now_millis};
use crate::socket::Socket;
use crate::world::World;

/// Clients that keep a book.
const CLIENTS: u64 = 100;
/// Orders and cancels of the session.
const STEPS: u64 = 1_500;
/// A connection is dropped after at most so many updates.
const PATIENCE: u64 = 25;

/// A reproducible sequence.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// A book by the texts of its prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Book {
    update: u64,
    sides: [BTreeMap<String, String>; 2],
}

impl Book {
    fn of_snapshot(depth: &Value) -> Self {
        let mut book = Self { update: depth["lastUpdateId"].as_u64().unwrap(), ..Self::default() };
        book.set([&depth["bids"], &depth["asks"]]);
        book
    }

    fn set(&mut self, changes: [&Value; 2]) {
        for (side, levels) in self.sides.iter_mut().zip(changes) {
            for level in levels.as_array().unwrap() {
                let [price, quantity] = [0, 1].map(|at| level[at].as_str().unwrap().to_owned());
                if quantity == "0.00000000" {
                    side.remove(&price);
                } else {
                    side.insert(price, quantity);
                }
            }
        }
    }

    /// Takes an update that must follow; one that is known already changes nothing.
    fn take(&mut self, event: &Value) {
        let [first, last] = ["U", "u"].map(|name| event[name].as_u64().unwrap());
        if last <= self.update {
            return;
        }
        assert!(first <= self.update + 1, "a hole after {}: {event}", self.update);
        self.set([&event["b"], &event["a"]]);
        self.update = last;
    }
}

/// What clients compare their books with.
#[derive(Default)]
struct Truth {
    /// The market's own books, by their last update.
    known: Mutex<BTreeMap<u64, Book>>,
    /// The last one of the session, once it is over.
    last: AtomicU64,
    compared: AtomicU64,
    connections: AtomicU64,
}

impl Truth {
    async fn snapshot(&self, world: &World) -> Book {
        let depth = world.ask("/api/v3/depth?symbol=BTCUSDT&limit=5000").await.ok();
        let book = Book::of_snapshot(&depth);
        let mut known = self.known.lock();
        let same = known.entry(book.update).or_insert_with(|| book.clone());
        assert_eq!(*same, book, "two snapshots of one update");
        book
    }

    fn compare(&self, book: &Book) {
        if let Some(own) = self.known.lock().get(&book.update) {
            assert_eq!(own, book);
            self.compared.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn is_over(&self, book: &Book) -> bool {
        let last = self.last.load(Ordering::Acquire);
        last > 0 && book.update >= last
    }
}

/// One connection: true if it reached the end of the session.
async fn keep_book(world: &World, truth: &Truth, stream: &str, updates: u64) -> bool {
    truth.connections.fetch_add(1, Ordering::Relaxed);
    let mut socket = Socket::open(world.address, &format!("/ws/{stream}")).await;
    // Subscribed by now: whatever the snapshot lacks will come.
    socket.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    let mut book = truth.snapshot(world).await;
    let mut left = updates;
    while !truth.is_over(&book) {
        if left == 0 {
            return false;
        }
        let event = socket.next().await.expect("an update");
        // The first event is the first thing that was buffered: older than the snapshot, or just after.
        book.take(&event);
        truth.compare(&book);
        left -= u64::from(truth.last.load(Ordering::Acquire) == 0);
    }
    true
}

/// A bounded session: prices in a small range, so that levels come and go.
async fn trade(world: &World, random: &mut Random, sellers: &[Client], buyers: &[Client]) {
    let mut open: Vec<(Client, u64)> = Vec::new();
    for _ in 0..STEPS {
        if random.below(3) == 0 && !open.is_empty() {
            let (owner, order) = open.swap_remove(random.below(open.len() as u64) as usize);
            // It may have been filled.
            world.delete(&owner, &format!("/v1/orders/BTC-USDT/{order}")).await;
            continue;
        }
        let is_sell = random.below(2) == 0;
        let who = if is_sell { sellers } else { buyers };
        let who = &who[random.below(who.len() as u64) as usize];
        let price = if is_sell { 49_990 } else { 49_980 } + random.below(30);
        let quantity = format!("0.{:03}", 1 + random.below(99));
        let side = if is_sell { "sell" } else { "buy" };
        let placed = world.limit(who, side, &price.to_string(), &quantity).await.ok();
        open.push((who.clone(), placed["id"].as_u64().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_of_clients_that_come_and_go_are_the_markets_own() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| getrandom::u64().unwrap() | 1);
    println!("SEED={seed}");
    let mut random = Random(seed);
    let world = Arc::new(World::new().await);
    let truth = Arc::new(Truth::default());
    // With more than any session spends.
    let [s1, s2] = [world.trader("s1", "BTC", "100000"), world.trader("s2", "BTC", "100000")];
    let [b1, b2] =
        [world.trader("b1", "USDT", "4000000000"), world.trader("b2", "USDT", "4000000000")];
    let (sellers, buyers) = ([s1.await, s2.await], [b1.await, b2.await]);
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let (world, truth) = (Arc::clone(&world), Arc::clone(&truth));
        let mut random = Random(seed.wrapping_mul(number + 2) | 1);
        clients.push(tokio::spawn(async move {
            let stream = if number % 4 == 0 { "btcusdt@depth" } else { "btcusdt@depth@100ms" };
            while !keep_book(&world, &truth, stream, 1 + random.below(PATIENCE)).await {}
        }));
    }
    trade(&world, &mut random, &sellers, &buyers).await;
    // The session ends with a change that everybody waits for.
    let last = world.limit(&buyers[0], "buy", "1", "0.001").await.ok();
    let path = format!("/v1/markets/BTC-USDT/depth?min_seq={}", last["seq"]);
    world.get(&world.bob, &path).await.ok();
    let own = truth.snapshot(&world).await;
    assert_eq!(own.update, last["seq"].as_u64().unwrap());
    truth.last.store(own.update, Ordering::Release);
    for client in clients {
        client.await.unwrap();
    }
    let figures = (
        truth.compared.load(Ordering::Relaxed),
        truth.connections.load(Ordering::Relaxed),
        truth.known.lock().len(),
    );
    println!("comparisons, connections, snapshots: {figures:?}");
    assert!(figures.0 >= CLIENTS / 2 && figures.1 > CLIENTS, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_a_book_must_begin_anew_when_its_units_change_and_others_go_on() {
    let world = World::new().await;
    let mut diffs = Socket::open(world.address, "/ws/btcusdt@depth@100ms").await;
    let mut best = Socket::open(world.address, "/ws/btcusdt@bookTicker").await;
    diffs.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    world.limit(&world.bob, "buy", "50000", "0.5").await.ok();
    let units = json!({
        "tick": "0.5", "lot": "0.01", "max_price": "1000000", "max_quantity": "1000",
    });
    let soon = json!({ "at": now_millis() + 3_000, "redefinition": units });
    world.admin("PUT", "/v1/admin/markets/BTC-USDT/redefinitions", soon).await.ok();
    assert_eq!(diffs.close_code().await, Some(4008));
    let mut diffs = Socket::open(world.address, "/ws/btcusdt@depth@100ms").await;
    diffs.call("LIST_SUBSCRIPTIONS", Value::Null).await;
    let mut book = Truth::default().snapshot(&world).await;
    assert_eq!(book.sides[0]["50000.00000000"], "0.50000000", "the same text as before");
    world.limit(&world.bob, "buy", "50000.5", "0.2").await.ok();
    while !book.sides[0].contains_key("50000.50000000") {
        book.take(&diffs.next().await.unwrap());
    }
    while best.next().await.unwrap()["b"] != "50000.50000000" {}
}
