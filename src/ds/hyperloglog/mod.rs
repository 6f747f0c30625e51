//! Pure: HyperLogLog, byte for byte as Redis keeps it in a string.
//!
//! ```text
//! 0    "HYLL"
//! 4    encoding: 0 dense, 1 sparse
//! 5    three bytes that mean nothing
//! 8    the count as it was last computed, 8 bytes little-endian; with the top bit set it is
//!      out of date
//! 16   registers: 16384 of them
//! ```
//! An element's hash chooses a register by its low 14 bits; the register keeps the longest
//! run of zeros, plus one, that the other 50 bits of such a hash began with. `dense.rs` packs
//! registers in 6 bits each; `sparse.rs` writes runs of equal ones and turns into dense where
//! that takes too much. `estimate.rs` makes a number of how many registers have which value.
//!
//! The string is the user's: SET can write it, GETRANGE reads it. So nothing of it is
//! believed: [`encoding`] looks at the header, and whoever walks sparse registers counts them
//! and answers [`Corrupt`] if they are not 16384. Start with [`add`].

mod dense;
mod estimate;
mod selftest;
mod sparse;
#[cfg(test)]
mod tests;

pub use self::selftest::{Failure, self_test};
use crate::{Corrupt, thin::ThinBytes};

/// Registers of each HyperLogLog.
pub const REGISTERS: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 14;
/// The bits of a hash in which zeros are counted.
const RUN_BITS: u32 = u64::BITS - INDEX_BITS;
/// The values that a register of 6 bits may have, though hashes give none beyond 51.
const REGISTER_VALUES: usize = 64;
const HASH_SEED: u64 = 0xadc8_3b19;

const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const COUNT_AT: usize = 8;
const HEADER_BYTES: usize = 16;
const IS_STALE: u64 = 1 << 63;

/// How registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 6 bits each.
    Dense,
    /// As runs of equal ones.
    Sparse,
}

impl Encoding {
    /// Returns the name that PFDEBUG ENCODING tells.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }
}

/// How many registers have which value.
type Histogram = [u32; REGISTER_VALUES];

