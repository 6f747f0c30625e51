//! Pure: a byte string behind one pointer that has no header of its own.
//!
//! The first four bytes of the string are its length, little endian, which is how a listpack
//! begins anyway. The size of the allocation follows from the length: it is the length rounded
//! up to a size that the allocator has, so room is stored nowhere and nothing is wasted. A
//! string that grows moves when it leaves its size class, of which there are four a doubling.
//!
//! Invariants: the allocation is as large as `block::rounded` says for the length in its first
//! four bytes; all bytes up to the length are initialised. Only `set_length` writes those four.

use std::{
    alloc::{self, Layout},
    fmt,
    ptr::{self, NonNull},
    slice,
};

use crate::{block::rounded, dict::prefetch_line};

/// What the length takes, and so the least length.
pub(crate) const LENGTH_BYTES: usize = size_of::<u32>();
/// Where lines begin that are asked for together; processors fetch their neighbours.
const PREFETCHED_AT: [usize; 3] = [0, 64, 128];

/// A byte string of at least four bytes, which are its length.
pub(crate) struct Prefixed(NonNull<u8>);

// SAFETY: a block owns its bytes, as a Box would, and is changed by exclusive reference only.
unsafe impl Send for Prefixed {}
// SAFETY: as above.
unsafe impl Sync for Prefixed {}

impl Prefixed {
    /// Makes a string of the length, which is written, and `pieces` behind it.
    ///
    /// # Panics
    /// If it would have more than `u32::MAX` bytes.
    pub(crate) fn new(pieces: &[&[u8]]) -> Self {
        let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
        let length = length_of(LENGTH_BYTES + bytes);
        let layout = layout(length as usize);
        // SAFETY: the layout is never empty.
        let Some(block) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        let mut block = Self(block);
        block.set_length(length);
        let mut to = LENGTH_BYTES;
        for piece in pieces {
            block.put(to, piece);
            to += piece.len();
        }
        block
    }

    /// Counts the bytes, those of the length among them.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: every block begins with its length, initialised.
        u32::from_le(unsafe { self.0.cast::<u32>().read_unaligned() }) as usize
    }

    /// Returns all bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: so many bytes are initialised, and the block is borrowed with them.
        unsafe { slice::from_raw_parts(self.0.as_ptr(), self.len()) }
    }

    /// Returns the bytes behind the length, to be changed.
    #[inline]
    pub(crate) fn rest_mut(&mut self) -> &mut [u8] {
        let bytes = self.len() - LENGTH_BYTES;
        // SAFETY: so many bytes behind the length are initialised, and borrowed with the block.
        unsafe { slice::from_raw_parts_mut(self.at(LENGTH_BYTES), bytes) }
    }

    /// Asks for the memory of its first bytes, which are not read.
    #[inline]
    pub(crate) fn prefetch(&self) {
        PREFETCHED_AT.into_iter().for_each(|offset| prefetch_line(self.at(offset)));
    }

    /// Puts `pieces`, one behind the other, in the place of `removed` bytes at `at`.
    ///
    /// # Panics
    /// If the bytes to remove are not behind the length and in the string, or if it would
    /// have more than `u32::MAX` bytes.
    #[inline]
    pub(crate) fn splice(&mut self, at: usize, removed: usize, pieces: &[&[u8]]) {
        let before = self.len();
        assert!(LENGTH_BYTES <= at && at <= before && removed <= before - at, "is in the block");
        let inserted: usize = pieces.iter().map(|piece| piece.len()).sum();
        let after = length_of(before - removed + inserted);
        // One look at the size of the allocation is enough for what grows.
        if before < after as usize && rounded(before) < after as usize {
            self.reallocate(before, after as usize);
        }
        if inserted != removed {
            self.move_tail(at + removed, at + inserted, before);
        }
        let mut to = at;
        for piece in pieces {
            self.put(to, piece);
            to += piece.len();
        }
        if (after as usize) < before && rounded(after as usize) < rounded(before) {
            self.reallocate(before, after as usize);
        }
        self.set_length(after);
    }

    /// Counts the bytes that it takes on the heap.
    pub(crate) fn allocation_bytes(&self) -> usize {
        rounded(self.len())
    }

    /// Moves what is from `from` to the end of a string of `length`. Callers have made room.
    #[inline]
    fn move_tail(&mut self, from: usize, to: usize, length: usize) {
        if from + 1 == length {
            // SAFETY: the last byte is initialised.
            let last = unsafe { self.at(from).read() };
            // SAFETY: where the tail goes there is room for it.
            unsafe { self.at(to).write(last) };
            return;
        }
        // SAFETY: the tail is initialised, and where it goes there is room for it.
        unsafe { ptr::copy(self.at(from), self.at(to), length - from) };
    }

    /// Writes a piece. Callers have made room. Most pieces are a byte, for which calling a
    /// function is too much.
    #[inline]
    fn put(&mut self, to: usize, piece: &[u8]) {
        match piece {
            [] => {}
            // SAFETY: there is room for the piece.
            [byte] => unsafe { self.at(to).write(*byte) },
            // SAFETY: there is room for the piece, which is not of this block: that is borrowed
            // for a change.
            _ => unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), self.at(to), piece.len()) },
        }
    }

    /// Gives the block the size for another length. Callers set the length next.
    #[cold]
    fn reallocate(&mut self, before: usize, after: usize) {
        // SAFETY: the block was allocated with this layout; the size asked for is not zero,
        // and, being that of a layout, not too large.
        let block = unsafe { alloc::realloc(self.0.as_ptr(), layout(before), rounded(after)) };
        let Some(block) = NonNull::new(block) else { alloc::handle_alloc_error(layout(after)) };
        self.0 = block;
    }

    fn set_length(&mut self, length: u32) {
        // SAFETY: every block has room for the length at its start.
        unsafe { self.0.cast::<u32>().write_unaligned(length.to_le()) };
    }

    /// Returns a place in the block. Callers pass offsets up to its end.
    #[inline]
    fn at(&self, offset: usize) -> *mut u8 {
        self.0.as_ptr().wrapping_add(offset)
    }
}

