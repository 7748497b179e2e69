//! The committed inputs of the fuzz targets, those that once found something among them, as plain tests.

use std::fs;
use std::path::{Path, PathBuf};

use fuzzing::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Names the input whose run panics.
struct Running<'a>(&'a Path);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input: {}", self.0.display());
        }
    }
}

fn run_corpus(target: &str) {
    let dir = fuzz().join("corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(&dir).expect("a corpus").map(|item| item.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", dir.display());
    for file in &files {
        let _running = Running(file);
        fuzzing::run(target, &fs::read(file).unwrap());
    }
    println!("{target}: {} inputs", files.len());
}

macro_rules! corpora {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            run_corpus(stringify!($target));
        })*

        #[test]
        fn every_target_is_fuzzed_and_has_a_corpus_that_is_run() {
            let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
            for name in names {
                let target = fuzz().join("fuzz_targets").join(name).with_extension("rs");
                assert!(target.exists(), "{}", target.display());
            }
        }
    };
}

corpora! { command_log decimal duel event_log frames http_body snapshot state stream views ws_message }
