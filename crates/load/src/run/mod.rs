//! A run from its exchange to its report.
//!
//! ```text
//! 1 an exchange: the one named, or one of our own      4 the method's phases, one after the other
//! 2 the market, accounts, keys, funds                  5 all answers, or the end of patience
//! 3 streams, sockets, connections                      6 the audit      7 the report
//! ```

mod drive;
mod sockets;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chance::Random;
use tokio::task::{JoinHandle, spawn_local};

use crate::LoadError;
use crate::agents::{Agent, MAX_RUN_LETTERS};
use crate::book::Book;
use crate::checks::{Findings, Known};
use crate::client::Key;
use crate::figures::{PhaseFigures, Seconds, histogram};
use crate::in_process::{Engine, audit, hear};
use crate::methods::Method;
use crate::report::{Conditions, Report};
use crate::target::{Account, Market, Own, address};
use crate::watch::{Watched, watch};
use crate::world::{PATIENCE, Way, World};
use drive::drive_all;
use sockets::{Door, over_sockets, own_log};

/// What is loaded.
pub(crate) enum Target {
    /// A running exchange, `http://ADDRESS:PORT`, and its operator.
    Running(String, Key),
    /// An exchange of our own, as a process.
    Process,
    /// An engine and its journal in this process.
    Engine,
}

/// What a run needs to know.
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) watched: Watched,
    pub(crate) limits: String,
    pub(crate) market: String,
    pub(crate) users: usize,
    pub(crate) rate: f64,
    pub(crate) seed: u64,
    /// This part of so many, from 1 on.
    pub(crate) part: (usize, usize),
    /// Sockets that read market data.
    pub(crate) readers: usize,
    pub(crate) is_quiet: bool,
}

/// Makes the run, and gives its report.
pub(crate) async fn run(settings: &Settings, method: &Method) -> Result<Report, LoadError> {
    match &settings.target {
        Target::Running(url, operator) => {
            let door = Door { address: address(url)?, operator, watched: settings.watched.clone() };
            over_sockets(settings, method, &door, false).await
        }
        Target::Process => {
            let own = Own::start(&settings.limits)?;
            let watched = Watched { pid: Some(own.pid()), data: Some(own.data()) };
            let door = Door { address: own.address, operator: &own.operator, watched };
            let mut report = over_sockets(settings, method, &door, true).await?;
            own_log(&own, &mut report);
            Ok(report)
        }
        Target::Engine => in_engine(settings, method).await,
    }
}

/// The whole run against an engine in this process.
async fn in_engine(settings: &Settings, method: &Method) -> Result<Report, LoadError> {
    let started = since_1970();
    let engine = Rc::new(Engine::start(settings.users).await?);
    let users: Vec<usize> = (0..settings.users).collect();
    let run = run_name(settings.seed, started);
    let accounts = users.iter().map(|user| Account::in_engine(*user)).collect();
    let (agents, random) = agents(settings, &run, &users, accounts);
    let way = Way::Engine(Rc::clone(&engine));
    let world = Rc::new(build(Market::in_engine(), agents, random, way));
    let watched = Watched { pid: Some(std::process::id()), data: Some(engine.data()) };
    let tasks = vec![
        spawn_local(hear(Rc::clone(&world), Rc::clone(&engine))),
        spawn_local(watch(Rc::clone(&world), watched)),
    ];
    let mut report = Report::new(conditions(settings, method, started));
    drive_all(&world, settings, method, &mut report).await;
    settle(&world).await;
    end(tasks).await;

    let mut findings = world.findings.take();
    never_ended(&world, &mut findings);
    let known = world.known.replace(Known::new(0, Random::new(0)));
    figures(&world, &mut report);
    drop(world);
    let engine = Rc::into_inner(engine).expect("all tasks have ended");
    audit(engine, &known, &mut findings)?;
    conclude(findings, &mut report);
    method.conclude(&mut report);
    Ok(report)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

/// Ends all tasks: they have let go of everything that is shared when this returns.
async fn end(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.abort();
        let _ = task.await;
    }
}

/// Names of accounts and orders of this run: those of no other begin like it.
fn run_name(seed: u64, started: Duration) -> String {
    let mut name = format!("{:x}", (started.as_millis() as u64) ^ seed << 44);
    name.truncate(MAX_RUN_LETTERS);
    name
}

/// The users of this part, each with a chance of its own, whichever part it is in; and chance for the rest.
fn agents(
    settings: &Settings,
    run: &str,
    users: &[usize],
    accounts: Vec<Account>,
) -> (Vec<Agent>, Random) {
    let mut random = Random::new(settings.seed);
    let chances: Vec<_> = (0..settings.users).map(|_| random.fork()).collect();
    let agents = users
        .iter()
        .zip(accounts)
        .map(|(&user, account)| Agent::new(run, user, account, chances[user].clone()))
        .collect();
    (agents, random)
}

fn build(market: Market, agents: Vec<Agent>, mut random: Random, way: Way) -> World {
    World {
        begin: Instant::now(),
        book: RefCell::new(Book::new(market.tick)),
        market,
        way,
        phases: RefCell::default(),
        seconds: RefCell::new(Seconds::new()),
        known: RefCell::new(Known::new(agents.len(), random.fork())),
        told: RefCell::new(agents.iter().map(|_| None).collect()),
        findings: RefCell::new(Findings::default()),
        stream_delay: RefCell::new(histogram()),
        under_way: Cell::new(0),
        agents: RefCell::new(agents),
    }
}

/// Waits until nothing is under way: no longer than patience lasts.
async fn settle(world: &World) {
    let begin = Instant::now();
    while world.under_way.get() > 0 && begin.elapsed() < PATIENCE + Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn never_ended(world: &World, findings: &mut Findings) {
    let left = world.under_way.get();
    if left > 0 {
        findings.add("generator", format!("{left} requests never ended"));
    }
}

fn conclude(findings: Findings, report: &mut Report) {
    report.findings = findings.lines();
    report.checks = findings.checks;
}

fn figures(world: &World, report: &mut Report) {
    report.phases = world.phases.borrow().iter().map(PhaseFigures::report).collect();
    report.seconds = world.seconds.borrow().all();
}

fn conditions(settings: &Settings, method: &Method, started: Duration) -> Conditions {
    let (part, parts) = settings.part;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let (target, limits) = match &settings.target {
        Target::Running(url, _) => (url.as_str(), "of the target"),
        Target::Process => ("an exchange of its own on this machine", settings.limits.as_str()),
        Target::Engine => ("an engine and its journal in the generator's process", "none"),
    };
    Conditions {
        method: method.name(),
        seed: settings.seed,
        users: settings.users,
        rate: settings.rate,
        base_requests_per_second: 0.0,
        part: if parts == 1 { "all".to_owned() } else { format!("{part}/{parts}") },
        target: target.to_owned(),
        limits: limits.to_owned(),
        market: settings.market.clone(),
        started: started.as_millis() as u64,
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        load_average: load.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
