//! A maker's stream of orders: what ends without its doing, and whether everything acknowledged is told.

use std::net::SocketAddr;
use std::rc::Rc;

use serde::Deserialize;

use super::message::{Message, REOPEN_AFTER};
use crate::checks::Told;
use crate::client::{Receiver, login};
use crate::world::World;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event: &'a str,
    order_id: Option<u64>,
    #[serde(borrow)]
    remaining_quantity: Option<&'a str>,
}

/// Listens to a user's stream for ever. `ready` is told when it has begun.
pub(crate) async fn listen_privately(
    world: Rc<World>,
    address: SocketAddr,
    user: usize,
    ready: tokio::sync::oneshot::Sender<()>,
) {
    let key = world.agents.borrow()[user].account.key.clone();
    let mut ready = Some(ready);
    loop {
        if let Ok((mut sender, receiver)) = login(address, &key).await {
            let wish = r#"{"id":1,"op":"subscribe","channels":["orders"]}"#.to_owned();
            if sender.send(wish).await.is_ok() {
                follow(&world, user, receiver, &mut ready).await;
            }
        }
        // What happens until it begins anew is told to nobody.
        if let Some(told) = &mut world.told.borrow_mut()[user] {
            told.broke();
            world.findings.borrow_mut().checked("private streams cut", 1);
        }
        tokio::time::sleep(REOPEN_AFTER).await;
    }
}

async fn follow(
    world: &World,
    user: usize,
    mut receiver: Receiver,
    ready: &mut Option<tokio::sync::oneshot::Sender<()>>,
) {
    let mut last = 0;
    while let Ok(Some(text)) = receiver.next().await {
        world.seconds.borrow_mut().note(world.now(), |second| second.messages += 1);
        let Ok(message) = serde_json::from_str::<Message<'_>>(&text) else { continue };
        if message.channel != Some("orders") {
            continue;
        }
        if message.is_snapshot() {
            if let Some(ready) = ready.take() {
                // From here on everything must be told.
                world.told.borrow_mut()[user] = Some(Told::default());
                let _ = ready.send(());
            }
            last = message.seq;
            continue;
        }
        if message.seq <= last {
            let text = format!("orders of user {user}: {} after {last}", message.seq);
            world.findings.borrow_mut().add("a stream went back", text);
        }
        last = message.seq;
        match message.data::<Vec<Event<'_>>>() {
            Ok(events) => events.iter().for_each(|event| take(world, user, event)),
            Err(error) => world.findings.borrow_mut().add("stream", format!("{error}: {text}")),
        }
    }
}

fn take(world: &World, user: usize, event: &Event<'_>) {
    let Some(order) = event.order_id else { return };
    let has_none_left = event
        .remaining_quantity
        .is_some_and(|text| text.bytes().all(|byte| matches!(byte, b'0' | b'.')));
    match event.event {
        "order_placed" => {
            if let Some(told) = &mut world.told.borrow_mut()[user] {
                told.told(order);
            }
        }
        "order_cancelled" => world.agents.borrow_mut()[user].forget(order),
        "trade" if has_none_left => world.agents.borrow_mut()[user].forget(order),
        _ => {}
    }
}
