//! Components that fail: which bug the binary has, and releases.
//!
//! ```text
//! bug trade N                             from now on the market fails when it makes its trade N
//! bug end ID                              … when it ends this order
//! bug payment WHO ATOMS                   a slot of accounts fails when it credits this by a fill
//! bug credit ATOMS                        the treasury fails when it lets this in
//! mended                                  a binary without bugs replays the log and goes on
//! release market|treasury|WHO             by an operator; WHO stands for the slot of accounts
//! quarantined                             who is, and how many messages wait for them
//! ```

use types::*;

use super::floor::{PEOPLE, account, number};
use crate::exchange::FIRST_MARKET;

/// The bug that the words are about.
pub fn bug(words: &[&str]) -> Option<Bug> {
    Some(match *words {
        ["trade", trade] => {
            let trade = TradeId(number(trade));
            Bug::new(move |done| {
                if let Done::Emits(Event::Trade(made)) = done {
                    assert!(made.trade != trade, "this trade");
                }
            })
        }
        ["end", id] => {
            let id = OrderId(number(id));
            Bug::new(move |done| {
                if let Done::Sends(Message::Closed { order, .. }) = done {
                    assert!(*order != id, "this end");
                }
            })
        }
        ["payment", who, atoms] => {
            let paid = (account(who), Amount::new(number(atoms).into()));
            Bug::new(move |done| {
                if let Done::Handled(Message::Filled { fill, .. }) = done {
                    assert!((fill.account, fill.credit) != paid, "this payment");
                }
            })
        }
        ["credit", atoms] => {
            let let_in = Amount::new(number(atoms).into());
            Bug::new(move |done| {
                if let Done::Sends(Message::Credit { amount, .. }) = done {
                    assert!(*amount != let_in, "this credit");
                }
            })
        }
        _ => return None,
    })
}

/// None if the words are no command of this kind.
pub fn request(words: &[&str]) -> Option<Request> {
    let ["release", whom] = *words else { return None };
    let component = match whom {
        "market" => Component::Market(FIRST_MARKET),
        "treasury" => Component::Treasury,
        who => Component::Ledger(account(who).slot()),
    };
    Some(Request::ReleaseQuarantine { component })
}

pub fn name(component: Component) -> String {
    match component {
        Component::Market(_) => "market".to_owned(),
        Component::Treasury => "treasury".to_owned(),
        Component::Ledger(slot) => PEOPLE[usize::from(slot.0) - 1].to_owned(),
        Component::Registry(_) => unreachable!("it is never quarantined"),
    }
}

/// What the events of quarantine say.
pub fn said(event: &Event) -> Option<String> {
    Some(match event {
        Event::Quarantined { component, .. } => format!("quarantined {}", name(*component)),
        Event::QuarantineReleased { component, parked: 0, .. } => {
            format!("released {}", name(*component))
        }
        Event::QuarantineReleased { component, parked, .. } => {
            format!("released {}, {parked} waited", name(*component))
        }
        _ => return None,
    })
}
