//! The guard of the treasury (`docs/trading-rules.md`, section 14): ceilings, policies, proposals and
//! the two operators who each takes. In one partition, and with the accounts in others than the treasury.

use crate::exchange::{BASE, Exchange, QUOTE};
use engine::Partition;
use types::*;

const ALICE: AccountId = AccountId(1);
const ANN: &str = "ann";
const BEN: &str = "ben";
const CAT: &str = "cat";
const DESK: u32 = 5;
const WALLET: u32 = 9;
const HOUR: u64 = 3_600_000_000_000;
const MINUTE: u64 = HOUR / 60;
const PARTITIONS: [u16; 2] = [1, 4];

/// An exchange with one account that has 100 of each asset, and what the sources count to.
struct Floor {
    exchange: Exchange,
    numbers: [u64; 10],
}

impl Floor {
    fn new(partitions: u16) -> Self {
        let mut floor =
            Self { exchange: Exchange::funded(partitions, 1, 1, 100), numbers: [0; 10] };
        floor.exchange.submit_quietly(set_kind(ANN, WALLET, SourceKind::Machine));
        floor
    }

    fn ask(&mut self, request: Request) -> Vec<Event> {
        let events = self.exchange.submit_quietly(request);
        self.exchange.assert_sound();
        events
    }

    fn reference(&mut self, source: u32) -> TreasuryReference {
        let number = &mut self.numbers[source as usize];
        *number += 1;
        TreasuryReference { source, number: *number }
    }

    fn credit(&mut self, source: u32, by: &str, amount: u128) -> Vec<Event> {
        let reference = self.reference(source);
        self.ask(credit(reference, by, amount))
    }

    fn debit(&mut self, by: &str, amount: u128) -> Vec<Event> {
        let reference = self.reference(DESK);
        let amount = Amount::new(amount);
        let operator = operator(by);
        self.ask(Request::Debit { reference, operator, account: ALICE, asset: BASE, amount })
    }

    fn attest(&mut self, by: &str, ceiling: u128) -> Vec<Event> {
        self.ask(attest(by, ceiling))
    }

    fn policy(&mut self, by: &str, policy: CreditPolicy) -> Vec<Event> {
        self.ask(Request::SetCreditPolicy {
            operator: operator(by),
            asset: BASE,
            policy: Box::new(policy),
        })
    }

    fn approve(&mut self, by: &str, proposal: u64) -> Vec<Event> {
        self.ask(Request::ApproveProposal { operator: operator(by), proposal })
    }

    fn reject(&mut self, by: &str, proposal: u64) -> Vec<Event> {
        self.ask(Request::RejectProposal { operator: operator(by), proposal })
    }

    fn wait(&mut self, nanos: u64) -> Vec<Event> {
        let until = self.exchange.now.saturating_add_nanos(nanos);
        self.exchange.wait_until(until)
    }

    fn available(&self) -> u128 {
        self.exchange.balances()[&(ALICE, BASE)].0.get()
    }

    fn treasury(&self) -> &Partition {
        &self.exchange.partitions[usize::from(self.exchange.topology.treasury.0)]
    }

    fn open_proposals(&self) -> Vec<u64> {
        self.treasury().treasury().unwrap().proposals().map(|proposal| proposal.number).collect()
    }
}

fn operator(name: &str) -> OperatorName {
    if name.is_empty() { OperatorName::NONE } else { name.parse().unwrap() }
}

fn credit(reference: TreasuryReference, by: &str, amount: u128) -> Request {
    let (operator, amount) = (operator(by), Amount::new(amount));
    Request::Credit { reference, operator, account: ALICE, asset: BASE, amount }
}

fn attest(by: &str, ceiling: u128) -> Request {
    let (operator, ceiling) = (operator(by), Amount::new(ceiling));
    Request::AttestReserves { operator, asset: BASE, ceiling, evidence: [7; 32] }
}

fn set_kind(by: &str, source: u32, kind: SourceKind) -> Request {
    Request::SetSourceKind { operator: operator(by), source, kind }
}

fn large(most: u128) -> CreditPolicy {
    CreditPolicy { large_credit: Some(Amount::new(most)), ..CreditPolicy::default() }
}

fn hourly(most: u128) -> CreditPolicy {
    CreditPolicy { hourly_credit: Some(Amount::new(most)), ..CreditPolicy::default() }
}

fn manual() -> CreditPolicy {
    CreditPolicy { manual_needs_approval: true, ..CreditPolicy::default() }
}

