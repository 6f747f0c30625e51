//! Pure: the data structures.
//!
//! [`store::Store`] holds the keys of one database; it is built of [`dict::Dict`], the hash
//! table, and [`record::Record`], a key and its value in one allocation. [`map::Map`] is the
//! same pair for whoever just wants values by name.

#[allow(unsafe_code)] // Measured need: entries without a box each, tables without a tag word.
pub mod dict;
pub mod map;
#[allow(unsafe_code)] // Measured need: one allocation a key, of a size chosen at run time.
pub mod record;
#[allow(unsafe_code)] // Measured need: the index of volatile keys costs 8 bytes a key.
pub mod store;

pub use map::Map;
pub use record::{Content, Expiry, Record};
pub use store::Store;
