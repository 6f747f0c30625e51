//! Room: the format of snapshots (RDB): files, payloads of DUMP, what replicas are sent.
//!
//! A snapshot is a head, fields about itself, the keys of one database after the other, an end
//! and a checksum. Each key is what is known of it (expiry, access), a byte for its type, its
//! name, and its value; `value` says who writes and reads which type. A type is a file: `string`
//! is one.
//!
//! [`save`] writes to anything, all at once. A [`Loader`] reads from anything, in steps, so that
//! clients can be served between two of them. Both trust nobody: what cannot be held in the
//! wanted version fails the save, what is not understood stops the load, and says why.
//!
//! Invariants: nothing is left out in silence; a length that was read is never believed before
//! there are so many bytes.

mod aux;
mod decode;
mod dump;
mod encode;
mod fault;
/// The numbers of the format.
pub mod format;
mod hash;
mod list;
mod load;
mod save;
mod set;
/// Reading past what is nothing to this server.
pub mod skip;
mod stream;
mod string;
#[cfg(test)]
mod tests;
mod value;
mod zset;

pub use aux::{Aux, SavedAux, SavedReplication};
pub use decode::Decoder;
pub use dump::{dump, is_of_valkey, restore, restore_from, verify};
pub use encode::Encoder;
pub use fault::{Fault, LoadError};
pub use load::{LoadOptions, LoadStats, Loader, Origin, Step};
pub use save::{Progress, SaveOptions, SavedAccess, Summary, save, value_bytes};
pub use value::{Loaded, check};