/// The one answer, in a word or two.
fn answer(events: &[Event]) -> String {
    let answers: Vec<_> = events.iter().filter(|event| event.answers().is_some()).collect();
    assert_eq!(answers.len(), 1, "{events:#?}");
    match answers[0] {
        Event::Rejected { code, .. } => code.to_string(),
        Event::Repeated { outcome, .. } => match outcome {
            Ok(_) => "repeated: done".into(),
            Err(code) => format!("repeated: {code}"),
        },
        Event::Credited { amount, .. } => format!("credited {amount}"),
        Event::Debited { amount, .. } => format!("debited {amount}"),
        Event::ProposalMade { proposal, .. } => {
            let why: Vec<_> = proposal.concerns.words().collect();
            format!("proposal {}: {}", proposal.number, why.join(", "))
        }
        Event::ApprovalAwaited { proposal, .. } => format!("awaits {proposal}"),
        Event::ProposalDecided { proposal, decision, operator, .. } => {
            format!("{proposal} {} by {operator}", decision.word())
        }
        Event::ReservesAttested { ceiling, operator, .. } => {
            format!("ceiling {ceiling} by {operator}")
        }
        Event::CreditPolicySet { operator, .. } => format!("policy by {operator}"),
        Event::SourceKindSet { source, .. } => format!("source {source}"),
        other => panic!("{other:?}"),
    }
}

/// The decisions among the events that nobody waited for.
fn decided(events: &[Event]) -> Vec<(u64, Decision, OperatorName)> {
    let found = events.iter().filter_map(|event| match *event {
        Event::ProposalDecided { reply, proposal, decision, operator } if reply.is_nobody() => {
            Some((proposal, decision, operator))
        }
        _ => None,
    });
    found.collect()
}

/// 14.1, 14.4, 14.7
#[test]
fn a_credit_above_the_ceiling_waits_for_a_second_operator() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        assert_eq!(answer(&floor.attest(ANN, 150)), "ceiling 150 by ann");
        assert_eq!(answer(&floor.credit(DESK, ANN, 50)), "credited 50");
        assert_eq!(answer(&floor.credit(DESK, ANN, 1)), "proposal 1: ceiling");
        assert_eq!(floor.available(), 150);
        assert_eq!(answer(&floor.approve(ANN, 1)), "SameOperator");
        assert_eq!(answer(&floor.approve("", 1)), "OperatorRequired");
        let events = floor.approve(BEN, 1);
        assert_eq!(answer(&events), "credited 1");
        assert_eq!(decided(&events), [(1, Decision::Approved, operator(BEN))]);
        assert_eq!(floor.available(), 151);
        assert_eq!(answer(&floor.approve(CAT, 1)), "UnknownProposal");
        assert_eq!(answer(&floor.credit(DESK, ANN, 1)), "proposal 2: ceiling");
        floor.exchange.assert_replays();
    }
}

/// 14.1
#[test]
fn an_asset_without_ceiling_and_policy_asks_for_nobody() {
    let mut floor = Floor::new(1);
    floor.attest(ANN, 100);
    let reference = floor.reference(DESK);
    let events = floor.ask(Request::Credit {
        reference,
        operator: OperatorName::NONE,
        account: ALICE,
        asset: QUOTE,
        amount: Amount::new(1_000_000),
    });
    assert_eq!(answer(&events), "credited 1000000");
}

/// 14.1, 14.10
#[test]
fn what_left_makes_room_below_the_ceiling_and_a_lower_ceiling_forces_nobody_out() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        floor.attest(ANN, 100);
        assert_eq!(answer(&floor.debit(ANN, 30)), "debited 30");
        assert_eq!(answer(&floor.credit(DESK, ANN, 30)), "credited 30");
        assert_eq!(answer(&floor.attest(ANN, 40)), "ceiling 40 by ann");
        assert_eq!(answer(&floor.debit(ANN, 50)), "debited 50");
        assert_eq!(answer(&floor.credit(DESK, ANN, 1)), "proposal 1: ceiling");
        assert_eq!(floor.available(), 50);
    }
}

/// 14.2
#[test]
fn a_large_credit_waits_and_one_at_the_limit_does_not() {
    let mut floor = Floor::new(1);
    assert_eq!(answer(&floor.policy(ANN, large(10))), "policy by ann");
    assert_eq!(answer(&floor.credit(WALLET, "", 10)), "credited 10");
    assert_eq!(answer(&floor.credit(WALLET, "", 11)), "proposal 1: large_credit");
    assert_eq!(answer(&floor.credit(DESK, ANN, 11)), "proposal 2: large_credit");
}

