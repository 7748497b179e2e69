//! A run against an exchange over HTTP and WebSocket.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chance::Random;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use super::drive::drive_all;
use super::{
    Settings, agents, build, conclude, conditions, end, figures, never_ended, run_name, settle,
    since_1970,
};
use crate::LoadError;
use crate::agents::{Agent, Kind};
use crate::checks::{Findings, Known, Subject, Told, audit};
use crate::client::Key;
use crate::lanes::{
    Churn, HTTP_CONNECTIONS, Lane, Lanes, carry_http, carry_socket, keep_book, listen,
    listen_privately,
};
use crate::methods::Method;
use crate::report::{Latency, Report};
use crate::target::{Caller, Own, found_market, open_accounts};
use crate::watch::{Watched, watch};
use crate::world::{PATIENCE, Way, World};

/// Where an exchange is reached, and by which operator.
pub(super) struct Door<'a> {
    pub(super) address: SocketAddr,
    pub(super) operator: &'a Key,
    pub(super) watched: Watched,
}

/// The whole run. `is_own`: nobody else uses the exchange.
pub(super) async fn over_sockets(
    settings: &Settings,
    method: &Method,
    door: &Door<'_>,
    is_own: bool,
) -> Result<Report, LoadError> {
    let started = since_1970();
    let mut caller = Caller::open(door.address).await?;
    let market = found_market(&mut caller, door.operator, &settings.market).await?;
    let run = run_name(settings.seed, started);
    let (part, parts) = settings.part;
    let users: Vec<usize> = (0..settings.users).filter(|user| user % parts == part - 1).collect();
    let accounts = open_accounts(&mut caller, door.operator, &market, &run, &users).await?;

    let (agents, random) = agents(settings, &run, &users, accounts);
    let lanes = lanes(settings, door.address, &agents);
    let world = Rc::new(build(market, agents, random, Way::Sockets(lanes)));
    let mut tasks = begin(&world).await;
    tasks.push(spawn_local(watch(Rc::clone(&world), door.watched.clone())));
    let mut report = Report::new(conditions(settings, method, started));
    drive_all(&world, settings, method, &mut report).await;
    settle(&world).await;
    hear_out(&world).await;
    end(tasks).await;
    finish(&world, settings, &mut caller, is_own, &mut report).await?;
    method.conclude(&mut report);
    Ok(report)
}

fn lanes(settings: &Settings, address: SocketAddr, agents: &[Agent]) -> Lanes {
    let lane = || Rc::new(Lane::default());
    let sockets = agents.iter().map(|agent| (agent.kind == Kind::Maker).then(|| [lane(), lane()]));
    Lanes {
        address,
        http: [lane(), lane(), lane()],
        sockets: sockets.collect(),
        churn: (0..settings.readers).map(|_| Rc::new(Churn::default())).collect(),
    }
}

/// Starts all tasks, and waits until the book and the makers' streams are there.
async fn begin(world: &Rc<World>) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    let mut waits = Vec::new();
    let (ready, is_ready) = oneshot::channel();
    let Way::Sockets(lanes) = &world.way else { return tasks };
    let address = lanes.address;
    tasks.push(spawn_local(keep_book(Rc::clone(world), address, ready)));
    waits.push(is_ready);
    for (user, lanes) in lanes.sockets.iter().enumerate() {
        let Some(lanes) = lanes else { continue };
        for lane in lanes {
            tasks.push(spawn_local(carry_socket(Rc::clone(world), address, Rc::clone(lane), user)));
        }
        let (ready, is_ready) = oneshot::channel();
        tasks.push(spawn_local(listen_privately(Rc::clone(world), address, user, ready)));
        waits.push(is_ready);
    }
    for churn in &lanes.churn {
        tasks.push(spawn_local(listen(Rc::clone(world), address, Rc::clone(churn))));
    }
    for (lane, connections) in lanes.http.iter().zip(HTTP_CONNECTIONS) {
        for _ in 0..connections {
            tasks.push(spawn_local(carry_http(Rc::clone(world), address, Rc::clone(lane))));
        }
    }
    for is_ready in waits {
        // A stream that does not begin is told as cut.
        let _ = timeout(Duration::from_secs(30), is_ready).await;
    }
    tasks
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
    let agents = world.agents.take();
    let subject = Subject {
        accounts: agents.iter().map(|agent| &agent.account).collect(),
        market: &world.market,
        is_alone: is_own && settings.part.1 == 1,
    };
    let mut findings = world.findings.take();
    never_ended(world, &mut findings);
    owed_by_streams(world, &mut findings);
    let mut random = Random::new(settings.seed ^ 2);
    let mut known = world.known.replace(Known::new(0, Random::new(0)));
    if !known.unresolved.is_empty() {
        // What has not been executed by now never will be: its window is over.
        tokio::time::sleep(PATIENCE / 2).await;
    }
    audit(caller, &subject, &mut known, &mut random, &mut findings).await?;
    conclude(findings, report);
    figures(world, report);
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
pub(super) fn own_log(own: &Own, report: &mut Report) {
    let log = own.log();
    let bad = log.lines().filter(|line| line.contains("ERROR") || line.contains("panicked"));
    report.findings.extend(bad.take(10).map(|line| format!("the exchange logged: {line}")));
}
