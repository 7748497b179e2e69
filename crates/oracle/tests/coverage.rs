//! What the lists say of the cells of the table.

use oracle::coverage::{Coverage, Kind, Outcome};
use types::{MarketState, RejectCode, RequestKind};

#[test]
fn what_the_lists_call_impossible_is_told() {
    let mut coverage = Coverage::default();
    coverage.count(Kind::Gtc, Some(MarketState::Continuous), Outcome::Accepted);
    coverage.answers.insert((RequestKind::Transfer, Outcome::Repeated), 1);
    assert_eq!(coverage.check(), Ok(()));
    let mut wrong = coverage.clone();
    wrong.answers.insert((RequestKind::CreateAccount, Outcome::Repeated), 1);
    let told = wrong.check().unwrap_err();
    assert!(told.contains("CreateAccount"), "{told}");
    let code = Outcome::Rejected(RejectCode::WrongPartition);
    coverage.count(Kind::Gtc, Some(MarketState::Continuous), code);
    let told = coverage.check().unwrap_err();
    assert!(told.contains("WrongPartition"), "{told}");
}
