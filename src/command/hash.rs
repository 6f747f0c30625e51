//! Pure: how names of commands are hashed, at build time and at run time alike.
//!
//! `build.rs` includes this file, finds a table of slots in which no two names meet, and
//! writes it down. A name is folded into two words of eight bytes (its first and its last,
//! which overlap in a short one) in lower case: for names up to sixteen bytes the words and
//! the length *are* the name, so that most searches never look at the spec itself.

/// Names longer than this are nobody's.
pub(crate) const NAME_BYTES_MAX: usize = 40;

/// A name in lower case, as two words and a length; and whose subcommand it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Folded {
    /// The first bytes.
    pub(crate) head: u64,
    /// The last bytes.
    pub(crate) tail: u64,
    /// Of the name, in bytes.
    pub(crate) length: u8,
    /// The container's place in the table and one, or zero.
    pub(crate) scope: u16,
}

impl Folded {
    /// Folds a name; `None` if no command can be called so.
    #[inline]
    pub(crate) fn new(name: &[u8], scope: u16) -> Option<Self> {
        let (head, tail) = match name.len() {
            length @ 8..=NAME_BYTES_MAX => (word(&name[..8]), word(&name[length - 8..])),
            length @ 4..=7 => (half(&name[..4]), half(&name[length - 4..])),
            length @ 1..=3 => {
                (u64::from(name[0]), u64::from(name[length / 2]) << 8 | u64::from(name[length - 1]))
            }
            _ => return None,
        };
        let length = name.len() as u8;
        Some(Self { head: lower(head), tail: lower(tail), length, scope })
    }

    /// Mixes all of it.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        let (head, tail) = (self.head, self.tail.rotate_left(29));
        let rest = u64::from(self.length) << 16 | u64::from(self.scope);
        let mixed = (head ^ tail).wrapping_add(rest.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mixed = mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }

    /// Whether the words hold every byte of the name.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.length <= 16
    }
}

/// Returns the slot of a hash, given the shift of its bucket.
#[inline]
pub(crate) fn slot(hash: u64, shift: u16, slots: usize) -> usize {
    ((hash >> 40) as usize + usize::from(shift)) & (slots - 1)
}

/// Returns the bucket of a hash. Both counts are powers of two.
#[inline]
pub(crate) fn bucket(hash: u64, buckets: usize) -> usize {
    (hash >> 20) as usize & (buckets - 1)
}

#[inline]
fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

#[inline]
fn half(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u32::from_le_bytes).into()
}

/// Lowers eight letters at once; every other byte stays what it is.
#[inline]
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low_bits = word & (0x7F * ONES);
    let from_a = low_bits + (0x80 - b'A' as u64) * ONES;
    let past_z = low_bits + (0x7F - b'Z' as u64) * ONES;
    let is_upper = (from_a ^ past_z) & !word & (0x80 * ONES);
    word | is_upper >> 2
}
