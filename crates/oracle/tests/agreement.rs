//! The product agrees with the trading rules over generated commands of every kind.

use oracle::campaign::{BLOCK, block_seed, run_block};
use oracle::coverage::{Coverage, operations};

/// Commands of a run, unless COMMANDS says otherwise.
const COMMANDS: u64 = 10_000_000;

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn the_product_does_what_the_trading_rules_say() {
    let (seed, commands) = (from_env("SEED", 1), from_env("COMMANDS", COMMANDS));
    println!("SEED={seed} COMMANDS={commands}");
    let mut coverage = Coverage::default();
    let mut block = 0;
    while coverage.commands < commands {
        let left = commands - coverage.commands;
        match run_block(block_seed(seed, block), left.min(BLOCK)) {
            Ok(seen) => coverage.add(&seen),
            Err(failure) => panic!("SEED={seed}: {failure}"),
        }
        block += 1;
    }
    println!("{}", coverage.table());
    assert_eq!(coverage.check(), Ok(()));
    if commands >= COMMANDS {
        let answers = operations::missing(&coverage.answers);
        assert_eq!(answers, [], "answers that were never seen");
        assert_eq!(coverage.missing(), [], "reachable cells were not reached");
        assert!(coverage.missing_facts().is_empty(), "never seen: {:?}", coverage.missing_facts());
    }
}
