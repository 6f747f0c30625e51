//! Room: keys as snapshots take and bring them: whole, and with all that is known of them.

use base::Bytes;
use ds::{Record, dict};

use crate::{
    keyspace::{Access, Event, Keyspace, Ttl, fields::next_field_expiry, text::is_embedded},
    value::{Text, Value},
};

impl Keyspace {
    /// Walks over all records of a database, those that are due included.
    pub(crate) fn records(&self, db: usize) -> dict::Iter<'_, Record<Value>> {
        self.dbs[db].store.iter()
    }

    /// Makes room for so many keys, of which so many expire. Where there is none, nothing
    /// happens: the keys that come will tell.
    pub fn reserve(&mut self, db: usize, keys: usize, volatile: usize) {
        let _ = self.dbs[db].store.expand(keys, volatile);
    }

    /// Makes a key of a record, where there is none of its name, with what is known of its use.
    pub fn restore(&mut self, db: usize, mut record: Record<Value>, access: Option<Access>) {
        record.set_lru(self.access_policy.restored(access, self.now_ms));
        self.events.noted(db, record.key(), Event::NEW);
        let key = next_field_expiry(&record).is_some().then(|| Bytes::from(record.key()));
        self.dbs[db].store.insert(record);
        if let Some(key) = key {
            self.note_fields(db, &key);
        }
    }

    /// Asks for the memory where a record will be put soon.
    #[inline]
    pub(crate) fn announce(&self, db: usize, record: &Record<Value>) -> dict::Hash {
        let hash = dict::hash(record.key());
        self.dbs[db].store.prefetch(hash);
        hash
    }

    /// Puts a record in that was announced, and returns the one that had its key.
    #[inline]
    pub(crate) fn put_announced(
        &mut self,
        db: usize,
        hash: dict::Hash,
        record: Record<Value>,
    ) -> Option<Record<Value>> {
        let key = next_field_expiry(&record).is_some().then(|| Bytes::from(record.key()));
        let old = self.dbs[db].store.insert_hashed(hash, record);
        if let Some(key) = key {
            self.note_fields(db, &key);
        }
        old
    }
}

/// Makes a record of a string in the form that SET would choose.
#[inline]
pub(crate) fn text_record(key: &[u8], text: &[u8], expiry_ms: Option<i64>) -> Record<Value> {
    let ttl = expiry_ms.map_or(Ttl::Clear, Ttl::At);
    if is_embedded(key, text, ttl) {
        return Record::with_string(key, text, expiry_ms);
    }
    Record::with_value(key, Value::Text(Text::Raw(text.into())), expiry_ms)
}
