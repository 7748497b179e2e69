//! Whole lives of an exchange: everything that clients and operators ask, on one partition and on several,
//! with messages under way, snapshots in between, unclean ends, and components that fail. After each step
//! the audit finds nothing; in the end all is quiet, and every log gives the same state again.
//!
//! `SEED` and `SEEDS` choose the lives.

use crate::life::{Life, unsound};

/// What may go wrong in a life.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    /// Every message arrives in the step that sends it.
    None,
    /// Some arrive later.
    Delays,
    /// And components fail, now and then, until their bugs are mended.
    Failures,
}

#[expect(clippy::disallowed_methods, reason = "which lives to run; not what happens in them")]
fn lives(partitions: &[u16], trouble: Trouble) {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (first, count) = (number("SEED", 0), number("SEEDS", 12));
    for seed in first..first + count {
        for &partitions in partitions {
            println!("SEED={seed} SEEDS=1, {partitions} partitions");
            let mut life = Life::begin(seed * 31 + u64::from(partitions), partitions);
            if trouble == Trouble::Failures {
                life.exchange.run_with(Some(unsound()));
            }
            for step in 0..400 {
                life.step(trouble != Trouble::None);
                match trouble {
                    Trouble::Failures => life.release_sometimes(),
                    Trouble::None | Trouble::Delays if step % 16 == 3 => life.through_snapshots(),
                    Trouble::None | Trouble::Delays => {}
                }
            }
            life.calm();
            if seed % 2 == 0 {
                life.delist();
            }
            life.exchange.assert_replays();
        }
    }
}

#[test]
fn an_exchange_stays_sound_whatever_is_asked() {
    lives(&[1, 3], Trouble::None);
}

#[test]
fn an_exchange_stays_sound_while_messages_are_under_way() {
    lives(&[2, 4], Trouble::Delays);
}

#[test]
fn an_exchange_stays_sound_when_components_fail() {
    lives(&[1, 3], Trouble::Failures);
}
