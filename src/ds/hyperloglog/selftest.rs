//! Pure: what PFSELFTEST does: registers keep what they are set to, and counts are near enough.

use std::fmt;

use base::random::Random;

use super::{Encoding, REGISTER_VALUES, REGISTERS, add, count, dense, empty, encoding, to_dense};

/// An unoptimised build, which is there to be tested itself, does a tenth of the work.
const SHARE: u64 = if cfg!(debug_assertions) { 10 } else { 1 };
const CYCLES: u64 = 1000 / SHARE;
const ELEMENTS: u64 = 10_000_000 / SHARE;
/// The estimator's standard error, for so many registers.
const STANDARD_ERROR: f64 = 1.04 / 128.0;
/// Of how many standard errors a good estimate stays below.
const ERRORS_MAX: f64 = 6.0;

/// What went wrong, worded as Redis does.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// A register is not what it was set to.
    Register {
        /// Which one.
        index: usize,
        /// What it was set to.
        expected: u8,
        /// What it is.
        found: u8,
    },
    /// Few elements have made a sparse one dense.
    NotSparse,
    /// A sparse and a dense one of the same elements give two numbers.
    Disagree,
    /// A count is too far from the truth.
    Error {
        /// The truth.
        count: u64,
        /// How far from it.
        error: u64,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { index, expected, found } => {
                write!(f, "TESTFAILED Register {index} should be {expected} but is {found}")
            }
            Self::NotSparse => f.write_str("TESTFAILED sparse encoding not used"),
            Self::Disagree => f.write_str("TESTFAILED dense/sparse disagree"),
            Self::Error { count, error } => {
                write!(f, "TESTFAILED Too big error. card:{count} abserr:{error}")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// Tests registers and counts: some seconds of work.
pub fn self_test(random: &mut Random, sparse_bytes_max: usize) -> Result<(), Failure> {
    for _ in 0..CYCLES {
        registers_keep_values(random)?;
    }
    counts_are_near(random.any_u64(), sparse_bytes_max, ELEMENTS)
}

pub(super) fn registers_keep_values(random: &mut Random) -> Result<(), Failure> {
    let mut expected = vec![0; REGISTERS];
    let mut registers = vec![0; dense::BYTES];
    for (index, expected) in expected.iter_mut().enumerate() {
        *expected = random.below(REGISTER_VALUES as u64) as u8;
        dense::set(&mut registers, index, *expected);
    }
    for (index, expected) in expected.into_iter().enumerate() {
        let found = dense::value(&registers, index);
        if found != expected {
            return Err(Failure::Register { index, expected, found });
        }
    }
    Ok(())
}

pub(super) fn counts_are_near(
    seed: u64,
    sparse_bytes_max: usize,
    elements: u64,
) -> Result<(), Failure> {
    let [mut dense, mut sparse] = [empty(), empty()];
    to_dense(&mut dense).map_err(|_| Failure::Disagree)?;
    let mut checkpoint = 1;
    for number in 1..=elements {
        let element = (number ^ seed).to_le_bytes();
        for string in [&mut dense, &mut sparse] {
            add(string, &element, sparse_bytes_max).map_err(|_| Failure::Disagree)?;
        }
        if number != checkpoint {
            continue;
        }
        let is_small = number < sparse_bytes_max as u64 / 2;
        if is_small && encoding(&sparse) != Some(Encoding::Sparse) {
            return Err(Failure::NotSparse);
        }
        let found = count(&dense).map_err(|_| Failure::Disagree)?;
        if count(&sparse) != Ok(found) {
            return Err(Failure::Disagree);
        }
        let error = number.abs_diff(found);
        // Ten elements collide more often than the standard error says.
        let allowed = if number == 10 { 1.0 } else { STANDARD_ERROR * ERRORS_MAX * number as f64 };
        if allowed.ceil() < error as f64 {
            return Err(Failure::Error { count: number, error });
        }
        checkpoint *= 10;
    }
    Ok(())
}