/// Returns the encoding of a string that is a HyperLogLog by its header and length, none if it
/// is none.
pub fn encoding(string: &[u8]) -> Option<Encoding> {
    if string.len() < HEADER_BYTES || !string.starts_with(MAGIC) {
        return None;
    }
    match string[ENCODING_AT] {
        0 if string.len() == HEADER_BYTES + dense::BYTES => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

/// Makes an empty one, sparse, whose count of 0 is up to date.
pub fn empty() -> ThinBytes {
    let mut string = ThinBytes::with_capacity(HEADER_BYTES + sparse::EMPTY.len());
    string.extend(MAGIC);
    string.extend(&[1]);
    string.grow(HEADER_BYTES);
    string.extend(&sparse::EMPTY);
    string
}

/// Adds an element; tells whether a register changed, after which the count is out of date.
/// Sparse registers become dense where the string would grow beyond `sparse_bytes_max`.
pub fn add(
    string: &mut ThinBytes,
    element: &[u8],
    sparse_bytes_max: usize,
) -> Result<bool, Corrupt> {
    let (index, value) = register_of(element);
    raise(string, index, value, sparse_bytes_max, &mut sparse::Place::start())
}

/// Raises a register to a value, unless it has that or more; `from` is as in
/// [`sparse::raise`].
fn raise(
    string: &mut ThinBytes,
    index: usize,
    value: u8,
    sparse_bytes_max: usize,
    from: &mut sparse::Place,
) -> Result<bool, Corrupt> {
    let is_changed = match encoding(string).ok_or(Corrupt)? {
        Encoding::Dense => dense::raise(&mut string.as_mut_slice()[HEADER_BYTES..], index, value),
        Encoding::Sparse => match sparse::raise(string, index, value, sparse_bytes_max, from)? {
            sparse::Raised::No => false,
            sparse::Raised::Yes => true,
            sparse::Raised::WantsDense => {
                to_dense(string)?;
                dense::raise(&mut string.as_mut_slice()[HEADER_BYTES..], index, value)
            }
        },
    };
    if is_changed {
        invalidate(string.as_mut_slice());
    }
    Ok(is_changed)
}

/// Returns the count that stands in the string, if it is up to date.
pub fn cached_count(string: &[u8]) -> Option<u64> {
    let bytes = string.get(COUNT_AT..HEADER_BYTES)?.try_into().ok()?;
    let count = u64::from_le_bytes(bytes);
    (count & IS_STALE == 0).then_some(count)
}

/// Puts down the count, after [`count`] has computed it.
pub fn cache_count(string: &mut [u8], count: u64) {
    if let Some(bytes) = string.get_mut(COUNT_AT..HEADER_BYTES) {
        bytes.copy_from_slice(&count.to_le_bytes());
    }
}

/// Says that the count that stands in the string is out of date.
pub fn invalidate(string: &mut [u8]) {
    if let Some(byte) = string.get_mut(HEADER_BYTES - 1) {
        *byte |= 0x80;
    }
}

/// Estimates how many different elements were added.
pub fn count(string: &[u8]) -> Result<u64, Corrupt> {
    let registers = string.get(HEADER_BYTES..).unwrap_or_default();
    let histogram = match encoding(string).ok_or(Corrupt)? {
        Encoding::Dense => dense::histogram(registers),
        Encoding::Sparse => sparse::histogram(registers)?,
    };
    Ok(estimate::count(&histogram))
}

/// Makes the registers dense; tells whether they were not. The count stays as it is.
pub fn to_dense(string: &mut ThinBytes) -> Result<bool, Corrupt> {
    if encoding(string).ok_or(Corrupt)? == Encoding::Dense {
        return Ok(false);
    }
    let mut dense = ThinBytes::with_capacity(HEADER_BYTES + dense::BYTES);
    dense.extend(&string[..HEADER_BYTES]);
    dense.grow(HEADER_BYTES + dense::BYTES);
    let bytes = dense.as_mut_slice();
    bytes[ENCODING_AT] = 0;
    sparse::for_each_value(&string[HEADER_BYTES..], |indexes, value| {
        indexes.for_each(|index| dense::set(&mut bytes[HEADER_BYTES..], index, value));
    })?;
    *string = dense;
    Ok(true)
}

/// Returns what PFDEBUG DECODE tells: the runs of sparse registers, as far as they are runs.
/// None if they are dense.
pub fn decode(string: &[u8]) -> Option<String> {
    (encoding(string)? == Encoding::Sparse).then(|| sparse::decode(&string[HEADER_BYTES..]))
}

/// One byte for each register: for the union of several, and to look at.
pub struct Registers(Box<[u8; REGISTERS]>);

impl Registers {
    /// Makes registers that are all zero.
    pub fn new() -> Self {
        let zeros = vec![0; REGISTERS].into_boxed_slice();
        Self(zeros.try_into().expect("there are as many as there must be"))
    }

    /// Reads them from a string.
    pub fn of(string: &[u8]) -> Result<Self, Corrupt> {
        let mut registers = Self::new();
        registers.merge(string)?;
        Ok(registers)
    }

    /// Raises each to what it is in a string. If that turns out to be corrupted, some may have
    /// been raised before.
    pub fn merge(&mut self, string: &[u8]) -> Result<(), Corrupt> {
        let from = string.get(HEADER_BYTES..).unwrap_or_default();
        match encoding(string).ok_or(Corrupt)? {
            Encoding::Dense => dense::merge(from, &mut self.0),
            Encoding::Sparse => sparse::for_each_value(from, |indexes, value| {
                self.0[indexes].iter_mut().for_each(|old| *old = value.max(*old));
            })?,
        }
        Ok(())
    }

    /// Estimates how many different elements were added to all together.
    pub fn count(&self) -> u64 {
        // Several at once, so that equal neighbours do not wait for each other; zeros, which
        // often are the most, by the word.
        let mut histograms: [Histogram; 4] = [[0; REGISTER_VALUES]; 4];
        let (words, _) = self.0.as_chunks::<8>();
        for word in words {
            if *word == [0; 8] {
                histograms[0][0] += 8;
                continue;
            }
            for (at, value) in word.iter().enumerate() {
                histograms[at % 4][usize::from(*value) % REGISTER_VALUES] += 1;
            }
        }
        estimate::count(&sum(&histograms))
    }

    /// Raises those of a string to these, after which its count is out of date. PFMERGE calls
    /// [`to_dense`] first if any of its sources is dense.
    pub fn raise(&self, string: &mut ThinBytes, sparse_bytes_max: usize) -> Result<(), Corrupt> {
        let mut from = sparse::Place::start();
        for (index, value) in self.0.iter().enumerate().filter(|(_, value)| **value != 0) {
            raise(string, index, *value, sparse_bytes_max, &mut from)?;
        }
        invalidate(string.as_mut_slice());
        Ok(())
    }

    /// Returns them one by one.
    pub fn as_slice(&self) -> &[u8] {
        &self.0[..]
    }
}

impl Default for Registers {
    fn default() -> Self {
        Self::new()
    }
}

fn sum(histograms: &[Histogram; 4]) -> Histogram {
    std::array::from_fn(|value| histograms.iter().map(|histogram| histogram[value]).sum())
}

/// Returns the register of an element, and the value that it raises it to.
fn register_of(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element, HASH_SEED);
    let index = hash & (REGISTERS as u64 - 1);
    // The bit that is set ends the run if nothing else does.
    let rest = hash >> INDEX_BITS | 1 << RUN_BITS;
    (index as usize, rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash2 for 64 bits, of words in little-endian order.
fn murmur64a(bytes: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    // The length is a C int.
    let length = bytes.len() as i32 as u64;
    let mut hash = seed ^ length.wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> SHIFT
}
