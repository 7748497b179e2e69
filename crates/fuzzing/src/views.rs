//! The saved views, with some bytes changed.

use views::Views;

use crate::input::Input;
use crate::venues;

/// Most bytes that are changed.
const MOST_EDITS: usize = 4;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let busy = venues::busy();
    let partitions = busy.topology.partitions;
    let saved = if input.byte() < 240 {
        let mut saved = saved();
        let edits = input.byte() as usize % (MOST_EDITS + 1);
        input.edit(&mut saved, edits);
        saved.truncate(saved.len() - usize::from(input.byte()).min(saved.len()));
        saved
    } else {
        input.0.to_vec()
    };
    let Ok(restored) = Views::restore(&saved, partitions) else { return };
    let written = restored.snapshot();
    let again = Views::restore(&written, partitions).expect("what was written is read");
    assert_eq!(again.snapshot(), written);
}

/// The views of a busy exchange, as they are saved.
fn saved() -> Vec<u8> {
    thread_local! {
        static SAVED: Vec<u8> = venues::views(&venues::busy()).snapshot();
    }
    SAVED.with(Clone::clone)
}
