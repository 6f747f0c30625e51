//! Pure: bytes from elsewhere, are they a listpack?

use super::{
    HEADER_BYTES,
    entry::{END, Item, back_bytes, decode, decode_back, encoded_bytes, short_bytes},
    read::{COUNT_UNKNOWN, Pack},
};
use crate::{Corrupt, Depth};

impl Pack {
    /// Looks at bytes as a listpack, if they are one.
    pub fn check(bytes: &[u8], depth: Depth) -> Result<&Self, Corrupt> {
        match depth {
            Depth::Header => check_header(bytes),
            Depth::Deep => Self::check_each(bytes, |_| true),
        }
    }

    /// Looks at bytes as a listpack, if they are one and `accepts` does not refuse any element.
    /// It is asked in their order, before those behind are looked at.
    pub fn check_each<'a>(
        bytes: &'a [u8],
        mut accepts: impl FnMut(Item<'a>) -> bool,
    ) -> Result<&'a Self, Corrupt> {
        let pack = check_header(bytes)?;
        let end = pack.end();
        let (mut at, mut count) = (HEADER_BYTES, 0_usize);
        while at < end {
            let next = next_checked(bytes, at, end).ok_or(Corrupt)?;
            if !accepts(decode(bytes, at).0) {
                return Err(Corrupt);
            }
            (at, count) = (next, count + 1);
        }
        let known = pack.known_count();
        let is_counted = known == COUNT_UNKNOWN || usize::from(known) == count;
        if is_counted { Ok(pack) } else { Err(Corrupt) }
    }
}

fn check_header(bytes: &[u8]) -> Result<&Pack, Corrupt> {
    let is_whole = HEADER_BYTES < bytes.len()
        && bytes[..4] == u32::try_from(bytes.len()).map_err(|_| Corrupt)?.to_le_bytes()
        && bytes.last() == Some(&END);
    if is_whole { Ok(Pack::wrap(bytes)) } else { Err(Corrupt) }
}

/// Returns where the entry behind that at `at` starts, if that is whole and before `end`, and
/// both of its lengths agree.
#[inline]
fn next_checked(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    if let Some(count) = short_bytes(bytes[at])
        && at + count <= end
        && usize::from(bytes[at + count - 1]) == count - 1
    {
        return Some(at + count);
    }
    let encoded = encoded_bytes(&bytes[at..end])?;
    let next = at + encoded + back_bytes(encoded);
    (next <= end && decode_back(&bytes[at..], next - at) == Some(encoded)).then_some(next)
}
