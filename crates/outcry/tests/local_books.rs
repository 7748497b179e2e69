//! Books that many clients of the Binance dialect keep by its documented procedure, from the real binary's
//! demonstration, over connections that are cut again and again.
//!
//! Whoever has applied the same last update has the same book: clients of both speeds, with old books and with fresh ones, and the
//! book that `GET depth` shows. No client ever finds a gap. In the end the market stands still, and every client has the book of HTTP.
//!
//! `LOCAL_BOOKS_CLIENTS` (50), `LOCAL_BOOKS_MINUTES` (none: until connections were cut often enough), `LOCAL_BOOKS_SEED`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{PATIENCE, Server, eventually, now_ms};
use chance::Random;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The demonstration's participants: about as busy as a market of note.
const ORDERS_PER_SECOND: u32 = 100;
/// More levels than the demonstration's book ever has on a side.
const DEPTH: usize = 5_000;
/// How often a client that hears nothing looks whether the run is over.
const GLANCE: Duration = Duration::from_millis(100);

type Levels<'a> = Vec<(&'a str, &'a str)>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    #[serde(borrow)]
    bids: Levels<'a>,
    #[serde(borrow)]
    asks: Levels<'a>,
}

#[derive(Deserialize)]
struct Update<'a> {
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "b", borrow)]
    bids: Levels<'a>,
    #[serde(rename = "a", borrow)]
    asks: Levels<'a>,
}

/// A book by the texts of its prices and quantities.
#[derive(Default)]
struct Book {
    update: u64,
    sides: [BTreeMap<String, String>; 2],
    /// The sum of its levels' hashes, whatever their order.
    digest: u64,
}

impl Book {
    fn of(snapshot: &Snapshot<'_>) -> Self {
        assert!(snapshot.bids.len().max(snapshot.asks.len()) < DEPTH, "the whole book");
        let mut book = Self { update: snapshot.last, ..Self::default() };
        book.set([&snapshot.bids, &snapshot.asks]);
        book
    }

    fn set(&mut self, changes: [&Levels<'_>; 2]) {
        for (side, levels) in changes.into_iter().enumerate() {
            for &(price, quantity) in levels {
                let was = if quantity == "0.00000000" {
                    self.sides[side].remove(price)
                } else {
                    self.digest = self.digest.wrapping_add(hash(side, price, quantity));
                    self.sides[side].insert(price.to_owned(), quantity.to_owned())
                };
                if let Some(was) = was {
                    self.digest = self.digest.wrapping_sub(hash(side, price, &was));
                }
            }
        }
    }

    /// Applies what follows, and skips what is known. Panics at a gap.
    fn apply(&mut self, update: &Update<'_>) {
        if update.last <= self.update {
            return;
        }
        assert!(update.first <= self.update + 1, "a gap: {} to {}", self.update, update.first);
        self.set([&update.bids, &update.asks]);
        self.update = update.last;
    }
}

fn hash(side: usize, price: &str, quantity: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (side, price, quantity).hash(&mut hasher);
    hasher.finish()
}

/// What all clients share.
struct Run {
    address: SocketAddr,
    /// Updates of the faster stream after which a connection has been cut at the latest.
    longest_life: u64,
    /// Digests of books by their last update, of whoever came there first.
    digests: Mutex<HashMap<u64, u64>>,
    /// The last update of the market, once it stands still.
    end: AtomicU64,
    connections: AtomicU64,
    updates: AtomicU64,
    compared: AtomicU64,
    /// Snapshots that were older than the first update.
    late_snapshots: AtomicU64,
}

impl Run {
    fn compare(&self, book: &Book) {
        let mut digests = self.digests.lock().expect("no panic");
        let same = *digests.entry(book.update).or_insert(book.digest);
        assert_eq!(same, book.digest, "two books of update {}", book.update);
        self.compared.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.end.load(Ordering::Acquire) > 0
    }

    async fn snapshot(&self) -> Book {
        let path = format!("/api/v3/depth?symbol=BTCUSDT&limit={DEPTH}");
        let body = get(self.address, &path).await;
        let book = Book::of(&serde_json::from_str(&body).expect("a book"));
        self.compare(&book);
        book
    }
}

/// The body of the answer to a request on a connection of its own.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the exchange listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: exchange\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    body.to_owned()
}

