//! Pure: the intset, a sorted array of integers in 2, 4 or 8 bytes each.
//!
//! In files it is Redis's format: bytes an integer, u32 · count, u32 · the integers, all little
//! endian. In memory the second word is in front and holds the bytes in all, which tell the
//! count and the size of the allocation. The array takes wider integers when one comes that
//! needs it, and never goes back.
//!
//! Invariants: sorted, none twice; the width is 2, 4 or 8.

use crate::{
    Corrupt, Depth,
    prefixed::{LENGTH_BYTES, Prefixed},
};

/// What stands before the integers.
const HEADER_BYTES: usize = LENGTH_BYTES + size_of::<u32>();

/// A set of integers, in one word.
#[derive(Clone, PartialEq, Eq)]
pub struct Intset(Prefixed);

/// Bytes an integer; Redis calls it the encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    fn of(n: i64) -> Self {
        if i16::try_from(n).is_ok() {
            Self::Two
        } else if i32::try_from(n).is_ok() {
            Self::Four
        } else {
            Self::Eight
        }
    }

    fn from_bytes(bytes: usize) -> Option<Self> {
        [Self::Two, Self::Four, Self::Eight].into_iter().find(|width| width.bytes() == bytes)
    }

    #[inline]
    fn bytes(self) -> usize {
        self as usize
    }

    /// Reads the integer with an index.
    #[inline]
    fn read(self, integers: &[u8], index: usize) -> i64 {
        let at = index * self.bytes();
        match self {
            Self::Two => i64::from(i16::from_le_bytes(array(integers, at))),
            Self::Four => i64::from(i32::from_le_bytes(array(integers, at))),
            Self::Eight => i64::from_le_bytes(array(integers, at)),
        }
    }
}

impl Intset {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self(Prefixed::new(&[&(Width::Two.bytes() as u32).to_le_bytes()]))
    }

    /// Takes over bytes of a file, if they are an intset that is not empty. `Depth::Header`
    /// leaves out whether they are in order: of those that are not, some are not found.
    pub fn from_bytes(bytes: &[u8], depth: Depth) -> Result<Self, Corrupt> {
        let (header, integers) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Corrupt)?;
        let [width, count] = [0, LENGTH_BYTES].map(|at| u32::from_le_bytes(array(header, at)));
        let width = Width::from_bytes(width as usize).ok_or(Corrupt)?;
        let is_whole =
            count > 0 && (count as usize).checked_mul(width.bytes()) == Some(integers.len());
        let is_small = u32::try_from(bytes.len()).is_ok();
        if !is_whole || !is_small {
            return Err(Corrupt);
        }
        let set = Self(Prefixed::new(&[&header[..LENGTH_BYTES], integers]));
        if depth == Depth::Deep && !set.iter().is_sorted_by(|before, n| before < n) {
            return Err(Corrupt);
        }
        Ok(set)
    }

    /// Appends the set as files have it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.len()).expect("a set is below 4 GiB");
        out.extend_from_slice(&self.0.bytes()[LENGTH_BYTES..HEADER_BYTES]);
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(self.integers());
    }

    /// Counts the bytes that `write` appends.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Counts the integers.
    #[inline]
    pub fn len(&self) -> usize {
        self.integers().len() / self.width().bytes()
    }

    /// Tells whether there is no integer.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.integers().is_empty()
    }

    /// Counts the bytes of each integer: 2, 4 or 8.
    pub fn width_bytes(&self) -> usize {
        self.width().bytes()
    }

    /// Counts the bytes that it takes on the heap.
    pub fn allocation_bytes(&self) -> usize {
        self.0.allocation_bytes()
    }

    /// Tells whether an integer is in the set.
    #[inline]
    pub fn contains(&self, n: i64) -> bool {
        self.search(n).is_ok()
    }

    /// Returns the integer with an index in their order.
    #[inline]
    pub fn at(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.width().read(self.integers(), index))
    }

    /// Returns where an integer is in their order.
    pub fn index_of(&self, n: i64) -> Option<usize> {
        self.search(n).ok()
    }

    /// Returns the least integer.
    pub fn first(&self) -> Option<i64> {
        self.at(0)
    }

    /// Returns the greatest integer.
    pub fn last(&self) -> Option<i64> {
        self.at(self.len().checked_sub(1)?)
    }

    /// Puts an integer into the set, and tells whether it was not there.
    ///
    /// # Panics
    /// If the set would have more than `u32::MAX` bytes.
    pub fn insert(&mut self, n: i64) -> bool {
        if Width::of(n) > self.width() {
            self.widen(n);
            return true;
        }
        let Err(index) = self.search(n) else { return false };
        let bytes = self.width().bytes();
        self.0.splice(HEADER_BYTES + index * bytes, 0, &[&n.to_le_bytes()[..bytes]]);
        true
    }

    /// Takes an integer out of the set, and tells whether it was there.
    pub fn remove(&mut self, n: i64) -> bool {
        let Ok(index) = self.search(n) else { return false };
        let bytes = self.width().bytes();
        self.0.splice(HEADER_BYTES + index * bytes, bytes, &[]);
        true
    }

    /// Picks one at random; `draw(bound)` gives a number below `bound`, all alike.
    pub fn random(&self, draw: &mut impl FnMut(u64) -> u64) -> Option<i64> {
        let count = self.len();
        if count == 0 {
            return None;
        }
        self.at(usize::try_from(draw(count as u64)).ok()?)
    }

    /// Walks over the integers in their order; either end may be taken.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + '_ {
        let (width, integers) = (self.width(), self.integers());
        (0..self.len()).map(move |index| width.read(integers, index))
    }

    #[inline]
    fn width(&self) -> Width {
        match self.0.bytes()[LENGTH_BYTES] {
            2 => Width::Two,
            4 => Width::Four,
            _ => Width::Eight,
        }
    }

    #[inline]
    fn integers(&self) -> &[u8] {
        &self.0.bytes()[HEADER_BYTES..]
    }

    /// Returns where an integer is, or where it would be.
    #[inline]
    fn search(&self, n: i64) -> Result<usize, usize> {
        let integers = self.integers();
        match self.width() {
            Width::Two => search(n, integers, |bytes| i16::from_le_bytes(*bytes).into()),
            Width::Four => search(n, integers, |bytes| i32::from_le_bytes(*bytes).into()),
            Width::Eight => search(n, integers, |bytes| i64::from_le_bytes(*bytes)),
        }
    }

    /// Gives every integer the width of `n` and adds it: being wider, it is the least or the
    /// greatest.
    fn widen(&mut self, n: i64) {
        let (before, after) = (self.width(), Width::of(n));
        let count = self.len();
        let more = count * (after.bytes() - before.bytes());
        let shift = if n < 0 { after.bytes() } else { 0 };
        let zeros = vec![0; more + after.bytes()];
        self.0.splice(self.0.len(), 0, &[&zeros]);
        let (width, integers) = self.0.rest_mut().split_at_mut(HEADER_BYTES - LENGTH_BYTES);
        width.copy_from_slice(&(after.bytes() as u32).to_le_bytes());
        // From behind, so that none is overwritten before it has moved.
        for index in (0..count).rev() {
            let n = before.read(integers, index).to_le_bytes();
            let at = index * after.bytes() + shift;
            integers[at..at + after.bytes()].copy_from_slice(&n[..after.bytes()]);
        }
        let at = if n < 0 { 0 } else { count * after.bytes() };
        integers[at..at + after.bytes()].copy_from_slice(&n.to_le_bytes()[..after.bytes()]);
    }
}

