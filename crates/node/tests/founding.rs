//! What is lost is told from what was never begun: a partition without a log, a data directory
//! without its cluster file, and a first start that was interrupted anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{Client, config, nth_order, start, stop};
use node::{DataDir, Node, NodeError, NodeHooks};
use types::PartitionId;

const COUNT: u16 = 3;
/// Bytes of the head of a segment; the first record, with a head of 128, follows it.
const HEAD: usize = 128;

/// An exchange that has traded and ended in order.
fn used(data: &Path) {
    let node = start(config(data, COUNT));
    let client = Client::new(&node);
    client.found(3);
    for n in 0..50 {
        client.ask(nth_order(n, 3));
    }
    stop(node, client);
}

/// All files with their content, and all directories.
fn content(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
            found.insert(path, None);
        } else {
            found.insert(path.clone(), Some(fs::read(&path).unwrap()));
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let path = item.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

/// Tries to start on what `spoil` leaves of a copy of `data`: refused, with nothing changed.
fn refusal(data: &Path, spoil: impl Fn(&Path)) -> NodeError {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("data");
    copy(data, &copied);
    spoil(&copied);
    let before = content(&copied);
    let hooks = NodeHooks {
        before_founding: Arc::new(|_| panic!("this is no new exchange")),
        ..NodeHooks::default()
    };
    let error = Node::start(config(&copied, COUNT), hooks).err().expect("it is refused");
    assert!(before == content(&copied), "something was changed: {error}");
    assert_eq!(error.exit_status(), 74);
    error
}

#[test]
fn a_partition_that_is_lost_refuses_the_start_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    used(&data);
    for id in 0..COUNT {
        let name = format!("p{id}");
        let lost = |error: NodeError| {
            let NodeError::LogLost { partition, ref commands } = error else { panic!("{error}") };
            assert_eq!(partition, PartitionId(id));
            assert!(commands.ends_with(Path::new(&name).join("commands")));
            assert!(error.to_string().contains("backup"), "{error}");
        };
        lost(refusal(&data, |copy| fs::remove_dir_all(copy.join(&name)).unwrap()));
        lost(refusal(&data, |copy| fs::remove_dir_all(copy.join(&name).join("commands")).unwrap()));
        lost(refusal(&data, |copy| {
            let commands = copy.join(&name).join("commands");
            fs::remove_dir_all(&commands).unwrap();
            fs::create_dir(&commands).unwrap();
        }));
        // An exchange that was founded before the record told the number of partitions.
        lost(refusal(&data, |copy| {
            without_count(copy);
            fs::remove_dir_all(copy.join(&name)).unwrap();
        }));
    }
    assert!(Node::start(config(&data, COUNT), NodeHooks::default()).is_ok(), "the whole starts");
}

#[test]
fn a_log_without_its_first_entries_is_damaged_once_the_exchange_is_founded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    start(config(&data, COUNT));
    let copied = folder.path().join("copy");
    copy(&data, &copied);
    let commands = DataDir::new(&copied).commands(PartitionId(1));
    let segment = commands.join("00000000000000000001.log");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[HEAD..].fill(0);
    fs::write(&segment, bytes).unwrap();
    let _ = fs::remove_dir_all(DataDir::new(&copied).events(PartitionId(1)));
    let cluster = fs::read(copied.join("cluster")).unwrap();
    let error = Node::start(config(&copied, COUNT), NodeHooks::default()).err().expect("refused");
    assert!(matches!(error, NodeError::Journal { partition: PartitionId(1), .. }), "{error}");
    assert_eq!(fs::read(copied.join("cluster")).unwrap(), cluster, "no term has begun");
}

#[test]
fn a_lost_cluster_file_refuses_the_start_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    used(&data);
    let error = refusal(&data, |copy| {
        fs::remove_file(copy.join("cluster")).unwrap();
        fs::remove_file(copy.join("LOCK")).unwrap();
    });
    let NodeError::Invalid { file, what } = error else { panic!("{error}") };
    assert!(file.ends_with("cluster") && what.contains("backup"));
}

#[test]
fn a_founded_exchange_does_not_lose_partitions_to_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    used(&data);
    for count in [1, COUNT + 1] {
        let error = Node::start(config(&data, count), NodeHooks::default()).err();
        assert!(matches!(error, Some(NodeError::TopologyChanged { .. })), "{error:?}");
    }
}

