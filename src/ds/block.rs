//! Pure: an allocation behind a pointer of 8 bytes, of a size that follows from what is in it.
//!
//! Members of sets, fields of hashes and members of sorted sets each live in one block, laid
//! out by hand: a few bytes of fixed meaning, then strings with their lengths before them. The
//! size is rounded up to one that the allocator has anyway and is stored nowhere.
//!
//! A length takes one byte up to [`SHORT_MAX`], and three, five or nine beyond.

use std::{
    alloc::{self, Layout},
    ptr::{self, NonNull},
    slice,
};

pub(crate) use base::memory::size_class as rounded;

/// What each block is aligned to.
const ALIGN: usize = 8;
/// The longest length that one byte tells.
const SHORT_MAX: usize = 252;
const LONG_MIN: usize = SHORT_MAX + 1;
const IN_U16: u8 = 253;
const IN_U32: u8 = 254;
const IN_U64: u8 = 255;

/// Where a block is. A plain address: whoever allocated it owns it and frees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Block(NonNull<u8>);

// SAFETY: an address means the same to all threads; what may be done with it, and by whom, is
// the business of those who call the unsafe functions below.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// A length that was read, and where the bytes behind it begin.
pub(crate) struct Length {
    pub(crate) bytes: usize,
    pub(crate) end: usize,
}

impl Block {
    /// Allocates a block with room for so many bytes, which are not initialised.
    pub(crate) fn allocate(bytes: usize) -> Self {
        let layout = layout(bytes);
        // SAFETY: a rounded size is never 0.
        let block = unsafe { alloc::alloc(layout) };
        NonNull::new(block).map(Self).unwrap_or_else(|| alloc::handle_alloc_error(layout))
    }

    /// Frees the block.
    ///
    /// # Safety
    /// It was allocated with a size that is rounded to the same, and nobody uses it again.
    pub(crate) unsafe fn free(self, bytes: usize) {
        // SAFETY: the caller vouches for the layout and for the end of all use.
        unsafe { alloc::dealloc(self.0.as_ptr(), layout(bytes)) };
    }

    /// Returns a place in the block. Whoever goes through it sees that it is inside.
    #[inline]
    pub(crate) fn at(self, offset: usize) -> *mut u8 {
        self.0.as_ptr().wrapping_add(offset)
    }

    /// Lends bytes of the block.
    ///
    /// # Safety
    /// So many bytes from there are in the block and initialised; the block lives as long as
    /// `'a`, and nobody writes them meanwhile.
    #[inline]
    pub(crate) unsafe fn slice<'a>(self, offset: usize, bytes: usize) -> &'a [u8] {
        // SAFETY: the caller vouches for all of it.
        unsafe { slice::from_raw_parts(self.at(offset), bytes) }
    }

    /// Writes bytes into the block, and returns where they end.
    ///
    /// # Safety
    /// There is room for them; they are not in the block, which nobody reads meanwhile.
    pub(crate) unsafe fn write(self, offset: usize, from: &[u8]) -> usize {
        // SAFETY: the caller vouches for the room and for two places.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), self.at(offset), from.len()) };
        offset + from.len()
    }

    /// Writes a length into the block, and returns where it ends.
    ///
    /// # Safety
    /// There is room for [`length_bytes`] of it, and nobody reads the block meanwhile.
    pub(crate) unsafe fn write_length(self, offset: usize, length: usize) -> usize {
        let wide = length as u64;
        let (first, rest) = match length {
            ..=SHORT_MAX => (wide.to_le_bytes()[0], 0),
            LONG_MIN..=0xffff => (IN_U16, 2),
            0x1_0000..=0xffff_ffff => (IN_U32, 4),
            _ => (IN_U64, 8),
        };
        // SAFETY: the caller vouches for the room.
        let end = unsafe { self.write(offset, &[first]) };
        // SAFETY: as above.
        unsafe { self.write(end, &wide.to_le_bytes()[..rest]) }
    }

    /// Reads a length.
    ///
    /// # Safety
    /// One was written there, and nobody writes the block meanwhile.
    #[inline]
    pub(crate) unsafe fn read_length(self, offset: usize) -> Length {
        // SAFETY: the caller vouches for a length, whose first byte this is.
        let first = unsafe { self.at(offset).read() };
        if usize::from(first) <= SHORT_MAX {
            return Length { bytes: usize::from(first), end: offset + 1 };
        }
        // SAFETY: passed on.
        unsafe { self.read_long_length(offset, first) }
    }

    /// # Safety
    /// A length with this first byte was written there.
    #[cold]
    unsafe fn read_long_length(self, offset: usize, first: u8) -> Length {
        let bytes = match first {
            IN_U16 => 2,
            IN_U32 => 4,
            _ => 8,
        };
        let mut wide = [0; 8];
        // SAFETY: so many bytes stand behind this first one.
        wide[..bytes].copy_from_slice(unsafe { self.slice(offset + 1, bytes) });
        // It was made of a usize.
        Length { bytes: u64::from_le_bytes(wide) as usize, end: offset + 1 + bytes }
    }
}

/// Returns what a length itself takes.
pub(crate) const fn length_bytes(length: usize) -> usize {
    match length {
        ..=SHORT_MAX => 1,
        LONG_MIN..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(rounded(bytes), ALIGN).expect("what is stored was in memory before")
}

#[cfg(test)]
mod tests {
    use super::{Block, length_bytes, rounded};

    #[test]
    fn lengths_of_all_sizes_come_back() {
        for length in [0, 1, 252, 253, 254, 255, 256, 65_535, 65_536, u32::MAX as usize, 1 << 40] {
            let block = Block::allocate(16);
            // SAFETY: 3 and at most 9 bytes are inside of 16.
            let end = unsafe { block.write_length(3, length) };
            assert_eq!(end, 3 + length_bytes(length));
            // SAFETY: it was written just now.
            let read = unsafe { block.read_length(3) };
            assert_eq!((read.bytes, read.end), (length, end));
            // SAFETY: allocated above with this size.
            unsafe { block.free(16) };
        }
    }

    #[test]
    fn sizes_are_those_that_the_allocator_has() {
        for bytes in (1..5_000).chain([1 << 20, (1 << 20) + 1]) {
            let size = rounded(bytes);
            assert!(bytes <= size && rounded(size) == size);
            assert_eq!(size, base::memory::usable_bytes(size), "{bytes}");
        }
    }
}