impl Clone for Prefixed {
    fn clone(&self) -> Self {
        Self::new(&[&self.bytes()[LENGTH_BYTES..]])
    }
}

impl Drop for Prefixed {
    fn drop(&mut self) {
        // SAFETY: the block was allocated with the layout of its length, and ends here.
        unsafe { alloc::dealloc(self.0.as_ptr(), layout(self.len())) };
    }
}

impl PartialEq for Prefixed {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Prefixed {}

impl fmt::Debug for Prefixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefixed(\"{}\")", self.bytes().escape_ascii())
    }
}

fn length_of(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a block has at most u32::MAX bytes")
}

fn layout(length: usize) -> Layout {
    Layout::from_size_align(rounded(length), align_of::<u32>()).expect("a length is below 4 GiB")
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::{LENGTH_BYTES, Prefixed};
    use crate::{block::rounded, seed::for_test};

    #[test]
    fn does_what_a_vector_does() {
        let mut random: Random = for_test("does_what_a_vector_does");
        let (mut block, mut model) = (Prefixed::new(&[]), vec![4, 0, 0, 0]);
        for step in 0..30_000_u32 {
            let at = LENGTH_BYTES + random.index(model.len() - LENGTH_BYTES + 1);
            let removed = random.index(model.len() - at + 1).min(random.index(300));
            let most = if model.len() < 2_000 { 250 } else { 60 };
            let pieces: Vec<Vec<u8>> =
                (0..random.index(3)).map(|_| vec![step as u8; random.index(most)]).collect();
            let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            block.splice(at, removed, &slices);
            model.splice(at..at + removed, pieces.concat());
            let length = (model.len() as u32).to_le_bytes();
            model[..LENGTH_BYTES].copy_from_slice(&length);
            assert_eq!(block.bytes(), model, "step {step}");
            if random.below(100) == 0 {
                block.rest_mut().reverse();
                model[LENGTH_BYTES..].reverse();
                block = block.clone();
            }
        }
    }

    #[test]
    fn rooms_are_the_sizes_of_the_allocator() {
        assert_eq!(size_of::<Option<Prefixed>>(), 8);
        for length in 4..14_000 {
            assert_eq!(rounded(length), base::memory::usable_bytes(length), "{length}");
        }
        assert_eq!(rounded(16_385), 20_480);
        assert_eq!(rounded(u32::MAX as usize), 1 << 32);
    }

    #[test]
    #[should_panic(expected = "is in the block")]
    fn the_length_is_not_cut() {
        Prefixed::new(&[b"abc"]).splice(3, 1, &[]);
    }
}
