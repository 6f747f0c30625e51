//! Room: walks over keys: SCAN, KEYS, and a key at random.

use ds::Record;

use crate::keyspace::{Keyspace, Pattern, is_due, kind_of};

/// For each key that a call of SCAN may look at, it looks at so many chains at most: a sparse
/// table must not keep it long.
const CHAINS_PER_KEY: u64 = 10;
/// A random key is looked for so often among keys that are due and cannot be deleted.
const RANDOM_TRIES_MAX: usize = 100;

/// Which keys a call of SCAN returns.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Where to go on.
    pub cursor: u64,
    /// About how many keys to look at.
    pub count: u64,
    /// A glob.
    pub pattern: Pattern<'a>,
    /// The name of a type, in lower case; none means all.
    pub kind: Option<&'a [u8]>,
}

impl Keyspace {
    /// Visits some of the keys that are meant, and returns the cursor of the next ones. Keys
    /// that are due are deleted instead.
    pub fn scan(&mut self, db: usize, scan: Scan<'_>, mut visit: impl FnMut(&[u8])) -> u64 {
        let Scan { mut cursor, count, pattern, kind } = scan;
        let (now_ms, store) = (self.now_ms, &self.dbs[db].store);
        let mut due: Vec<Box<[u8]>> = Vec::new();
        let (mut looked_at, mut alive) = (0, 0);
        let mut chains = count.saturating_mul(CHAINS_PER_KEY);
        loop {
            cursor = store.scan(cursor, |record| {
                looked_at += 1;
                let key = record.key();
                if !pattern.matches(key) {
                    return;
                }
                if is_due(record.expiry(), now_ms) {
                    return due.push(key.into());
                }
                alive += 1;
                if kind.is_none_or(|kind| kind == kind_of(record).as_bytes()) {
                    visit(key);
                }
            });
            if cursor == 0 || count <= looked_at || chains == 0 {
                break;
            }
            chains -= 1;
        }
        // To look at the type of a key counts as a look at it.
        if kind.is_some() {
            self.hits += alive;
            self.misses += due.len() as u64;
        }
        for key in &due {
            self.is_alive(db, key);
        }
        cursor
    }

    /// Walks over the keys that are not due.
    pub fn keys(&self, db: usize) -> impl Iterator<Item = &[u8]> {
        let now_ms = self.now_ms;
        let records = self.dbs[db].store.iter();
        records.filter(move |record| !is_due(record.expiry(), now_ms)).map(Record::key)
    }

    /// Returns any key, each as likely as the others.
    pub fn random_key(&mut self, db: usize) -> Option<Box<[u8]>> {
        let mut tries = 0;
        loop {
            let random = &mut self.random;
            let record = self.dbs[db].store.random(|bound| random.below(bound))?;
            let (key, count): (Box<[u8]>, _) = (record.key().into(), self.len(db));
            // Each that is due is deleted on the way, so this comes to an end.
            if self.is_alive(db, &key) || tries == RANDOM_TRIES_MAX {
                return Some(key);
            }
            tries += usize::from(self.len(db) == count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Scan;
    use crate::keyspace::{Gone, Keyspace, NewText, Pattern, Ttl};

    fn add(keyspace: &mut Keyspace, keys: std::ops::Range<usize>, ttl: Ttl) {
        for n in keys {
            keyspace.set_text(0, format!("key:{n}").as_bytes(), NewText::Bytes(b"x"), ttl);
        }
    }

    fn scan(cursor: u64, count: u64) -> Scan<'static> {
        Scan { cursor, count, pattern: Pattern::All, kind: None }
    }

    /// Walks over all keys and does something between the calls; says how often each was met.
    fn walk(
        keyspace: &mut Keyspace,
        count: u64,
        mut between: impl FnMut(&mut Keyspace),
    ) -> BTreeMap<Vec<u8>, usize> {
        let (mut met, mut cursor) = (BTreeMap::new(), 0);
        loop {
            cursor = keyspace.scan(0, scan(cursor, count), |key| {
                *met.entry(key.to_vec()).or_default() += 1;
            });
            if cursor == 0 {
                return met;
            }
            between(keyspace);
        }
    }

    #[test]
    fn a_walk_meets_each_key_while_the_table_grows_and_shrinks() {
        let mut keyspace = Keyspace::new(1);
        add(&mut keyspace, 0..5000, Ttl::Clear);
        let mut next = 5000;
        let met = walk(&mut keyspace, 10, |keyspace| {
            add(keyspace, next..next + 8, Ttl::Clear);
            next += 8;
        });
        assert!((0..5000).all(|n| met.contains_key(format!("key:{n}").as_bytes())));
        let mut left = keyspace.len(0);
        let met = walk(&mut keyspace, 10, |keyspace| {
            for n in (5000..left).rev().take(40) {
                keyspace.delete(0, format!("key:{n}").as_bytes(), Gone::Deleted);
                left = n;
            }
        });
        assert!((0..5000).all(|n| met.contains_key(format!("key:{n}").as_bytes())));
        assert_eq!(walk(&mut keyspace, 10, |_| {}).len(), keyspace.len(0));
        assert!(walk(&mut keyspace, 10, |_| {}).values().all(|times| *times == 1));
    }

    #[test]
    fn a_call_looks_at_about_as_many_keys_as_it_is_told() {
        let mut keyspace = Keyspace::new(1);
        add(&mut keyspace, 0..10_000, Ttl::Clear);
        for count in [1, 10, 100, 1000] {
            let mut met = 0;
            keyspace.scan(0, scan(0, count), |_| met += 1);
            assert!((count..count + 40).contains(&met), "{count}: {met}");
        }
        let mut met = 0;
        assert_eq!(keyspace.scan(0, scan(0, u64::MAX), |_| met += 1), 0);
        assert_eq!(met, 10_000);
    }

    #[test]
    fn keys_that_are_due_are_deleted_and_not_visited() {
        let mut keyspace = Keyspace::new(1);
        add(&mut keyspace, 0..100, Ttl::At(10));
        add(&mut keyspace, 100..110, Ttl::Clear);
        keyspace.now_ms = 10;
        let glob = Scan { pattern: Pattern::of(b"key:?"), ..scan(0, 1000) };
        assert_eq!(keyspace.scan(0, glob, |_| panic!("all of these are due")), 0);
        assert_eq!(keyspace.len(0), 100);
        assert_eq!(walk(&mut keyspace, 10, |_| {}).len(), 10);
        assert_eq!(keyspace.len(0), 10);
    }

    #[test]
    fn a_random_key_is_never_one_that_is_due() {
        let mut keyspace = Keyspace::new(1);
        add(&mut keyspace, 0..1000, Ttl::At(10));
        add(&mut keyspace, 1000..1001, Ttl::Clear);
        keyspace.now_ms = 10;
        assert_eq!(keyspace.random_key(0).as_deref(), Some(&b"key:1000"[..]));
        keyspace.delete(0, b"key:1000", Gone::Deleted);
        assert_eq!(keyspace.random_key(0), None);
        assert!(keyspace.len(0) == 0);
    }
}
