//! Command: sets: what their handlers share: what follows a loss of members.

mod combine;
mod member;
mod pop;
mod random;
mod scan;

use crate::{
    keyspace::{Event, Gone},
    server::Server,
};

pub(super) use combine::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
pub(super) use member::{sadd, scard, sismember, smembers, smismember, smove, srem};
pub(super) use pop::spop;
pub(super) use random::srandmember;
pub(super) use scan::sscan;

/// Notes that a set has lost members; its key goes with the last of them.
fn lost(server: &mut Server, db: usize, key: &[u8], event: Event, count: usize, is_empty: bool) {
    let keyspace = &mut server.keyspace;
    if is_empty {
        keyspace.delete(db, key, Gone::Overwritten);
    }
    keyspace.written_as(db, key, event, count);
    if is_empty {
        keyspace.noted(db, key, Event::DEL);
    }
}
