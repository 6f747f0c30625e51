//! Pure: the listpack, a list of strings and integers in one run of bytes.
//!
//! ```text
//! bytes in all: u32 · elements: u16, 65535 when there are more or it is not known · entries · 0xff
//! ```
//! It is Redis's format, byte for byte, because it goes as it is into RDB files and DUMP: the
//! same elements put in by the same steps make the same bytes. `entry` has one entry, `read`
//! what can be asked of any such bytes ([`Pack`]), `edit` what changes a list of our own
//! ([`Listpack`]), `check` foreign bytes, `random` picks.
//!
//! A list knows its end and how to step either way, and nothing else: finding an element is
//! a walk. It is for few elements, which cost two bytes each beside their own.
//!
//! Elements are strings. One that is written as we would write an integer is kept as that.

mod check;
mod edit;
mod entry;
mod gapped;
mod random;
mod read;

use std::{borrow::Borrow, fmt, ops::Deref};

pub(crate) use self::{entry::long_entry_bytes, gapped::Gapped};
pub use self::{
    entry::{Digits, Item},
    read::{At, Iter, Pack},
};
use crate::{
    Corrupt, Depth,
    prefixed::{LENGTH_BYTES, Prefixed},
};

/// What stands before the first entry.
const HEADER_BYTES: usize = LENGTH_BYTES + size_of::<u16>();
/// A listpack shall not become larger; see [`Pack::has_room_for`].
pub const BYTES_MAX: usize = 1 << 30;

/// A listpack of our own, in one word: one allocation of its bytes, rounded up to what the
/// allocator has.
#[derive(Clone, PartialEq, Eq)]
pub struct Listpack(Prefixed);

impl Listpack {
    /// What an empty list has.
    pub const EMPTY_BYTES: usize = HEADER_BYTES + 1;

    /// Makes an empty list, of 7 bytes.
    pub fn new() -> Self {
        Self(Prefixed::new(&[&[0, 0, entry::END]]))
    }

    /// Makes a list of elements in their order.
    pub fn from_items<'a>(items: impl IntoIterator<Item = Item<'a>>) -> Self {
        let mut list = Self::new();
        list.extend(items);
        list
    }

    /// Takes over bytes that are a listpack.
    pub fn from_bytes(bytes: &[u8], depth: Depth) -> Result<Self, Corrupt> {
        Pack::check(bytes, depth).map(Self::from)
    }

    /// Asks for the memory of a list that is small, which will be read soon.
    #[inline]
    pub fn prefetch(&self) {
        self.0.prefetch();
    }

    /// Counts the bytes that it takes on the heap.
    pub fn allocation_bytes(&self) -> usize {
        self.0.allocation_bytes()
    }
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&Pack> for Listpack {
    fn from(pack: &Pack) -> Self {
        Self(Prefixed::new(&[&pack.bytes()[LENGTH_BYTES..]]))
    }
}

impl Borrow<Pack> for Listpack {
    fn borrow(&self) -> &Pack {
        self
    }
}

impl ToOwned for Pack {
    type Owned = Listpack;

    fn to_owned(&self) -> Listpack {
        Listpack::from(self)
    }
}

impl Deref for Listpack {
    type Target = Pack;

    #[inline]
    fn deref(&self) -> &Pack {
        Pack::wrap(self.0.bytes())
    }
}

impl fmt::Debug for Listpack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
pub(crate) mod tests;
