//! Pure: the zipmap of files before Redis 2.6.
//!
//! ```text
//! fields: u8, 254 when there are more · field · value · free: u8 · … · 0xff
//! ```
//! Fields and values are a length (a byte below 254, or 254 and four, little endian) and their
//! bytes. Between the length of a value and its bytes stands how many bytes behind it are free.

use crate::Corrupt;

const END: u8 = 0xff;
/// Stands for a length of more than a byte, and for a count that has no room.
const LONG: u8 = 254;

/// The bytes of a zipmap, all of which were checked.
#[derive(Clone, Copy, Debug)]
pub struct Zipmap<'a> {
    pairs: &'a [u8],
    count: usize,
}

impl<'a> Zipmap<'a> {
    /// Looks at bytes as a zipmap, if they are one that is not empty.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let (known, rest) = bytes.split_first().ok_or(Corrupt)?;
        let Some((&END, pairs)) = rest.split_last() else { return Err(Corrupt) };
        let (mut left, mut count) = (pairs, 0_usize);
        while !left.is_empty() {
            (_, left) = read(left).ok_or(Corrupt)?;
            count += 1;
        }
        let is_counted = *known == LONG || usize::from(*known) == count;
        if count > 0 && is_counted { Ok(Self { pairs, count }) } else { Err(Corrupt) }
    }

    /// Counts the fields.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Walks over fields and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut left = self.pairs;
        std::iter::from_fn(move || {
            let (pair, rest) = read(left)?;
            left = rest;
            Some(pair)
        })
    }
}

/// A field and its value, and what follows them.
type Pair<'a> = ((&'a [u8], &'a [u8]), &'a [u8]);

fn read(bytes: &[u8]) -> Option<Pair<'_>> {
    let (length, rest) = read_length(bytes)?;
    let (field, rest) = rest.split_at_checked(length)?;
    let (length, rest) = read_length(rest)?;
    let (free, rest) = rest.split_first()?;
    let (value, rest) = rest.split_at_checked(length)?;
    let (_, rest) = rest.split_at_checked(usize::from(*free))?;
    Some(((field, value), rest))
}

fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes.split_first()? {
        (&END, _) => None,
        (&LONG, rest) => {
            let (length, rest) = rest.split_first_chunk()?;
            Some((u32::from_le_bytes(*length) as usize, rest))
        }
        (length, rest) => Some((usize::from(*length), rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::{END, LONG, Zipmap};
    use crate::seed::for_test;

    const SMALL: &[u8] = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff";

    #[test]
    fn pairs_are_found() {
        let map = Zipmap::check(SMALL).unwrap();
        let pairs: [(&[u8], &[u8]); 2] = [(b"foo", b"bar"), (b"hello", b"world")];
        assert!(map.count() == 2 && map.iter().eq(pairs));
        let long = [b'x'; 300];
        let mut bytes = vec![LONG, 1, b'a', LONG, 44, 1, 0, 0, 0];
        bytes.extend_from_slice(&long);
        bytes.push(END);
        let map = Zipmap::check(&bytes).unwrap();
        assert!(map.count() == 1 && map.iter().eq([(&b"a"[..], &long[..])]));
    }

    #[test]
    fn what_is_refused() {
        for at in 0..SMALL.len() {
            assert!(Zipmap::check(&SMALL[..at]).is_err(), "cut to {at}");
        }
        let wrong: [&[u8]; 6] = [
            b"\0\xff",
            b"\x01\x03foo\x03\x00bar\x05hello\x05\x02world..\xff",
            b"\x01\x01a\x01\x00\xff",
            b"\x01\x01a\x01\x05b\xff",
            b"\x01\xfe\xff\xff\xff\xffa\x01\0b\xff",
            b"\x01\x01a\xff\xff",
        ];
        for bytes in wrong {
            assert!(Zipmap::check(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn any_bytes_are_a_zipmap_or_an_error() {
        let mut random = for_test("any_bytes_are_a_zipmap_or_an_error");
        let mut valid_count = 0;
        for _ in 0..50_000 {
            let mut bytes = SMALL.to_vec();
            for _ in 0..1 + random.below(3) {
                let at = random.index(bytes.len());
                bytes[at] =
                    if random.below(2) == 0 { random.any_u64() as u8 } else { bytes[at] ^ 1 };
            }
            bytes.truncate(bytes.len() - random.index(8) / 7);
            let Ok(map) = Zipmap::check(&bytes) else { continue };
            valid_count += 1;
            assert_eq!(map.iter().count(), map.count());
        }
        assert!(valid_count > 1_000, "{valid_count} were valid");
    }
}
