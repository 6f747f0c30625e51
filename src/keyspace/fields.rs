//! Room: hashes whose fields expire, and how what is due in them goes.
//!
//! A database has an index of its hashes with fields that expire, by the earliest time in each.
//! Nobody takes a key out of it: an entry may speak of a key that is gone or holds something
//! else, and whoever comes to it finds out. So a hash costs nothing more to delete, overwrite or
//! rename. That such entries stay few is seen to where one is added: a few others are looked at.
//! Invariant: each hash with a field that expires is in the index, under its earliest time or one
//! before it.
//!
//! Due fields go in three ways: with a command that reads the hash (some; it does not see the
//! others), with one that changes it (some, and those that it names), by themselves
//! (`expire_fields_cycle`).

use std::{collections::BTreeSet, iter, time::Instant};

use base::Bytes;
use ds::{Map, Record};

use crate::{
    error::ReplyError,
    keyspace::{Event, Gone, Keyspace, is_due},
    value::{Hash, Value},
};

/// Who comes to a hash waits for no more fields than so many to go.
const FIELDS_PER_LOOK: usize = 256;
/// Fields that go from one hash before the clock is looked at.
const FIELDS_PER_STEP: usize = 512;

/// See the head of the file.
#[derive(Default)]
pub(super) struct FieldIndex {
    times: Map<i64>,
    order: BTreeSet<(i64, Bytes)>,
    /// Where the search for entries that say nothing goes on.
    cursor: u64,
}

impl FieldIndex {
    /// Whether no hash has fields that expire.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn set(&mut self, key: &[u8], time_ms: Option<i64>) {
        let before = self.times.get(key).copied();
        if before == time_ms {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, key.into()));
        }
        match time_ms {
            Some(time_ms) => {
                self.times.insert(key, time_ms);
                self.order.insert((time_ms, key.into()));
            }
            None => {
                self.times.remove(key);
            }
        }
    }
}

impl Keyspace {
    /// Touches a hash to read it, and returns it.
    #[inline]
    pub fn read_hash(&mut self, db: usize, key: &[u8]) -> Result<Option<&Hash>, ReplyError> {
        if !self.dbs[db].fields.is_empty() && !self.keeps_expired {
            self.expire_fields(db, key, FIELDS_PER_LOOK, &mut iter::empty());
        }
        self.read::<Hash>(db, key)
    }

