//! Room: the data. Knows no clients and no replicas.
//!
//! A command first *touches* each key it names: that deletes it if it is due and counts
//! the access. From then on `peek` needs only `&self`, so any number of values can be
//! looked at side by side, and written one at a time. Time stands still for the length
//! of an execution unit (`now_ms`), so a touched key cannot expire before it is peeked.
//! A command of one key costs one search: it reads through `read_text`, or looks and
//! changes through a `TextEntry`.

mod access;
mod ahead;
mod digest;
mod events;
mod evict;
mod expire;
mod fields;
mod lazy;
mod scan;
mod snapshot;
mod text;
mod transfer;
mod typed;

use base::{number::parse_i64, random::Random};
use ds::{Content, Record, Store, dict};

pub use crate::value::Pattern;
use crate::value::{EMBEDDED_BYTES_MAX, Value};

use ahead::Reach;
use fields::FieldIndex;

pub use access::{Access, AccessPolicy, lru_clock};
pub use digest::Digest;
pub use events::{Cause, Event, Events, Happened, Interest, KeyEvent};
pub use evict::Eviction;
pub use expire::{Cycle, ExpiryStats};
pub use lazy::{Gone, Lazy};
pub use scan::Scan;
pub(crate) use snapshot::text_record;
pub use text::{NewText, Text, TextEntry, Ttl};

/// How a command looks at a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// To read it: the access counts, as does whether it was there (INFO's hits and misses).
    Read,
    /// The same, but the access does not count: the command is about the key, not its value.
    Glance,
    /// As `Glance`, but that it was not there is no event.
    Inspect,
    /// To write it: the access counts, but it is no hit and no miss.
    Write,
}

/// What a record costs in the table that finds it.
const TABLE_BYTES_PER_KEY: usize = 14;
/// Redis shares the objects of these integers, and says so (OBJECT REFCOUNT).
const SHARED_INTEGERS: i64 = 10_000;

impl Look {
    fn is_access(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }
}

#[derive(Default)]
struct Db {
    store: Store<Value>,
    /// Where the active expiry goes on.
    expire_cursor: u64,
    avg_ttl_ms: i64,
    fields: FieldIndex,
}

/// A database as INFO shows it.
#[derive(Clone, Copy, Debug)]
pub struct DbFigures {
    /// Keys.
    pub keys: usize,
    /// Keys that expire.
    pub expires: usize,
    /// How long these live on, by a running estimate.
    pub avg_ttl_ms: i64,
}

/// The memory of one key that holds a string, as DEBUG SDSLEN shows it.
#[derive(Clone, Copy, Debug)]
pub struct TextRoom {
    /// The allocation that the key stands in.
    pub key_bytes: usize,
    /// The allocation that the string stands in.
    pub value_bytes: usize,
    /// By so much the string can grow where it is.
    pub spare: usize,
}

/// All databases.
pub struct Keyspace {
    dbs: Vec<Db>,
    /// The time of the present execution unit.
    pub now_ms: i64,
    /// Changes since the last snapshot.
    pub dirty: u64,
    /// Touched keys that were there.
    pub hits: u64,
    /// Touched keys that were not.
    pub misses: u64,
    /// What the active and the lazy expiry have done.
    pub expiry: ExpiryStats,
    /// What was let go for its memory.
    pub eviction: Eviction,
    /// What has happened to keys, for those who want to know.
    pub events: Events,
    /// Keys that are due stay where they are, though nobody sees them (a pause).
    pub keeps_expired: bool,
    /// How what falls out is freed.
    pub lazy: Lazy,
    /// How accesses are remembered.
    pub access_policy: AccessPolicy,
    /// Whether the present call's accesses are.
    counts_access: bool,
    /// How far the last key that was found reaches.
    reach: Reach,
    random: Random,
    next_expire_db: usize,
}

impl Keyspace {
    /// Makes `count` empty databases.
    pub fn new(count: usize) -> Self {
        Self {
            dbs: (0..count).map(|_| Db::default()).collect(),
            now_ms: 0,
            dirty: 0,
            hits: 0,
            misses: 0,
            expiry: ExpiryStats::default(),
            eviction: Eviction::default(),
            events: Events::default(),
            keeps_expired: false,
            lazy: Lazy::default(),
            access_policy: AccessPolicy::Lru,
            counts_access: true,
            reach: Reach::default(),
            random: Random::from_system(),
            next_expire_db: 0,
        }
    }

    /// Prepares for a call whose reads count as accesses or not.
    pub fn begin_call(&mut self, counts_access: bool) {
        self.counts_access = counts_access;
    }

    /// Returns a source of randomness of its own, for who looks at a value meanwhile.
    pub fn fork_random(&mut self) -> Random {
        Random::seeded(self.random.any_u64())
    }

    /// Counts the databases.
    pub fn db_count(&self) -> usize {
        self.dbs.len()
    }

    /// Counts the keys of a database, due ones that nobody has met included.
    pub fn len(&self, db: usize) -> usize {
        self.dbs[db].store.len()
    }

