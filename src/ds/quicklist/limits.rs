//! Pure: how much a node holds.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The sizes that the settings -1 to -5 stand for.
const NODE_BYTES: [usize; 5] = [4_096, 8_192, 16_384, 32_768, 65_536];
/// An element of so many bytes is alone in its node, whatever the setting.
pub(super) const ALONE_BYTES_MIN: usize = NODE_BYTES[NODE_BYTES.len() - 1];
/// With a limit by count, a node of several elements has no more bytes than this.
const NODE_BYTES_SAFE: usize = 8_192;
/// What an entry may take beside its element, at most.
const ENTRY_OVERHEAD_BYTES: usize = 8;
/// From so many bytes on an element is a node of its own, unless it is set otherwise.
const LARGE_BYTES_DEFAULT: usize = 1 << 30;
/// The setting leaves a distance to 4 GiB.
const LARGE_BYTES_MAX: usize = (1 << 32) - (1 << 20);

static LARGE_BYTES: AtomicUsize = AtomicUsize::new(LARGE_BYTES_DEFAULT);

/// How many elements or bytes a node has at most, as the directive `list-max-listpack-size`
/// says it: a count, or -1 to -5 for 4, 8, 16, 32 or 64 KiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill(i16);

impl Fill {
    /// Takes the number of the directive. What is below -5 is -5, what is above 32,767 that.
    pub fn new(number: i64) -> Self {
        let number = number.clamp(-(NODE_BYTES.len() as i64), i64::from(i16::MAX));
        Self(number as i16)
    }

    /// Returns the number.
    pub fn number(self) -> i16 {
        self.0
    }

    /// Tells whether a node with so many bytes and elements is too large.
    #[inline]
    pub fn is_exceeded(self, bytes: usize, count: usize) -> bool {
        match self.limit() {
            Limit::Bytes(most) => most < bytes,
            Limit::Count(most) => NODE_BYTES_SAFE < bytes || most < count,
        }
    }

    /// Tells whether a single node is small enough to stand alone, without a quicklist around
    /// it. A list that shrinks must come down to half of the limit, or it would go back and
    /// forth.
    pub(crate) fn allows_bare(self, bytes: usize, count: usize, is_shrinking: bool) -> bool {
        let share = if is_shrinking { 2 } else { 1 };
        match self.limit() {
            Limit::Bytes(most) => bytes <= most / share,
            Limit::Count(most) => count <= most / share,
        }
    }

    /// Tells whether a node may take one more element.
    #[inline]
    pub(super) fn allows_one_more(self, bytes: usize, count: usize, element_bytes: usize) -> bool {
        !self.is_exceeded(bytes + element_bytes + ENTRY_OVERHEAD_BYTES, count + 1)
    }

    #[inline]
    fn limit(self) -> Limit {
        match usize::try_from(self.0) {
            Ok(count) => Limit::Count(count.max(1)),
            Err(_) => Limit::Bytes(NODE_BYTES[usize::from(self.0.unsigned_abs()) - 1]),
        }
    }
}

/// -2, 8 KiB.
impl Default for Fill {
    fn default() -> Self {
        Self(-2)
    }
}

enum Limit {
    Bytes(usize),
    Count(usize),
}

/// Sets from how many bytes on an element is a node of its own, in all lists from now on;
/// 0 for what is usual, 1 GiB. It is for tests of the server. Refuses what is near to 4 GiB.
pub fn set_packed_threshold(bytes: u64) -> bool {
    let Ok(bytes) = usize::try_from(bytes) else { return false };
    if bytes > LARGE_BYTES_MAX {
        return false;
    }
    LARGE_BYTES.store(if bytes == 0 { LARGE_BYTES_DEFAULT } else { bytes }, Relaxed);
    true
}

#[inline]
pub(super) fn is_large(element_bytes: usize) -> bool {
    LARGE_BYTES.load(Relaxed) <= element_bytes
}

#[cfg(test)]
mod tests {
    use super::Fill;

    #[test]
    fn numbers_are_counts_or_sizes() {
        let limits =
            [(-1, 4_096), (-2, 8_192), (-3, 16_384), (-4, 32_768), (-5, 65_536), (-99, 65_536)];
        for (number, bytes) in limits {
            let fill = Fill::new(number);
            assert!(!fill.is_exceeded(bytes, 70_000) && fill.is_exceeded(bytes + 1, 1));
            assert!(
                fill.allows_one_more(bytes - 10, 9, 2) && !fill.allows_one_more(bytes - 10, 9, 3)
            );
            assert!(
                fill.allows_bare(bytes / 2, 99, true) && !fill.allows_bare(bytes / 2 + 1, 99, true)
            );
        }
        let fill = Fill::new(3);
        assert!(
            !fill.is_exceeded(8_192, 3) && fill.is_exceeded(8_193, 1) && fill.is_exceeded(9, 4)
        );
        assert!(fill.allows_bare(9_000, 3, false) && !fill.allows_bare(9, 2, true));
        assert!(!Fill::new(0).is_exceeded(9, 1) && Fill::new(0).is_exceeded(9, 2));
        assert_eq!((Fill::new(99_999).number(), Fill::default().number()), (32_767, -2));
    }
}
