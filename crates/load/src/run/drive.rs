//! Lets requests come due, phase after phase, as the method plans it.

use std::rc::Rc;
use std::time::Duration;

use chance::Random;

use super::{Settings, settle};
use crate::agents::first_price;
use crate::arrivals::Arrivals;
use crate::figures::PhaseFigures;
use crate::methods::{Method, Plan};
use crate::report::Report;
use crate::request::Job;
use crate::view::View;
use crate::world::{PATIENCE, Way, World};

/// Turns that are taken before others have theirs, when many are due.
const TURNS_AT_ONCE: u32 = 64;
/// Requests of a turn, about: what a maker, most of all, makes of it.
const REQUESTS_A_TURN: f64 = 2.2;

/// All phases, with the view.
pub(super) async fn drive_all(
    world: &Rc<World>,
    settings: &Settings,
    method: &Method,
    report: &mut Report,
) {
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
    let touch = world.touch();
    let turn = world.agents.borrow_mut()[user].act(touch, first_price);
    for want in turn.wants {
        world.push(Job { user, due: world.begin + at, phase, want });
    }
    if let Way::Sockets(lanes) = &world.way
        && turn.churns
        && !lanes.churn.is_empty()
    {
        lanes.churn[churn.below(lanes.churn.len() as u64) as usize].wish();
    }
}
