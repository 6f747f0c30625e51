//! Pure: a key, its value and its expiry in one allocation, owned by a thin pointer.
//!
//! ```text
//! 0   access: 24 bits for LRU or LFU · flags: 8 bits
//! 4   key length
//! 8   expiry in ms, if there is room for one
//!     the value `V`, aligned            or    the key's bytes
//!     the key's bytes                         string length: 1 byte
//!                                             the string's bytes
//! ```
//! A short string is *embedded*: with a key of 16 bytes and a string of 32 all of it is 57
//! bytes, one cache line. The key stands before it, so that another string of about the same
//! length is written in place.
//!
//! The size of a block follows from what is in it (`Shape`), rounded up to a size that the
//! allocator has anyway: it is stored nowhere, and a string may take another's place if the
//! rounded sizes agree.
//!
//! Invariants: the flags and lengths in the block are those of the shape it was allocated
//! with; a block that is not embedded holds a live `V`.

use std::{
    alloc::{self, Layout},
    fmt,
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ptr::{self, NonNull},
    slice,
};

use crate::{
    block,
    dict::{Entry, prefetch_line},
};

/// A block with an embedded string has no more bytes than this, unless the string would fit
/// where a value stands.
const EMBEDDED_BLOCK_BYTES_MAX: usize = 128;
/// What is kept of the field for the time or frequency of access.
const LRU_MASK: u32 = (1 << LRU_BITS) - 1;
/// Its bits.
const LRU_BITS: u32 = 24;

const HAS_EXPIRY: u32 = 1 << LRU_BITS;
/// There is room for an expiry, used or not.
const EXPIRY_ROOM: u32 = 2 << LRU_BITS;
const EMBEDDED: u32 = 4 << LRU_BITS;
/// See [`Record::mark`].
const MARKED: u32 = 8 << LRU_BITS;

/// What a processor fetches at once.
const PREFETCH_BYTES: usize = 64;
const EXPIRY_AT: usize = size_of::<Header>();
const EXPIRY_BYTES: usize = size_of::<i64>();

/// A key with its value: a pointer of 8 bytes to one allocation.
pub struct Record<V> {
    block: NonNull<Header>,
    owns: PhantomData<V>,
}

/// What a record holds for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a, V> {
    /// A short string in the record itself.
    Embedded(&'a [u8]),
    /// A value.
    Value(&'a V),
}

/// What a new content does to the expiry of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It stays as it is.
    Keep,
    /// There is none from now on.
    Never,
    /// The key expires at this time, in ms of Unix time.
    At(i64),
}

impl Expiry {
    pub(crate) fn after(self, expiry_ms: Option<i64>) -> Option<i64> {
        match self {
            Self::Keep => expiry_ms,
            Self::Never => None,
            Self::At(ms) => Some(ms),
        }
    }
}

#[repr(C)]
struct Header {
    access: u32,
    key_bytes: u32,
}

// SAFETY: a record owns its block, as a Box would; what it holds besides bytes is a `V`.
unsafe impl<V: Send> Send for Record<V> {}
// SAFETY: what can be done by a shared reference reads the block, and lends `&V`.
unsafe impl<V: Sync> Sync for Record<V> {}

impl<V> Record<V> {
    /// Tells whether a string is short enough to be embedded beside this key. What is not
    /// must become a `V`.
    pub fn embeds(key: &[u8], string_bytes: usize, has_expiry: bool) -> bool {
        let shape = Shape::of_string(key.len(), string_bytes, has_expiry);
        string_bytes <= size_of::<V>().min(EMBEDDED_BLOCK_BYTES_MAX)
            || string_bytes < EMBEDDED_BLOCK_BYTES_MAX && shape.end() <= EMBEDDED_BLOCK_BYTES_MAX
    }

    /// Makes a record of an embedded string.
    ///
    /// # Panics
    /// If the string has more than 255 bytes, or the key more than `u32::MAX`.
    pub fn with_string(key: &[u8], string: &[u8], expiry_ms: Option<i64>) -> Self {
        let shape = Shape::of_string(key.len(), string.len(), expiry_ms.is_some());
        let mut record = Self::allocate(&shape, key, expiry_ms, EMBEDDED);
        record.write_string(&shape, string);
        record
    }

    /// Makes a record of a value.
    ///
    /// # Panics
    /// If the key has more than `u32::MAX` bytes.
    pub fn with_value(key: &[u8], value: V, expiry_ms: Option<i64>) -> Self {
        let shape = Shape::of_value::<V>(key.len(), expiry_ms.is_some());
        let record = Self::allocate(&shape, key, expiry_ms, 0);
        // SAFETY: the shape has room for a `V` there, aligned; nothing lives there yet.
        unsafe { record.at(shape.value_at).cast::<V>().write(value) };
        record
    }

