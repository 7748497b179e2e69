//! Snapshot files: any bytes, and files with a right hash around wrong fields.

use journal::{FORMAT_VERSION, SnapshotStore};
use types::Seq;

use crate::disk::Disk;
use crate::input::Input;
use crate::records::IDENTITY;

const SEQ: Seq = Seq(77);
const HEADER: usize = 128;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte();
    let edits = usize::from(input.byte() % 4);
    let mut covered = header();
    input.edit(&mut covered, edits);
    let payload = input.0;
    let len = if kind & 1 == 0 { payload.len() as u64 } else { u64::from(kind) };
    covered[56..64].copy_from_slice(&len.to_le_bytes());
    covered.extend_from_slice(payload);
    let file = match kind {
        0..200 => [&covered[..], blake3::hash(&covered).as_bytes()].concat(),
        200..220 => covered,
        _ => payload.to_vec(),
    };
    let disk = Disk::new();
    disk.put(&format!("{:020}.snapshot", SEQ.0), &file);
    let store = SnapshotStore::new(disk.dir(), IDENTITY);
    assert_eq!(store.list().expect("it is there"), [SEQ]);
    let loaded = store.load(SEQ);
    if let Ok(snapshot) = &loaded {
        assert_eq!((snapshot.header.seq, &snapshot.payload[..]), (SEQ, payload));
    }
    let is_right = kind < 200 && kind & 1 == 0 && edits == 0;
    assert!(loaded.is_ok() || !is_right, "{loaded:?}");
    let (newest, skipped) = store.load_newest(Seq(u64::MAX)).expect("it is there");
    assert_eq!((newest.is_some(), skipped.len()), (loaded.is_ok(), usize::from(loaded.is_err())));
}

fn header() -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..8].copy_from_slice(b"OUTCRYSN");
    bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[10..12].copy_from_slice(&IDENTITY.partition.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&IDENTITY.cluster.to_le_bytes());
    bytes[24..32].copy_from_slice(&SEQ.0.to_le_bytes());
    bytes
}
