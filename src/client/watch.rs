//! Room: keys that clients watch (WATCH), so that EXEC can tell whether they have changed.
//!
//! Invariant: a client stands once in the list of each key that its `Watched` names. A
//! client that is dirty may stay listed; whatever ends its watch takes it out.

use base::Bytes;
use ds::Map;

use crate::client::{ClientId, Clients};

/// What one client watches.
#[derive(Debug, Default)]
pub struct Watched {
    /// The keys and their databases.
    pub keys: Vec<(usize, Bytes)>,
    /// One of them was changed since.
    pub is_dirty: bool,
    key_bytes: usize,
}

impl Watched {
    /// Counts the memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.key_bytes + self.keys.capacity() * size_of::<(usize, Bytes)>()
    }
}

/// Who watches what.
#[derive(Default)]
pub struct Watches {
    dbs: Vec<Map<Vec<ClientId>>>,
    watcher_count: usize,
}

impl Watches {
    /// Whether nobody watches anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.watcher_count == 0
    }

    /// Counts the clients that watch at least one key.
    pub fn watcher_count(&self) -> usize {
        self.watcher_count
    }

    /// Counts the keys that are watched.
    pub fn key_count(&self) -> usize {
        self.dbs.iter().map(Map::len).sum()
    }

    /// Lets a client watch a key.
    pub fn watch(&mut self, id: ClientId, watched: &mut Watched, db: usize, key: &[u8]) {
        if watched.keys.iter().any(|(its_db, its_key)| *its_db == db && **its_key == *key) {
            return;
        }
        if watched.keys.is_empty() {
            self.watcher_count += 1;
        }
        watched.keys.push((db, key.into()));
        watched.key_bytes += key.len();
        if self.dbs.len() <= db {
            self.dbs.resize_with(db + 1, Map::new);
        }
        self.dbs[db].get_or_insert_with(key, Vec::new).push(id);
    }

    /// Ends a client's watch.
    pub fn unwatch(&mut self, id: ClientId, watched: &mut Watched) {
        if !watched.keys.is_empty() {
            self.watcher_count -= 1;
        }
        for (db, key) in watched.keys.drain(..) {
            self.dbs[db].remove_if(&key, |clients| {
                clients.retain(|other| *other != id);
                clients.is_empty()
            });
        }
        (watched.is_dirty, watched.key_bytes) = (false, 0);
    }

    /// Dirties all who watch a key.
    pub fn touch(&self, clients: &mut Clients, db: usize, key: &[u8]) {
        let watchers = self.dbs.get(db).and_then(|keys| keys.get(key));
        for id in watchers.into_iter().flatten() {
            if let Some(client) = clients.find(*id) {
                client.watched.is_dirty = true;
            }
        }
    }

    /// Dirties all who watch a key of a database that `has_changed` says so of.
    pub fn touch_db(
        &self,
        clients: &mut Clients,
        db: usize,
        mut has_changed: impl FnMut(&[u8]) -> bool,
    ) {
        let keys = self.dbs.get(db).into_iter().flat_map(Map::iter);
        for (_, watchers) in keys.filter(|(key, _)| has_changed(key)) {
            for id in watchers {
                if let Some(client) = clients.find(*id) {
                    client.watched.is_dirty = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Watches;
    use crate::client::Clients;

    #[test]
    fn a_change_dirties_those_who_watch_the_key_and_nobody_else() {
        let (mut clients, mut watches) = (Clients::default(), Watches::default());
        let (one, other) = (clients.add(0), clients.add(0));
        for (id, db, key) in [(one, 0, b"a"), (one, 2, b"b"), (one, 0, b"a"), (other, 0, b"b")] {
            watches.watch(id, &mut clients.find(id).unwrap().watched, db, key);
        }
        assert_eq!((watches.watcher_count(), watches.key_count()), (2, 3));
        watches.touch(&mut clients, 0, b"b");
        let is_dirty = |clients: &Clients, id| clients.peek(id).unwrap().watched.is_dirty;
        assert!(!is_dirty(&clients, one) && is_dirty(&clients, other));
        watches.touch_db(&mut clients, 2, |key| key == b"b");
        assert!(is_dirty(&clients, one));
        for id in [one, other] {
            watches.unwatch(id, &mut clients.find(id).unwrap().watched);
        }
        assert!(watches.is_empty() && watches.key_count() == 0 && !is_dirty(&clients, one));
    }
}
