//! How far the views are, and who waits for it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use types::{PartitionId, Seq};
use views::Watermarks;

const P1: PartitionId = PartitionId(1);

#[test]
fn a_waiter_sees_the_mark_rise_and_a_hook_is_told() {
    let marks = Arc::new(Watermarks::new(2));
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    marks.on_applied(Box::new(move |partition, seq| log.lock().push((partition, seq))));
    let waiter = std::thread::spawn({
        let marks = marks.clone();
        move || marks.wait_for(P1, Seq(5), Duration::from_secs(60))
    });
    marks.advance(P1, Seq(3));
    marks.advance(P1, Seq(7));
    marks.advance(P1, Seq(6));
    assert!(waiter.join().unwrap());
    assert_eq!(marks.applied(P1), Seq(7));
    assert_eq!(marks.applied(PartitionId(0)), Seq(0));
    assert_eq!(*told.lock(), [(P1, Seq(3)), (P1, Seq(7))]);
}

#[test]
fn a_mark_that_does_not_rise_in_time_is_reported() {
    let marks = Watermarks::new(1);
    assert!(marks.wait_for(PartitionId(0), Seq(0), Duration::ZERO));
    assert!(!marks.wait_for(PartitionId(0), Seq(1), Duration::from_millis(1)));
    assert!(!marks.wait_for(PartitionId(9), Seq(1), Duration::ZERO));
}
