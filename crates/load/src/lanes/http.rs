//! A keep-alive connection that carries requests of a lane, one at a time.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::time::{Instant, timeout_at};

use super::Lane;
use crate::client::Connection;
use crate::request::{Job, Want};
use crate::world::{Outcome, PATIENCE, World};

/// One order in so many is asked for its stages.
const TIMED: u64 = 8;

/// Carries requests for ever.
pub(crate) async fn carry_http(world: Rc<World>, address: SocketAddr, lane: Rc<Lane>) {
    let mut connection = None;
    loop {
        let job = lane.next().await;
        if job.due.elapsed() >= PATIENCE {
            world.ended(&job, Outcome::NotSent);
            continue;
        }
        let is_timed = lane.taken.get().is_multiple_of(TIMED) && !matches!(job.want, Want::Read(_));
        let deadline = Instant::from_std(job.due + PATIENCE);
        let outcome =
            match timeout_at(deadline, ask(&world, address, &mut connection, &job, is_timed)).await
            {
                Ok(outcome) => outcome,
                Err(_) => Outcome::NoAnswer("no answer in time"),
            };
        if !matches!(outcome, Outcome::Answer { .. }) {
            connection = None;
        }
        world.ended(&job, outcome);
    }
}

async fn ask(
    world: &World,
    address: SocketAddr,
    connection: &mut Option<Connection>,
    job: &Job,
    is_timed: bool,
) -> Outcome {
    if connection.is_none() {
        match Connection::open(address).await {
            Ok(opened) => *connection = Some(opened),
            Err(_) => {
                // Who cannot connect does not try at once again.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                return Outcome::NotSent;
            }
        }
    }
    let Some(connection) = connection else { return Outcome::NotSent };
    let (method, path, body, is_signed) = job.want.http(&world.market);
    let key = is_signed.then(|| world.agents.borrow()[job.user].account.key.clone());
    let extra = if is_timed { "x-outcry-timing: 1\r\n" } else { "" };
    match connection.call(key.as_ref(), method, &path, &body, extra).await {
        Ok(answer) => Outcome::Answer {
            status: answer.status,
            timing: answer.header("server-timing").map(str::to_owned),
            body: answer.body.to_vec(),
        },
        Err(_) => Outcome::NoAnswer("the connection broke"),
    }
}
