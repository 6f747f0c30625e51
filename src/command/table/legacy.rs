//! Tool: the triple of first key, last key and step that older clients go by.
//!
//! Key specs say more than a triple can. Where one spec of an index and a range is all, the
//! triple is that spec. Otherwise it joins the plain ranges (step 1) that follow one another
//! without a gap; whatever it cannot express makes the command one of movable keys, and tells
//! clients to ask COMMAND GETKEYS.

use super::{BeginSearch, FindKeys, KeySpec};
use crate::flags::KeyFlags;

/// First key, last key (negative: from the end), step; and whether that is not all.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Legacy {
    /// The first key's place, or 0.
    pub(crate) first: i16,
    /// The last key's place.
    pub(crate) last: i16,
    /// The distance of two keys.
    pub(crate) step: i16,
    /// There may be keys that the three do not find.
    pub(crate) are_keys_movable: bool,
}

/// Derives the triple.
pub(crate) fn legacy(specs: &[KeySpec]) -> Legacy {
    let is_incomplete = |spec: &KeySpec| spec.flags.has(KeyFlags::INCOMPLETE);
    if let [spec] = specs
        && let Some((first, last, step)) = as_range(spec)
    {
        return Legacy { first, last, step, are_keys_movable: is_incomplete(spec) };
    }
    let mut joined = Legacy::default();
    for spec in specs {
        let Some((first, last, 1)) = as_range(spec) else {
            joined.are_keys_movable = true;
            continue;
        };
        if joined.first != 0 && joined.last != first - 1 {
            joined.are_keys_movable = true;
            continue;
        }
        joined.are_keys_movable |= is_incomplete(spec);
        if joined.first == 0 {
            joined.first = first;
        }
        joined.last = last;
        joined.step = 1;
    }
    joined
}

/// Returns first and last place and step of a spec that is a range from an index.
fn as_range(spec: &KeySpec) -> Option<(i16, i16, i16)> {
    let BeginSearch::Index { index: first } = spec.begin else { return None };
    let FindKeys::Range { last_key, key_step, .. } = spec.find else { return None };
    let last = if last_key < 0 { last_key } else { first + last_key };
    Some((first, last, key_step))
}
