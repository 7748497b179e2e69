//! Accounts, keys and the outbox of external transfers.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::{
    Begin, Credential, NewKey, Permissions, Secret, Store, StoreError, TransferContent,
    TransferOutcome,
};
use types::{AccountId, Amount, AssetId, PartitionId, RejectCode, Seq, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_123_456_789);
const SECRET: &[u8] = b"a-secret-that-nobody-may-read-in-the-file";

fn hmac_key(key_id: &str, account: Option<AccountId>, admin: bool) -> NewKey {
    NewKey {
        key_id: key_id.into(),
        credential: Credential::Hmac(Secret::new(SECRET.to_vec())),
        account,
        operator: admin.then(|| "ann".into()),
        permissions: Permissions { read: true, trade: true, withdraw: false, admin },
        label: "a bot".into(),
        last4: "file".into(),
        created_at: NOW,
    }
}

fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

#[test]
fn account_ids_rise_from_one_and_are_kept() {
    let (directory, store) = open();
    let names = ["alice", "bob", "alice"];
    for (id, name) in (1..).zip(names) {
        let account = store.create_account(name, NOW).unwrap();
        assert_eq!((account.id, account.name.as_str()), (AccountId(id), name));
    }
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.create_account("dave", NOW).unwrap().id, AccountId(4));
    let bob = store.account(AccountId(2)).unwrap().unwrap();
    assert_eq!((bob.name.as_str(), bob.created_at), ("bob", NOW));
    assert_eq!(store.account(AccountId(9)).unwrap(), None);
    let page = store.list_accounts(AccountId(1), 2).unwrap();
    assert_eq!(page.iter().map(|account| account.id.0).collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn a_key_is_found_until_it_is_revoked_also_after_reopening() {
    let (directory, store) = open();
    let account = store.create_account("alice", NOW).unwrap().id;
    let new = hmac_key("k1", Some(account), false);
    let created = store.create_key(&new).unwrap();
    let ed25519 =
        NewKey { credential: Credential::Ed25519([7; 32]), ..hmac_key("k2", None, false) };
    store.create_key(&ed25519).unwrap();
    drop(store);

    let store = Store::open(directory.path()).unwrap();
    let found = store.find_key("k1").unwrap().unwrap();
    assert_eq!((&found.key, &found.credential), (&created, &new.credential));
    assert_eq!(store.find_key("k2").unwrap().unwrap().credential, ed25519.credential);
    assert_eq!(store.find_key("k3").unwrap(), None);

    assert!(store.revoke_key("k1", NOW).unwrap());
    assert!(!store.revoke_key("k1", NOW).unwrap(), "it is revoked already");
    assert_eq!(store.find_key("k1").unwrap(), None);
    let listed = store.list_keys(Some(account)).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].revoked_at, Some(NOW));
    assert_eq!(store.list_keys(None).unwrap().len(), 2);
}

#[test]
fn an_operator_may_have_several_keys_but_no_name_that_differs_from_anothers_by_case_alone() {
    let (_directory, store) = open();
    let key =
        |id: &str, name: &str| NewKey { operator: Some(name.into()), ..hmac_key(id, None, true) };
    store.create_key(&key("k1", "ann")).unwrap();
    store.create_key(&key("k2", "ann")).unwrap();
    store.create_key(&key("k3", "anna")).unwrap();
    store.revoke_key("k1", NOW).unwrap();
    store.revoke_key("k2", NOW).unwrap();
    let refused = store.create_key(&key("k4", "ANN")).unwrap_err();
    assert!(
        matches!(&refused, StoreError::OperatorTooAlike(new, known) if (new.as_str(), known.as_str()) == ("ANN", "ann")),
        "{refused}"
    );
    assert!(!store.has_key("k4").unwrap());
}

#[test]
fn a_key_needs_a_new_name_and_an_account_that_exists() {
    let (_directory, store) = open();
    let account = store.create_account("alice", NOW).unwrap().id;
    store.create_key(&hmac_key("k1", Some(account), false)).unwrap();
    let error = store.create_key(&hmac_key("k1", Some(account), false)).unwrap_err();
    assert!(matches!(error, StoreError::KeyExists(_)), "{error}");
    let error = store.create_key(&hmac_key("k2", Some(AccountId(99)), false)).unwrap_err();
    assert!(matches!(error, StoreError::UnknownAccount(AccountId(99))), "{error}");
}

#[test]
fn resetting_the_admin_key_revokes_all_others_of_that_kind() {
    let (_directory, store) = open();
    assert!(!store.has_admin_key().unwrap());
    store.create_key(&hmac_key("admin-1", None, true)).unwrap();
    store.create_key(&hmac_key("bot", None, false)).unwrap();
    assert!(store.has_admin_key().unwrap());
    // A name that is taken changes nothing.
    assert!(store.reset_admin(&hmac_key("bot", None, true)).is_err());
    assert!(store.find_key("admin-1").unwrap().is_some());
    assert_eq!(store.reset_admin(&hmac_key("admin-2", None, true)).unwrap(), 1);
    assert!(store.find_key("admin-1").unwrap().is_none());
    assert!(store.find_key("bot").unwrap().is_some());
    assert!(store.find_key("admin-2").unwrap().is_some());
}

