//! Pure: a field of a hash: name, value and expiry in one allocation behind a thin pointer.
//!
//! ```text
//! 0   length of the name: 1, 3, 5 or 9 bytes
//!     the name
//!     twice the length of the value, and 1 if there is room for an expiry: 1, 3, 5 or 9 bytes
//!     expiry in ms, if there is room for one; `NEVER` if there is none
//!     the value
//! ```
//! A name of 12 bytes and a value of 18 so take 32. Another value of about the same length is
//! written in place. Invariant: the block holds what the picture says, and was allocated for
//! just that, rounded.

use std::{fmt, mem};

use crate::{
    block::{Block, length_bytes, rounded},
    dict::{Entry, prefetch_line},
    record::Expiry,
};

const EXPIRY_BYTES: usize = size_of::<i64>();
/// Stands where an expiry was.
const NEVER: i64 = i64::MIN;

/// A field with its value.
pub struct Field(Block);

/// What is where in a block.
struct Shape {
    name_at: usize,
    name_bytes: usize,
    value_at: usize,
    value_bytes: usize,
    has_room: bool,
}

impl Field {
    pub(super) fn new(name: &[u8], value: &[u8], expiry_ms: Option<i64>) -> Self {
        let shape = Shape::new(name.len(), value.len(), expiry_ms.is_some());
        let block = Block::allocate(shape.bytes());
        // SAFETY: the block has room for all of the shape, and is nobody else's.
        let at = unsafe { block.write_length(0, name.len()) };
        // SAFETY: as above.
        unsafe { block.write(at, name) };
        let mut field = Self(block);
        field.write_value(&shape, value, expiry_ms);
        field
    }

    /// Returns the name.
    #[inline]
    pub fn name(&self) -> &[u8] {
        // SAFETY: the block begins with a length (invariant).
        let name = unsafe { self.0.read_length(0) };
        // SAFETY: so many bytes stand behind it; they are written when the field is made.
        unsafe { self.0.slice(name.end, name.bytes) }
    }

    /// Returns the value.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let shape = self.shape();
        // SAFETY: the block holds so many bytes of value there, and writing takes `&mut self`.
        unsafe { self.0.slice(shape.value_at, shape.value_bytes) }
    }

    /// Returns when the field expires, in ms of Unix time.
    #[inline]
    pub fn expiry(&self) -> Option<i64> {
        let shape = self.shape();
        if !shape.has_room {
            return None;
        }
        // SAFETY: with room for an expiry, one stands before the value, aligned to nothing.
        let ms = unsafe { self.expiry_at(&shape).read_unaligned() };
        (ms != NEVER).then_some(ms)
    }

    /// Returns the bytes of the allocation.
    pub fn allocation_bytes(&self) -> usize {
        rounded(self.shape().bytes())
    }

    /// Gives the field another value. In place if the size of the block allows.
    pub(super) fn set(&mut self, value: &[u8], expiry: Expiry) {
        let expiry_ms = expiry.after(self.expiry());
        let old = self.shape();
        let has_room = expiry_ms.is_some() || old.has_room;
        let shape = Shape::new(old.name_bytes, value.len(), has_room);
        if rounded(shape.bytes()) == rounded(old.bytes()) {
            self.write_value(&shape, value, expiry_ms);
        } else {
            *self = Self::new(self.name(), value, expiry_ms);
        }
    }

    /// Sets when the field expires, or that it does not. The block moves if it had no room
    /// for an expiry; it keeps the room when the expiry goes.
    pub(super) fn set_expiry(&mut self, expiry_ms: Option<i64>) {
        let shape = self.shape();
        if shape.has_room {
            // SAFETY: with room for an expiry, it stands before the value, aligned to nothing.
            unsafe { self.expiry_at(&shape).write_unaligned(expiry_ms.unwrap_or(NEVER)) };
        } else if expiry_ms.is_some() {
            *self = Self::new(self.name(), self.value(), expiry_ms);
        }
    }

    /// Returns where the block is, to tell fields apart.
    pub(super) fn address(&self) -> Block {
        self.0
    }

    /// Returns the name of the field in a block that [`Self::address`] told of.
    ///
    /// # Safety
    /// The owner of the block lives as long as `'a`, at this address.
    pub(super) unsafe fn name_at<'a>(block: Block) -> &'a [u8] {
        // SAFETY: the block begins with a length (invariant).
        let name = unsafe { block.read_length(0) };
        // SAFETY: so many bytes stand behind it; they are written when the field is made.
        unsafe { block.slice(name.end, name.bytes) }
    }

    /// Writes what follows the name, into a block that is large enough for the shape.
    fn write_value(&mut self, shape: &Shape, value: &[u8], expiry_ms: Option<i64>) {
        let at = shape.name_at + shape.name_bytes;
        // SAFETY: the block has room for the whole shape, and is borrowed for a change.
        let at = unsafe { self.0.write_length(at, shape.tail_length()) };
        if shape.has_room {
            // SAFETY: as above.
            unsafe { self.0.write(at, &expiry_ms.unwrap_or(NEVER).to_ne_bytes()) };
        }
        // SAFETY: as above; the value is not in this block, which is borrowed for a change.
        unsafe { self.0.write(shape.value_at, value) };
    }

    fn expiry_at(&self, shape: &Shape) -> *mut i64 {
        self.0.at(shape.value_at - EXPIRY_BYTES).cast()
    }

    #[inline]
    fn shape(&self) -> Shape {
        // SAFETY: the block begins with a length (invariant).
        let name = unsafe { self.0.read_length(0) };
        // SAFETY: another one stands behind the name.
        let tail = unsafe { self.0.read_length(name.end + name.bytes) };
        let has_room = tail.bytes & 1 != 0;
        Shape {
            name_at: name.end,
            name_bytes: name.bytes,
            value_at: tail.end + if has_room { EXPIRY_BYTES } else { 0 },
            value_bytes: tail.bytes >> 1,
            has_room,
        }
    }
}

