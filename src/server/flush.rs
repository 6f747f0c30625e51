//! Flow: whole databases at once: emptied by FLUSHDB, FLUSHALL, DEBUG and full
//! resynchronisations, exchanged by SWAPDB.
//!
//! What they hold is told to nobody key by key: whoever watches or tracks keys is told of
//! the database, before anything changes.

use crate::server::{Server, tracking};

/// Which databases are emptied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// This one.
    One(usize),
    /// All.
    All,
}

/// When the memory of what was there is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Freed {
    /// Before this returns, and to the system.
    AtOnce,
    /// On the thread that frees.
    Lazily,
}

/// Empties databases and says how many keys they held. Does not count this as a change.
pub fn empty(server: &mut Server, which: Which, freed: Freed) -> usize {
    let dbs = match which {
        Which::One(db) => db..db + 1,
        Which::All => 0..server.keyspace.db_count(),
    };
    let Server { watches, clients, keyspace, blocking, .. } = server;
    let mut count = 0;
    for db in dbs {
        blocking.mark_db(db);
        watches.touch_db(clients, db, |key| keyspace.contains(db, key));
        count += keyspace.clear(db, freed == Freed::Lazily);
    }
    tracking::flushed(server);
    if freed == Freed::AtOnce {
        // The allocator would keep the pages until there is traffic again.
        base::memory::purge();
    }
    count
}

/// Exchanges what two databases hold. Does not count this as a change.
pub fn swap(server: &mut Server, db: usize, other: usize) {
    if db == other {
        return;
    }
    let Server { watches, clients, keyspace, blocking, .. } = server;
    for db_watched in [db, other] {
        // A key that is due is not there, before and after. It goes at once in both, lest EXEC
        // take one that has come by the exchange for one that was there when it was watched.
        watches.touch_db(clients, db_watched, |key| {
            keyspace.is_alive(db, key) | keyspace.is_alive(other, key)
        });
    }
    keyspace.swap(db, other);
    blocking.mark_db(db);
    blocking.mark_db(other);
}
