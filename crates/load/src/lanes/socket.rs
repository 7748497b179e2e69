//! The socket of a maker: orders under way at once, answers in any order.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::Lane;
use crate::client::{Receiver, Sender, login};
use crate::request::Job;
use crate::world::{Outcome, PATIENCE, World};

/// Requests that were sent, by the number of their message.
type UnderWay = RefCell<HashMap<u64, Job>>;

#[derive(Deserialize)]
struct Answer<'a> {
    id: Option<u64>,
    status: u16,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// Carries requests of one user for ever, over one socket after another.
pub(crate) async fn carry_socket(
    world: Rc<World>,
    address: SocketAddr,
    lane: Rc<Lane>,
    user: usize,
) {
    let key = world.agents.borrow()[user].account.key.clone();
    loop {
        match login(address, &key).await {
            Ok((sender, receiver)) => {
                let under_way = UnderWay::default();
                tokio::select! {
                    () = send(&world, &lane, sender, &under_way) => {}
                    () = receive(&world, receiver, &under_way) => {}
                    () = lose_patience(&world, &under_way) => {}
                }
                for job in under_way.into_inner().into_values() {
                    world.ended(&job, Outcome::NoAnswer("the connection broke"));
                }
            }
            Err(_) => give_up_old(&world, &lane),
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn send(world: &World, lane: &Lane, mut sender: Sender, under_way: &UnderWay) {
    let mut number = 0;
    loop {
        let job = lane.next().await;
        if job.due.elapsed() >= PATIENCE {
            world.ended(&job, Outcome::NotSent);
            continue;
        }
        number += 1;
        let Some(text) = job.want.message(number, &world.market) else { continue };
        under_way.borrow_mut().insert(number, job);
        if sender.send(text).await.is_err() {
            return;
        }
    }
}

async fn receive(world: &World, mut receiver: Receiver, under_way: &UnderWay) {
    while let Ok(Some(text)) = receiver.next().await {
        let Ok(answer) = serde_json::from_str::<Answer<'_>>(&text) else {
            // The goodbye of a server that stops has no status.
            continue;
        };
        let job = answer.id.and_then(|id| under_way.borrow_mut().remove(&id));
        let Some(job) = job else { continue };
        let body = answer.result.map_or(text.as_str(), RawValue::get).as_bytes().to_vec();
        world.ended(&job, Outcome::Answer { status: answer.status, body, timing: None });
    }
}

/// Ends requests whose answer does not come. The answer may come later; nobody looks at it then.
async fn lose_patience(world: &World, under_way: &UnderWay) {
    loop {
        sleep(Duration::from_millis(200)).await;
        let late: Vec<Job> = under_way
            .borrow_mut()
            .extract_if(|_, job| job.due.elapsed() >= PATIENCE)
            .map(|(_, job)| job)
            .collect();
        for job in late {
            world.ended(&job, Outcome::NoAnswer("no answer in time"));
        }
    }
}

/// While there is no connection.
fn give_up_old(world: &World, lane: &Lane) {
    loop {
        let job = lane.waiting.borrow_mut().pop_front_if(|job| job.due.elapsed() >= PATIENCE);
        match job {
            Some(job) => world.ended(&job, Outcome::NotSent),
            None => return,
        }
    }
}
