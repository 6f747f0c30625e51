//! Pure: a field of a hash: name, value and expiry in one allocation behind a thin pointer.
//!
//! ```text
//! 0   length of the name: 1, 3, 5 or 9 bytes
//!     the name
//!     twice the length of the value, and 1 if there is room for an expiry: 1, 3, 5 or 9 bytes
//!     expiry in ms, if there is room for one; `NEVER` if there is none
//!     the value
//! ```
//! A large value that others hold, too, is not copied: where it would stand there is its owner's
//! share of it, 8 bytes, and the top bit of what tells of the value is set.
//!
//! A name of 12 bytes and a value of 18 so take 32. Another value of about the same length is
//! written in place. Invariant: the block holds what the picture says, and was allocated for
//! just that, rounded.

use std::{fmt, mem, mem::ManuallyDrop, sync::Arc};

use crate::{
    SharedBytes,
    block::{Block, length_bytes, rounded},
    dict::{Entry, prefetch_line},
    record::Expiry,
    shared_allocation_bytes,
};

const EXPIRY_BYTES: usize = size_of::<i64>();
/// Stands where an expiry was.
const NEVER: i64 = i64::MIN;
/// A shared value from here on stays where it is.
pub const APART_BYTES_MIN: usize = 64 * 1024;
/// Of twice the length of a value.
const APART: usize = 1 << (usize::BITS - 1);
const SHARE_BYTES: usize = size_of::<SharedBytes>();

/// A field with its value.
pub struct Field(Block);

/// A value to be stored.
#[derive(Clone, Copy, Debug)]
pub enum NewValue<'a> {
    /// To be copied.
    Bytes(&'a [u8]),
    /// To be kept where it is, if it is large.
    Shared(&'a SharedBytes),
}

impl<'a> From<&'a [u8]> for NewValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const BYTES: usize> From<&'a [u8; BYTES]> for NewValue<'a> {
    fn from(bytes: &'a [u8; BYTES]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for NewValue<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a SharedBytes> for NewValue<'a> {
    fn from(shared: &'a SharedBytes) -> Self {
        Self::Shared(shared)
    }
}

impl<'a> NewValue<'a> {
    /// Returns the value as it is read.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Shared(shared) => shared,
        }
    }

    fn apart(self) -> Option<&'a SharedBytes> {
        match self {
            Self::Shared(shared) if APART_BYTES_MIN <= shared.len() => Some(shared),
            _ => None,
        }
    }
}

/// What is where in a block.
struct Shape {
    name_at: usize,
    name_bytes: usize,
    value_at: usize,
    value_bytes: usize,
    has_room: bool,
    is_apart: bool,
}

impl Field {
    pub(super) fn new(name: &[u8], value: NewValue<'_>, expiry_ms: Option<i64>) -> Self {
        let shape = Shape::new(name.len(), value, expiry_ms.is_some());
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
        if shape.is_apart {
            // SAFETY: the block says that there is a share.
            let value = unsafe { self.share_at(&shape) };
            // SAFETY: the share of this field keeps the string, which nobody changes while more
            // than one could hold it; taking the share takes `&mut self`.
            return unsafe { &*Arc::as_ptr(&value) };
        }
        // SAFETY: the block holds so many bytes of value there, and writing takes `&mut self`.
        unsafe { self.0.slice(shape.value_at, shape.value_bytes) }
    }