    /// Returns the key.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let header = self.header();
        let at = key_at::<V>(header.access);
        // SAFETY: the block holds so many initialised bytes of key there.
        unsafe { slice::from_raw_parts(self.at(at), header.key_bytes as usize) }
    }

    /// Returns what the record holds.
    #[inline]
    pub fn content(&self) -> Content<'_, V> {
        if self.is_embedded() {
            let (at, bytes) = self.string_range();
            // SAFETY: the block holds so many initialised bytes of string there.
            return Content::Embedded(unsafe { slice::from_raw_parts(self.at(at), bytes) });
        }
        // SAFETY: a block that is not embedded holds a live `V` there.
        Content::Value(unsafe { &*self.value_ptr() })
    }

    /// Returns the value, if it is not an embedded string.
    pub fn value(&self) -> Option<&V> {
        match self.content() {
            Content::Embedded(_) => None,
            Content::Value(value) => Some(value),
        }
    }

    /// Returns the value to change, if it is not an embedded string.
    pub fn value_mut(&mut self) -> Option<&mut V> {
        if self.is_embedded() {
            return None;
        }
        // SAFETY: a block that is not embedded holds a live `V` there.
        Some(unsafe { &mut *self.value_ptr() })
    }

    /// Returns the embedded string to change within its length, if it is one.
    pub fn embedded_mut(&mut self) -> Option<&mut [u8]> {
        if !self.is_embedded() {
            return None;
        }
        let (at, bytes) = self.string_range();
        // SAFETY: the block holds so many initialised bytes of string there.
        Some(unsafe { slice::from_raw_parts_mut(self.at(at), bytes) })
    }

    /// Tells whether the record holds an embedded string.
    #[inline]
    pub fn is_embedded(&self) -> bool {
        self.header().access & EMBEDDED != 0
    }

    /// Tells whether `mark` was called since the record got what it holds.
    pub fn is_marked(&self) -> bool {
        self.header().access & MARKED != 0
    }

    /// Marks what the record holds, in a way that means something to its owner. The mark goes
    /// with the content: it stays when key or expiry change, and ends with another content.
    pub fn mark(&mut self) {
        self.header_mut().access |= MARKED;
    }

    /// Puts an embedded string in the place of what it held, and returns the value if it was
    /// one. Key and access field stay. In place if the size of the block allows.
    ///
    /// # Panics
    /// If the string has more than 255 bytes.
    pub fn set_string(&mut self, string: &[u8], expiry: Expiry) -> Option<V> {
        let expiry_ms = expiry.after(self.expiry());
        let has_room = self.has_expiry_room();
        let shape = Shape::of_string(self.key().len(), string.len(), has_room);
        if self.is_embedded()
            && (has_room || expiry_ms.is_none())
            && (string.len() == self.string_range().1
                || shape.block_bytes() == self.shape().block_bytes())
        {
            self.header_mut().access &= !MARKED;
            self.write_string(&shape, string);
            self.set_expiry(expiry_ms);
            return None;
        }
        let mut other = Self::with_string(self.key(), string, expiry_ms);
        other.set_lru(self.lru());
        mem::replace(self, other).into_value()
    }

    /// Puts a value in the place of what it held, and returns the value if it was one. Key
    /// and access field stay.
    pub fn set_value(&mut self, value: V, expiry: Expiry) -> Option<V> {
        let expiry_ms = expiry.after(self.expiry());
        self.header_mut().access &= !MARKED;
        if let Some(old) = self.value_mut() {
            let old = mem::replace(old, value);
            self.set_expiry(expiry_ms);
            return Some(old);
        }
        let mut other = Self::with_value(self.key(), value, expiry_ms);
        other.set_lru(self.lru());
        *self = other;
        None
    }

    /// Returns the same record under another key.
    ///
    /// # Panics
    /// If the key has more than `u32::MAX` bytes.
    #[must_use]
    pub fn with_key(mut self, key: &[u8]) -> Self {
        let expiry_ms = self.expiry();
        self.remake(Some(key), expiry_ms);
        self
    }

    /// Returns when the key expires, in ms of Unix time.
    #[inline]
    pub fn expiry(&self) -> Option<i64> {
        if self.header().access & HAS_EXPIRY == 0 {
            return None;
        }
        // SAFETY: with the flag set there is an initialised expiry, aligned, at that place.
        Some(unsafe { self.at(EXPIRY_AT).cast::<i64>().read() })
    }

    /// Sets when the key expires, or that it does not. The block moves if it had no room for
    /// an expiry; it keeps the room when the expiry goes.
    pub fn set_expiry(&mut self, expiry_ms: Option<i64>) {
        let Some(expiry_ms) = expiry_ms else {
            self.header_mut().access &= !HAS_EXPIRY;
            return;
        };
        if !self.has_expiry_room() {
            self.remake(None, Some(expiry_ms));
            return;
        }
        self.header_mut().access |= HAS_EXPIRY;
        // SAFETY: the block has room for an expiry, aligned, at that place.
        unsafe { self.at(EXPIRY_AT).cast::<i64>().write(expiry_ms) };
    }

    /// Returns the field for the time or frequency of access.
    #[inline]
    pub fn lru(&self) -> u32 {
        self.header().access & LRU_MASK
    }

    /// Sets the field for the time or frequency of access, of which 24 bits are kept.
    #[inline]
    pub fn set_lru(&mut self, lru: u32) {
        let header = self.header_mut();
        header.access = header.access & !LRU_MASK | lru & LRU_MASK;
    }

    /// Returns the bytes of the allocation. What the value owns elsewhere is not in it.
    pub fn allocation_bytes(&self) -> usize {
        self.shape().block_bytes()
    }

    /// Returns the value, if it is not an embedded string. The key is gone with the record.
    pub fn into_value(self) -> Option<V> {
        let record = ManuallyDrop::new(self);
        // SAFETY: a block that is not embedded holds a live `V`; it is read once, because
        // the record is not dropped, only its block freed.
        let value = (!record.is_embedded()).then(|| unsafe { record.value_ptr().read() });
        record.free_block();
        value
    }

    /// Returns where the block is, to tell records apart.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.block.cast()
    }

    /// Returns another owner of the same block, as it were.
    ///
    /// # Safety
    /// The result must be used for shared access only and only while the record lives and is
    /// not lent for a change, and it must never be dropped.
    pub(crate) unsafe fn alias(&self) -> ManuallyDrop<Self> {
        ManuallyDrop::new(Self { block: self.block, owns: PhantomData })
    }

    /// Makes a block with all but the string or value.
    fn allocate(shape: &Shape, key: &[u8], expiry_ms: Option<i64>, flags: u32) -> Self {
        let key_bytes = u32::try_from(key.len()).expect("a key has at most u32::MAX bytes");
        assert!(shape.string_bytes.is_none_or(|bytes| bytes <= usize::from(u8::MAX)));
        let expiry_flags = if expiry_ms.is_some() { HAS_EXPIRY | EXPIRY_ROOM } else { 0 };
        let layout = shape.layout::<V>();
        // SAFETY: the layout has at least the header's 8 bytes.
        let Some(block) = NonNull::new(unsafe { alloc::alloc(layout) }) else {
            alloc::handle_alloc_error(layout)
        };
        let block = block.cast::<Header>();
        // SAFETY: the block is fresh, aligned to 8, and begins with room for the header.
        unsafe { block.write(Header { access: flags | expiry_flags, key_bytes }) };
        let record = Self { block, owns: PhantomData };
        // A panic from here on would drop a record without a value: there is none.
        if let Some(expiry_ms) = expiry_ms {
            // SAFETY: the shape has room for an expiry, aligned, behind the header.
            unsafe { record.at(EXPIRY_AT).cast::<i64>().write(expiry_ms) };
        }
        // SAFETY: the shape has room for the key there, in a fresh block.
        unsafe { ptr::copy_nonoverlapping(key.as_ptr(), record.at(shape.key_at), key.len()) };
        record
    }

    /// Writes length and bytes of an embedded string into a block of that shape.
    fn write_string(&mut self, shape: &Shape, string: &[u8]) {
        let length = u8::try_from(string.len()).expect("an embedded string has at most 255 bytes");
        let at = shape.key_at + shape.key_bytes;
        // SAFETY: the shape has room for the length and the string behind the key.
        unsafe { self.at(at).write(length) };
        // SAFETY: as above; `string` is not of this block, which is borrowed for a change.
        unsafe { ptr::copy_nonoverlapping(string.as_ptr(), self.at(at + 1), string.len()) };
    }

    /// Moves into a block for another key or with another expiry.
    fn remake(&mut self, key: Option<&[u8]>, expiry_ms: Option<i64>) {
        let key = key.unwrap_or(self.key());
        let mut other = match self.content() {
            Content::Embedded(string) => Self::with_string(key, string, expiry_ms),
            Content::Value(_) => {
                let shape = Shape::of_value::<V>(key.len(), expiry_ms.is_some());
                let other = Self::allocate(&shape, key, expiry_ms, 0);
                let from = self.value_ptr();
                // SAFETY: a live `V` is moved to where the shape has room for it; below the
                // block it comes from is freed without dropping it, and nothing between
                // can panic.
                unsafe { ptr::copy_nonoverlapping(from, other.value_ptr(), 1) };
                other
            }
        };
        other.set_lru(self.lru());
        other.header_mut().access |= self.header().access & MARKED;
        ManuallyDrop::new(mem::replace(self, other)).free_block();
    }

    /// Frees the block, but drops no value. The record is dead from then on.
    fn free_block(&self) {
        let layout = self.shape().layout::<V>();
        // SAFETY: the block was allocated with the layout of its shape, which it still has;
        // callers do not use the record again.
        unsafe { alloc::dealloc(self.block.as_ptr().cast(), layout) };
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the block begins with an initialised header.
        unsafe { self.block.as_ref() }
    }

    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: the block begins with an initialised header, and is borrowed for a change.
        unsafe { self.block.as_mut() }
    }

    /// Returns a place in the block. Callers pass offsets of its shape.
    #[inline]
    fn at(&self, offset: usize) -> *mut u8 {
        self.block.as_ptr().cast::<u8>().wrapping_add(offset)
    }

    fn has_expiry_room(&self) -> bool {
        self.header().access & EXPIRY_ROOM != 0
    }

    fn value_ptr(&self) -> *mut V {
        self.at(value_at::<V>(self.header().access)).cast()
    }

    /// Returns where the bytes of the embedded string are.
    #[inline]
    fn string_range(&self) -> (usize, usize) {
        let header = self.header();
        let at = key_at::<V>(header.access) + header.key_bytes as usize;
        // SAFETY: behind the key of an embedded record stands the string's length.
        (at + 1, usize::from(unsafe { self.at(at).read() }))
    }

    fn shape(&self) -> Shape {
        let header = self.header();
        let has_room = self.has_expiry_room();
        if self.is_embedded() {
            return Shape::of_string(header.key_bytes as usize, self.string_range().1, has_room);
        }
        Shape::of_value::<V>(header.key_bytes as usize, has_room)
    }
}

