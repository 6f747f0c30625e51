//! Pure: how many elements registers stand for: Ertl's estimator, "New cardinality estimation
//! algorithms for HyperLogLog sketches" (arXiv:1702.01284), in the order of operations that
//! gives the last digit of Redis too.

use super::{Histogram, REGISTERS, RUN_BITS};

/// 1 / (2 ln 2).
const ALPHA: f64 = 0.721_347_520_444_481_7;
/// What C makes of a number that no 64 bits hold.
const OUT_OF_RANGE: u64 = 1 << 63;

pub(super) fn count(histogram: &Histogram) -> u64 {
    let registers = REGISTERS as f64;
    let run_bits = RUN_BITS as usize;
    let full = f64::from(histogram[run_bits + 1]);
    let mut sum = registers * tau((registers - full) / registers);
    for count in histogram[1..=run_bits].iter().rev() {
        sum += f64::from(*count);
        sum *= 0.5;
    }
    sum += registers * sigma(f64::from(histogram[0]) / registers);
    let count = (ALPHA * registers * registers / sum).round();
    // Registers that no hash gives may make any number of it.
    if count < OUT_OF_RANGE as f64 { count as u64 } else { OUT_OF_RANGE }
}

fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut x, mut y, mut z) = (share, 1.0, share);
    // Ends when the terms, which shrink quadratically, no longer count.
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut x, mut y, mut z) = (share, 1.0, 1.0 - share);
    // Ends when the terms, which halve at least, no longer count.
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if before == z {
            return z / 3.0;
        }
    }
}