    /// Returns the figures of a database.
    pub fn figures(&self, db: usize) -> DbFigures {
        let Db { store, avg_ttl_ms, .. } = &self.dbs[db];
        let (keys, expires) = (store.len(), store.volatile_len());
        DbFigures { keys, expires, avg_ttl_ms: *avg_ttl_ms }
    }

    /// Counts the bytes of the tables of a database: of its keys, and of those that expire.
    pub fn table_bytes(&self, db: usize) -> (usize, usize) {
        let store = &self.dbs[db].store;
        (store.table_bytes(), store.volatile_table_bytes())
    }

    /// Makes room for so many keys; says whether that can be done.
    pub fn try_reserve(&mut self, db: usize, keys: usize) -> bool {
        self.dbs[db].store.expand(keys, 0).is_ok()
    }

    /// Counts what is where in the tables of a database: of its keys, and of those that expire.
    pub fn table_stats(&self, db: usize) -> (dict::Stats, dict::Stats) {
        let store = &self.dbs[db].store;
        (store.stats(), store.volatile_stats())
    }

    /// Deletes the key if it is due, counts the look, and says whether it is there.
    pub fn touch(&mut self, db: usize, key: &[u8], look: Look) -> bool {
        self.look(db, key, look).is_some()
    }

    /// Touches a key and returns its record, in one search.
    #[inline]
    pub(crate) fn look(&mut self, db: usize, key: &[u8], look: Look) -> Option<&Record<Value>> {
        let Some(mut item) = self.dbs[db].store.find_mut(key) else {
            note_miss(&mut self.misses, &mut self.events, db, key, look);
            return None;
        };
        let (expiry_ms, before) = item.marks();
        if is_due(expiry_ms, self.now_ms) {
            // Who writes needs the place, whatever is paused.
            if !self.keeps_expired || look == Look::Write {
                self.lazy.free(item.remove(), Gone::Expired);
                self.expiry.expired_keys += 1;
                self.events.deleted(db, key, Cause::Expired);
            }
            note_miss(&mut self.misses, &mut self.events, db, key, look);
            return None;
        }
        self.hits += u64::from(look != Look::Write);
        if self.counts_access && look.is_access() {
            let after = self.access_policy.touched(before, self.now_ms, &mut self.random);
            if after != before {
                item.set_lru(after);
            }
        }
        let record = item.into_record();
        self.reach = Reach::of(record);
        Some(record)
    }

    /// Deletes the key if it is due and says whether it is there, without counting.
    pub fn is_alive(&mut self, db: usize, key: &[u8]) -> bool {
        match self.dbs[db].store.find(key) {
            None => false,
            Some(record) if !is_due(record.expiry(), self.now_ms) => true,
            Some(_) if self.keeps_expired => false,
            Some(_) => {
                let record = self.dbs[db].store.remove(key).expect("found just now");
                self.expired(db, key, record);
                false
            }
        }
    }

    /// Looks at a key without counting.
    pub(crate) fn peek(&self, db: usize, key: &[u8]) -> Option<&Record<Value>> {
        self.dbs[db].store.find(key).filter(|record| !is_due(record.expiry(), self.now_ms))
    }

    /// Whether a key is stored, due or not.
    pub fn contains(&self, db: usize, key: &[u8]) -> bool {
        self.dbs[db].store.contains(key)
    }

    /// Whether a key is stored although its time has come.
    pub fn is_expired(&self, db: usize, key: &[u8], now_ms: i64) -> bool {
        let record = self.dbs[db].store.find(key);
        record.is_some_and(|record| is_due(record.expiry(), now_ms))
    }

    /// Deletes a key and says whether it was there; one that is due was not.
    pub fn delete(&mut self, db: usize, key: &[u8], gone: Gone) -> bool {
        let Some(record) = self.dbs[db].store.remove(key) else { return false };
        if is_due(record.expiry(), self.now_ms) {
            self.expired(db, key, record);
            return false;
        }
        self.lazy.free(record, gone);
        true
    }

    /// Deletes everything in a database, on the thread that frees if asked, and says how many
    /// keys that were.
    pub fn clear(&mut self, db: usize, lazily: bool) -> usize {
        let db = &mut self.dbs[db];
        (db.avg_ttl_ms, db.expire_cursor) = (0, 0);
        db.fields = FieldIndex::default();
        let all = db.store.take();
        let count = all.len();
        self.lazy.free_all(all, lazily);
        count
    }

    /// Every change ends here: counts it, and notes it for those who want to know.
    #[inline]
    pub fn written(&mut self, db: usize, key: &[u8], event: Event) {
        self.dirty += 1;
        self.events.changed(db, key, Some(event));
    }

    /// As `written`, of what counts as so many changes, or as none although others must hear.
    #[inline]
    pub fn written_as(&mut self, db: usize, key: &[u8], event: Event, changes: usize) {
        self.dirty += changes as u64;
        self.events.changed(db, key, Some(event));
    }

    /// Notes what counts as a change, though to who watches the key, or caches it, it is none.
    #[inline]
    pub fn counted(&mut self, db: usize, key: &[u8], event: Event) {
        self.dirty += 1;
        self.events.noted(db, key, event);
    }