/// 14.2
#[test]
fn many_small_credits_of_an_hour_count_together() {
    let mut floor = Floor::new(1);
    // The log's clock at the beginning of a minute.
    floor.exchange.now = Timestamp(100 * HOUR);
    floor.policy(ANN, hourly(100));
    assert_eq!(answer(&floor.credit(WALLET, "", 60)), "credited 60");
    floor.wait(30 * MINUTE);
    assert_eq!(answer(&floor.credit(WALLET, "", 40)), "credited 40");
    assert_eq!(answer(&floor.credit(WALLET, "", 1)), "proposal 1: hourly_credit");
    assert_eq!(answer(&floor.credit(DESK, ANN, 100)), "credited 100", "another source");
    assert_eq!(answer(&floor.approve(ANN, 1)), "1 endorsed by ann");
    assert_eq!(answer(&floor.approve(BEN, 1)), "credited 1");
    floor.wait(29 * MINUTE);
    assert_eq!(answer(&floor.credit(WALLET, "", 1)), "proposal 2: hourly_credit");
    floor.wait(MINUTE);
    // The first 60 are out of the window; what was approved never counted.
    assert_eq!(answer(&floor.credit(WALLET, "", 60)), "credited 60");
    assert_eq!(answer(&floor.credit(WALLET, "", 1)), "proposal 3: hourly_credit");
    floor.exchange.assert_replays();
}

/// 14.2, 14.3
#[test]
fn everything_from_a_desk_waits_where_the_policy_says_so_and_machines_go_on() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        floor.policy(ANN, manual());
        assert_eq!(answer(&floor.credit(WALLET, "", 7)), "credited 7");
        assert_eq!(answer(&floor.credit(DESK, ANN, 1)), "proposal 1: manual");
        assert_eq!(answer(&floor.debit(ANN, 3)), "proposal 2: manual");
        assert_eq!(answer(&floor.credit(DESK, "", 1)), "OperatorRequired");
        assert_eq!(floor.available(), 107);
        assert_eq!(answer(&floor.approve(BEN, 2)), "debited 3");
        assert_eq!(answer(&floor.approve(BEN, 1)), "credited 1");
        assert_eq!(floor.available(), 105);
        floor.exchange.assert_replays();
    }
}

/// 14.7
#[test]
fn a_machines_proposal_takes_two_operators() {
    let mut floor = Floor::new(1);
    floor.policy(ANN, large(10));
    floor.credit(WALLET, "", 11);
    assert_eq!(answer(&floor.approve(ANN, 1)), "1 endorsed by ann");
    assert_eq!(answer(&floor.approve(ANN, 1)), "SameOperator");
    assert_eq!(floor.available(), 100);
    assert_eq!(answer(&floor.approve(BEN, 1)), "credited 11");
}

/// 14.5
#[test]
fn a_number_is_used_up_by_its_proposal_and_tells_its_state() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        floor.policy(ANN, large(10));
        let at = |number| TreasuryReference { source: DESK, number };
        assert_eq!(answer(&floor.ask(credit(at(1), ANN, 11))), "proposal 1: large_credit");
        assert_eq!(answer(&floor.ask(credit(at(1), ANN, 11))), "awaits 1");
        assert_eq!(floor.open_proposals(), [1]);
        floor.approve(BEN, 1);
        assert_eq!(answer(&floor.ask(credit(at(1), ANN, 11))), "repeated: done");
        assert_eq!(answer(&floor.ask(credit(at(2), ANN, 12))), "proposal 2: large_credit");
        assert_eq!(answer(&floor.reject(CAT, 2)), "2 rejected by cat");
        assert_eq!(answer(&floor.ask(credit(at(2), ANN, 12))), "repeated: NotApproved");
        assert_eq!(answer(&floor.ask(credit(at(3), ANN, 13))), "proposal 3: large_credit");
        // A later number has its own outcome, whatever becomes of the proposal.
        assert_eq!(answer(&floor.ask(credit(at(4), ANN, 5))), "credited 5");
        floor.reject(ANN, 3);
        assert_eq!(answer(&floor.ask(credit(at(4), ANN, 5))), "repeated: done");
        assert_eq!(answer(&floor.ask(credit(at(3), ANN, 13))), "ReferenceUsed");
        assert_eq!(floor.available(), 116);
    }
}

