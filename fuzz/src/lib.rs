//! Tool: what the targets share: bytes that choose, values as they stand in a snapshot, and a
//! server in this process that is fed with both.

mod source;
mod twins;

pub use source::{Source, intset, pack, string, ziplist};
pub use twins::{Family, Order, examine, payload};
