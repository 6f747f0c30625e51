//! Pure: dense registers: 6 bits each, the low bits of a byte first.

use super::{Histogram, REGISTER_VALUES, REGISTERS, sum};

const REGISTER_BITS: usize = 6;
const MASK: u32 = (1 << REGISTER_BITS) - 1;
/// What all of them take.
pub(super) const BYTES: usize = REGISTERS * REGISTER_BITS / 8;

/// Sets a register.
pub(super) fn set(registers: &mut [u8], index: usize, value: u8) {
    let (at, shift) = (index * REGISTER_BITS / 8, index * REGISTER_BITS % 8);
    let mask = MASK << shift;
    let bits = u32::from(value) << shift & mask;
    // One register spans at most two bytes; the last ends with its byte.
    for (byte, step) in registers[at..].iter_mut().take(2).zip([0, 8]) {
        *byte = (u32::from(*byte) & !(mask >> step) | bits >> step).to_le_bytes()[0];
    }
}

/// Returns a register.
pub(super) fn value(registers: &[u8], index: usize) -> u8 {
    let (at, shift) = (index * REGISTER_BITS / 8, index * REGISTER_BITS % 8);
    let high = registers.get(at + 1).copied().unwrap_or(0);
    (u32::from(u16::from_le_bytes([registers[at], high])) >> shift & MASK).to_le_bytes()[0]
}

/// Raises a register to a value, unless it has that or more.
pub(super) fn raise(registers: &mut [u8], index: usize, new: u8) -> bool {
    let is_changed = value(registers, index) < new;
    if is_changed {
        set(registers, index, new);
    }
    is_changed
}

/// Raises each of `into` to the register that it stands for.
pub(super) fn merge(registers: &[u8], into: &mut [u8; REGISTERS]) {
    let (four, _) = into.as_chunks_mut::<4>();
    for (into, values) in four.iter_mut().zip(unpack(registers)) {
        for (into, value) in into.iter_mut().zip(values) {
            *into = value.max(*into);
        }
    }
}

pub(super) fn histogram(registers: &[u8]) -> Histogram {
    // Several at once, so that equal neighbours do not wait for each other.
    let mut histograms = [[0; REGISTER_VALUES]; 4];
    for values in unpack(registers) {
        for (histogram, value) in histograms.iter_mut().zip(values) {
            histogram[usize::from(value)] += 1;
        }
    }
    sum(&histograms)
}

/// Takes registers apart, four in three bytes.
fn unpack(registers: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    let (threes, _) = registers.as_chunks::<3>();
    threes.iter().map(|[a, b, c]| {
        let bits = u32::from_le_bytes([*a, *b, *c, 0]);
        [0, 6, 12, 18].map(|shift| (bits >> shift & MASK).to_le_bytes()[0])
    })
}
