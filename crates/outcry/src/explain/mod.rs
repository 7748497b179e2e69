//! `outcry explain order`: the life of one order, found by replaying the log of its market's home.
//!
//! The home's log has all that became of an order in the book. What its account had and asked before
//! lies with the account, which may be in another partition: then the answer says where. Reads only,
//! and may run beside the exchange.

mod conditions;
mod place;
mod sentences;
mod story;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use node::DataDir;
use serde_json::json;
use types::{Event, MarketDef, MarketId, OrderId, Seq};

use crate::exit::{Failure, Status};
use crate::record::{Source, failure, open, refusal, rfc3339};
use story::Story;

/// Explains what became of `order` in the market of this symbol or id.
///
/// # Errors
/// `Differs` when there is no such market or order, or the log is damaged.
pub fn order(data: &Path, market: &str, order: OrderId, json: bool) -> Result<Status, Failure> {
    let data = open(data)?;
    let market = find_market(&data, market)?;
    let source = Source::new(&data, market.home)?;
    let mut story = Story::read(&source, &market, vec![order])?;
    if story.replaces.is_some() {
        let ids = ancestors(&source, market.id, order)?;
        story = Story::read(&source, &market, ids)?;
    }
    if story.owner.is_none() {
        let (home, last) = (market.home, story.last_seq);
        let message = format!(
            "market {} has no order {order}: the log of partition {home}, its home, has none up to \
             entry {last}",
            market.symbol
        );
        return Err(Failure::new(Status::Differs, message));
    }
    if json {
        print_json(&market, order, &story)
    } else {
        print(&data, &market, order, &story)?
    }
    Ok(Status::Ok)
}

/// The market of this id or symbol. Every partition knows all markets.
fn find_market(data: &DataDir, text: &str) -> Result<MarketDef, Failure> {
    let partitions = data.partitions().map_err(refusal)?;
    let first = partitions.first().copied().unwrap_or_default();
    let source = Source::new(data, first)?;
    let mut state = source.state_up_to(Seq(u64::MAX))?;
    source.visit(&mut state, |_| ControlFlow::Continue(())).map_err(failure)?;
    let id = crate::cli::market_id(text);
    let mut markets = state.definitions().markets().map(|listed| &listed.def);
    let found =
        markets.find(|def| Some(def.id) == id || def.symbol.eq_ignore_ascii_case(text)).cloned();
    found.ok_or_else(|| {
        let known = state.definitions().markets().map(|listed| listed.def.symbol.as_str());
        let known: Vec<&str> = known.collect();
        let message = format!("there is no market {text}; there are: {}", known.join(", "));
        Failure::new(Status::Differs, message)
    })
}

/// `order` and the ids that it had before amendments, oldest first. Remembers the earlier ids of open
/// orders only.
fn ancestors(source: &Source, at: MarketId, order: OrderId) -> Result<Vec<OrderId>, Failure> {
    let mut earlier: HashMap<OrderId, Vec<OrderId>> = HashMap::new();
    let mut state = source.oldest_state()?;
    let read = source.visit(&mut state, |visit| {
        for event in visit.events {
            match *event {
                Event::OrderReplaced { market, old_order, order: new, .. } if market == at => {
                    let mut ids = earlier.remove(&old_order).unwrap_or_default();
                    ids.push(old_order);
                    earlier.insert(new, ids);
                    if new == order {
                        return ControlFlow::Break(());
                    }
                }
                Event::OrderCancelled { market, order, .. } if market == at => {
                    earlier.remove(&order);
                }
                Event::Trade(trade) if trade.market == at => {
                    for side in [trade.buyer, trade.seller] {
                        if side.remaining.is_zero() {
                            earlier.remove(&side.order);
                        }
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    });
    read.map_err(failure)?;
    let mut ids = earlier.remove(&order).unwrap_or_default();
    ids.push(order);
    Ok(ids)
}

fn print(data: &DataDir, market: &MarketDef, order: OrderId, story: &Story) -> Result<(), Failure> {
    println!("order {order} of {}", market.symbol);
    if data.partitions().map_err(refusal)?.len() > 1 {
        println!(
            "from the log of partition {}, the market's home: all that happened in the book",
            market.home
        );
    }
    for step in &story.steps {
        println!("{} entry {}: {}", rfc3339(step.time), step.seq, step.text);
    }
    for line in &story.now {
        println!("now (entry {}): {line}", story.last_seq);
    }
    Ok(())
}

fn print_json(market: &MarketDef, order: OrderId, story: &Story) {
    let steps = story.steps.iter().map(|step| {
        json!({
            "seq": step.seq.0,
            "time": rfc3339(step.time),
            "order": step.order.0,
            "text": step.text,
            "event": step.event,
        })
    });
    let object = json!({
        "market": market.symbol,
        "order": order.0,
        "partition": market.home.0,
        "ids": story.ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        "is_open": story.is_open,
        "steps": steps.collect::<Vec<_>>(),
        "now": story.now,
        "last_seq": story.last_seq.0,
    });
    println!("{object}");
}
