//! Pure: strings as rows of bits: counted, searched, combined, and read as integers.
//!
//! Bit 0 is the highest of the first byte. What is long is walked in blocks that the compiler
//! makes wide registers of; nothing here depends on how memory is aligned. Start with
//! [`count`]; integers of any width begin at [`Integer`].

use std::ops::Range;

use crate::thin::ThinBytes;

/// What stays in the nearest cache while several strings are combined into it.
const COMBINED_BYTES: usize = 16 * 1024;
/// What one step of a search looks at.
const SEARCHED_BYTES: usize = 32;
/// Numbers of bits that an integer can have.
const SIGNED_BITS_MAX: u32 = 64;
const UNSIGNED_BITS_MAX: u32 = 63;

/// Counts the bits that are set.
pub fn count(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let words = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones()));
    let rest = rest.iter().map(|byte| u64::from(byte.count_ones()));
    words.sum::<u64>() + rest.sum::<u64>()
}

/// Counts the bits that are set in a range, which must lie inside of the string.
///
/// # Panics
/// If it does not.
pub fn count_in(bytes: &[u8], range: Range<u64>) -> u64 {
    if range.is_empty() {
        return 0;
    }
    let (first, last) = (at_byte(range.start), at_byte(range.end - 1));
    let before = bytes[first] & !(0xff >> (range.start & 7));
    let behind = bytes[last] & (0x7f >> ((range.end - 1) & 7));
    count(&bytes[first..=last]) - u64::from(before.count_ones() + behind.count_ones())
}

/// Finds the first bit in a range that is set, or the first that is not. The range must lie
/// inside of the string.
///
/// # Panics
/// If it does not.
pub fn find(bytes: &[u8], is_set: bool, range: Range<u64>) -> Option<u64> {
    if range.is_empty() {
        return None;
    }
    // What a byte without such a bit looks like.
    let dull = if is_set { 0 } else { 0xff };
    let (first, last) = (at_byte(range.start), at_byte(range.end - 1));
    let head = (bytes[first] ^ dull) & (0xff >> (range.start & 7));
    let (at, byte) = if head != 0 {
        (first, head)
    } else {
        let at = first + 1 + find_unlike(&bytes[first + 1..=last], dull)?;
        (at, bytes[at] ^ dull)
    };
    let found = at as u64 * 8 + u64::from(byte.leading_zeros());
    (found < range.end).then_some(found)
}

/// How strings are combined, bit by bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Set where it is set in all.
    And,
    /// Set where it is set in any.
    Or,
    /// Set where it is set in an odd number of them.
    Xor,
    /// Set where it is not set in the first; there are no others.
    Not,
}

/// Combines strings into one that is as long as the longest; the others end in zeros.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> ThinBytes {
    let Some((first, others)) = sources.split_first() else { return ThinBytes::default() };
    let length = sources.iter().map(|source| source.len()).max().unwrap_or_default();
    let mut result = ThinBytes::with_capacity(length);
    result.extend(first);
    result.grow(length);
    let bytes = result.as_mut_slice();
    match operation {
        Operation::Not => bytes.iter_mut().for_each(|byte| *byte = !*byte),
        Operation::Or => combine_with(bytes, others, |to, from| *to |= from),
        Operation::Xor => combine_with(bytes, others, |to, from| *to ^= from),
        Operation::And => {
            let shared = sources.iter().map(|source| source.len()).min().unwrap_or_default();
            let (common, zeros) = bytes.split_at_mut(shared);
            combine_with(common, others, |to, from| *to &= from);
            zeros.fill(0);
        }
    }
    result
}

/// An integer type: its sign and its bits. Each value of each is an `i64`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Integer {
    is_signed: bool,
    bits: u32,
}

/// What becomes of a value that an integer type does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// Its low bits stay.
    Wrap,
    /// It becomes the nearest value that there is.
    Saturate,
    /// There is no value.
    Fail,
}

impl Integer {
    /// Makes a type; there are signed ones of 1 to 64 bits and unsigned ones of 1 to 63.
    pub fn new(is_signed: bool, bits: i64) -> Option<Self> {
        let bits_max = if is_signed { SIGNED_BITS_MAX } else { UNSIGNED_BITS_MAX };
        let bits = u32::try_from(bits).ok()?;
        (1..=bits_max).contains(&bits).then_some(Self { is_signed, bits })
    }

