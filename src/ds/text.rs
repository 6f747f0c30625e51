//! Pure: a string in one allocation behind a thin pointer, with a few bytes of fixed size
//! before it: a member of a set (none), or of a sorted set (its score).
//!
//! ```text
//! 0      HEAD bytes
//! HEAD   length: 1, 3, 5 or 9 bytes
//!        the string
//! ```
//! Invariant: the block holds what the picture says, and was allocated for just that.

use crate::{
    block::{Block, length_bytes, rounded},
    dict::{Entry, prefetch_line},
};

/// A string that does not change, and `HEAD` bytes that may.
pub(crate) struct Text<const HEAD: usize>(Block);

impl<const HEAD: usize> Text<HEAD> {
    pub(crate) fn new(head: [u8; HEAD], string: &[u8]) -> Self {
        let block = Block::allocate(bytes_for::<HEAD>(string.len()));
        // SAFETY: the block has room for head, length and string, and is nobody else's.
        let at = unsafe { block.write(0, &head) };
        // SAFETY: as above.
        let at = unsafe { block.write_length(at, string.len()) };
        // SAFETY: as above.
        unsafe { block.write(at, string) };
        Self(block)
    }

    #[inline]
    pub(crate) fn string(&self) -> &[u8] {
        // SAFETY: `self` is the owner, and lent for as long.
        unsafe { Self::string_at(self.0) }
    }

    #[inline]
    pub(crate) fn head(&self) -> [u8; HEAD] {
        // SAFETY: the block begins with so many bytes, and arrays of bytes need no alignment.
        unsafe { self.0.at(0).cast::<[u8; HEAD]>().read() }
    }

    pub(crate) fn set_head(&mut self, head: [u8; HEAD]) {
        // SAFETY: the block begins with room for it, and is borrowed for a change.
        unsafe { self.0.write(0, &head) };
    }

    /// Returns the bytes of the allocation.
    pub(crate) fn allocation_bytes(&self) -> usize {
        rounded(bytes_for::<HEAD>(self.string().len()))
    }

    /// Returns where the block is, to tell strings apart.
    #[inline]
    pub(crate) fn address(&self) -> Block {
        self.0
    }

    /// Returns the string in a block that [`Self::address`] told of.
    ///
    /// # Safety
    /// The owner of the block lives as long as `'a`.
    #[inline]
    pub(crate) unsafe fn string_at<'a>(block: Block) -> &'a [u8] {
        // SAFETY: a length stands there (invariant), and the string never changes.
        let length = unsafe { block.read_length(HEAD) };
        // SAFETY: so many bytes of string stand behind it; the caller vouches for their life.
        unsafe { block.slice(length.end, length.bytes) }
    }
}

impl<const HEAD: usize> Drop for Text<HEAD> {
    fn drop(&mut self) {
        let bytes = bytes_for::<HEAD>(self.string().len());
        // SAFETY: allocated with this size, which follows from the string; it ends here.
        unsafe { self.0.free(bytes) };
    }
}

impl<const HEAD: usize> Entry for Text<HEAD> {
    #[inline]
    fn key(&self) -> &[u8] {
        self.string()
    }

    #[inline]
    fn prefetch(&self) {
        prefetch_line(self.0.at(0));
    }
}

fn bytes_for<const HEAD: usize>(string: usize) -> usize {
    HEAD + length_bytes(string) + string
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn holds_head_and_string() {
        for length in [0, 1, 6, 7, 8, 15, 16, 252, 253, 300, 70_000] {
            let string: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut text = Text::new(*b"12345678", &string);
            assert_eq!((text.string(), &text.head()), (&string[..], b"12345678"));
            text.set_head(*b"abcdefgh");
            assert_eq!((text.string(), &text.head()), (&string[..], b"abcdefgh"));
            let bare = Text::<0>::new([], &string);
            assert_eq!(bare.string(), string);
            assert!(bare.allocation_bytes() <= text.allocation_bytes());
        }
        assert_eq!(Text::<0>::new([], b"member:000123").allocation_bytes(), 16);
        assert_eq!(Text::new([0; 8], b"member:000123").allocation_bytes(), 24);
    }
}