impl<V> Drop for Record<V> {
    fn drop(&mut self) {
        if let Some(value) = self.value_mut() {
            let value = ptr::from_mut(value);
            // SAFETY: the value is live, and the record ends here: nobody drops it again.
            unsafe { ptr::drop_in_place(value) };
        }
        self.free_block();
    }
}

impl<V: fmt::Debug> fmt::Debug for Record<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key", &self.key().escape_ascii().to_string())
            .field("content", &self.content())
            .field("expiry", &self.expiry())
            .finish()
    }
}

impl<V> Entry for Record<V> {
    #[inline]
    fn key(&self) -> &[u8] {
        Self::key(self)
    }

    fn prefetch(&self) {
        let block = self.block.as_ptr();
        prefetch_line(block);
        // A key and a short string behind the header: most often they end in the next line.
        prefetch_line(block.wrapping_add(PREFETCH_BYTES));
    }
}

/// Where things are in a block.
struct Shape {
    key_at: usize,
    key_bytes: usize,
    /// Meaningless if a string is embedded.
    value_at: usize,
    string_bytes: Option<usize>,
}

impl Shape {
    fn of_string(key_bytes: usize, string_bytes: usize, has_room: bool) -> Self {
        let key_at = EXPIRY_AT + if has_room { EXPIRY_BYTES } else { 0 };
        Self { key_at, key_bytes, value_at: key_at, string_bytes: Some(string_bytes) }
    }