    /// Counts its bits.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// Reads the integer that begins at a bit; behind the end of the string there are zeros.
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let mut window = [0; 16];
        let from = usize::try_from(offset >> 3).ok().and_then(|at| bytes.get(at..));
        for (to, from) in window.iter_mut().zip(from.unwrap_or_default()) {
            *to = *from;
        }
        // Its sign comes to the top, so that shifting it down repeats it.
        let top = u128::from_be_bytes(window) << (offset & 7);
        let down = u128::BITS - self.bits;
        if self.is_signed { (top as i128 >> down) as i64 } else { (top >> down) as i64 }
    }

    /// Writes the low bits of an integer from a bit on.
    ///
    /// # Panics
    /// If they do not end inside of the string.
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let above = (offset & 7) as u32;
        let bytes = &mut bytes[at_byte(offset)..][..(above + self.bits).div_ceil(8) as usize];
        let mut window = [0; 16];
        window[..bytes.len()].copy_from_slice(bytes);
        let up = u128::BITS - self.bits - above;
        let mask = u128::MAX << (u128::BITS - self.bits) >> above;
        let new = (value as u128) << up & mask;
        let window = (u128::from_be_bytes(window) & !mask | new).to_be_bytes();
        bytes.copy_from_slice(&window[..bytes.len()]);
    }

    /// Adds to a value of this type.
    pub fn add(self, value: i64, more: i64, overflow: Overflow) -> Option<i64> {
        self.fit(i128::from(value) + i128::from(more), overflow)
    }

    /// Makes a value of this type. To an unsigned one, what is negative is a large number.
    pub fn convert(self, value: i64, overflow: Overflow) -> Option<i64> {
        let wide = if self.is_signed { i128::from(value) } else { i128::from(value as u64) };
        let (_, max) = self.limits();
        // Redis's arithmetic, which replicas must share: a value so far below the largest that
        // no `i64` tells how far counts as one above it.
        let is_too_far = self.is_signed && i128::from(i64::MAX) < max - wide;
        let saturates = overflow == Overflow::Saturate;
        if is_too_far && saturates && self.bits < SIGNED_BITS_MAX {
            return Some(max as i64);
        }
        self.fit(wide, overflow)
    }

    fn limits(self) -> (i128, i128) {
        match self.is_signed {
            true => (-1 << (self.bits - 1), (1 << (self.bits - 1)) - 1),
            false => (0, (1 << self.bits) - 1),
        }
    }

    fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.limits();
        if (min..=max).contains(&value) {
            return Some(value as i64);
        }
        let up = i128::BITS - self.bits;
        match overflow {
            Overflow::Fail => None,
            Overflow::Saturate => Some(value.clamp(min, max) as i64),
            Overflow::Wrap if self.is_signed => Some((value << up >> up) as i64),
            Overflow::Wrap => Some((value & max) as i64),
        }
    }
}

fn at_byte(bit: u64) -> usize {
    usize::try_from(bit >> 3).expect("a place in memory")
}

fn find_unlike(bytes: &[u8], dull: u8) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<SEARCHED_BYTES>();
    let skipped = blocks.iter().take_while(|block| **block == [dull; SEARCHED_BYTES]).count();
    let at = skipped * SEARCHED_BYTES;
    bytes[at..].iter().position(|byte| *byte != dull).map(|found| at + found)
}