/// 14.6
#[test]
fn a_proposal_expires_by_the_logs_time_before_the_command_that_comes_then() {
    let mut floor = Floor::new(1);
    let expiry_hours = 2;
    floor.policy(ANN, CreditPolicy { expiry_hours, ..large(10) });
    let at = |number| TreasuryReference { source: DESK, number };
    floor.ask(credit(at(1), ANN, 11));
    let made = floor.exchange.now;
    assert_eq!(floor.treasury().next_deadline(), Some(made.saturating_add_nanos(2 * HOUR)));
    floor.exchange.now = made.saturating_add_nanos(2 * HOUR - 2_000);
    floor.ask(credit(at(2), ANN, 12));
    assert_eq!(floor.open_proposals(), [1, 2]);
    let events = floor.approve(BEN, 1);
    assert_eq!(answer(&events), "UnknownProposal");
    assert_eq!(decided(&events), [(1, Decision::Expired, OperatorName::NONE)]);
    assert_eq!(floor.open_proposals(), [2]);
    let events = floor.wait(2 * HOUR);
    assert_eq!(decided(&events), [(2, Decision::Expired, OperatorName::NONE)]);
    assert_eq!(answer(&floor.ask(credit(at(2), ANN, 12))), "repeated: ApprovalExpired");
    assert_eq!((floor.available(), floor.treasury().next_deadline()), (100, None));
    floor.exchange.assert_replays();
}

/// 14.8
#[test]
fn an_approval_checks_anew_and_covers_only_what_was_proposed() {
    let mut floor = Floor::new(1);
    floor.attest(ANN, 120);
    floor.policy(ANN, large(10));
    assert_eq!(answer(&floor.credit(DESK, ANN, 15)), "proposal 1: large_credit");
    assert_eq!(answer(&floor.credit(DESK, ANN, 10)), "credited 10");
    assert_eq!(answer(&floor.approve(BEN, 1)), "CeilingExceeded");
    assert_eq!(floor.open_proposals(), [1], "it can be approved later");
    floor.debit(ANN, 5);
    assert_eq!(answer(&floor.approve(BEN, 1)), "credited 15");
    assert_eq!(floor.available(), 120);
}

/// 14.8
#[test]
fn nobody_lifts_the_supply_above_what_can_be_counted() {
    let mut floor = Floor::new(1);
    floor.attest(ANN, 100);
    let most = MAX_SUPPLY.get() - 100;
    assert_eq!(answer(&floor.credit(DESK, ANN, most + 1)), "SupplyExceeded");
    assert_eq!(answer(&floor.credit(DESK, ANN, most)), "proposal 1: ceiling");
    assert_eq!(answer(&floor.credit(DESK, ANN, 1)), "proposal 2: ceiling");
    assert_eq!(answer(&floor.approve(BEN, 2)), "credited 1");
    assert_eq!(answer(&floor.approve(BEN, 1)), "SupplyExceeded");
    assert_eq!(floor.open_proposals(), [1]);
}

/// 14.8
#[test]
fn an_approved_debit_that_the_account_cannot_pay_is_over() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        floor.policy(ANN, manual());
        assert_eq!(answer(&floor.debit(ANN, 101)), "proposal 1: manual");
        assert_eq!(answer(&floor.approve(BEN, 1)), "InsufficientBalance");
        assert_eq!(answer(&floor.approve(BEN, 1)), "UnknownProposal");
        let reference = TreasuryReference { source: DESK, number: 1 };
        let (operator, amount) = (operator(ANN), Amount::new(101));
        let again = Request::Debit { reference, operator, account: ALICE, asset: BASE, amount };
        assert_eq!(answer(&floor.ask(again)), "repeated: InsufficientBalance");
    }
}

