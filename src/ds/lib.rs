//! Pure: the data structures.
//!
//! [`store::Store`] holds the keys of one database; it is built of [`dict::Dict`], the hash
//! table, and [`record::Record`], a key and its value in one allocation. [`map::Map`] is the
//! same pair for whoever just wants values by name.
//!
//! Small values are packed: [`Listpack`], a list in one run of bytes, and [`Intset`], a sorted
//! array of integers. Both have Redis's bytes, which files hold as they are. A [`List`] is a
//! listpack or, if it is long, a [`Quicklist`] of them.
//!
//! Large values are tables: [`Set`], [`Hash`] and [`Zset`] keep each element in one block of
//! bytes that a dictionary owns; a [`Tree`] is a map in order. [`bits`], [`hyperloglog`] and
//! [`geohash`] give meaning to strings and to scores.

pub mod bits;
#[expect(unsafe_code, reason = "one allocation a string, of a size chosen at run time")]
mod block;
mod corrupt;
#[expect(unsafe_code, reason = "a slot of 8 bytes is an entry, a child or nothing")]
pub mod dict;
pub mod geohash;
#[expect(unsafe_code, reason = "fields laid out by hand, and an index that refers to them")]
pub mod hash;
pub mod hyperloglog;
pub mod intset;
pub mod legacy;
pub mod list;
#[expect(unsafe_code, reason = "a listpack is a slice of bytes by another name")]
pub mod listpack;
pub mod map;
#[expect(unsafe_code, reason = "the size of an allocation follows from what is in it")]
mod prefixed;
pub mod quicklist;
#[expect(unsafe_code, reason = "one allocation a key, of a size chosen at run time")]
pub mod record;
#[cfg(test)]
mod seed;
pub mod set;
#[expect(unsafe_code, reason = "the index of keys that expire points into the other table")]
pub mod store;
#[expect(unsafe_code, reason = "strings and what stands before them, laid out by hand")]
mod text;
#[expect(unsafe_code, reason = "strings are copied by the block")]
pub mod thin;
pub mod tree;
#[expect(unsafe_code, reason = "the order refers to members that the table owns")]
pub mod zset;

pub use corrupt::{Corrupt, Depth};
pub use hash::Hash;
pub use intset::Intset;
pub use list::List;
pub use listpack::Listpack;
pub use map::Map;
pub use quicklist::Quicklist;
pub use record::{Content, Expiry, Record};
pub use set::Set;
pub use store::Store;
pub use thin::ThinBytes;
pub use tree::Tree;
pub use zset::Zset;

/// A large string that several owners may hold, so that nobody has to copy it.
pub type SharedBytes = std::sync::Arc<Vec<u8>>;

/// Counts the bytes of the allocations of a shared string: it, and what refers to it.
pub fn shared_allocation_bytes(shared: &SharedBytes) -> usize {
    let header = size_of::<[usize; 2]>() + size_of::<Vec<u8>>();
    base::memory::usable_bytes(header) + base::memory::usable_bytes(shared.capacity())
}