impl Default for Intset {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Intset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[inline]
fn search<const BYTES: usize>(
    n: i64,
    integers: &[u8],
    read: impl Fn(&[u8; BYTES]) -> i64,
) -> Result<usize, usize> {
    let (integers, _) = integers.as_chunks::<BYTES>();
    // Ascending inserts are common: look at the end first.
    match integers.last() {
        None => return Err(0),
        Some(last) if read(last) < n => return Err(integers.len()),
        Some(_) => {}
    }
    integers.binary_search_by(|bytes| read(bytes).cmp(&n))
}

#[inline]
fn array<const BYTES: usize>(bytes: &[u8], at: usize) -> [u8; BYTES] {
    *bytes[at..].first_chunk().expect("an integer is whole")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base::random::Random;

    use super::{Corrupt, Depth, Intset};
    use crate::seed::for_test;

    fn any_integer(random: &mut Random, bits: u64) -> i64 {
        random.any_u64().cast_signed() >> (64 - bits)
    }

    fn bytes(set: &Intset) -> Vec<u8> {
        let mut bytes = Vec::new();
        set.write(&mut bytes);
        bytes
    }

    #[test]
    fn does_what_a_tree_does() {
        let mut random = for_test("does_what_a_tree_does");
        for bits in [5, 10, 16, 17, 32, 33, 64] {
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            for _ in 0..2_000 {
                let bits = if random.below(50) == 0 { bits } else { bits.min(9) };
                let n = any_integer(&mut random, bits);
                if random.below(3) == 0 {
                    assert_eq!(set.remove(n), model.remove(&n));
                } else {
                    assert_eq!(set.insert(n), model.insert(n));
                }
                let n = any_integer(&mut random, bits);
                assert_eq!(set.contains(n), model.contains(&n));
                assert!(set.iter().eq(model.iter().copied()));
                assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
                assert_eq!(
                    (set.first(), set.last()),
                    (model.first().copied(), model.last().copied())
                );
            }
            assert!(set.iter().rev().eq(model.iter().rev().copied()));
            let (index, n) = (model.len() / 2, *model.iter().nth(model.len() / 2).unwrap());
            assert_eq!((set.at(index), set.index_of(n)), (Some(n), Some(index)));
            assert_eq!(set.at(set.len()), None);
            assert_eq!(set.bytes(), bytes(&set).len());
            assert_eq!(Intset::from_bytes(&bytes(&set), Depth::Deep), Ok(set));
        }
    }

    #[test]
    fn bytes_are_those_of_redis() {
        // From DUMP of sets of Redis 7.2.
        let cases: [(&[i64], &[u8]); 4] = [
            (&[1, 3, 2, -4], b"\x02\x00\x00\x00\x04\x00\x00\x00\xfc\xff\x01\x00\x02\x00\x03\x00"),
            (&[1, 70_000, -1], b"\x04\x00\x00\x00\x03\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00\x70\x11\x01\x00"),
            (&[-70_000, 5, 32_767], b"\x04\x00\x00\x00\x03\x00\x00\x00\x90\xee\xfe\xff\x05\x00\x00\x00\xff\x7f\x00\x00"),
            (&[1, 70_000, -5_000_000_000, 9_223_372_036_854_775_807], b"\x08\x00\x00\x00\x04\x00\x00\x00\x00\x0e\xfa\xd5\xfe\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x70\x11\x01\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ];
        for (integers, expected) in cases {
            let mut set = Intset::new();
            assert!(integers.iter().all(|n| set.insert(*n)));
            assert_eq!(bytes(&set), expected, "{integers:?}");
        }
    }

    #[test]
    fn width_stays_when_the_wide_go() {
        let mut set = Intset::new();
        let widths = [7, 40_000, 1 << 40].map(|n| (set.insert(n), set.width_bytes()));
        assert_eq!(widths, [(true, 2), (true, 4), (true, 8)]);
        assert!(set.remove(1 << 40) && set.remove(40_000) && !set.remove(8));
        assert_eq!((set.width_bytes(), set.len(), set.bytes()), (8, 1, 16));
        assert_eq!(set.allocation_bytes(), 16);
    }

    #[test]
    fn random_is_fair() {
        let mut random = Random::seeded(3);
        let mut set = Intset::new();
        assert_eq!(set.random(&mut |bound| bound - 1), None);
        (0..10).for_each(|n| assert!(set.insert(n)));
        let mut counts = [0; 10];
        for _ in 0..10_000 {
            counts[set.random(&mut |bound| random.below(bound)).unwrap() as usize] += 1;
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_is_refused() {
        let wrong: [&[u8]; 9] = [
            b"",
            b"\x02\0\0\0\x01\0\0",
            b"\x02\0\0\0\0\0\0\0",
            b"\x03\0\0\0\x01\0\0\0abc",
            b"\0\0\0\0\x01\0\0\0",
            b"\x02\0\0\0\x02\0\0\0ab",
            b"\x02\0\0\0\x01\0\0\0abcd",
            b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0\xff\xff",
        ];
        for bytes in wrong {
            assert_eq!(Intset::from_bytes(bytes, Depth::Deep), Err(Corrupt), "{bytes:?}");
        }
        assert!(Intset::from_bytes(wrong[8], Depth::Header).is_ok_and(|set| set.len() == 2));
        let huge = b"\x08\0\0\0\xff\xff\xff\xffabcdefgh";
        assert_eq!(Intset::from_bytes(huge, Depth::Header), Err(Corrupt));
    }

    #[test]
    fn any_bytes_are_a_set_or_an_error() {
        let mut random = for_test("any_bytes_are_a_set_or_an_error");
        let mut valid_count = 0;
        for _ in 0..20_000 {
            let mut set = Intset::new();
            let bits = [8, 20, 50][random.index(3)];
            for _ in 0..random.index(9) {
                set.insert(any_integer(&mut random, bits));
            }
            let mut bytes = bytes(&set);
            let at = random.index(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            bytes.truncate(bytes.len() - random.index(3) / 2);
            let Ok(mut set) = Intset::from_bytes(&bytes, Depth::Deep) else { continue };
            valid_count += 1;
            assert!(set.iter().is_sorted_by(|before, n| before < n));
            let last = set.last().unwrap();
            assert!(set.contains(last) && set.remove(last) && set.insert(last));
        }
        assert!(valid_count > 1_000, "{valid_count} were valid");
    }
}
