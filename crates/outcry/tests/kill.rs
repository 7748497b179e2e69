//! SIGKILL at any moment: what was acknowledged is there, what was not is wholly there or not at all.
//!
//! Each round loads the real binary at full speed over eight WebSockets with 128 commands in flight
//! each and over two HTTP connections, kills it after a random number of answers (while it serves,
//! makes snapshots and rotates segments; every fourth round also while it starts), starts it again
//! and asks for every command of the round by its own name. `KILL_ROUNDS` sets the number of rounds, `KILL_SEED` the seed.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, Http, Key, Server, outcry, read_json, spawn, websocket};
use chance::Random;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

const SOCKETS: usize = 8;
const IN_FLIGHT: usize = 128;
const HTTP_CONNECTIONS: usize = 2;
/// A round ends after so many answers, at least and at most: enough for every socket to have had all
/// its places in flight more than once, and few enough for a round to take a second or two.
const ANSWERS: std::ops::Range<u64> = 3_000..15_000;

/// Small segments and frequent snapshots, so that kills fall into both; sockets may go as fast as they
/// can.
const CONFIG: &str = r#"
[journal]
segment_size = "1MiB"

[events]
segment_size = "1MiB"

[snapshots]
every = 3000

[gateway]
socket_pending = 1024
socket_rate = 1000000
socket_burst = 1000000
"#;

#[test]
fn every_acknowledged_command_survives_sigkill_in_one_partition() {
    campaign(1, rounds().div_ceil(2));
}

#[test]
fn every_acknowledged_command_survives_sigkill_in_five_partitions() {
    campaign(5, rounds() / 2);
}

fn rounds() -> u64 {
    std::env::var("KILL_ROUNDS").map_or(20, |text| text.parse().expect("KILL_ROUNDS is a number"))
}

fn campaign(partitions: u16, rounds: u64) {
    let seed =
        std::env::var("KILL_SEED").map_or_else(|_| support::now_ms(), |s| s.parse().unwrap());
    println!("{partitions} partitions, {rounds} rounds, KILL_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let mut exchange = Exchange::found(folder.path(), partitions);
    let mut random = Random::new(seed);
    let mut totals = Totals::default();
    for round in 0..rounds {
        if round % 4 == 3 {
            exchange.kill_while_starting(&mut random);
        }
        let commands = exchange.load_and_kill(round, &mut random);
        let server = exchange.start();
        totals.add(&exchange.account_for(&server, &commands, round));
        if round % 5 == 4 || round + 1 == rounds {
            server.stop();
            exchange.verify();
        } else {
            server.kill();
        }
    }
    println!("{totals:?}");
    let enough = rounds * SOCKETS as u64 * IN_FLIGHT as u64;
    assert!(totals.acknowledged > enough, "too little load to prove anything: {totals:?}");
    assert!(totals.open > 0, "no command was cut off: {totals:?}");
}

/// What became of the commands of a round, or of all.
#[derive(Debug, Default)]
struct Totals {
    acknowledged: u64,
    /// Without an answer before the kill, and then found done.
    found_done: u64,
    /// Without an answer before the kill, and then found not done.
    found_undone: u64,
    /// Without an answer before the kill.
    open: u64,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.found_done += other.found_done;
        self.found_undone += other.found_undone;
        self.open += other.open;
    }
}

/// A command and its answer, if one came.
#[derive(Clone, Debug)]
enum Sent {
    Place { body: Value, answer: Option<Answer> },
    Cancel { order: u64, answer: Option<Answer> },
}

/// Of an order: its id, or the code of its rejection.
type Answer = Result<u64, String>;

struct Exchange {
    data: PathBuf,
    config: PathBuf,
    admin: Key,
    keys: Vec<Key>,
}

impl Exchange {
    /// Assets, a market, and an account with funds and a key for every connection.
    fn found(folder: &Path, partitions: u16) -> Self {
        let (data, config) = (folder.join("data"), folder.join("outcry.toml"));
        // A thousand rounds of a day use many client ids of each account.
        let many = "max_client_ids_per_account = 1048576";
        let text = format!("{CONFIG}\n[partitions]\ncount = {partitions}\n{many}\n");
        std::fs::write(&config, text).unwrap();
        let server = Server::start(&data, Some(&config), &["--no-demo"]).unwrap();
        let admin = server.admin.clone().expect("shown at the first start");
        let mut http = server.http();
        let mut post = |path: &str, body| http.ok(&admin, "POST", path, Some(body));
        for symbol in ["BTC", "USDT"] {
            post("/v1/admin/assets", json!({"symbol": symbol, "scale": 8}));
        }
        post(
            "/v1/admin/markets",
            json!({
                "symbol": "BTC-USDT", "base": "BTC", "quote": "USDT", "tick": "0.01",
                "lot": "0.00001", "max_price": "10000000", "max_quantity": "10000",
                "max_orders_per_account": 1_000_000,
            }),
        );
        let mut keys = Vec::new();
        for n in 0..SOCKETS + HTTP_CONNECTIONS {
            let account = post("/v1/admin/accounts", json!({"name": format!("trader {n}")}));
            let account = &account["account"]["id"];
            for asset in ["BTC", "USDT"] {
                let reference = format!("{n}-{asset}");
                let body = json!({
                    "account": account, "asset": asset, "amount": "1000000000", "reference": reference,
                });
                post("/v1/admin/credits", body);
            }
            let body = json!({"account": account, "permissions": ["read", "trade"]});
            let key = post("/v1/admin/keys", body);
            let text = |value: &Value| value.as_str().expect("shown once").to_owned();
            keys.push(Key { id: text(&key["key"]["key"]), secret: text(&key["secret"]) });
        }
        server.stop();
        Self { data, config, admin, keys }
    }

