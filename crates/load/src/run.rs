//! A run from its exchange to its report.
//!
//! ```text
//! 1 an exchange: the one named, or one of our own      4 the method's phases, one after the other
//! 2 the market, accounts, keys, funds                  5 all answers, or the end of patience
//! 3 streams, sockets, connections                      6 the audit      7 the report
//! ```

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chance::Random;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use crate::LoadError;
use crate::agents::{Agent, Kind, MAX_RUN_LETTERS, first_price};
use crate::arrivals::Arrivals;
use crate::book::Book;
use crate::checks::{Findings, Known, Subject, Told, audit};
use crate::client::Key;
use crate::figures::{PhaseFigures, Seconds, histogram};
use crate::lanes::{
    Churn, HTTP_CONNECTIONS, Lane, Lanes, carry_http, carry_socket, keep_book, listen,
    listen_privately,
};
use crate::methods::{Method, Plan};
use crate::report::{Conditions, Latency, Report};
use crate::request::Job;
use crate::target::{Account, Caller, Market, Own, address, found_market, open_accounts};
use crate::view::View;
use crate::watch::{Watched, watch};
use crate::world::{PATIENCE, World};

/// Turns that are taken before others have theirs, when many are due.
const TURNS_AT_ONCE: u32 = 64;
/// Requests of a turn, about: what a maker, most of all, makes of it.
const REQUESTS_A_TURN: f64 = 2.2;

/// What a run needs to know.
pub(crate) struct Settings {
    /// `http://ADDRESS:PORT` and its operator; without, an exchange of our own.
    pub(crate) target: Option<(String, Key)>,
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
    let own = match &settings.target {
        Some(_) => None,
        None => Some(Own::start(&settings.limits)?),
    };
    let (address, operator, watched) = match (&settings.target, &own) {
        (Some((url, operator)), _) => (address(url)?, operator.clone(), settings.watched.clone()),
        (None, Some(own)) => {
            let watched = Watched { pid: Some(own.pid()), data: Some(own.data()) };
            (own.address, own.operator.clone(), watched)
        }
        (None, None) => unreachable!("without a target there is one of our own"),
    };
    let started = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let mut caller = Caller::open(address).await?;
    let market = found_market(&mut caller, &operator, &settings.market).await?;
    let run = run_name(settings.seed, started);
    let (part, parts) = settings.part;
    let users: Vec<usize> = (0..settings.users).filter(|user| user % parts == part - 1).collect();
    let accounts = open_accounts(&mut caller, &operator, &market, &run, &users).await?;

    let world = Rc::new(build(settings, address, market, &run, &users, accounts));
    let mut tasks = begin(&world).await;
    tasks.push(spawn_local(watch(Rc::clone(&world), watched)));
    let mut report = Report::new(conditions(settings, method, started, own.is_some()));
    drive_all(&world, settings, method, &mut report).await;
    settle(&world).await;
    hear_out(&world).await;
    for task in tasks {
        task.abort();
        // It has let go of everything that is shared when this returns.
        let _ = task.await;
    }
    finish(&world, settings, &mut caller, own.is_some(), &mut report).await?;
    method.conclude(&mut report);
    if let Some(own) = &own {
        own_log(own, &mut report);
    }
    Ok(report)
}

/// Names of accounts and orders of this run: those of no other begin like it.
fn run_name(seed: u64, started: Duration) -> String {
    let mut name = format!("{:x}", (started.as_millis() as u64) ^ seed << 44);
    name.truncate(MAX_RUN_LETTERS);
    name
}

