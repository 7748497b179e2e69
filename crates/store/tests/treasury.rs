//! Proposals and changes of the treasury's guard in SQL, readable without another file, and transfers
//! that wait for a second operator.

use std::sync::Arc;

use store::{Begin, RebuiltHistory, Store, TransferContent, TransferOutcome};
use types::{
    AccountId, Amount, AssetId, Concerns, Decision, Event, EventBatch, OperatorName, PartitionId,
    Proposal, RejectCode, ReplyTo, Seq, Timestamp, TreasuryAct, TreasuryReference,
};

const HERE: PartitionId = PartitionId(0);
const ACCOUNT: AccountId = AccountId(7);
const REFERENCE: TreasuryReference = TreasuryReference { source: 1, number: 5 };

fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn named(name: &str) -> OperatorName {
    name.parse().unwrap()
}

fn amount(atoms: u128) -> Amount {
    Amount::new(atoms)
}

fn proposed(number: u64, operator: OperatorName) -> Event {
    let (asset, account) = (AssetId(2), ACCOUNT);
    let act = TreasuryAct::Credit {
        reference: REFERENCE,
        account,
        asset,
        amount: amount(u128::MAX >> 32),
    };
    let concerns = Concerns { ceiling: true, manual: true, ..Concerns::default() };
    let expires = Timestamp(9_000);
    let proposal = Box::new(Proposal { number, operator, act, concerns, expires });
    Event::ProposalMade { reply: ReplyTo::NOBODY, proposal }
}

fn decided(proposal: u64, decision: Decision, operator: OperatorName) -> Event {
    Event::ProposalDecided { reply: ReplyTo::NOBODY, proposal, decision, operator }
}

/// Entries from 1, each with one event.
fn batch(events: &[Event]) -> Arc<EventBatch> {
    let mut batch = EventBatch::new(HERE);
    for (seq, event) in (1..).zip(events) {
        batch.push(Seq(seq), Timestamp(seq * 1_000), &mut vec![event.clone()]);
    }
    Arc::new(batch)
}

fn session() -> Vec<Event> {
    let reply = ReplyTo::NOBODY;
    let (asset, ceiling) = (AssetId(2), amount(500));
    vec![
        Event::ReservesAttested {
            reply,
            operator: named("ann"),
            asset,
            ceiling,
            evidence: [10; 32],
        },
        proposed(1, named("ann")),
        decided(1, Decision::Approved, named("ben")),
        proposed(2, OperatorName::NONE),
        decided(2, Decision::Endorsed, named("ann")),
        decided(2, Decision::Rejected, named("cat")),
        proposed(3, named("ben")),
        decided(3, Decision::Expired, OperatorName::NONE),
        proposed(4, named("ben")),
    ]
}

#[test]
fn the_history_names_both_operators_of_a_proposal() {
    let (directory, store) = open();
    store.projector().apply(&[batch(&session())]).unwrap();
    let row = |number| store.proposal(number).unwrap().unwrap();
    let some = |name: &str| Some(name.to_owned());
    assert_eq!((row(1).proposed_by, row(1).decided_by), (some("ann"), some("ben")));
    assert_eq!((row(1).status.as_str(), row(1).decided_at), ("approved", Some(Timestamp(3_000))));
    let machines = row(2);
    assert_eq!((machines.proposed_by, machines.endorsed_by), (None, some("ann")));
    assert_eq!((machines.status.as_str(), machines.decided_by), ("rejected", some("cat")));
    assert_eq!((row(3).status.as_str(), row(3).decided_by), ("expired", None));
    assert_eq!((row(4).status.as_str(), row(4).decided_at), ("awaiting_approval", None));
    assert_eq!(store.proposal(5).unwrap(), None);

    let sql = rusqlite::Connection::open(directory.path().join("history.sqlite")).unwrap();
    let told: (String, String, String, String) = sql
        .query_row(
            "SELECT act, concerns, reference, amount FROM proposals WHERE number = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    let most = (u128::MAX >> 32).to_string();
    assert_eq!(told, ("credit".into(), "ceiling,manual".into(), "1:5".into(), most));
    let told: (String, String, String) = sql
        .query_row("SELECT operator, amount, evidence FROM treasury_changes", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(told, ("ann".into(), "500".into(), "0a".repeat(32)));
}

#[test]
fn a_decision_that_somebody_changed_in_sql_is_found() {
    let (directory, store) = open();
    store.projector().apply(&[batch(&session())]).unwrap();
    let other = tempfile::tempdir().unwrap();
    let rebuilt = RebuiltHistory::create(&other.path().join("rebuilt.sqlite")).unwrap();
    rebuilt.projector().apply(&[batch(&session())]).unwrap();
    assert_eq!(store.compare_rows(&rebuilt, &[HERE]).unwrap().difference, None);
    let sql = rusqlite::Connection::open(directory.path().join("history.sqlite")).unwrap();
    sql.execute("UPDATE proposals SET decided_by = 'ann' WHERE number = 1", []).unwrap();
    let difference = store.compare_rows(&rebuilt, &[HERE]).unwrap().difference.unwrap();
    assert!(difference.starts_with("proposals: number 1: decided_by is \"ann\""), "{difference}");
}

#[test]
fn a_transfer_waits_for_approval_and_keeps_who_began_it() {
    let (directory, store) = open();
    let content =
        TransferContent::Credit { account: ACCOUNT, asset: AssetId(2), amount: amount(5) };
    let begin = |store: &Store| store.begin_transfer(1, "a", content, Some("ben")).unwrap();
    assert_eq!(store.begin_transfer(1, "a", content, Some("ann")).unwrap(), Begin::New(1));
    assert_eq!(begin(&store), Begin::Pending(1, Some("ann".into())), "asked again in her name");
    assert_eq!(store.pending_transfers(1).unwrap()[0].operator.as_deref(), Some("ann"));
    let waits = TransferOutcome::AwaitingApproval { proposal: 9 };
    store.finish_transfer(1, 1, waits).unwrap();
    assert!(store.pending_transfers(1).unwrap().is_empty(), "it holds nobody up");
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(begin(&store), Begin::Finished(1, waits));
    let refused = TransferOutcome::Rejected(RejectCode::NotApproved);
    store.finish_transfer(1, 1, refused).unwrap();
    assert_eq!(begin(&store), Begin::Finished(1, refused));
    let done = TransferOutcome::Done { partition: HERE, seq: Seq(1) };
    assert!(store.finish_transfer(1, 1, done).is_err(), "an end is an end");
}

#[test]
fn the_movement_of_a_reference_is_found() {
    let (_directory, store) = open();
    let credited = Event::Credited {
        reply: ReplyTo::NOBODY,
        reference: REFERENCE,
        account: ACCOUNT,
        asset: AssetId(2),
        amount: amount(5),
        suspense: false,
    };
    store.projector().apply(&[batch(&[credited])]).unwrap();
    assert_eq!(store.movement(ACCOUNT, REFERENCE).unwrap(), Some((HERE, Seq(1))));
    let other = TreasuryReference { number: 6, ..REFERENCE };
    assert_eq!(store.movement(ACCOUNT, other).unwrap(), None);
}