    fn start(&self) -> Server {
        Server::start(&self.data, Some(&self.config), &["--no-demo"])
            .unwrap_or_else(|output| panic!("it does not start again:\n{output}"))
    }

    /// Kills it before it may have got as far as listening.
    fn kill_while_starting(&self, random: &mut Random) {
        let (mut child, _lines) = spawn(&self.data, Some(&self.config), &["--no-demo"]);
        thread::sleep(Duration::from_millis(random.below(150)));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Loads it over all connections and kills it in the middle.
    fn load_and_kill(&mut self, round: u64, random: &mut Random) -> Vec<(usize, Vec<Sent>)> {
        let server = self.start();
        let address = server.address;
        let answers = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = self
            .keys
            .iter()
            .cloned()
            .enumerate()
            .map(|(n, key)| {
                let random = Random::new(random.below(u64::MAX));
                let name = format!("r{round}c{n}-");
                let answers = Arc::clone(&answers);
                thread::spawn(move || {
                    let trader =
                        Trader { name, random, answers, sent: Vec::new(), live: Vec::new() };
                    let sent = if n < SOCKETS {
                        trader.over_websocket(address, &key)
                    } else {
                        trader.over_http(address, &key)
                    };
                    (n, sent)
                })
            })
            .collect();
        let enough = ANSWERS.start + random.below(ANSWERS.end - ANSWERS.start);
        let deadline = Instant::now() + support::PATIENCE;
        while answers.load(Ordering::Relaxed) < enough && Instant::now() < deadline {
            thread::sleep(Duration::from_micros(random.below(5_000)));
        }
        server.kill();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }

    /// Sends every command of a round again and compares with what was answered before the kill.
    fn account_for(&self, server: &Server, commands: &[(usize, Vec<Sent>)], round: u64) -> Totals {
        let mut totals = Totals::default();
        for (n, sent) in commands {
            let mut socket = websocket(server.address, &self.keys[*n]);
            let asked: Vec<Value> = sent.iter().enumerate().map(|(id, s)| s.request(id)).collect();
            let answers = ask_all(&mut socket, &asked);
            let context = format!("round {round}, connection {n}");
            for (sent, again) in sent.iter().zip(&answers) {
                sent.compare(again, &mut totals, &context);
            }
        }
        totals
    }

    fn verify(&self) {
        let (sound, output) = outcry(&["verify", self.data.to_str().unwrap()]);
        assert!(sound, "{output}");
        let _ = &self.admin;
    }
}

/// All answers, in the order of the questions, at most [`IN_FLIGHT`] under way.
fn ask_all(socket: &mut WebSocket<TcpStream>, questions: &[Value]) -> Vec<Value> {
    let mut answers = vec![Value::Null; questions.len()];
    let mut asked = 0;
    for answered in 0..questions.len() {
        while asked < questions.len().min(answered + IN_FLIGHT) {
            socket.write(Message::text(questions[asked].to_string())).unwrap();
            asked += 1;
        }
        socket.flush().unwrap();
        let answer = read_json(socket).unwrap();
        let id = answer["id"].as_u64().unwrap_or_else(|| panic!("no answer: {answer}")) as usize;
        answers[id] = answer;
    }
    answers
}

impl Sent {
    /// As a WebSocket request.
    fn request(&self, id: usize) -> Value {
        match self {
            Self::Place { body, .. } => {
                let mut request = body.clone();
                request["id"] = id.into();
                request["op"] = "place_order".into();
                request
            }
            Self::Cancel { order, .. } => {
                json!({"id": id, "op": "cancel_order", "market": "BTC-USDT", "order_id": order})
            }
        }
    }

    fn set_answer(&mut self, new: Answer) {
        match self {
            Self::Place { answer, .. } | Self::Cancel { answer, .. } => *answer = Some(new),
        }
    }

