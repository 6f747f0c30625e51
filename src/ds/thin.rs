//! Pure: a byte string behind one pointer, filled by whole blocks.
//!
//! `thin-vec` is generic: it pushes what it is given one element after the other, which for
//! the bytes of a big value takes many times what a copy of the block does. Start with
//! [`ThinBytes::extend`].

use std::{
    ops::{Deref, Range},
    ptr,
};

use thin_vec::ThinVec;

/// A string with room to grow, in one word; length and room stand before its bytes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ThinBytes(ThinVec<u8>);

impl ThinBytes {
    /// Makes an empty string with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(ThinVec::with_capacity(bytes))
    }

    /// Counts the bytes that there is room for.
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// Returns the bytes, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Makes room for `more` bytes behind the string, and for none beyond.
    pub fn reserve_exact(&mut self, more: usize) {
        self.0.reserve_exact(more);
    }

    /// Appends bytes.
    pub fn extend(&mut self, more: &[u8]) {
        if more.is_empty() {
            return;
        }
        self.0.reserve(more.len());
        let length = self.0.len();
        let end = self.0.as_mut_ptr().wrapping_add(length);
        // SAFETY: there is room for `more` behind the length, reserved just now; a string that
        // is borrowed for a change is not what `more` stands in.
        unsafe { ptr::copy_nonoverlapping(more.as_ptr(), end, more.len()) };
        // SAFETY: the bytes up to there were initialised just now, and there is room for them.
        unsafe { self.0.set_len(length + more.len()) };
    }

    /// Appends zeros until the string is `length` bytes long; does nothing if it is longer.
    pub fn grow(&mut self, length: usize) {
        let before = self.0.len();
        let Some(more) = length.checked_sub(before).filter(|more| *more != 0) else { return };
        self.0.reserve(more);
        let end = self.0.as_mut_ptr().wrapping_add(before);
        // SAFETY: there is room for so many bytes behind the length, reserved just now.
        unsafe { ptr::write_bytes(end, 0, more) };
        // SAFETY: the bytes up to there were initialised just now, and there is room for them.
        unsafe { self.0.set_len(length) };
    }

    /// Shortens the string to `length` bytes; does nothing if it is not longer.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Puts bytes in the place of some that are there.
    ///
    /// # Panics
    /// If the range is not inside of the string.
    pub fn splice(&mut self, range: Range<usize>, with: &[u8]) {
        assert!(range.start <= range.end && range.end <= self.0.len(), "a range in the string");
        let (length, end) = (self.0.len(), range.start + with.len());
        self.grow(length + with.len().saturating_sub(range.len()));
        self.0.copy_within(range.end..length, end);
        self.truncate(length - range.len() + with.len());
        self.0[range.start..end].copy_from_slice(with);
    }
}

impl From<&[u8]> for ThinBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut string = Self::with_capacity(bytes.len());
        string.extend(bytes);
        string
    }
}

impl Deref for ThinBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::ThinBytes;

    #[test]
    fn does_what_a_vector_does() {
        let seed = Random::from_system().below(u64::MAX);
        let mut random = Random::seeded(seed);
        let (mut string, mut model) = (ThinBytes::default(), Vec::new());
        for step in 0..20_000_u64 {
            let bytes = random.below(40) as usize;
            match random.below(6) {
                5 => {
                    let start = random.below(model.len() as u64 + 1) as usize;
                    let end = model.len().min(start + random.below(20) as usize);
                    let with = vec![b's'; bytes];
                    string.splice(start..end, &with);
                    model.splice(start..end, with);
                }
                0 => {
                    string.grow(bytes * 3);
                    model.resize(model.len().max(bytes * 3), 0);
                }
                1 => string.reserve_exact(bytes),
                2 if 200 < model.len() => {
                    string = ThinBytes::from(&model[..bytes]);
                    model.truncate(bytes);
                }
                3 => {
                    string.as_mut_slice().reverse();
                    model.reverse();
                }
                _ => {
                    let more = vec![u8::try_from(step % 251).unwrap(); bytes];
                    string.extend(&more);
                    model.extend_from_slice(&more);
                }
            }
            assert_eq!(*string, *model, "seed {seed}, step {step}");
            assert!(string.len() <= string.capacity());
        }
    }

    #[test]
    fn takes_one_word() {
        assert_eq!(size_of::<ThinBytes>(), size_of::<usize>());
        assert_eq!(ThinBytes::from(&[][..]).capacity(), 0);
    }
}
