//! Pure: the data structures.
//!
//! [`store::Store`] holds the keys of one database; it is built of [`dict::Dict`], the hash
//! table, and [`record::Record`], a key and its value in one allocation. [`map::Map`] is the
//! same pair for whoever just wants values by name.

#[expect(unsafe_code, reason = "one allocation a string, of a size chosen at run time")]
mod block;
#[expect(unsafe_code, reason = "a slot of 8 bytes is an entry, a child or nothing")]
pub mod dict;
pub mod geohash;
#[expect(unsafe_code, reason = "fields laid out by hand, and an index that refers to them")]
pub mod hash;
pub mod hyperloglog;
pub mod map;
#[expect(unsafe_code, reason = "one allocation a key, of a size chosen at run time")]
pub mod record;
pub mod set;
#[expect(unsafe_code, reason = "the index of keys that expire points into the other table")]
pub mod store;
#[expect(unsafe_code, reason = "strings and what stands before them, laid out by hand")]
mod text;
#[expect(unsafe_code, reason = "strings are copied by the block")]
pub mod thin;
#[cfg(test)]
mod trial;
#[expect(unsafe_code, reason = "the order refers to members that the table owns")]
pub mod zset;

pub use map::Map;
pub use record::{Content, Expiry, Record};
pub use store::Store;
pub use thin::ThinBytes;
