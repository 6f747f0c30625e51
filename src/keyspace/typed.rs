//! Room: keys that hold anything but strings: the doors that are alike for all types.
//!
//! A key holds no empty value: whoever takes the last element out deletes the key
//! (`lost`). To create, a key is looked up and its value made in one search.

use ds::{
    Content,
    store::{Item, Slot},
};

use crate::{
    error::ReplyError,
    keyspace::{Cause, Event, Events, Gone, Keyspace, Lazy, Look, Reach, is_due, note_miss},
    value::{Kind, Value},
};

impl Keyspace {
    /// Touches a key to read it, and returns its value.
    pub fn read<K: Kind>(&mut self, db: usize, key: &[u8]) -> Result<Option<&K>, ReplyError> {
        let record = self.look(db, key, Look::Read);
        record.map(|record| of::<K>(record.content())).transpose()
    }

    /// Looks at a key that was touched before.
    pub fn peek_kind<K: Kind>(&self, db: usize, key: &[u8]) -> Result<Option<&K>, ReplyError> {
        let record = self.peek(db, key);
        record.map(|record| of::<K>(record.content())).transpose()
    }

    /// Touches a key to change it, and returns its value.
    pub fn change<'a, K: Kind + 'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
    ) -> Result<Option<&'a mut K>, ReplyError> {
        let Some(mut item) = self.dbs[db].store.find_mut(key) else { return Ok(None) };
        let (expiry_ms, before) = item.marks();
        if is_due(expiry_ms, self.now_ms) {
            self.expiry.expired_keys += 1;
            self.lazy.free(item.remove(), Gone::Expired);
            self.events.deleted(db, key, Cause::Expired);
            return Ok(None);
        }
        if self.counts_access {
            let after = self.access_policy.touched(before, self.now_ms, &mut self.random);
            if after != before {
                item.set_lru(after);
            }
        }
        self.reach = Reach::of(item.record());
        of_mut(item).map(Some)
    }

    /// Touches a key to change it, and returns its value, an empty one if there was none. The
    /// caller puts something in.
    pub fn change_or_create<'a, K: Kind + 'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
    ) -> Result<&'a mut K, ReplyError> {
        self.change_or_create_with(db, key, K::default)
    }

    /// The same; what there is none of is made by `make`.
    pub fn change_or_create_with<'a, K: Kind + 'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        make: impl FnOnce() -> K,
    ) -> Result<&'a mut K, ReplyError> {
        let fresh_access = self.access_policy.fresh(self.now_ms);
        let (slot, events, _) = self.slot(db, key, Look::Write);
        let item = match slot {
            Slot::Occupied(item) => item,
            Slot::Vacant(vacant) => {
                events.noted(db, vacant.key(), Event::NEW);
                let mut item = vacant.insert_value(make().into_value(), None);
                item.set_lru(fresh_access);
                item
            }
        };
        of_mut(item)
    }

    /// Returns the value of a key that was touched before, to change it once more.
    pub fn again<K: Kind>(&mut self, db: usize, key: &[u8]) -> Option<&mut K> {
        of_mut(self.dbs[db].store.find_mut(key)?).ok()
    }

    /// Puts the result of a command in place of whatever a key held, which counts as so many
    /// changes; one that is empty deletes the key.
    pub fn store<K: Kind>(
        &mut self,
        db: usize,
        key: &[u8],
        value: K,
        event: Event,
        changes: usize,
    ) {
        if !value.is_empty() {
            self.put(db, key, value);
            self.written_as(db, key, event, changes);
        } else if self.delete(db, key, Gone::Overwritten) {
            self.written(db, key, Event::DEL);
        }
    }

    /// Puts a value that is not empty in place of whatever a key held, and takes its time to live
    /// off.
    pub fn put<K: Kind>(&mut self, db: usize, key: &[u8], value: K) {
        let fresh_access = self.access_policy.fresh(self.now_ms);
        if !self.is_alive(db, key) {
            self.events.noted(db, key, Event::NEW);
        }
        let value = value.into_value();
        match self.dbs[db].store.entry(key) {
            Slot::Occupied(mut item) => {
                let old = item.set_value(value, ds::Expiry::Never);
                item.set_lru(fresh_access);
                self.lazy.free_value(old, Gone::Overwritten);
            }
            Slot::Vacant(vacant) => vacant.insert_value(value, None).set_lru(fresh_access),
        }
    }

    /// Frees what was taken out of a value.
    pub fn free_rest<K: Kind>(&self, rest: K) {
        self.lazy.free_value(Some(rest.into_value()), Gone::Overwritten);
    }

    /// Notes that a value has lost so many elements; its key goes with the last of them.
    pub fn lost(&mut self, db: usize, key: &[u8], event: Event, count: usize, is_empty: bool) {
        if is_empty {
            self.delete(db, key, Gone::Overwritten);
        }
        self.written_as(db, key, event, count);
        if is_empty {
            self.noted(db, key, Event::DEL);
        }
    }

    /// Touches a key and returns its place, in one search, and what a change there needs.
    #[inline(always)]
    pub(super) fn slot<'a>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        look: Look,
    ) -> (Slot<'a, Value>, &'a mut Events, &'a Lazy) {
        let (now_ms, policy) = (self.now_ms, self.access_policy);
        let slot = match self.dbs[db].store.entry(key) {
            Slot::Occupied(mut item) => {
                let (expiry_ms, before) = item.marks();
                if is_due(expiry_ms, now_ms) {
                    self.expiry.expired_keys += 1;
                    self.events.deleted(db, key, Cause::Expired);
                    let (record, vacant) = item.vacate(key);
                    self.lazy.free(record, Gone::Expired);
                    note_miss(&mut self.misses, &mut self.events, db, key, look);
                    Slot::Vacant(vacant)
                } else {
                    self.hits += u64::from(look != Look::Write);
                    if self.counts_access && look.is_access() {
                        let after = policy.touched(before, now_ms, &mut self.random);
                        if after != before {
                            item.set_lru(after);
                        }
                    }
                    self.reach = Reach::of(item.record());
                    Slot::Occupied(item)
                }
            }
            Slot::Vacant(vacant) => {
                note_miss(&mut self.misses, &mut self.events, db, key, look);
                Slot::Vacant(vacant)
            }
        };
        (slot, &mut self.events, &self.lazy)
    }
}