fn combine_with(result: &mut [u8], others: &[&[u8]], step: impl Fn(&mut u8, u8)) {
    for (block, at) in result.chunks_mut(COMBINED_BYTES).zip((0..).step_by(COMBINED_BYTES)) {
        for other in others {
            let other = other.get(at..).unwrap_or_default();
            block.iter_mut().zip(other).for_each(|(to, from)| step(to, *from));
        }
    }
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::{COMBINED_BYTES, Integer, Operation, Overflow, combine, count, count_in, find};

    fn bit(bytes: &[u8], at: u64) -> bool {
        bytes[(at / 8) as usize] << (at % 8) & 0x80 != 0
    }

    fn random_bytes(random: &mut Random, length_max: u64) -> Vec<u8> {
        let length = random.below(length_max + 1);
        // Long runs of equal bytes are what searches skip.
        let dull = [0, 0xff, 0x5a][random.below(3) as usize];
        let odds = random.below(40) + 1;
        let byte = |random: &mut Random| random.below(256) as u8;
        (0..length).map(|_| if random.below(odds) == 0 { byte(random) } else { dull }).collect()
    }

    #[test]
    fn ranges_are_counted_and_searched_as_bit_by_bit() {
        let seed = Random::from_system().below(u64::MAX);
        let mut random = Random::seeded(seed);
        for _ in 0..1500 {
            let bytes = random_bytes(&mut random, 1200);
            let bits = bytes.len() as u64 * 8;
            let start = random.below(bits + 1);
            let range = start..start + random.below(bits - start + 1);
            let set = range.clone().filter(|at| bit(&bytes, *at)).count() as u64;
            assert_eq!(count_in(&bytes, range.clone()), set, "seed {seed}, {range:?}");
            assert_eq!(count(&bytes), count_in(&bytes, 0..bits), "seed {seed}");
            for wanted in [false, true] {
                let first = range.clone().find(|at| bit(&bytes, *at) == wanted);
                assert_eq!(find(&bytes, wanted, range.clone()), first, "seed {seed}, {range:?}");
            }
        }
    }

    #[test]
    fn strings_are_combined_as_byte_by_byte() {
        let seed = Random::from_system().below(u64::MAX);
        let mut random = Random::seeded(seed);
        for round in 0..300 {
            let length_max = if round % 50 == 0 { 2 * COMBINED_BYTES as u64 + 9 } else { 100 };
            let count = random.below(5) + 1;
            let strings: Vec<_> =
                (0..count).map(|_| random_bytes(&mut random, length_max)).collect();
            let sources: Vec<_> = strings.iter().map(Vec::as_slice).collect();
            let length = sources.iter().map(|source| source.len()).max().unwrap();
            let expected = |step: fn(u8, u8) -> u8| -> Vec<u8> {
                let byte = |source: &[u8], at| source.get(at).copied().unwrap_or_default();
                let all = |at| sources.iter().map(move |source| byte(source, at));
                (0..length).map(|at| all(at).reduce(step).unwrap()).collect()
            };
            let got = |operation| combine(operation, &sources).to_vec();
            assert_eq!(got(Operation::And), expected(|a, b| a & b), "seed {seed}");
            assert_eq!(got(Operation::Or), expected(|a, b| a | b), "seed {seed}");
            assert_eq!(got(Operation::Xor), expected(|a, b| a ^ b), "seed {seed}");
            let not: Vec<_> = sources[0].iter().map(|byte| !byte).collect();
            assert_eq!(combine(Operation::Not, &sources[..1]).to_vec(), not, "seed {seed}");
        }
        assert!(combine(Operation::And, &[]).is_empty());
    }

    #[test]
    fn integers_are_read_as_written_and_nothing_beside_changes() {
        let seed = Random::from_system().below(u64::MAX);
        let mut random = Random::seeded(seed);
        for _ in 0..20_000 {
            let mut bytes = random_bytes(&mut random, 20);
            bytes.resize(bytes.len() + 9, 0xa5);
            let is_signed = random.below(2) == 0;
            let bits = random.below(if is_signed { 64 } else { 63 }) + 1;
            let kind = Integer::new(is_signed, bits as i64).unwrap();
            let offset = random.below(bytes.len() as u64 * 8 - bits + 1);
            let value = random.below(u64::MAX) as i64;
            let before = bytes.clone();
            kind.write(&mut bytes, offset, value);
            for at in 0..bytes.len() as u64 * 8 {
                let is_inside = (offset..offset + bits).contains(&at);
                let digit = value >> (offset + bits - 1).saturating_sub(at).min(63) & 1 == 1;
                let expected = if is_inside { digit } else { bit(&before, at) };
                assert_eq!(bit(&bytes, at), expected, "seed {seed}, bit {at}");
            }
            let expected = kind.convert(value, Overflow::Wrap);
            assert_eq!(Some(kind.read(&bytes, offset)), expected, "seed {seed}, {kind:?}");
        }
    }

    #[test]
    fn there_are_zeros_behind_the_end() {
        let kind = Integer::new(false, 63).unwrap();
        assert_eq!(kind.read(&[0xff], 0), 0xff << 55);
        assert_eq!(kind.read(&[0xff], 7), 1 << 62);
        assert_eq!(kind.read(&[0xff], 8), 0);
        assert_eq!(kind.read(&[0xff], u64::MAX), 0);
    }

    #[test]
    fn types_have_their_limits() {
        for (is_signed, bits) in [(true, 0), (true, 65), (true, -8), (false, 64), (false, 0)] {
            assert_eq!(Integer::new(is_signed, bits), None, "{is_signed} {bits}");
        }
        let fits = |is_signed, bits, value, more| {
            let kind = Integer::new(is_signed, bits).unwrap();
            [Overflow::Wrap, Overflow::Saturate, Overflow::Fail]
                .map(|overflow| kind.add(value, more, overflow))
        };
        let (min, max) = (i64::MIN, i64::MAX);
        assert_eq!(fits(true, 8, 127, 1), [Some(-128), Some(127), None]);
        assert_eq!(fits(true, 8, -128, -1), [Some(127), Some(-128), None]);
        assert_eq!(fits(true, 8, 100, 27), [Some(127); 3]);
        assert_eq!(fits(false, 8, 255, 2), [Some(1), Some(255), None]);
        assert_eq!(fits(false, 8, 0, -1), [Some(255), Some(0), None]);
        assert_eq!(fits(true, 64, max, 1), [Some(min), Some(max), None]);
        assert_eq!(fits(true, 64, min, -1), [Some(max), Some(min), None]);
        assert_eq!(fits(false, 63, max, max), [Some(max - 1), Some(max), None]);
        assert_eq!(fits(true, 1, 0, 1), [Some(-1), Some(0), None]);
        let byte = Integer::new(false, 8).unwrap();
        assert_eq!(byte.convert(-1, Overflow::Saturate), Some(255));
        assert_eq!(byte.convert(-1, Overflow::Wrap), Some(255));
        assert_eq!(byte.convert(256, Overflow::Fail), None);
        let signed = Integer::new(true, 8).unwrap();
        assert_eq!(signed.convert(min + 127, Overflow::Saturate), Some(127));
        assert_eq!(signed.convert(min + 128, Overflow::Saturate), Some(-128));
        assert_eq!(signed.convert(min, Overflow::Wrap), Some(0));
    }
}