/// As the record is until every partition has its first entries.
fn without_count(data: &Path) {
    let file = data.join("cluster");
    let text = fs::read_to_string(&file).unwrap();
    let (before, count) = text.split_once("partitions ").unwrap();
    assert_eq!(count, format!("{COUNT}\n"));
    fs::write(&file, before).unwrap();
}

/// Its name, and what makes the files of a whole start those of one that ended there.
type Step<'a> = (&'static str, &'a dyn Fn(&Path));

/// The files as a first start leaves them that is killed after each of its steps.
#[test]
fn a_first_start_that_was_interrupted_anywhere_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    // Killed: its logs have their first entries and no seal.
    start(config(&whole, COUNT));
    let cluster = fs::read_to_string(whole.join("cluster")).unwrap();
    let number = cluster.lines().next().unwrap().to_owned();
    let commands = |data: &Path, id| DataDir::new(data).commands(PartitionId(id));
    let steps: [Step<'_>; 7] = [
        ("locked", &|data| {
            for id in 0..COUNT {
                fs::remove_dir_all(data.join(format!("p{id}"))).unwrap();
            }
            fs::remove_file(data.join("cluster")).unwrap();
        }),
        ("the record half written", &|data| {
            for id in 0..COUNT {
                fs::remove_dir_all(data.join(format!("p{id}"))).unwrap();
            }
            fs::remove_file(data.join("cluster")).unwrap();
            fs::write(data.join("cluster.tmp"), "clus").unwrap();
        }),
        ("the record written", &|data| {
            for id in 0..COUNT {
                fs::remove_dir_all(data.join(format!("p{id}"))).unwrap();
            }
            fs::write(data.join("cluster"), format!("{number}\nterm 0\n")).unwrap();
        }),
        ("some directories", &|data| {
            fs::remove_dir_all(data.join("p0/events")).unwrap();
            fs::remove_dir_all(data.join("p0/commands")).unwrap();
            fs::remove_dir_all(data.join("p1")).unwrap();
            fs::remove_dir_all(data.join("p2")).unwrap();
            fs::create_dir_all(data.join("p2/commands")).unwrap();
            fs::write(data.join("p2/commands/next.tmp"), [0; 100]).unwrap();
            fs::write(data.join("cluster"), format!("{number}\nterm 0\n")).unwrap();
        }),
        ("one log begun, one without an entry, one torn", &|data| {
            for (id, from) in [(1, HEAD), (2, HEAD + 128 + 10)] {
                let segment = commands(data, id).join("00000000000000000001.log");
                let mut bytes = fs::read(&segment).unwrap();
                bytes[from..].fill(0);
                fs::write(&segment, bytes).unwrap();
                fs::remove_dir_all(data.join(format!("p{id}/events"))).unwrap();
            }
            without_count(data);
        }),
        ("one log begun, the others not", &|data| {
            fs::remove_dir_all(data.join("p0")).unwrap();
            fs::remove_dir_all(data.join("p1")).unwrap();
            without_count(data);
        }),
        ("all but the end", &|data| without_count(data)),
    ];
    for (index, (step, spoil)) in steps.into_iter().enumerate() {
        let data = folder.path().join(index.to_string());
        copy(&whole, &data);
        spoil(&data);
        let founded = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&founded);
        let before_founding = move |data: &Path| {
            assert_eq!(fs::metadata(data.join("cluster")).unwrap_err().kind(), ErrorKind::NotFound);
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let hooks =
            NodeHooks { before_founding: Arc::new(before_founding), ..NodeHooks::default() };
        let node = match Node::start(config(&data, COUNT), hooks) {
            Ok(node) => Arc::new(node),
            Err(error) => panic!("{step}: {error}"),
        };
        assert_eq!(founded.load(Ordering::Relaxed), usize::from(index < 2), "{step}");
        let record = DataDir::new(&data).founding().unwrap().unwrap();
        assert_eq!(record.partitions, Some(COUNT), "{step}");
        let client = Client::new(&node);
        client.found(3);
        client.demand(&nth_order(1, 3));
        stop(node, client);
        let node = start(config(&data, COUNT));
        assert_eq!(node.recovery().len(), usize::from(COUNT), "{step}");
    }
}

#[test]
fn what_must_be_there_before_founding_is_asked_again_when_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let hooks = NodeHooks {
        before_founding: Arc::new(|_| Err(ErrorKind::StorageFull.into())),
        ..NodeHooks::default()
    };
    let error = Node::start(config(folder.path(), 1), hooks).err().expect("it fails");
    assert!(matches!(error, NodeError::Io { .. }), "{error}");
    assert_eq!(DataDir::new(folder.path()).founding().unwrap(), None);
}