    /// Touches a hash to change it, and returns it. Nothing in it is due of what `names` names,
    /// which may be anything.
    #[inline]
    pub fn change_hash<'a, 'n>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        names: impl Iterator<Item = &'n [u8]>,
    ) -> Result<Option<&'a mut Hash>, ReplyError> {
        self.expire_named_fields(db, key, names);
        self.change::<Hash>(db, key)
    }

    /// As `change_hash`, but makes an empty hash if there was none. The caller puts something in.
    #[inline]
    pub fn change_or_create_hash<'a, 'n>(
        &'a mut self,
        db: usize,
        key: &'a [u8],
        names: impl Iterator<Item = &'n [u8]>,
    ) -> Result<&'a mut Hash, ReplyError> {
        self.expire_named_fields(db, key, names);
        self.change_or_create::<Hash>(db, key)
    }

    /// Notes when the next field of a hash expires, after a time has changed or a hash has come
    /// to a key.
    pub fn note_fields(&mut self, db: usize, key: &[u8]) {
        let next = self.next_field_expiry(db, key);
        if next.is_some() {
            self.look_at_entries(db);
        }
        self.dbs[db].fields.set(key, next);
    }

    /// Whether a field of some hash expires.
    pub fn has_fields_that_expire(&self) -> bool {
        (0..self.dbs.len()).any(|db| {
            let mut entries = self.dbs[db].fields.order.iter();
            entries.any(|(_, key)| self.next_field_expiry(db, key).is_some())
        })
    }

    /// Deletes fields that are due until there are none or time is over; says whether it was.
    pub(super) fn expire_fields_cycle(&mut self, db: usize, end: Instant) -> bool {
        while let Some((time_ms, key)) = self.dbs[db].fields.order.first()
            && *time_ms <= self.now_ms
        {
            let key = key.clone();
            if self.expire_fields(db, &key, FIELDS_PER_STEP, &mut iter::empty()) == 0 {
                // What the entry says is not so, or is no more.
                self.note_fields(db, &key);
            }
            if end <= Instant::now() {
                return true;
            }
        }
        false
    }

    #[inline]
    fn expire_named_fields<'n>(
        &mut self,
        db: usize,
        key: &[u8],
        mut names: impl Iterator<Item = &'n [u8]>,
    ) {
        if !self.dbs[db].fields.is_empty() {
            self.expire_fields(db, key, FIELDS_PER_LOOK, &mut names);
        }
    }

    /// Takes up to `most` fields that are due out of a hash, and those that are named; the hash
    /// goes with its last. Returns how many they were.
    #[cold]
    fn expire_fields(
        &mut self,
        db: usize,
        key: &[u8],
        most: usize,
        named: &mut dyn Iterator<Item = &[u8]>,
    ) -> usize {
        let now_ms = self.now_ms;
        let Some(item) = self.dbs[db].store.find_mut(key) else { return 0 };
        if is_due(item.expiry(), now_ms) {
            return 0;
        }
        let Some(Value::Hash(hash)) = item.into_value_mut() else { return 0 };
        if !is_due(hash.next_expiry(), now_ms) {
            return 0;
        }
        let (mut names, is_told) = (Vec::new(), self.events.tells_of_fields());
        let mut note = |name: &[u8]| {
            if is_told {
                names.push(name.into());
            }
        };
        let mut count = hash.remove_due(now_ms, most, &mut note);
        if is_due(hash.next_expiry(), now_ms) {
            for name in named.filter(|name| hash.remove_if_due(name, now_ms)) {
                note(name);
                count += 1;
            }
        }
        let (is_empty, next) = (hash.is_empty(), hash.next_expiry());
        self.expiry.expired_fields += count as u64;
        self.events.fields_expired(db, key, names);
        if is_empty {
            self.delete(db, key, Gone::Expired);
            self.noted(db, key, Event::DEL);
        }
        self.dbs[db].fields.set(key, next);
        count
    }

    /// Returns when the next field expires of a hash that is there.
    fn next_field_expiry(&self, db: usize, key: &[u8]) -> Option<i64> {
        self.peek(db, key).and_then(next_field_expiry)
    }

    /// Looks at a few entries, and drops those that are not so.
    fn look_at_entries(&mut self, db: usize) {
        let fields = &self.dbs[db].fields;
        let mut wrong: Vec<Bytes> = Vec::new();
        let cursor = fields.times.scan(fields.cursor, |key, _| {
            if self.next_field_expiry(db, key).is_none() {
                wrong.push(key.into());
            }
        });
        let fields = &mut self.dbs[db].fields;
        fields.cursor = cursor;
        wrong.iter().for_each(|key| fields.set(key, None));
    }
}

