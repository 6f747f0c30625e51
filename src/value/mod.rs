//! Pure: what a key can hold, besides a string that is short enough to stand in the record.
//!
//! A type is a file. Each has the same few functions here (its encoding, its memory, what
//! freeing it takes), and beside them what its commands do.

mod ahead;
mod hash;
mod kind;
mod list;
mod pattern;
pub mod set;
/// Streams.
pub mod stream;
mod text;
/// Sorted sets.
pub mod zset;

use ds::dict::Stats;

pub use ds::List;
pub use hash::{Expiring, Hash, Pair};
pub use kind::Kind;
pub use list::list_options;
pub use pattern::Pattern;
pub use set::Set;
pub use stream::Stream;
pub use text::{EMBEDDED_BYTES_MAX, Text, greedy};
pub use zset::Zset;

/// A value, which owns all it consists of.
#[derive(Debug)]
pub enum Value {
    /// A string.
    Text(Text),
    /// Elements in the order in which they were put.
    List(List),
    /// Members in no order.
    Set(Set),
    /// Fields, each with a value.
    Hash(Hash),
    /// Members in the order of their scores.
    Zset(Zset),
    /// Entries in the order in which they were added, and who reads them.
    Stream(Box<Stream>),
}

// The freeing thread takes values: what they are made of must be `Send`.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Value>();
    is_send::<resp::OwnedArgv>();
};
const _: () = assert!(size_of::<Value>() <= 24);

impl Value {
    /// Returns the name of its type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::Zset(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Text(_) => "raw",
            Self::List(list) => list::encoding(list),
            Self::Set(set) => set.encoding(),
            Self::Hash(hash) => hash.encoding(),
            Self::Zset(zset) => zset.encoding(),
            Self::Stream(_) => "stream",
        }
    }

    /// Makes a second one like it. A big string is one in memory until either is changed.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.duplicate()),
            Self::List(list) => Self::List(list.clone()),
            Self::Set(set) => Self::Set(set.duplicate()),
            Self::Hash(hash) => Self::Hash(hash.duplicate()),
            Self::Zset(zset) => Self::Zset(zset.duplicate()),
            Self::Stream(stream) => Self::Stream(stream.clone()),
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub fn allocations(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::List(list) => list::allocations(list),
            Self::Set(set) => set.allocations(),
            Self::Hash(hash) => hash.allocations(),
            Self::Zset(zset) => zset.allocations(),
            Self::Stream(stream) => stream.allocations(),
        }
    }

    /// Counts what is where in its hash table, if it has one.
    pub fn table_stats(&self) -> Option<Stats> {
        match self {
            Self::Set(Set::Table(set)) => Some(set.stats()),
            Self::Hash(Hash::Table(hash)) => Some(hash.stats()),
            Self::Zset(Zset::Tree(zset)) => Some(zset.stats()),
            Self::Text(_)
            | Self::List(_)
            | Self::Set(_)
            | Self::Hash(_)
            | Self::Zset(_)
            | Self::Stream(_) => None,
        }
    }

    /// Counts the bytes of its allocations; what has many is estimated by `samples` of them,
    /// 0 meaning all.
    pub fn memory_bytes(&self, samples: usize) -> usize {
        match self {
            Self::Text(text) => text.memory_bytes(),
            Self::List(list) => list.allocation_bytes(samples),
            Self::Set(set) => set.memory_bytes(),
            Self::Hash(hash) => hash.memory_bytes(),
            Self::Zset(zset) => zset.memory_bytes(),
            Self::Stream(stream) => stream.memory_bytes(samples),
        }
    }
}