    fn of_value<V>(key_bytes: usize, has_room: bool) -> Self {
        let access = if has_room { EXPIRY_ROOM } else { 0 };
        let (key_at, value_at) = (key_at::<V>(access), value_at::<V>(access));
        Self { key_at, key_bytes, value_at, string_bytes: None }
    }

    /// Returns the bytes that are used.
    fn end(&self) -> usize {
        self.key_at + self.key_bytes + self.string_bytes.map_or(0, |bytes| 1 + bytes)
    }

    /// Returns the bytes that are allocated.
    fn block_bytes(&self) -> usize {
        block::rounded(self.end())
    }

    fn layout<V>(&self) -> Layout {
        let align = align_of::<V>().max(align_of::<u64>());
        Layout::from_size_align(self.block_bytes(), align).expect("a key has at most 4 GiB")
    }
}

/// Returns where the key is in a block with these flags.
#[inline]
const fn key_at<V>(access: u32) -> usize {
    let value_at = value_at::<V>(access);
    if access & EMBEDDED != 0 { after_expiry(access) } else { value_at + size_of::<V>() }
}

/// Returns where the value is in a block with these flags.
#[inline]
const fn value_at<V>(access: u32) -> usize {
    after_expiry(access).next_multiple_of(align_of::<V>())
}

#[inline]
const fn after_expiry(access: u32) -> usize {
    EXPIRY_AT + if access & EXPIRY_ROOM != 0 { EXPIRY_BYTES } else { 0 }
}

#[cfg(test)]
mod tests;
