//! Seeds of the simulator as tests: in four parts, so that they use the processors there are.
//! `SIM_SEEDS` sets how many seeds a part takes.

use sim::faults::Counts;

const SEEDS: u64 = 500;

fn campaign(part: u64) {
    let seeds = std::env::var("SIM_SEEDS").ok().and_then(|text| text.parse().ok());
    let seeds = seeds.unwrap_or(SEEDS);
    let mut counts = Counts::default();
    for seed in (1..=seeds).map(|index| part * 1_000_000 + index) {
        let outcome = sim::run(seed);
        let outcome = outcome.unwrap_or_else(|what| panic!("make sim SEED={seed} SEEDS=1: {what}"));
        assert!(outcome.requests >= 2_000, "seed {seed}: {outcome:?}");
        assert!(outcome.crashes >= 3, "seed {seed}: {outcome:?}");
        counts.merge(&outcome.counts);
    }
    println!("{seeds} seeds from {}\n{counts}", part * 1_000_000 + 1);
    if seeds >= SEEDS {
        assert_eq!(counts.missing(), [], "these never happened");
    }
}

#[test]
fn the_first_seeds_hold_all_invariants() {
    campaign(1);
}

#[test]
fn the_second_seeds_hold_all_invariants() {
    campaign(2);
}

#[test]
fn the_third_seeds_hold_all_invariants() {
    campaign(3);
}

#[test]
fn the_fourth_seeds_hold_all_invariants() {
    campaign(4);
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    let [first, second] = [(); 2].map(|()| sim::run(5).unwrap());
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

#[test]
fn seeds_that_found_bugs_hold_now() {
    for seed in [2, 8, 9, 14, 24, 25, 27, 28, 29, 35, 44, 45, 55, 57, 59] {
        sim::run(seed).unwrap_or_else(|what| panic!("make sim SEED={seed} SEEDS=1: {what}"));
    }
}
