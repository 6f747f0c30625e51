//! Room: keys that change their names and places: RENAME, MOVE, COPY, SWAPDB.
//!
//! Whoever calls has touched both keys. What comes to a name is a new key there: whatever the
//! name stood for is freed, and the access field begins anew. The time to live goes along.

use base::Bytes;
use ds::{Content, Record};

use crate::{
    keyspace::{Event, Gone, Keyspace, fields::next_field_expiry},
    value::Value,
};

impl Keyspace {
    /// Gives a key another name, or the same in another database; both are lost to what was
    /// there. Says whether the key is there.
    pub fn transfer(&mut self, from: (usize, &[u8]), to: (usize, &[u8])) -> bool {
        let Some(record) = self.dbs[from.0].store.remove(from.1) else { return false };
        let record = if from.1 == to.1 { record } else { record.with_key(to.1) };
        self.place(to.0, record);
        true
    }

    /// Puts a copy of a key under another name or in another database; says whether the key
    /// is there.
    pub fn copy(&mut self, from: (usize, &[u8]), to: (usize, &[u8])) -> bool {
        let Some(record) = self.peek(from.0, from.1) else { return false };
        let copy = match record.content() {
            Content::Embedded(string) => {
                let mut copy = Record::with_string(to.1, string, record.expiry());
                if record.is_marked() {
                    copy.mark();
                }
                copy
            }
            Content::Value(value) => Record::with_value(to.1, value.duplicate(), record.expiry()),
        };
        self.place(to.0, copy);
        true
    }

    /// Exchanges what two databases hold.
    pub fn swap(&mut self, db: usize, other: usize) {
        self.dbs.swap(db, other);
    }

    fn place(&mut self, db: usize, mut record: Record<Value>) {
        record.set_lru(self.access_policy.fresh(self.now_ms));
        self.events.noted(db, record.key(), Event::NEW);
        let key = next_field_expiry(&record).is_some().then(|| Bytes::from(record.key()));
        if let Some(old) = self.dbs[db].store.insert(record) {
            self.lazy.free(old, Gone::Overwritten);
        }
        if let Some(key) = key {
            self.note_fields(db, &key);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::keyspace::{Gone, Keyspace, Look, NewText, Ttl};

    fn text(keyspace: &Keyspace, db: usize, key: &[u8]) -> Option<Vec<u8>> {
        keyspace.peek_text(db, key).unwrap().map(|text| text.bytes().to_vec())
    }

    #[test]
    fn a_key_takes_its_value_and_time_to_live_along() {
        let mut keyspace = Keyspace::new(2);
        let long = vec![b'v'; 1000];
        for value in [&b"12"[..], b"short", &long] {
            keyspace.set_text(0, b"a", NewText::Bytes(value), Ttl::At(99));
            keyspace.set_text(0, b"a longer name", NewText::Bytes(b"old"), Ttl::Clear);
            assert!(keyspace.transfer((0, b"a"), (0, b"a longer name")));
            assert_eq!(text(&keyspace, 0, b"a"), None);
            assert!(keyspace.copy((0, b"a longer name"), (1, b"b")));
            assert!(keyspace.transfer((0, b"a longer name"), (1, b"a longer name")));
            assert_eq!((keyspace.len(0), keyspace.figures(0).expires), (0, 0));
            for key in [&b"b"[..], b"a longer name"] {
                assert_eq!(text(&keyspace, 1, key).as_deref(), Some(value));
                assert_eq!(keyspace.expiry(1, key), Some(99));
            }
        }
        assert_eq!((keyspace.len(1), keyspace.figures(1).expires), (2, 2));
        assert!(!keyspace.transfer((0, b"a"), (0, b"b")) && !keyspace.copy((0, b"a"), (0, b"b")));
    }

    #[test]
    fn a_copy_lives_by_itself() {
        let mut keyspace = Keyspace::new(1);
        let long = vec![b'v'; 100_000];
        keyspace.set_text(0, b"a", NewText::Shared(&long.clone().into()), Ttl::Clear);
        keyspace.copy((0, b"a"), (0, b"b"));
        let mut entry = keyspace.text_entry(0, b"b", Look::Write).unwrap();
        entry.append(b"more");
        assert_eq!(text(&keyspace, 0, b"a"), Some(long.clone()));
        assert_eq!(text(&keyspace, 0, b"b"), Some([&long[..], b"more"].concat()));
        keyspace.delete(0, b"a", Gone::Deleted);
        assert_eq!(text(&keyspace, 0, b"b"), Some([&long[..], b"more"].concat()));
    }

    #[test]
    fn what_is_no_number_to_who_looks_is_none_in_a_copy() {
        let mut keyspace = Keyspace::new(1);
        let mut entry = keyspace.text_entry(0, b"a", Look::Write).unwrap();
        entry.set_as_text(b"12", Ttl::Clear);
        keyspace.copy((0, b"a"), (0, b"b"));
        assert_eq!(keyspace.encoding(0, b"b"), Some("embstr"));
    }
}