/// Returns when the next field expires, if it is a hash with such fields.
#[inline]
pub(super) fn next_field_expiry(record: &Record<Value>) -> Option<i64> {
    match record.value()? {
        Value::Hash(hash) => hash.next_expiry(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use crate::{
        config::Encoding,
        keyspace::{Cycle, Gone, Keyspace},
    };

    fn limits() -> Encoding {
        Encoding {
            hash_max_listpack_entries: 9,
            hash_max_listpack_value: 64,
            ..Encoding::default()
        }
    }

    fn put(keyspace: &mut Keyspace, key: &[u8], name: &[u8], expiry_ms: Option<i64>) {
        let hash = keyspace.change_or_create_hash(0, key, iter::empty()).unwrap();
        hash.set(name, b"value", false, limits());
        hash.set_expiry(name, expiry_ms);
        keyspace.note_fields(0, key);
    }

    fn len(keyspace: &mut Keyspace, key: &[u8]) -> Option<usize> {
        keyspace.read_hash(0, key).unwrap().map(super::Hash::len)
    }

    #[test]
    fn who_comes_to_a_hash_sees_nothing_that_is_due() {
        let mut keyspace = Keyspace::new(1);
        put(&mut keyspace, b"h", b"a", Some(10));
        put(&mut keyspace, b"h", b"b", Some(20));
        put(&mut keyspace, b"h", b"c", None);
        keyspace.now_ms = 10;
        assert_eq!(len(&mut keyspace, b"h"), Some(2));
        keyspace.now_ms = 20;
        keyspace.keeps_expired = true;
        let hash = keyspace.read_hash(0, b"h").unwrap().unwrap();
        assert_eq!((hash.len(), hash.alive_len(20)), (2, 1));
        assert!(hash.get(b"b", 20).is_none() && hash.get(b"c", 20).is_some());
        keyspace.keeps_expired = false;
        assert_eq!(len(&mut keyspace, b"h"), Some(1));
        assert!(keyspace.dbs[0].fields.is_empty() && !keyspace.has_fields_that_expire());
    }

    #[test]
    fn who_writes_finds_nothing_due_of_what_it_names() {
        let mut keyspace = Keyspace::new(1);
        for n in 0..2000 {
            put(&mut keyspace, b"h", format!("{n}").as_bytes(), Some(n + 1));
        }
        keyspace.now_ms = 5000;
        let names = [&b"1999"[..], b"1998", b"none"];
        let hash = keyspace.change_hash(0, b"h", names.into_iter()).unwrap().unwrap();
        assert_eq!(hash.len(), 2000 - super::FIELDS_PER_LOOK - 2);
        assert!(!hash.remove(b"1999") && !hash.remove(b"1998") && hash.remove(b"1997"));
    }

    #[test]
    fn a_hash_goes_with_its_last_field() {
        let mut keyspace = Keyspace::new(1);
        put(&mut keyspace, b"h", b"a", Some(10));
        keyspace.now_ms = 10;
        assert_eq!(len(&mut keyspace, b"h"), None);
        assert!(keyspace.len(0) == 0 && keyspace.dbs[0].fields.is_empty());
        put(&mut keyspace, b"h", b"a", Some(20));
        keyspace.now_ms = 20;
        assert!(keyspace.change_hash(0, b"h", iter::empty()).unwrap().is_none());
    }

    #[test]
    fn fields_go_by_themselves_wherever_their_hash_has_come_to() {
        let mut keyspace = Keyspace::new(2);
        for n in 0..2000 {
            put(&mut keyspace, b"many", format!("{n}").as_bytes(), Some(n));
        }
        put(&mut keyspace, b"h", b"a", Some(10));
        put(&mut keyspace, b"h", b"b", None);
        assert!(keyspace.copy((0, b"h"), (1, b"copy")));
        assert!(keyspace.transfer((0, b"h"), (0, b"other")));
        keyspace.swap(0, 1);
        (0..3).for_each(|_| keyspace.expire_cycle(Cycle::Slow { hz: 10 }, 1, 1000));
        let left = |keyspace: &Keyspace, db, key: &[u8]| {
            keyspace.peek_kind::<super::Hash>(db, key).unwrap().map(super::Hash::len)
        };
        assert_eq!(left(&keyspace, 1, b"many"), Some(999));
        assert_eq!(left(&keyspace, 1, b"other"), Some(1));
        assert_eq!(left(&keyspace, 0, b"copy"), Some(1));
        assert!(keyspace.dbs[0].fields.is_empty());
        (0..3).for_each(|_| keyspace.expire_cycle(Cycle::Slow { hz: 10 }, 1, 5000));
        assert!(left(&keyspace, 1, b"many").is_none() && keyspace.dbs[1].fields.is_empty());
        assert_eq!(keyspace.expiry.expired_fields, 2002);
    }

    #[test]
    fn entries_for_keys_that_are_gone_stay_few() {
        let mut keyspace = Keyspace::new(1);
        for n in 0..20_000 {
            let key = format!("key:{n}");
            put(&mut keyspace, key.as_bytes(), b"a", Some(i64::MAX - 1));
            keyspace.delete(0, key.as_bytes(), Gone::Deleted);
        }
        assert!(keyspace.dbs[0].fields.order.len() < 200);
        assert_eq!(keyspace.dbs[0].fields.order.len(), keyspace.dbs[0].fields.times.len());
    }
}
