//! Room: what outlives the process: snapshots, and the streams that they are written to.
//!
//! Nothing here knows files, clients or children: a snapshot is written to whatever takes bytes
//! and read from whatever gives them. The flows above open files and divide the time.

use std::{thread, time::Duration};

use base::random::Random;

/// The child that writes one.
pub mod child;
/// The format of snapshots.
pub mod rdb;
/// Streams with a buffer and a checksum.
pub mod rio;
/// When data was saved and loaded last.
pub mod state;

/// Waits as `rdb-key-save-delay` and `key-load-delay` have it: so many microseconds, or, if
/// negative, one microsecond in so many calls.
#[inline]
pub fn delay(us: i32, random: &mut Random) {
    let wait_us = match us {
        0 => return,
        1.. => u64::from(us.unsigned_abs()),
        ..0 => u64::from(random.below(u64::from(us.unsigned_abs())) == 0),
    };
    if 0 < wait_us {
        thread::sleep(Duration::from_micros(wait_us));
    }
}