impl Shape {
    fn new(name_bytes: usize, value_bytes: usize, has_room: bool) -> Self {
        let name_at = length_bytes(name_bytes);
        let mut shape = Self { name_at, name_bytes, value_at: 0, value_bytes, has_room };
        let room = if has_room { EXPIRY_BYTES } else { 0 };
        shape.value_at = name_at + name_bytes + length_bytes(shape.tail_length()) + room;
        shape
    }

    fn tail_length(&self) -> usize {
        self.value_bytes << 1 | usize::from(self.has_room)
    }

    fn bytes(&self) -> usize {
        self.value_at + self.value_bytes
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let bytes = self.shape().bytes();
        // SAFETY: allocated with a size that rounds to the same; it ends here.
        unsafe { self.0.free(bytes) };
    }
}

impl Entry for Field {
    #[inline]
    fn key(&self) -> &[u8] {
        self.name()
    }

    #[inline]
    fn prefetch(&self) {
        prefetch_line(self.0.at(0));
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("name", &self.name().escape_ascii().to_string())
            .field("value", &self.value().escape_ascii().to_string())
            .field("expiry", &self.expiry())
            .finish()
    }
}

const _: () = assert!(mem::size_of::<Field>() == 8);

#[cfg(test)]
mod tests {
    use super::{Expiry, Field};

    #[test]
    fn name_value_and_expiry_come_back() {
        let sizes = [0, 1, 5, 12, 63, 126, 127, 128, 252, 253, 300, 40_000, 70_000];
        for name_bytes in sizes {
            let name = vec![b'n'; name_bytes];
            let mut field = Field::new(&name, b"first", None);
            for value_bytes in sizes {
                let value = vec![b'v'; value_bytes];
                let made = Field::new(&name, &value, Some(-5));
                assert_eq!(
                    (made.name(), made.value(), made.expiry()),
                    (&name[..], &value[..], Some(-5))
                );
                field.set(&value, Expiry::Keep);
                assert_eq!(
                    (field.name(), field.value(), field.expiry()),
                    (&name[..], &value[..], None)
                );
                field.set_expiry(Some(7));
                field.set(b"other", Expiry::Keep);
                assert_eq!((field.value(), field.expiry()), (&b"other"[..], Some(7)));
                field.set_expiry(None);
                assert_eq!((field.value(), field.expiry()), (&b"other"[..], None));
                field.set(&value, Expiry::At(9));
                assert_eq!((field.value(), field.expiry()), (&value[..], Some(9)));
                field.set(&value, Expiry::Never);
                assert_eq!((field.name(), field.expiry()), (&name[..], None));
                field = Field::new(&name, &value, None);
            }
        }
        assert_eq!(Field::new(b"field:000123", &[b'v'; 18], None).allocation_bytes(), 32);
    }
}