fn build(
    settings: &Settings,
    address: SocketAddr,
    market: Market,
    run: &str,
    users: &[usize],
    accounts: Vec<Account>,
) -> World {
    let mut random = Random::new(settings.seed);
    // Each user's chance is its own, in whichever part it is.
    let chances: Vec<_> = (0..settings.users).map(|_| random.fork()).collect();
    let agents: Vec<_> = users
        .iter()
        .zip(accounts)
        .map(|(&user, account)| Agent::new(run, user, account, chances[user].clone()))
        .collect();
    let lane = || Rc::new(Lane::default());
    let sockets = agents.iter().map(|agent| (agent.kind == Kind::Maker).then(|| [lane(), lane()]));
    let lanes = Lanes {
        http: [lane(), lane(), lane()],
        sockets: sockets.collect(),
        churn: (0..settings.readers).map(|_| Rc::new(Churn::default())).collect(),
    };
    World {
        address,
        begin: Instant::now(),
        book: RefCell::new(Book::new(market.tick)),
        market,
        lanes,
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

/// Starts all tasks, and waits until the book and the makers' streams are there.
async fn begin(world: &Rc<World>) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    let mut waits = Vec::new();
    let (ready, is_ready) = oneshot::channel();
    tasks.push(spawn_local(keep_book(Rc::clone(world), ready)));
    waits.push(is_ready);
    for (user, lanes) in world.lanes.sockets.iter().enumerate() {
        let Some(lanes) = lanes else { continue };
        for lane in lanes {
            tasks.push(spawn_local(carry_socket(Rc::clone(world), Rc::clone(lane), user)));
        }
        let (ready, is_ready) = oneshot::channel();
        tasks.push(spawn_local(listen_privately(Rc::clone(world), user, ready)));
        waits.push(is_ready);
    }
    for churn in &world.lanes.churn {
        tasks.push(spawn_local(listen(Rc::clone(world), Rc::clone(churn))));
    }
    for (lane, connections) in world.lanes.http.iter().zip(HTTP_CONNECTIONS) {
        for _ in 0..connections {
            tasks.push(spawn_local(carry_http(Rc::clone(world), Rc::clone(lane))));
        }
    }
    for is_ready in waits {
        // A stream that does not begin is told as cut.
        let _ = timeout(Duration::from_secs(30), is_ready).await;
    }
    tasks
}

/// All phases, with the view.
async fn drive_all(world: &Rc<World>, settings: &Settings, method: &Method, report: &mut Report) {
    let rates: Vec<f64> =
        world.agents.borrow().iter().map(|agent| agent.turns * settings.rate).collect();
    let seed = settings.seed.wrapping_mul(1_000).wrapping_add(settings.part.0 as u64);
    let mut arrivals = Arrivals::new(Random::new(seed), rates.into_iter());
    report.conditions.base_requests_per_second = arrivals.rate() * REQUESTS_A_TURN;
    let mut churn = Random::new(seed ^ 1);
    let mut view = View::new(settings.is_quiet);
    loop {
        let over: Vec<_> = world.phases.borrow().iter().map(PhaseFigures::report).collect();
        let Some(plan) = method.next(&over) else { break };
        drive(world, &plan, &mut arrivals, &mut churn, &mut view).await;
        if plan.settles {
            settle(world).await;
        }
    }
    view.end();
}

/// Lets requests come due as the plan says.
async fn drive(
    world: &Rc<World>,
    plan: &Plan,
    arrivals: &mut Arrivals,
    churn: &mut Random,
    view: &mut View,
) {
    let begins = world.now();
    arrivals.begin(begins);
    let end = begins + plan.lasts();
    let figures = PhaseFigures::new(&plan.name, plan.mean(), begins, plan.lasts());
    world.phases.borrow_mut().push(figures);
    let phase = world.phases.borrow().len() - 1;
    let first_price = first_price(world.market.tick);
    while arrivals.next() < end {
        let mut turns = 0;
        while arrivals.next() <= world.now() && arrivals.next() < end && turns < TURNS_AT_ONCE {
            let at = arrivals.next();
            let user = arrivals.take(plan.multiplier(at - begins));
            take_turn(world, user, at, phase, first_price, churn);
            turns += 1;
        }
        let now = world.now();
        world.seconds.borrow_mut().note(now, |second| {
            second.multiplier = plan.multiplier(now.saturating_sub(begins));
        });
        view.show(world, plan, now.saturating_sub(begins));
        match arrivals.next().checked_sub(now) {
            Some(wait) if turns < TURNS_AT_ONCE => {
                let left = end.saturating_sub(now);
                tokio::time::sleep(wait.min(left).min(Duration::from_millis(200))).await;
            }
            _ => tokio::task::yield_now().await,
        }
        // A second is closed when nobody waits any more for what was due in it.
        let old = now.saturating_sub(PATIENCE + Duration::from_secs(2));
        world.seconds.borrow_mut().close_before(old);
    }
    tokio::time::sleep(end.saturating_sub(world.now())).await;
}

/// A user's turn, which was due at a time.
fn take_turn(
    world: &World,
    user: usize,
    at: Duration,
    phase: usize,
    first_price: u64,
    churn: &mut Random,
) {
    let touch = world.book.borrow().touch();
    let turn = world.agents.borrow_mut()[user].act(touch, first_price);
    for want in turn.wants {
        let job = Job { user, due: world.begin + at, phase, want };
        world.began(&job);
        world.lanes.push(job);
    }
    if turn.churns && !world.lanes.churn.is_empty() {
        world.lanes.churn[churn.below(world.lanes.churn.len() as u64) as usize].wish();
    }
}

/// Waits until nothing is under way: no longer than patience lasts.
async fn settle(world: &World) {
    let begin = Instant::now();
    while world.under_way.get() > 0 && begin.elapsed() < PATIENCE + Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Lets the streams tell what they owe: they follow the answers by a moment.
async fn hear_out(world: &World) {
    let begin = Instant::now();
    let owes = |told: &Option<Told>| told.as_ref().is_some_and(|told| !told.result().1.is_empty());
    while world.told.borrow().iter().any(owes) && begin.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The audit, and all figures into the report.
async fn finish(
    world: &World,
    settings: &Settings,
    caller: &mut Caller,
    is_own: bool,
    report: &mut Report,
) -> Result<(), LoadError> {
    let left = world.under_way.get();
    let agents = world.agents.take();
    let subject = Subject {
        accounts: agents.iter().map(|agent| &agent.account).collect(),
        market: &world.market,
        is_alone: is_own && settings.part.1 == 1,
    };
    let mut findings = world.findings.take();
    if left > 0 {
        findings.add("generator", format!("{left} requests never ended"));
    }
    owed_by_streams(world, &mut findings);
    let mut random = Random::new(settings.seed ^ 2);
    let mut known = world.known.replace(Known::new(0, Random::new(0)));
    if !known.unresolved.is_empty() {
        // What has not been executed by now never will be: its window is over.
        tokio::time::sleep(PATIENCE / 2).await;
    }
    audit(caller, &subject, &mut known, &mut random, &mut findings).await?;
    report.findings = findings.lines();
    report.checks = findings.checks;
    report.phases = world.phases.borrow().iter().map(PhaseFigures::report).collect();
    report.seconds = world.seconds.borrow().all();
    let delay = Latency::of(&world.stream_delay.borrow());
    report.figures.insert("stream_delay_p50_ms".to_owned(), delay.p50_ms);
    report.figures.insert("stream_delay_p99_ms".to_owned(), delay.p99_ms);
    Ok(())
}

/// Orders that were acknowledged, and that their account's stream never told of.
fn owed_by_streams(world: &World, findings: &mut Findings) {
    for (user, told) in world.told.borrow().iter().enumerate() {
        let Some(told) = told else { continue };
        let (both, owed) = told.result();
        findings.checked("acknowledged orders told on private streams", both);
        for order in owed {
            findings.add("acknowledged, not told", format!("order {order} of user {user}"));
        }
    }
}

/// What an exchange of our own said besides: a panic or an error is a finding.
fn own_log(own: &Own, report: &mut Report) {
    let log = own.log();
    let bad = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked"));
    report.findings.extend(bad.take(10).map(|line| format!("the exchange logged: {line}")));
}

fn conditions(settings: &Settings, method: &Method, started: Duration, is_own: bool) -> Conditions {
    let (part, parts) = settings.part;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let target = match &settings.target {
        Some((url, _)) => url.clone(),
        None => "an exchange of its own on this machine".to_owned(),
    };
    Conditions {
        method: method.name(),
        seed: settings.seed,
        users: settings.users,
        rate: settings.rate,
        base_requests_per_second: 0.0,
        part: if parts == 1 { "all".to_owned() } else { format!("{part}/{parts}") },
        target,
        limits: if is_own { settings.limits.clone() } else { "of the target".to_owned() },
        market: settings.market.clone(),
        started: started.as_millis() as u64,
        cores: std::thread::available_parallelism().map_or(0, usize::from),
        load_average: load.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
