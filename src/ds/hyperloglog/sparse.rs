//! Pure: sparse registers: runs of equal ones, each in one byte or two.
//!
//! ```text
//! 00nnnnnn            n+1 registers are 0
//! 01nnnnnn nnnnnnnn   n+1 registers are 0
//! 1vvvvvnn            n+1 registers are v+1
//! ```
//! A register is raised in place: the run that it is in becomes up to three. Then neighbours
//! that have the same value are joined, looking at five runs from the one before on; so what
//! stands there depends on the order in which elements came, and is what Redis has too.

use std::{fmt::Write, ops::Range};

use super::{HEADER_BYTES, Histogram, REGISTER_VALUES, REGISTERS};
use crate::{Corrupt, thin::ThinBytes};

/// All registers are 0.
pub(super) const EMPTY: [u8; 2] = [0x7f, 0xff];

const LONG_ZEROS: u8 = 0x40;
const VALUE: u8 = 0x80;
const KIND: u8 = 0xc0;
/// The longest run of zeros in one byte.
const SHORT_ZEROS_MAX: usize = 64;
/// The longest run of a value.
const VALUE_RUN_MAX: usize = 4;
/// The largest value.
const VALUE_MAX: u8 = 32;
/// How many runs are looked at for some to join.
const JOIN_RUNS: usize = 5;

/// What became of a register that was to be raised.
pub(super) enum Raised {
    No,
    Yes,
    /// Only dense registers can hold it.
    WantsDense,
}

/// Some neighbouring registers that are equal.
#[derive(Clone, Copy)]
struct Run {
    value: u8,
    registers: usize,
    bytes: usize,
}

impl Run {
    fn zeros(registers: usize) -> Self {
        let bytes = if registers <= SHORT_ZEROS_MAX { 1 } else { 2 };
        Self { value: 0, registers, bytes }
    }

    fn of(value: u8, registers: usize) -> Self {
        Self { value, registers, bytes: 1 }
    }

    /// Reads the run that stands at the begin of `bytes`. A long one whose second byte is cut
    /// off has a 0 there: so reads who finds the end of a C string.
    fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let low = usize::from(first & !KIND);
        Some(match first & KIND {
            0 => Self { value: 0, registers: low + 1, bytes: 1 },
            LONG_ZEROS => {
                let second = usize::from(bytes.get(1).copied().unwrap_or(0));
                Self { value: 0, registers: (low << 8 | second) + 1, bytes: bytes.len().min(2) }
            }
            _ => Self::of((first >> 2 & 0x1f) + 1, usize::from(first & 3) + 1),
        })
    }

    /// Returns the bytes that say it, of which `self.bytes` count.
    fn encoded(self) -> [u8; 2] {
        let more = (self.registers - 1) as u16;
        let [low, high] = more.to_le_bytes();
        match (self.value, self.bytes) {
            (0, 1) => [low, 0],
            (0, _) => [LONG_ZEROS | high, low],
            _ => [VALUE | (self.value - 1) << 2 | low, 0],
        }
    }
}

/// Where a run stands. Good also after it was raised or joined with those behind it.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: usize,
    /// The first register of the run.
    first: usize,
}

impl Place {
    /// The first run.
    pub(super) fn start() -> Self {
        Self { at: HEADER_BYTES, first: 0 }
    }
}

/// Raises a register to a value, unless it has that or more. The string has a header. A
/// search begins at `from`, which is not behind the register and is moved near it: so who
/// raises many in order need not begin anew for each.
pub(super) fn raise(
    string: &mut ThinBytes,
    index: usize,
    value: u8,
    bytes_max: usize,
    from: &mut Place,
) -> Result<Raised, Corrupt> {
    if VALUE_MAX < value {
        return Ok(Raised::WantsDense);
    }
    let (Place { at, first }, run) = find(string, index, from).ok_or(Corrupt)?;
    if value <= run.value {
        return Ok(Raised::No);
    }
    // The register alone, with what is left of the run before and behind it.
    let part = |registers| match run.value {
        0 => Run::zeros(registers),
        value => Run::of(value, registers),
    };
    let (before, behind) = (index - first, first + run.registers - 1 - index);
    let parts = [
        (before != 0).then(|| part(before)),
        Some(Run::of(value, 1)),
        (behind != 0).then(|| part(behind)),
    ];
    let mut bytes = [0; 5];
    let mut length = 0;
    for part in parts.into_iter().flatten() {
        bytes[length..length + part.bytes].copy_from_slice(&part.encoded()[..part.bytes]);
        length += part.bytes;
    }
    if run.bytes < length && bytes_max < string.len() + length - run.bytes {
        return Ok(Raised::WantsDense);
    }
    string.splice(at..at + run.bytes, &bytes[..length]);
    join(string, from.at);
    Ok(Raised::Yes)
}

/// Finds the run that a register is in, and moves `from` to the one before it.
fn find(string: &[u8], index: usize, from: &mut Place) -> Option<(Place, Run)> {
    debug_assert!(from.first <= index);
    let (mut before, mut place) = (*from, *from);
    loop {
        let run = Run::read(string.get(place.at..)?)?;
        let end = place.first + run.registers;
        if index < end {
            *from = before;
            return Some((place, run));
        }
        before = place;
        place = Place { at: place.at + run.bytes, first: end };
    }
}

/// Joins neighbours with the same value from a run on.
fn join(string: &mut ThinBytes, at: usize) {
    let mut at = at;
    for _ in 0..JOIN_RUNS {
        let Some(run) = string.get(at..).and_then(Run::read) else { return };
        if run.value != 0
            && let Some(next) = string.get(at + 1..).and_then(Run::read)
            && next.value == run.value
            && run.registers + next.registers <= VALUE_RUN_MAX
        {
            let joined = Run::of(run.value, run.registers + next.registers);
            string.splice(at..at + 2, &joined.encoded()[..1]);
            continue;
        }
        at += run.bytes;
    }
}

/// Visits the runs that are not of zeros.
pub(super) fn for_each_value(
    registers: &[u8],
    mut visit: impl FnMut(Range<usize>, u8),
) -> Result<(), Corrupt> {
    let (mut at, mut index) = (0, 0);
    while at < registers.len() {
        let run = Run::read(&registers[at..]).ok_or(Corrupt)?;
        let end = index + run.registers;
        if REGISTERS < end {
            return Err(Corrupt);
        }
        if run.value != 0 {
            visit(index..end, run.value);
        }
        at += run.bytes;
        index = end;
    }
    if index == REGISTERS { Ok(()) } else { Err(Corrupt) }
}

pub(super) fn histogram(registers: &[u8]) -> Result<Histogram, Corrupt> {
    let mut histogram = [0; REGISTER_VALUES];
    let mut zeros = REGISTERS as u32;
    for_each_value(registers, |indexes, value| {
        let count = indexes.len() as u32;
        histogram[usize::from(value)] += count;
        zeros -= count;
    })?;
    histogram[0] = zeros;
    Ok(histogram)
}

/// Tells runs as PFDEBUG DECODE does.
pub(super) fn decode(registers: &[u8]) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(run) = registers.get(at..).and_then(Run::read) {
        let space = if at == 0 { "" } else { " " };
        let written = match (run.value, registers[at] & LONG_ZEROS) {
            (0, 0) => write!(text, "{space}z:{}", run.registers),
            (0, _) => write!(text, "{space}Z:{}", run.registers),
            (value, _) => write!(text, "{space}v:{value},{}", run.registers),
        };
        written.expect("a string takes all");
        at += run.bytes;
    }
    text
}
