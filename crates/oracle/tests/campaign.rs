//! The program behind `make oracle`, from outside.

use std::fs;
use std::process::Command;

#[test]
fn a_campaign_whose_output_nobody_reads_ends_with_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Command::new(env!("CARGO_BIN_EXE_oracle"))
        .current_dir(&directory)
        .envs([("SEED", "1"), ("COMMANDS", "20000"), ("BLOCK", "")])
        .stdout(writer)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.starts_with("standard output cannot be written: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_campaign_goes_on_after_the_block_that_it_noted() {
    let directory = tempfile::tempdir().unwrap();
    let run = |commands: &str| {
        let ended = Command::new(env!("CARGO_BIN_EXE_oracle"))
            .current_dir(&directory)
            .envs([("SEED", "7"), ("COMMANDS", commands), ("BLOCK", "")])
            .output()
            .unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    assert!(run("10000").starts_with("SEED=7 COMMANDS=10000: blocks 0 to 1 of 10000 commands\n"));
    let noted = fs::read_to_string(directory.path().join("target/oracle-7.progress")).unwrap();
    assert_eq!(noted, "1\n");
    assert!(run("20000").starts_with("SEED=7 COMMANDS=20000: blocks 1 to 2 of 10000 commands\n"));
}