fn contains(path: &Path, needle: &[u8]) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_secret_is_in_no_file_and_nothing_without_the_secret_key() {
    let (directory, store) = open();
    store.create_key(&hmac_key("k1", None, true)).unwrap();
    let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|f| f.unwrap()).collect();
    assert!(files.iter().any(|file| contains(&file.path(), b"a bot")), "the label is there");
    assert!(files.iter().all(|file| !contains(&file.path(), SECRET)));
    assert!(
        format!("{:?}", store.find_key("k1")).contains("Hmac(Secret(..))"),
        "nor in a debug text"
    );
    let key_path = directory.path().join("secret.key");
    let mode = std::fs::metadata(&key_path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(store);

    std::fs::write(&key_path, [0; 32]).unwrap();
    let error = Store::open(directory.path()).unwrap().find_key("k1").unwrap_err();
    assert!(matches!(error, StoreError::Undecryptable(_)), "{error}");
    std::fs::write(&key_path, [0; 31]).unwrap();
    let error = Store::open(directory.path()).err().unwrap();
    assert!(matches!(error, StoreError::SecretKeyInvalid(_)), "{error}");
    std::fs::remove_file(&key_path).unwrap();
    let error = Store::open(directory.path()).err().unwrap();
    assert!(matches!(error, StoreError::SecretKeyMissing(_)), "{error}");
}

#[test]
fn a_sealed_secret_does_not_open_under_another_key_id() {
    let (directory, store) = open();
    store.create_key(&hmac_key("k1", None, true)).unwrap();
    drop(store);
    let sql = rusqlite::Connection::open(directory.path().join("directory.sqlite")).unwrap();
    sql.execute("UPDATE api_keys SET key_id = 'k2'", []).unwrap();
    let error = Store::open(directory.path()).unwrap().find_key("k2").unwrap_err();
    assert!(matches!(error, StoreError::Undecryptable(_)), "{error}");
}

fn credit(amount: u128) -> TransferContent {
    let amount = Amount::new(amount);
    TransferContent::Credit { account: AccountId(1), asset: AssetId(2), amount }
}

#[test]
fn a_reference_gets_one_number_and_keeps_it_over_a_crash() {
    let (directory, store) = open();
    let huge = credit(u128::MAX);
    assert_eq!(store.begin_transfer(7, "tx-a", huge, None).unwrap(), Begin::New(1));
    assert_eq!(store.begin_transfer(7, "tx-b", credit(5), None).unwrap(), Begin::New(2));
    assert_eq!(store.begin_transfer(8, "tx-a", credit(5), None).unwrap(), Begin::New(1));
    drop(store);

    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.begin_transfer(7, "tx-a", huge, None).unwrap(), Begin::Pending(1, None));
    assert_eq!(store.begin_transfer(7, "tx-a", credit(6), None).unwrap(), Begin::Conflict);
    let pending = store.pending_transfers(7).unwrap();
    let pending: Vec<_> =
        pending.iter().map(|t| (t.number, t.reference.as_str(), t.content)).collect();
    assert_eq!(pending, [(1, "tx-a", huge), (2, "tx-b", credit(5))]);
    assert_eq!(store.last_transfer_number(7).unwrap(), 2);
    assert_eq!(store.last_transfer_number(9).unwrap(), 0);
    assert_eq!(store.transfer_reference(7, 2).unwrap().as_deref(), Some("tx-b"));
    assert_eq!(store.transfer_reference(7, 3).unwrap(), None);
}

#[test]
fn an_outcome_is_final_and_told_again() {
    let (_directory, store) = open();
    let client_id = "w-1".parse().unwrap();
    let settle = TransferContent::Settle { account: AccountId(1), client_id };
    store.begin_transfer(7, "a", settle, None).unwrap();
    store.begin_transfer(7, "b", credit(5), None).unwrap();
    let done = TransferOutcome::Done { partition: PartitionId(3), seq: Seq(99) };
    let rejected = TransferOutcome::Rejected(RejectCode::UnknownAsset);
    store.finish_transfer(7, 1, done).unwrap();
    store.finish_transfer(7, 1, done).unwrap();
    store.finish_transfer(7, 2, rejected).unwrap();
    let error = store.finish_transfer(7, 1, rejected).unwrap_err();
    assert!(matches!(error, StoreError::NotPending { .. }), "{error}");
    assert!(store.finish_transfer(7, 3, done).is_err(), "it was never begun");
    assert_eq!(store.begin_transfer(7, "a", settle, None).unwrap(), Begin::Finished(1, done));
    assert_eq!(
        store.begin_transfer(7, "b", credit(5), None).unwrap(),
        Begin::Finished(2, rejected)
    );
    assert_eq!(store.pending_transfers(7).unwrap(), []);
    assert_eq!(store.begin_transfer(7, "c", credit(5), None).unwrap(), Begin::New(3));
}

#[test]
fn a_file_of_a_newer_schema_is_refused() {
    let (directory, store) = open();
    drop(store);
    let path = directory.path().join("history.sqlite");
    let sql = rusqlite::Connection::open(path).unwrap();
    sql.pragma_update(None, "user_version", 1_000).unwrap();
    let error = Store::open(directory.path()).err().unwrap();
    assert!(matches!(error, StoreError::NewerSchema { found: 1_000, .. }), "{error}");
}

#[test]
fn the_history_can_be_deleted_and_the_directory_stays() {
    let (directory, store) = open();
    store.create_account("alice", NOW).unwrap();
    drop(store);
    for suffix in ["", "-wal", "-shm"] {
        // WAL files are gone after a clean close.
        let _ = std::fs::remove_file(directory.path().join(format!("history.sqlite{suffix}")));
    }
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.list_accounts(AccountId(0), 10).unwrap().len(), 1);
    assert_eq!(store.cursor(PartitionId(0)).unwrap(), Seq(0));
}
