//! What everything is measured with is right: the same for each seed, accepted by the exchange, filled as it must be.

use types::Event;
use workload::{Fill, OurBook, OurEngine, Requests, WORKLOADS, command, workload};

const OPERATIONS: usize = 20_000;

#[test]
fn our_book_fills_every_flow_as_the_naive_book_does() {
    for flow in &WORKLOADS {
        let session = flow.session(3, OPERATIONS);
        assert!(!session.fills.is_empty(), "{} trades", flow.name);
        let (mut book, mut number, mut fills) = (OurBook::default(), 0, Vec::new());
        for operation in session.before.iter().chain(&session.timed) {
            number += u64::from(operation.is_order());
            book.apply(number, operation, &mut |fill| fills.push(fill));
        }
        assert!(fills == session.fills, "{}", flow.name);
    }
}

#[test]
fn the_exchange_accepts_every_request_of_a_flow_and_trades_as_it_says() {
    for name in ["steady", "storm", "swing_60"] {
        let session = workload(name).session(4, OPERATIONS);
        let (mut engine, mut requests) = (OurEngine::founded(50), Requests::new(50, true));
        let (mut events, mut number, mut fills) = (Vec::new(), 0, Vec::new());
        for operation in session.before.iter().chain(&session.timed) {
            number += u64::from(operation.is_order());
            engine.apply(&command(requests.of(operation)), &mut events);
            for event in events.drain(..) {
                match event {
                    Event::Rejected { .. } => panic!("{name}: {operation:?} is refused: {event:?}"),
                    Event::Trade(trade) => {
                        let (buyer, seller) = (trade.buyer.order.0, trade.seller.order.0);
                        let maker = if buyer == number { seller } else { buyer };
                        let (price, lots) = (trade.price.get(), trade.quantity.get());
                        fills.push(Fill { maker, taker: number, price, lots });
                    }
                    _ => {}
                }
            }
        }
        assert!(fills == session.fills, "{name}");
    }
}

#[test]
fn a_seed_means_the_same_session_and_another_one_another() {
    let texts = |seed| format!("{:?}", workload("crossing").session(seed, 1_000).timed);
    assert_eq!(texts(1), texts(1));
    assert_ne!(texts(1), texts(2));
}

#[test]
fn the_first_part_of_a_session_has_the_fills_of_its_operations_alone() {
    let whole = workload("crossing").session(5, 2_000);
    let part = whole.first(500);
    assert_eq!(part.timed.len(), 500);
    let orders = part.before.iter().chain(&part.timed).filter(|one| one.is_order()).count() as u64;
    assert!(part.fills.iter().all(|fill| fill.taker <= orders));
    assert!(whole.fills[part.fills.len()].taker > orders);
}