    /// Notes an event that is part of a change counted already, or of none.
    #[inline]
    pub fn noted(&mut self, db: usize, key: &[u8], event: Event) {
        self.events.noted(db, key, event);
    }

    /// Notes that a key holds something else where no event has a name for it; does not
    /// count it.
    #[inline]
    pub fn changed(&mut self, db: usize, key: &[u8]) {
        self.events.changed(db, key, None);
    }

    fn expired(&mut self, db: usize, key: &[u8], record: Record<Value>) {
        self.lazy.free(record, Gone::Expired);
        self.expiry.expired_keys += 1;
        self.events.deleted(db, key, Cause::Expired);
    }

    /// Returns when a touched key expires.
    pub fn expiry(&self, db: usize, key: &[u8]) -> Option<i64> {
        self.peek(db, key)?.expiry()
    }

    /// Sets when a touched key expires; says whether that changed anything.
    pub fn set_expiry(&mut self, db: usize, key: &[u8], at_ms: Option<i64>) -> bool {
        let Some(mut item) = self.dbs[db].store.find_mut(key) else { return false };
        let has_changed = item.expiry() != at_ms;
        item.set_expiry(at_ms);
        has_changed
    }

    /// Returns the name of a touched key's type.
    pub fn type_name(&self, db: usize, key: &[u8]) -> Option<&'static str> {
        self.peek(db, key).map(kind_of)
    }

    /// Returns the name of the encoding of a touched key's value.
    pub fn encoding(&self, db: usize, key: &[u8]) -> Option<&'static str> {
        let record = self.peek(db, key)?;
        Some(match record.content() {
            Content::Embedded(_) if integer_of(record).is_some() => "int",
            Content::Embedded(bytes) if bytes.len() <= EMBEDDED_BYTES_MAX => "embstr",
            Content::Embedded(_) => "raw",
            Content::Value(value) => value.encoding(),
        })
    }

    /// Returns how often Redis would say that a touched key's value is referred to.
    pub fn refcount(&self, db: usize, key: &[u8]) -> Option<i64> {
        let number = integer_of(self.peek(db, key)?);
        let is_shared = number.is_some_and(|n| (0..SHARED_INTEGERS).contains(&n));
        Some(if is_shared { i64::from(i32::MAX) } else { 1 })
    }

    /// Returns how lately or how often a touched key was used before.
    pub fn access(&self, db: usize, key: &[u8]) -> Option<Access> {
        Some(self.access_policy.show(self.access_field(db, key)?, self.now_ms))
    }

    /// Returns the field that accesses of a touched key are remembered in.
    pub fn access_field(&self, db: usize, key: &[u8]) -> Option<u32> {
        Some(self.peek(db, key)?.lru())
    }

    /// Counts the bytes that a key and its value take: each with what it has to spare.
    pub fn text_room(&self, db: usize, key: &[u8]) -> Option<TextRoom> {
        let record = self.peek(db, key)?;
        let key_bytes = record.allocation_bytes();
        Some(match record.content() {
            Content::Embedded(_) => TextRoom { key_bytes, value_bytes: key_bytes, spare: 0 },
            Content::Value(Value::Text(text)) => {
                TextRoom { key_bytes, value_bytes: text.memory_bytes(), spare: text.spare() }
            }
            Content::Value(_) => return None,
        })
    }

    /// Counts the bytes that a key, its value and its place in the tables take; of what has
    /// many elements, `samples` are looked at, 0 meaning all.
    pub fn memory_usage(&self, db: usize, key: &[u8], samples: usize) -> Option<usize> {
        // Also of one that is due: it takes memory as long as it is there.
        let record = self.dbs[db].store.find(key)?;
        let value = record.value().map_or(0, |value| value.memory_bytes(samples));
        let tables = 1 + usize::from(record.expiry().is_some());
        Some(record.allocation_bytes() + value + tables * TABLE_BYTES_PER_KEY)
    }

    /// Goes on with growing and shrinking tables, for a while.
    pub fn rehash_for(&mut self, budget: std::time::Duration) {
        if let Some(db) = self.dbs.iter_mut().find(|db| db.store.is_rehashing()) {
            db.store.rehash_for(budget);
        }
    }
}

/// Returns the name of the type of what a record holds.
fn kind_of(record: &Record<Value>) -> &'static str {
    match record.content() {
        Content::Embedded(_) => "string",
        Content::Value(value) => value.type_name(),
    }
}

/// Returns the number that a string is, if it is held as one: as Redis has it, what was set
/// as a number or counted is, and what has been written to in place is not.
fn integer_of(record: &Record<Value>) -> Option<i64> {
    match record.content() {
        Content::Embedded(bytes) if !record.is_marked() => parse_i64(bytes),
        _ => None,
    }
}

fn note_miss(misses: &mut u64, events: &mut Events, db: usize, key: &[u8], look: Look) {
    *misses += u64::from(look != Look::Write);
    if matches!(look, Look::Read | Look::Glance) {
        events.noted(db, key, Event::KEY_MISS);
    }
}

fn is_due(expiry_ms: Option<i64>, now_ms: i64) -> bool {
    expiry_ms.is_some_and(|at_ms| at_ms <= now_ms)
}
