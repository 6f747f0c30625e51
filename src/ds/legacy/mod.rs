//! Pure: the packed lists of old files, which are read and never made.
//!
//! RDB files of Redis before 7.0 hold a [`Ziplist`] where a listpack stands today, and those
//! before 2.6 a [`Zipmap`] where a hash does. Both are looked at from foreign bytes once, whole,
//! and then give their elements, of which the reader makes something of our own.

mod ziplist;
mod zipmap;

pub use self::{ziplist::Ziplist, zipmap::Zipmap};
