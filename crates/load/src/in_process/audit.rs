//! After a run: the exchange is ended as by a crash and recovered, and its log must know everything that was acknowledged.

use std::collections::HashMap;

use node::NodeHooks;
use node::stepping::SteppedNode;
use types::{Event, PartitionId, Seq};

use super::exchange::{Engine, config};
use super::requests::user;
use crate::LoadError;
use crate::checks::{Expected, Findings, Known};

/// What the log says of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Filled,
    Cancelled,
}

/// Compares what is known from answers with what is recovered.
pub(crate) fn audit(
    engine: Engine,
    known: &Known,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let data = engine.crash();
    let node =
        SteppedNode::start(&config(&data), &NodeHooks::default()).map_err(LoadError::engine)?;
    findings.checked("orders acknowledged", known.acknowledged);
    let orders = recovered_orders(&node)?;
    for (user, order, expected) in known.all() {
        findings.checked("orders looked for in the recovered log", 1);
        let state = orders.get(&order).filter(|found| found.0 == user).map(|found| found.1);
        let is_right = match (expected, state) {
            (_, None) => {
                findings.add("acknowledged and lost", format!("order {order} of user {user}"));
                continue;
            }
            // It may have been filled since.
            (None, Some(state)) => state != State::Cancelled,
            (Some(Expected::Filled), Some(state)) => state == State::Filled,
            (Some(Expected::Cancelled), Some(state)) => state == State::Cancelled,
            (Some(Expected::Ended), Some(state)) => state != State::Open,
        };
        if !is_right {
            let text = format!("order {order} of user {user} is {state:?}, not {expected:?}");
            findings.add("other than acknowledged", text);
        }
    }
    for (order, (user, _)) in orders.iter().filter(|(_, (_, state))| *state == State::Open) {
        findings.checked("open orders that are known", 1);
        if !known.may_be_open(*user, *order) {
            let text = format!("order {order} of user {user} is open");
            findings.add("open, though its end was acknowledged or it never was", text);
        }
    }
    let sound = engine::audit(&[node.partition(PartitionId(0))]);
    findings.checked("assets conserved over all accounts", sound.totals.len() as u64);
    for violation in sound.violations {
        findings.add("conservation", violation);
    }
    Ok(())
}

/// All orders of the log, with their users.
fn recovered_orders(node: &SteppedNode) -> Result<HashMap<u64, (usize, State)>, LoadError> {
    use node::Exchange;
    let feed = node.node().feed(PartitionId(0));
    let (mut orders, mut after) = (HashMap::new(), Seq(0));
    while let Some(batch) = feed.read(after).map_err(LoadError::engine)? {
        for event in batch.iter().flat_map(|entry| entry.events) {
            match event {
                Event::OrderPlaced { order, account, .. } => {
                    orders.insert(order.0, (user(*account), State::Open));
                }
                Event::OrderCancelled { order, account, .. } => {
                    orders.insert(order.0, (user(*account), State::Cancelled));
                }
                Event::Trade(trade) => {
                    for side in [&trade.buyer, &trade.seller] {
                        if side.remaining.get() == 0 {
                            orders.insert(side.order.0, (user(side.account), State::Filled));
                        }
                    }
                }
                _ => {}
            }
        }
        let Some(last) = batch.last_seq() else { break };
        after = last;
    }
    Ok(orders)
}
