//! The state of a partition as snapshots hold it, with some bytes changed. Whatever decodes is written
//! as it was read, once it has been written by this code.

use engine::Partition;

use crate::input::Input;
use crate::venues;

/// Most bytes that are changed.
const MOST_EDITS: usize = 4;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kind = input.byte();
    let busy = venues::busy();
    let original = &busy.partitions[usize::from(kind) % busy.partitions.len()];
    let state = if kind < 240 {
        let mut state = original.snapshot();
        let edits = input.byte() as usize % (MOST_EDITS + 1);
        input.edit(&mut state, edits);
        state.truncate(state.len() - usize::from(input.byte()).min(state.len()));
        state
    } else {
        input.0.to_vec()
    };
    let Ok(restored) = Partition::restore(original.id(), 1, &state) else { return };
    let written = restored.snapshot();
    let again = Partition::restore(original.id(), 2, &written).expect("what was written is read");
    assert_eq!(again.snapshot(), written);
}
