//! What may be cut from the end of a log, and what is damage.
//!
//! A crash leaves the records that were being written in any mixture of old and new sectors, and the
//! old content of a segment is zeros. So a torn record shows zeros where it should not; one that
//! does not is damaged, and so is one that a later record says was acknowledged.

use types::Seq;

use crate::error::Result;
use crate::format::{ALIGN, RECORD_HEADER, RecordHeader, SECTOR, is_zero};
use crate::walk::{Found, SegmentWalk, Window, examine, last_non_zero};

/// The unacknowledged end of a log that a crash left half written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub file: std::path::PathBuf,
    /// Where the first torn record begins.
    pub offset: u64,
    /// Bytes from there to the last one that was written.
    pub bytes: u64,
    /// The entry that would have stood there.
    pub seq: Seq,
}

/// Judges what follows the last valid record of the last segment: nothing, a torn tail, or an error.
/// Changes nothing.
pub(crate) fn judge_tail(walk: &mut SegmentWalk, found: Found) -> Result<Option<TornTail>> {
    let start = walk.at.offset;
    let Some(last) = last_non_zero(&mut walk.window, start)? else {
        return Ok(None);
    };
    if !is_explained_by_missing_sectors(&mut walk.window, start, found, last)? {
        return Err(walk.error_for(found));
    }
    if was_acknowledged(walk, last)? {
        return Err(walk.damaged("a later record says that this one was acknowledged"));
    }
    Ok(Some(TornTail {
        file: walk.window.path.clone(),
        offset: start,
        bytes: last + 1 - start,
        seq: walk.at.next_seq,
    }))
}

fn is_explained_by_missing_sectors(
    window: &mut Window,
    start: u64,
    found: Found,
    last_non_zero: u64,
) -> Result<bool> {
    match found {
        Found::Nothing => Ok(true),
        // The length is not known: a missing end shows as nothing at all after part of the header.
        Found::BadHeader(_) => {
            let end = start + RECORD_HEADER as u64;
            Ok(last_non_zero < end || has_missing_sector(window, start, end)?)
        }
        Found::BadBody(header, _) => {
            let end = start + header.record_len();
            let is_cut = last_non_zero < end - 1;
            Ok(is_cut
                || is_missing(window, end - 1, end)?
                || has_missing_sector(window, start, end)?)
        }
        Found::Record(_) => Ok(false),
    }
}

/// Whether the part of some sector that belongs to `start..end` was never written.
fn has_missing_sector(window: &mut Window, start: u64, end: u64) -> Result<bool> {
    let mut at = start;
    while at < end {
        let next = (at / SECTOR + 1) * SECTOR;
        if is_missing(window, at, next.min(end))? {
            return Ok(true);
        }
        at = next;
    }
    Ok(false)
}

/// Zero, or beyond the end of the file.
fn is_missing(window: &mut Window, start: u64, end: u64) -> Result<bool> {
    Ok(is_zero(window.bytes(start, (end - start) as usize)?))
}

/// Whether a whole record after the current position, up to `last`, was written when the entry at
/// the current position had been acknowledged.
fn was_acknowledged(walk: &mut SegmentWalk, last: u64) -> Result<bool> {
    let mut at = walk.at.offset + ALIGN as u64;
    while at <= last {
        if let Found::Record(header) = examine(&mut walk.window, at, walk.kind, walk.identity)? {
            if acknowledges(&header, walk.at.next_seq) {
                return Ok(true);
            }
            at += header.record_len();
        } else {
            at += ALIGN as u64;
        }
    }
    Ok(false)
}

fn acknowledges(header: &RecordHeader, seq: Seq) -> bool {
    header.acked_seq >= seq
}