    /// Returns the value in a form that can be kept, if it is a large one that is not in the
    /// block.
    pub fn shared(&self) -> Option<SharedBytes> {
        let shape = self.shape();
        // SAFETY: the block says that there is a share.
        shape.is_apart.then(|| ManuallyDrop::into_inner(unsafe { self.share_at(&shape) }.clone()))
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

    /// Returns the bytes of the allocation, and those of a value that is apart.
    pub fn allocation_bytes(&self) -> usize {
        let shape = self.shape();
        let apart = if shape.is_apart {
            // SAFETY: the block says that there is a share.
            let value = unsafe { self.share_at(&shape) };
            shared_allocation_bytes(&value)
        } else {
            0
        };
        rounded(shape.bytes()) + apart
    }

    /// Gives the field another value. In place if the size of the block allows.
    pub(super) fn set(&mut self, value: NewValue<'_>, expiry: Expiry) {
        let expiry_ms = expiry.after(self.expiry());
        let old = self.shape();
        let has_room = expiry_ms.is_some() || old.has_room;
        let shape = Shape::new(old.name_bytes, value, has_room);
        let is_apart = old.is_apart || shape.is_apart;
        if !is_apart && rounded(shape.bytes()) == rounded(old.bytes()) {
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
            let shared = self.shared();
            let value = match &shared {
                Some(shared) => NewValue::Shared(shared),
                None => NewValue::Bytes(self.value()),
            };
            *self = Self::new(self.name(), value, expiry_ms);
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
    fn write_value(&mut self, shape: &Shape, value: NewValue<'_>, expiry_ms: Option<i64>) {
        let at = shape.name_at + shape.name_bytes;
        // SAFETY: the block has room for the whole shape, and is borrowed for a change.
        let at = unsafe { self.0.write_length(at, shape.tail_length()) };
        if shape.has_room {
            // SAFETY: as above.
            unsafe { self.0.write(at, &expiry_ms.unwrap_or(NEVER).to_ne_bytes()) };
        }
        if let Some(shared) = value.apart() {
            let share = self.0.at(shape.value_at).cast::<*const Vec<u8>>();
            // SAFETY: as above; `drop` takes the share back.
            return unsafe { share.write_unaligned(Arc::into_raw(shared.clone())) };
        }
        // SAFETY: as above; the value is not in this block, which is borrowed for a change.
        unsafe { self.0.write(shape.value_at, value.bytes()) };
    }

    /// Lends the share of a value that is apart, which stays the block's.
    ///
    /// # Safety
    /// The value is apart, and what is returned does not outlive the field.
    unsafe fn share_at(&self, shape: &Shape) -> ManuallyDrop<SharedBytes> {
        let share = self.0.at(shape.value_at).cast::<*const Vec<u8>>();
        // SAFETY: the caller says that a share was written there, aligned to nothing.
        let share = unsafe { share.read_unaligned() };
        // SAFETY: it came from `Arc::into_raw`, and is given back by `drop` alone.
        ManuallyDrop::new(unsafe { Arc::from_raw(share) })
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
        let is_apart = tail.bytes & APART != 0;
        Shape {
            name_at: name.end,
            name_bytes: name.bytes,
            value_at: tail.end + if has_room { EXPIRY_BYTES } else { 0 },
            value_bytes: (tail.bytes & !APART) >> 1,
            has_room,
            is_apart,
        }
    }
}

impl Shape {
    fn new(name_bytes: usize, value: NewValue<'_>, has_room: bool) -> Self {
        let name_at = length_bytes(name_bytes);
        let (value_bytes, is_apart) = (value.bytes().len(), value.apart().is_some());
        let mut shape = Self { name_at, name_bytes, value_at: 0, value_bytes, has_room, is_apart };
        let room = if has_room { EXPIRY_BYTES } else { 0 };
        shape.value_at = name_at + name_bytes + length_bytes(shape.tail_length()) + room;
        shape
    }

    fn tail_length(&self) -> usize {
        let apart = if self.is_apart { APART } else { 0 };
        apart | self.value_bytes << 1 | usize::from(self.has_room)
    }

    fn bytes(&self) -> usize {
        self.value_at + if self.is_apart { SHARE_BYTES } else { self.value_bytes }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let shape = self.shape();
        if shape.is_apart {
            // SAFETY: the block says that there is a share, which ends here with the field.
            drop(ManuallyDrop::into_inner(unsafe { self.share_at(&shape) }));
        }
        let bytes = shape.bytes();
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
    use super::{APART_BYTES_MIN, Expiry, Field, NewValue::Bytes, NewValue::Shared};
    use crate::SharedBytes;

    #[test]
    fn name_value_and_expiry_come_back() {
        let sizes = [0, 1, 5, 12, 63, 126, 127, 128, 252, 253, 300, 40_000, 70_000];
        for name_bytes in sizes {
            let name = vec![b'n'; name_bytes];
            let mut field = Field::new(&name, Bytes(b"first"), None);
            for value_bytes in sizes {
                let value = vec![b'v'; value_bytes];
                let made = Field::new(&name, Bytes(&value), Some(-5));
                assert_eq!(
                    (made.name(), made.value(), made.expiry()),
                    (&name[..], &value[..], Some(-5))
                );
                field.set(Bytes(&value), Expiry::Keep);
                assert_eq!(
                    (field.name(), field.value(), field.expiry()),
                    (&name[..], &value[..], None)
                );
                field.set_expiry(Some(7));
                field.set(Bytes(b"other"), Expiry::Keep);
                assert_eq!((field.value(), field.expiry()), (&b"other"[..], Some(7)));
                field.set_expiry(None);
                assert_eq!((field.value(), field.expiry()), (&b"other"[..], None));
                field.set(Bytes(&value), Expiry::At(9));
                assert_eq!((field.value(), field.expiry()), (&value[..], Some(9)));
                field.set(Bytes(&value), Expiry::Never);
                assert_eq!((field.name(), field.expiry()), (&name[..], None));
                field = Field::new(&name, Bytes(&value), None);
            }
        }
        assert_eq!(Field::new(b"field:000123", Bytes(&[b'v'; 18]), None).allocation_bytes(), 32);
    }

    #[test]
    fn a_large_value_is_held_once_and_let_go() {
        let large = SharedBytes::new(vec![b'v'; APART_BYTES_MIN]);
        let small = SharedBytes::new(vec![b's'; APART_BYTES_MIN - 1]);
        let mut field = Field::new(b"name", Shared(&large), None);
        assert_eq!((field.name(), field.value(), field.expiry()), (&b"name"[..], &large[..], None));
        assert!(field.shared().is_some_and(|shared| SharedBytes::ptr_eq(&shared, &large)));
        assert!(field.value().as_ptr() == large.as_ptr());
        assert!(APART_BYTES_MIN < field.allocation_bytes());
        field.set_expiry(Some(7));
        field.set_expiry(Some(8));
        assert_eq!((field.value(), field.expiry()), (&large[..], Some(8)));
        field.set(Shared(&large), Expiry::Keep);
        assert_eq!((SharedBytes::strong_count(&large), field.expiry()), (2, Some(8)));
        field.set(Shared(&small), Expiry::Keep);
        assert_eq!((field.value(), field.shared(), field.expiry()), (&small[..], None, Some(8)));
        assert_eq!(SharedBytes::strong_count(&large), 1);
        field.set(Shared(&large), Expiry::Never);
        field.set(Bytes(b"eight by"), Expiry::Never);
        assert_eq!((field.value(), SharedBytes::strong_count(&large)), (&b"eight by"[..], 1));
        field.set(Shared(&large), Expiry::Never);
        drop(field);
        assert_eq!((SharedBytes::strong_count(&large), SharedBytes::strong_count(&small)), (1, 1));
    }
}