    /// `again` is the answer to the same command after the kill.
    fn compare(&self, again: &Value, totals: &mut Totals, context: &str) {
        let repeated = again["result"]["repeated"] == true;
        match self {
            Self::Place { body, answer: Some(Ok(order)) } => {
                totals.acknowledged += 1;
                let same = repeated && again["result"]["id"] == *order;
                assert!(same, "{context}: {body} was order {order}, now {again}");
            }
            Self::Place { answer: None, .. } => {
                totals.open += 1;
                *(if repeated { &mut totals.found_done } else { &mut totals.found_undone }) += 1;
                assert!(
                    repeated || outcome(again).is_ok(),
                    "{context}: neither done before nor possible now: {again}"
                );
            }
            Self::Cancel { order, answer: Some(Ok(_)) } => {
                totals.acknowledged += 1;
                let gone = outcome(again) == Err("UnknownOrder".into());
                assert!(gone, "{context}: order {order} was cancelled, now {again}");
            }
            Self::Cancel { answer: None, .. } => {
                totals.open += 1;
                let undone = outcome(again).is_ok();
                *(if undone { &mut totals.found_undone } else { &mut totals.found_done }) += 1;
            }
            // A rejected command changed nothing, so that nothing can be missing.
            Self::Place { answer: Some(Err(_)), .. }
            | Self::Cancel { answer: Some(Err(_)), .. } => {}
        }
    }
}

/// The order's id, or the code of the error.
fn outcome(answer: &Value) -> Answer {
    match answer["error"]["code"].as_str() {
        Some(code) => Err(code.to_owned()),
        None => Ok(answer["result"]["id"].as_u64().unwrap_or_default()),
    }
}

/// One connection's orders.
struct Trader {
    name: String,
    random: Random,
    /// Of all connections.
    answers: Arc<AtomicU64>,
    sent: Vec<Sent>,
    live: Vec<u64>,
}

impl Trader {
    /// Keeps [`IN_FLIGHT`] commands under way until the connection breaks.
    fn over_websocket(mut self, address: SocketAddr, key: &Key) -> Vec<Sent> {
        let mut socket = websocket(address, key);
        let mut answered = 0;
        loop {
            while self.sent.len() - answered < IN_FLIGHT {
                let id = self.sent.len();
                let sent = self.next();
                let request = sent.request(id);
                self.sent.push(sent);
                if socket.write(Message::text(request.to_string())).is_err() {
                    return self.sent;
                }
            }
            if socket.flush().is_err() {
                return self.sent;
            }
            let Ok(answer) = read_json(&mut socket) else { return self.sent };
            let id = answer["id"].as_u64().unwrap_or_else(|| panic!("no answer: {answer}"));
            self.answered(id as usize, outcome(&answer));
            answered += 1;
        }
    }

    /// One command after the other until the connection breaks.
    fn over_http(mut self, address: SocketAddr, key: &Key) -> Vec<Sent> {
        let mut http = Http::connect(address);
        loop {
            let sent = self.next();
            let id = self.sent.len();
            let result = match &sent {
                Sent::Place { body, .. } => {
                    http.send(Some(key), "POST", "/v1/orders", Some(body.clone()))
                }
                Sent::Cancel { order, .. } => {
                    let path = format!("/v1/orders/BTC-USDT/{order}");
                    http.send(Some(key), "DELETE", &path, None)
                }
            };
            self.sent.push(sent);
            let Ok((_, answer)) = result else { return self.sent };
            let outcome = match answer["error"]["code"].as_str() {
                Some("ShuttingDown" | "OutcomeUnknown") => continue,
                Some(code) => Err(code.to_owned()),
                None => Ok(answer["id"].as_u64().unwrap_or_default()),
            };
            self.answered(id, outcome);
        }
    }

    fn next(&mut self) -> Sent {
        if self.live.len() > 20 && self.random.below(2) == 0 {
            let at = self.random.below(self.live.len() as u64) as usize;
            return Sent::Cancel { order: self.live.swap_remove(at), answer: None };
        }
        let buys = self.random.below(2) == 0;
        // Mostly rests, sometimes matches.
        let away = self.random.below(2_000) as i64 - 100;
        let cents = if buys { 5_000_000 - away } else { 5_000_000 + away };
        let body = json!({
            "market": "BTC-USDT",
            "side": if buys { "buy" } else { "sell" },
            "type": "limit",
            "price": format!("{}.{:02}", cents / 100, cents % 100),
            "quantity": format!("0.{:05}", 1 + self.random.below(500)),
            "client_order_id": format!("{}{}", self.name, self.sent.len()),
        });
        Sent::Place { body, answer: None }
    }

    fn answered(&mut self, id: usize, outcome: Answer) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if let (Sent::Place { .. }, Ok(order)) = (&self.sent[id], &outcome) {
            self.live.push(*order);
        }
        self.sent[id].set_answer(outcome);
    }
}