/// 14.9
#[test]
fn one_operator_alone_tightens_and_two_loosen() {
    let mut floor = Floor::new(1);
    assert_eq!(answer(&floor.attest(ANN, 200)), "ceiling 200 by ann");
    assert_eq!(answer(&floor.attest(ANN, 150)), "ceiling 150 by ann");
    assert_eq!(answer(&floor.attest(ANN, 150)), "ceiling 150 by ann", "again the same");
    assert_eq!(answer(&floor.attest(ANN, 151)), "proposal 1: loosening");
    assert_eq!(answer(&floor.policy(ANN, large(10))), "policy by ann");
    assert_eq!(answer(&floor.policy(ANN, large(9))), "policy by ann");
    assert_eq!(answer(&floor.policy(ANN, large(10))), "proposal 2: loosening");
    assert_eq!(answer(&floor.policy(ANN, CreditPolicy::default())), "proposal 3: loosening");
    let machine = set_kind(ANN, DESK, SourceKind::Machine);
    assert_eq!(answer(&floor.ask(machine)), "proposal 4: loosening");
    assert_eq!(answer(&floor.ask(set_kind(ANN, WALLET, SourceKind::Manual))), "source 9");
    assert_eq!(answer(&floor.approve(ANN, 1)), "SameOperator");
    assert_eq!(answer(&floor.approve(BEN, 1)), "ceiling 151 by ann");
    assert_eq!(answer(&floor.approve(BEN, 2)), "policy by ann");
    assert_eq!(answer(&floor.approve(BEN, 4)), "source 5");
    let treasury = floor.treasury().treasury().unwrap();
    assert_eq!(treasury.ceiling(BASE), Some(Amount::new(151)));
    assert_eq!(treasury.credit_policy(BASE), large(10));
    assert_eq!(treasury.source_kind(DESK), SourceKind::Machine);
    floor.exchange.assert_replays();
}

/// 14.9
#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    let mut floor = Floor::new(1);
    assert_eq!(answer(&floor.attest("", 1)), "OperatorRequired");
    assert_eq!(answer(&floor.attest(ANN, MAX_SUPPLY.get() + 1)), "InvalidAmount");
    let policy = CreditPolicy { expiry_hours: 0, ..large(1) };
    assert_eq!(answer(&floor.policy(ANN, policy)), "InvalidDefinition");
    let operator = operator(ANN);
    let asset = AssetId(77);
    let unknown = Request::SetCreditPolicy { operator, asset, policy: Box::new(large(1)) };
    assert_eq!(answer(&floor.ask(unknown)), "UnknownAsset");
    assert_eq!(answer(&floor.reject(ANN, 1)), "UnknownProposal");
    assert_eq!(answer(&floor.reject("", 1)), "OperatorRequired");
}

/// 14.6
#[test]
fn when_a_thousand_proposals_wait_the_next_keeps_its_number_for_later() {
    let mut floor = Floor::new(1);
    floor.attest(ANN, 100);
    for _ in 0..1_000 {
        floor.credit(DESK, ANN, 1);
    }
    let next = TreasuryReference { source: DESK, number: 1_001 };
    assert_eq!(answer(&floor.ask(credit(next, ANN, 1))), "TooManyProposals");
    floor.reject(ANN, 500);
    assert_eq!(answer(&floor.ask(credit(next, ANN, 1))), "proposal 1001: ceiling");
}

/// 14.6
#[test]
fn proposals_and_the_hour_survive_a_restart() {
    for partitions in PARTITIONS {
        let mut floor = Floor::new(partitions);
        floor.policy(ANN, CreditPolicy { hourly_credit: Some(Amount::new(20)), ..large(10) });
        floor.attest(ANN, 200);
        floor.credit(DESK, ANN, 11);
        floor.credit(WALLET, "", 10);
        floor.credit(WALLET, "", 50);
        floor.approve(CAT, 2);
        let home = usize::from(floor.exchange.topology.treasury.0);
        let before = &floor.exchange.partitions[home];
        let restored = Partition::restore(before.id(), 99, &before.snapshot()).unwrap();
        assert_eq!(restored.state_hash(), before.state_hash());
        assert_eq!(restored.next_deadline(), before.next_deadline());
        assert!(restored.next_deadline().is_some());
        floor.exchange.partitions[home] = restored;
        assert_eq!(answer(&floor.credit(WALLET, "", 10)), "credited 10");
        assert_eq!(answer(&floor.credit(WALLET, "", 1)), "proposal 3: hourly_credit");
        assert_eq!(answer(&floor.approve(CAT, 2)), "SameOperator");
        assert_eq!(answer(&floor.approve(BEN, 2)), "credited 50");
        assert_eq!(answer(&floor.approve(BEN, 1)), "credited 11");
        let events = floor.wait(24 * HOUR);
        assert_eq!(decided(&events), [(3, Decision::Expired, OperatorName::NONE)]);
        floor.exchange.assert_replays();
    }
}
