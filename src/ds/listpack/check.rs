//! Pure: bytes from elsewhere, are they a listpack?

use super::{
    HEADER_BYTES,
    entry::{END, Item, back_bytes, decode, decode_back, encoded_bytes},
    read::{COUNT_UNKNOWN, Pack},
};

/// The bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the data structure is corrupt")
    }
}

impl std::error::Error for Corrupt {}

/// How closely foreign bytes are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The header, in constant time. Enough for bytes that are known to be ours: of others,
    /// whoever reads the elements may panic, though never read beyond the bytes.
    Header,
    /// Every element.
    Deep,
}

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
fn next_checked(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let encoded = encoded_bytes(&bytes[at..end])?;
    let next = at + encoded + back_bytes(encoded);
    (next <= end && decode_back(&bytes[at..], next - at) == Some(encoded)).then_some(next)
}
