//! Command: sets, a file for each group of commands.

mod combine;
mod member;
mod pop;
mod random;
mod scan;

pub(super) use combine::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
pub(super) use member::{sadd, scard, sismember, smembers, smismember, smove, srem};
pub(super) use pop::spop;
pub(super) use random::srandmember;
pub(super) use scan::sscan;