fn of<K: Kind>(content: Content<'_, Value>) -> Result<&K, ReplyError> {
    match content {
        Content::Embedded(_) => Err(ReplyError::WrongType),
        Content::Value(value) => K::of(value).ok_or(ReplyError::WrongType),
    }
}

fn of_mut<K: Kind>(item: Item<'_, Value>) -> Result<&mut K, ReplyError> {
    item.into_value_mut().and_then(K::of_mut).ok_or(ReplyError::WrongType)
}

#[cfg(test)]
mod tests {
    use crate::{
        config::Encoding,
        error::ReplyError,
        keyspace::{Event, Keyspace, Look, NewText, Ttl},
        value::{Hash, List, Set, Value, Zset},
    };

    /// The first with which a table of 64 buckets is too full, so that a rehash has just begun.
    const BEGINS_REHASH: usize = 513;

    fn is_rehashing(keyspace: &Keyspace, key: &[u8]) -> bool {
        let value = keyspace.peek(0, key).and_then(|record| record.value());
        value.and_then(Value::table_stats).unwrap().rehash_at.is_some()
    }

    #[test]
    fn a_key_of_one_type_is_none_of_another() {
        let mut keyspace = Keyspace::new(1);
        let list: &mut List = keyspace.change_or_create(0, b"k").unwrap();
        list.push(ds::quicklist::Side::Head, b"element");
        assert_eq!(keyspace.read::<List>(0, b"k").unwrap().map(List::len), Some(1));
        assert!(matches!(keyspace.read::<Zset>(0, b"k"), Err(ReplyError::WrongType)));
        assert!(matches!(keyspace.change::<Zset>(0, b"k"), Err(ReplyError::WrongType)));
        assert!(matches!(keyspace.read_text(0, b"k"), Err(ReplyError::WrongType)));
        assert!(keyspace.text_entry(0, b"k", Look::Write).is_err());
        assert_eq!(keyspace.type_name(0, b"k"), Some("list"));
        keyspace.set_text(0, b"k", NewText::Bytes(b"text"), Ttl::Clear);
        assert!(matches!(keyspace.peek_kind::<List>(0, b"k"), Err(ReplyError::WrongType)));
    }

    #[test]
    fn a_rehash_comes_to_its_end_by_reads_alone() {
        let mut keyspace = Keyspace::new(1);
        let (mut set, mut hash, mut zset) = (Set::default(), Hash::default(), Zset::default());
        let name = |n: usize| format!("m{n}").into_bytes();
        for n in 0..BEGINS_REHASH {
            set.insert(&name(n), Encoding::default());
            hash.set(&name(n), b"v", false, Encoding::default());
            zset.insert(&name(n), n as f64, Encoding::default());
        }
        keyspace.put(0, b"set", set);
        keyspace.put(0, b"hash", hash);
        keyspace.put(0, b"zset", zset);
        type Read = fn(&mut Keyspace) -> usize;
        let mut read: [(&[u8], Read); 3] = [
            (b"set", |keyspace| keyspace.read::<Set>(0, b"set").unwrap().map_or(0, Set::len)),
            (b"hash", |keyspace| keyspace.read_hash(0, b"hash").unwrap().map_or(0, Hash::len)),
            (b"zset", |keyspace| keyspace.read::<Zset>(0, b"zset").unwrap().map_or(0, Zset::len)),
        ];
        for (key, read) in &mut read {
            assert!(is_rehashing(&keyspace, key));
            for _ in 0..100 {
                // To ask about a key is not to read it.
                keyspace.touch(0, key, Look::Glance);
                keyspace.touch(0, key, Look::Inspect);
            }
            assert!(is_rehashing(&keyspace, key));
            let mut reads = 0;
            while is_rehashing(&keyspace, key) {
                assert_eq!(read(&mut keyspace), BEGINS_REHASH);
                reads += 1;
            }
            assert!((20..=64).contains(&reads), "{reads}");
        }
        let set = keyspace.read::<Set>(0, b"set").unwrap().unwrap();
        assert!((0..BEGINS_REHASH).all(|n| set.contains(&name(n))));
    }

    #[test]
    fn no_empty_value_stays() {
        let mut keyspace = Keyspace::new(1);
        let list: &mut List = keyspace.change_or_create(0, b"k").unwrap();
        list.push(ds::quicklist::Side::Head, b"element");
        let list = keyspace.change::<List>(0, b"k").unwrap().unwrap();
        list.remove_end(ds::quicklist::Side::Head);
        keyspace.lost(0, b"k", Event::list("lpop"), 1, true);
        assert_eq!((keyspace.len(0), keyspace.dirty), (0, 1));
        keyspace.store(0, b"k", Zset::default(), Event::zset("zunionstore"), 1);
        assert_eq!((keyspace.len(0), keyspace.dirty), (0, 1));
    }
}