/// The next message, or none if there was none for a while. Panics when the exchange cuts the connection.
async fn next(socket: &mut Socket) -> Option<String> {
    loop {
        match timeout(GLANCE, socket.next()).await.ok()?.expect("a connection that stands") {
            Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
            Ok(Message::Ping(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The documented procedure: listen, fetch a snapshot that is not older than what was heard first, apply what follows.
async fn begin(run: &Run, socket: &mut Socket) -> Book {
    let first = loop {
        if let Some(text) = next(socket).await {
            break Some(text);
        }
        if run.is_over() {
            break None;
        }
    };
    let Some(text) = first else { return run.snapshot().await };
    let update: Update<'_> = serde_json::from_str(&text).expect("an update");
    loop {
        let mut book = run.snapshot().await;
        if book.update >= update.first {
            book.apply(&update);
            return book;
        }
        run.late_snapshots.fetch_add(1, Ordering::Relaxed);
    }
}

/// One connection: the book at the end of the run, or none if it was cut before.
async fn keep_book(run: &Run, random: &mut Random) -> Option<Book> {
    run.connections.fetch_add(1, Ordering::Relaxed);
    let (stream, life) = match random.below(4) {
        0 => ("btcusdt@depth", run.longest_life / 10),
        _ => ("btcusdt@depth@100ms", run.longest_life),
    };
    let life = random.between(1, life);
    let url = format!("ws://{}/ws/{stream}", run.address);
    let (mut socket, _) = connect_async(url).await.expect("a connection");
    let mut book = begin(run, &mut socket).await;
    let mut heard = 0;
    while heard < life {
        if run.is_over() && book.update >= run.end.load(Ordering::Acquire) {
            return Some(book);
        }
        if let Some(text) = next(&mut socket).await {
            book.apply(&serde_json::from_str(&text).expect("an update"));
            run.compare(&book);
            run.updates.fetch_add(1, Ordering::Relaxed);
            heard += 1;
        }
    }
    // Half of them take their leave, the others are gone as if a cable had been cut.
    if random.below(2) == 0 {
        let _ = socket.close(None).await;
    }
    None
}

/// A client: connects again and again until the run is over.
async fn client(run: Arc<Run>, seed: u64) -> Book {
    let mut random = Random::new(seed);
    loop {
        if let Some(book) = keep_book(&run, &mut random).await {
            return book;
        }
    }
}

/// Lets the clients be until `is_enough`. A client that fails ends the test at once.
async fn let_run(clients: &mut JoinSet<Book>, is_enough: impl Fn() -> bool) {
    while !is_enough() {
        if let Ok(Some(ended)) = timeout(GLANCE, clients.join_next()).await {
            panic!("a client ended: {:?}", ended.map(|book| book.update));
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn books_kept_over_connections_that_are_cut_are_the_book_of_the_market() {
    let count = setting("LOCAL_BOOKS_CLIENTS").unwrap_or(50);
    let minutes = setting("LOCAL_BOOKS_MINUTES").unwrap_or(0);
    let seed = setting("LOCAL_BOOKS_SEED").unwrap_or(1);
    println!("{count} clients, {minutes} minutes, seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("outcry.toml");
    // All clients have one address.
    let text = format!(
        "[demo]\norders_per_second = {ORDERS_PER_SECOND}\n[gateway]\naddress_percent = 100\n"
    );
    std::fs::write(&config, text).unwrap();
    let server = Server::start(&folder.path().join("data"), Some(&config), &[]).unwrap();
    eventually("the demo has no market", || {
        let listed = server.http().send(None, "GET", "/v1/markets/BTC-USDT", None).unwrap();
        if listed.0 == 200 { Ok(()) } else { Err(listed) }
    });

    let run = Arc::new(Run {
        address: server.address,
        longest_life: if minutes == 0 { 40 } else { 600 },
        digests: Mutex::default(),
        end: AtomicU64::new(0),
        connections: AtomicU64::new(0),
        updates: AtomicU64::new(0),
        compared: AtomicU64::new(0),
        late_snapshots: AtomicU64::new(0),
    });
    let mut clients = JoinSet::new();
    for number in 0..count {
        clients.spawn(client(Arc::clone(&run), seed.wrapping_mul(1_000_000) + number));
    }
    let enough_at = now_ms() + minutes * 60_000;
    let connections = || run.connections.load(Ordering::Relaxed);
    let_run(&mut clients, || now_ms() >= enough_at && connections() >= 4 * count).await;

    // In a halted market nothing moves: what HTTP shows now is where all books end.
    let admin = server.admin.clone().expect("shown at the first start");
    let halt = Some(json!({ "state": "halted" }));
    let path = "/v1/admin/markets/BTC-USDT/state";
    let halted = server.http().ok(&admin, "PUT", path, halt);
    let path = format!("/api/v3/depth?symbol=BTCUSDT&limit={DEPTH}&min_seq={}", halted["seq"]);
    let body = get(server.address, &path).await;
    let shown = Book::of(&serde_json::from_str(&body).expect("a book"));
    run.end.store(shown.update, Ordering::Release);
    while let Some(book) = timeout(PATIENCE, clients.join_next()).await.expect("the end of all") {
        let book = book.expect("a client that found no gap and no difference");
        assert_eq!((book.update, &book.sides), (shown.update, &shown.sides));
    }
    assert!(shown.sides.iter().all(|side| !side.is_empty()), "an empty book proves nothing");
    let total = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{} connections, {} updates applied, {} books compared at {} updates, {} snapshots fetched again",
        connections(),
        total(&run.updates),
        total(&run.compared),
        run.digests.lock().expect("no panic").len(),
        total(&run.late_snapshots),
    );
    assert!(total(&run.compared) > total(&run.updates));
    server.stop();
}
