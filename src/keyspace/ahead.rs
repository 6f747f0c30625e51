//! Room: memory that is asked for before it is needed, so that many requests wait for it at once.
//!
//! A request waits for its key's bucket, then for the record, then for the value if that is apart
//! from the record, then, in a large one, for the bucket of an element and for the element. Each is
//! somewhere else. Who knows the requests that come has all their buckets fetched, then all their
//! records, and so on. How far that goes is what was met last (`Reach`): most requests are like the
//! ones before. All of it is a guess that costs nothing but itself.

use ds::{Content, Record, dict};
use resp::Argv;

use crate::{keyspace::Keyspace, value::Value};

/// So few keys stay in the processor's cache by themselves.
const KEYS_MIN: usize = 4096;
/// Asked for at once; processors wait for about as many lines at a time.
const REQUESTS_MAX: usize = 16;
/// Hashing a longer key once more costs what is to be saved.
const KEY_BYTES_MAX: usize = 128;

/// How far from its record what a key holds is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Reach {
    /// It stands there.
    #[default]
    Record,
    /// It is apart from it.
    Value,
    /// It is a large table of elements.
    Element,
}

impl Reach {
    #[inline]
    pub(super) fn of(record: &Record<Value>) -> Self {
        match record.content() {
            Content::Embedded(_) => Self::Record,
            Content::Value(value) => Self::of_value(value),
        }
    }

    #[inline]
    pub(super) fn of_value(value: &Value) -> Self {
        match value {
            Value::Text(_) => Self::Record,
            value if value.has_far_elements() => Self::Element,
            _ => Self::Value,
        }
    }
}

impl Keyspace {
    /// Asks for the memory of what these requests are about. The first argument of most commands
    /// is a key.
    pub fn prefetch<'a>(&self, db: usize, requests: impl Iterator<Item = Argv<'a>>) {
        let store = &self.dbs[db].store;
        if store.len() < KEYS_MIN && self.reach != Reach::Element {
            return;
        }
        let mut asked = [None; REQUESTS_MAX];
        let mut last: Option<(&[u8], dict::Hash)> = None;
        for (slot, argv) in asked.iter_mut().zip(requests) {
            let Some(key) = argv.get(1).filter(|key| key.len() <= KEY_BYTES_MAX) else { continue };
            let hash = match last {
                Some((other, hash)) if other == key => hash,
                _ => dict::hash(key),
            };
            store.prefetch(hash);
            last = Some((key, hash));
            *slot = Some((argv, hash));
        }
        let asked = || asked.iter().flatten();
        asked().for_each(|(_, hash)| store.prefetch_record(*hash));
        if self.reach == Reach::Record {
            return;
        }
        let mut elements = [None; REQUESTS_MAX];
        for (slot, (argv, hash)) in elements.iter_mut().zip(asked()) {
            let record = store.guess(*hash);
            if let Some(value) = record.and_then(|record| record.value()) {
                *slot = value.prefetch(*argv).map(|hash| (value, hash));
            }
        }
        elements.iter().flatten().for_each(|(value, hash)| value.prefetch_element(*hash));
    }

    /// Asks for the bucket of a key, if that is worth it.
    pub fn prefetch_bucket(&self, db: usize, key: &[u8]) -> Option<dict::Hash> {
        let store = &self.dbs[db].store;
        if store.len() < KEYS_MIN || KEY_BYTES_MAX < key.len() {
            return None;
        }
        let hash = dict::hash(key);
        store.prefetch(hash);
        Some(hash)
    }

    /// Asks for the record of a key whose bucket was asked for.
    pub fn prefetch_record(&self, db: usize, hash: dict::Hash) {
        self.dbs[db].store.prefetch_record(hash);
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgv;

    use super::{KEYS_MIN, Reach};
    use crate::{
        config::Encoding,
        keyspace::{Keyspace, Look, NewText, Ttl},
        value::{Hash, List, Set, Zset},
    };

    #[test]
    fn asking_for_memory_is_harmless() {
        let limits = Encoding {
            hash_max_listpack_entries: 128,
            hash_max_listpack_value: 128,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            ..Encoding::default()
        };
        let (member, value) = (|n: usize| format!("m{n}").into_bytes(), [b'v'; 100]);
        let mut keyspace = Keyspace::new(1);
        let ask = |keyspace: &Keyspace| {
            for key in ["text", "list", "set", "hash", "zset", "none"] {
                for words in [vec!["X", key], vec!["X", key, "m1"], vec!["X", key, "1", "m2"]] {
                    let words = words.into_iter().chain(["X"]).map(str::as_bytes);
                    let argv = OwnedArgv::new(words.clone());
                    keyspace.prefetch(0, [argv.as_argv(), argv.as_argv()].into_iter());
                }
            }
            keyspace.prefetch(0, [OwnedArgv::new([&b"X"[..]].into_iter()).as_argv()].into_iter());
        };
        for count in [1, 2 * KEYS_MIN] {
            keyspace.set_text(0, b"text", NewText::Bytes(&value), Ttl::Clear);
            ask(&keyspace);
            let (mut list, mut set, mut hash, mut zset) =
                (List::new(), Set::default(), Hash::default(), Zset::default());
            for n in 0..count {
                list.push(ds::quicklist::Side::Tail, &member(n));
                set.insert(&member(n), limits);
                hash.set(&member(n), &value, false, limits);
                zset.insert(&member(n), n as f64, limits);
            }
            keyspace.put(0, b"list", list);
            keyspace.put(0, b"set", set);
            keyspace.put(0, b"hash", hash);
            keyspace.put(0, b"zset", zset);
            for key in ["text", "list", "set", "hash", "zset"] {
                assert!(keyspace.touch(0, key.as_bytes(), Look::Read));
                let expected = match key {
                    "text" => Reach::Record,
                    "list" => Reach::Value,
                    _ if count == 1 => Reach::Value,
                    _ => Reach::Element,
                };
                assert_eq!(keyspace.reach, expected, "{key}");
                ask(&keyspace);
            }
            for n in 0..KEYS_MIN {
                keyspace.set_text(0, &member(n), NewText::Bytes(b"v"), Ttl::Clear);
            }
            ask(&keyspace);
        }
    }
}
