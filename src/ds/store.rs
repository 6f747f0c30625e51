//! Pure: the keys of one database, and the index of those that expire.
//!
//! [`Store`] owns the records in one dictionary; a second one, the *volatile* index, holds a
//! reference to each record that has an expiry, so that keys that may expire are found
//! without looking at the others. A reference costs 8 bytes and a share of a bucket; the key
//! is not copied.
//!
//! Invariant: the index holds exactly one reference to each record of this store that has an
//! expiry, with its present address, whenever no method of this file is running. That is why
//! nobody outside is given `&mut Record`: an [`Item`] stands for it, and every way to move or
//! free a block goes through this file. While a block has moved and its reference has not
//! been put right, the index makes no rehash step, because that would read keys.

use std::{
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    time::Duration,
};

use crate::{
    dict::{self, Dict, Entry, Hash, OutOfMemory, Stats},
    record::{Content, Expiry, Record},
};

/// Records by key, and the index of those that expire.
pub struct Store<V> {
    records: Dict<Record<V>>,
    volatile: Dict<Reference<V>>,
}

/// What a rename did.
#[derive(Debug)]
pub enum Renamed<V> {
    /// Nothing: the key is not there.
    Absent,
    /// The record has its name; this one had the name before.
    Done(Option<Record<V>>),
}

impl<V> Store<V> {
    /// Makes an empty store, which allocates nothing.
    pub const fn new() -> Self {
        Self { records: Dict::new(), volatile: Dict::new() }
    }

    /// Counts the keys.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Tells whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Counts the keys that expire.
    pub fn volatile_len(&self) -> usize {
        self.volatile.len()
    }

    /// Tells whether a key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.records.contains(key)
    }

    /// Finds the record of a key.
    pub fn find(&self, key: &[u8]) -> Option<&Record<V>> {
        self.records.find(key)
    }

    /// Finds the record of a key whose hash is known.
    pub fn find_hashed(&self, hash: Hash, key: &[u8]) -> Option<&Record<V>> {
        self.records.find_hashed(hash, key)
    }

    /// Finds the record of a key, to change it.
    pub fn find_mut(&mut self, key: &[u8]) -> Option<Item<'_, V>> {
        self.find_mut_hashed(dict::hash(key), key)
    }

    /// Finds the record of a key whose hash is known, to change it.
    pub fn find_mut_hashed(&mut self, hash: Hash, key: &[u8]) -> Option<Item<'_, V>> {
        match self.records.entry_hashed(hash, key) {
            dict::Slot::Occupied(record) => Some(Item { record, volatile: &mut self.volatile }),
            dict::Slot::Vacant(_) => None,
        }
    }

    /// Searches once for a key, to look at, change, remove or insert its record.
    pub fn entry<'a>(&'a mut self, key: &'a [u8]) -> Slot<'a, V> {
        self.entry_hashed(dict::hash(key), key)
    }

    /// Searches once for a key whose hash is known.
    pub fn entry_hashed<'a>(&'a mut self, hash: Hash, key: &'a [u8]) -> Slot<'a, V> {
        let volatile = &mut self.volatile;
        match self.records.entry_hashed(hash, key) {
            dict::Slot::Occupied(record) => Slot::Occupied(Item { record, volatile }),
            dict::Slot::Vacant(slot) => Slot::Vacant(Vacant { slot, volatile, key }),
        }
    }

    /// Puts a record in, and returns the one that had its key.
    pub fn insert(&mut self, record: Record<V>) -> Option<Record<V>> {
        self.insert_hashed(dict::hash(record.key()), record)
    }

    /// Puts in a record whose key's hash is known, and returns the one that had its key.
    pub fn insert_hashed(&mut self, hash: Hash, record: Record<V>) -> Option<Record<V>> {
        match self.records.entry_hashed(hash, record.key()) {
            dict::Slot::Occupied(old) => {
                Some(Item { record: old, volatile: &mut self.volatile }.replace(record))
            }
            dict::Slot::Vacant(slot) => {
                let record = slot.insert(record);
                add_if_volatile(&mut self.volatile, hash, record);
                None
            }
        }
    }

    /// Takes the record of a key out.
    pub fn remove(&mut self, key: &[u8]) -> Option<Record<V>> {
        self.find_mut(key).map(Item::remove)
    }

    /// Gives the record of a key another name, and returns the one that had that name.
    /// To the same name it does nothing.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Renamed<V> {
        if from == to {
            return if self.contains(from) { Renamed::Done(None) } else { Renamed::Absent };
        }
        match self.remove(from) {
            Some(record) => Renamed::Done(self.insert(record.with_key(to))),
            None => Renamed::Absent,
        }
    }

    /// Sets when a key expires, or that it does not; tells whether the key is there.
    pub fn set_expiry(&mut self, key: &[u8], expiry_ms: Option<i64>) -> bool {
        self.find_mut(key).map(|mut item| item.set_expiry(expiry_ms)).is_some()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// Leaves an empty store behind, so that a thread can drop this one.
    pub fn take(&mut self) -> Self {
        mem::take(self)
    }

    /// Lends all records, in no order that means anything.
    pub fn iter(&self) -> dict::Iter<'_, Record<V>> {
        self.records.iter()
    }

    /// Lends the records that expire, in no order that means anything.
    pub fn iter_volatile(&self) -> impl ExactSizeIterator<Item = &Record<V>> {
        self.volatile.iter().map(Reference::record)
    }

    /// Visits the records of one chain and returns the next cursor, as [`Dict::scan`].
    pub fn scan(&self, cursor: u64, visit: impl FnMut(&Record<V>)) -> u64 {
        self.records.scan(cursor, visit)
    }

    /// Visits records that expire as [`Self::scan`] visits all.
    pub fn scan_volatile(&self, cursor: u64, mut visit: impl FnMut(&Record<V>)) -> u64 {
        self.volatile.scan(cursor, |reference| visit(reference.record()))
    }

    /// Returns a record, each with the same chance. `draw` gives a random number below its
    /// argument.
    pub fn random(&self, draw: impl FnMut(u64) -> u64) -> Option<&Record<V>> {
        self.records.random(draw)
    }

    /// Returns a record that expires, each with the same chance.
    pub fn random_volatile(&self, draw: impl FnMut(u64) -> u64) -> Option<&Record<V>> {
        self.volatile.random(draw).map(Reference::record)
    }

    /// Visits about `count` records that stand together somewhere, as [`Dict::sample`].
    pub fn sample<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        visit: impl FnMut(&'a Record<V>),
    ) -> usize {
        self.records.sample(count, draw, visit)
    }

    /// Visits about `count` records that expire, as [`Dict::sample`].
    pub fn sample_volatile<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a Record<V>),
    ) -> usize {
        self.volatile.sample(count, draw, |reference| visit(reference.record()))
    }

    /// Asks for the bucket of a key, to be searched soon.
    pub fn prefetch(&self, hash: Hash) {
        self.records.prefetch(hash);
    }

    /// Asks for the record of a key, once its bucket has come.
    pub fn prefetch_record(&self, hash: Hash) {
        self.records.prefetch_entry(hash);
    }

    /// Returns the record that most likely is that of a key with this hash; the key is not read.
    #[inline]
    pub fn guess(&self, hash: Hash) -> Option<&Record<V>> {
        self.records.guess(hash)
    }

    /// Makes room before records come: so many, of which so many expire.
    pub fn expand(&mut self, records: usize, volatile: usize) -> Result<(), OutOfMemory> {
        self.records.expand(records)?;
        self.volatile.expand(volatile)
    }

    /// Tells whether a rehash is under way.
    pub fn is_rehashing(&self) -> bool {
        self.records.is_rehashing() || self.volatile.is_rehashing()
    }

    /// Rehashes for about this long; tells whether there is more to do.
    pub fn rehash_for(&mut self, budget: Duration) -> bool {
        if self.records.is_rehashing() {
            return self.records.rehash_for(budget) || self.volatile.is_rehashing();
        }
        self.volatile.rehash_for(budget)
    }

    /// Returns the bytes of the table of all records, without the records.
    pub fn table_bytes(&self) -> usize {
        self.records.memory_bytes()
    }

    /// Returns the bytes of the table of those that expire.
    pub fn volatile_table_bytes(&self) -> usize {
        self.volatile.memory_bytes()
    }

    /// Counts what is where in the table of all records.
    pub fn stats(&self) -> Stats {
        self.records.stats()
    }

    /// Counts what is where in the table of those that expire.
    pub fn volatile_stats(&self) -> Stats {
        self.volatile.stats()
    }
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// What a search found.
pub enum Slot<'a, V> {
    /// The key has a record.
    Occupied(Item<'a, V>),
    /// The key has none.
    Vacant(Vacant<'a, V>),
}

/// A record that was found, to change or remove.
pub struct Item<'a, V> {
    record: dict::Occupied<'a, Record<V>>,
    volatile: &'a mut Dict<Reference<V>>,
}

impl<'a, V> Item<'a, V> {
    /// Returns the record.
    pub fn record(&self) -> &Record<V> {
        self.record.get()
    }

    /// Returns the record for as long as the store is lent.
    pub fn into_record(self) -> &'a Record<V> {
        self.record.into_mut()
    }

    /// The same, once the value, if there is one, was lent to be tidied.
    #[inline]
    pub fn into_tidy_record(self, tidy: impl FnOnce(&mut V)) -> &'a Record<V> {
        let record = self.record.into_mut();
        if let Some(value) = record.value_mut() {
            tidy(value);
        }
        record
    }

    /// Makes a step of a rehash of the index, as the search that has found this made one of the
    /// table of all.
    #[inline]
    pub fn rehash_index_step(&mut self) {
        self.volatile.rehash_step();
    }

    /// Returns when the key expires, and what is remembered of accesses to it.
    #[inline]
    pub fn marks(&self) -> (Option<i64>, u32) {
        let record = self.record();
        (record.expiry(), record.lru())
    }

    /// Returns what the record holds.
    pub fn content(&self) -> Content<'_, V> {
        self.record().content()
    }

    /// Returns when the key expires.
    pub fn expiry(&self) -> Option<i64> {
        self.record().expiry()
    }

    /// Returns the value to change, if it is not an embedded string.
    pub fn value_mut(&mut self) -> Option<&mut V> {
        self.record.get_mut().value_mut()
    }

    /// Returns the value to change for as long as the store is lent.
    pub fn into_value_mut(self) -> Option<&'a mut V> {
        self.record.into_mut().value_mut()
    }

    /// Returns the embedded string to change within its length, if it is one.
    pub fn embedded_mut(&mut self) -> Option<&mut [u8]> {
        self.record.get_mut().embedded_mut()
    }

    /// Sets the field for the time or frequency of access, of which 24 bits are kept.
    pub fn set_lru(&mut self, lru: u32) {
        self.record.get_mut().set_lru(lru);
    }

    /// Marks what the record holds. See [`Record::mark`].
    pub fn mark(&mut self) {
        self.record.get_mut().mark();
    }

    /// Puts an embedded string in the place of what the key held, and returns the value if
    /// it was one. See [`Record::set_string`].
    ///
    /// # Panics
    /// If the string has more than 255 bytes; [`Record::embeds`] tells what is wise.
    pub fn set_string(&mut self, string: &[u8], expiry: Expiry) -> Option<V> {
        self.change(|record| record.set_string(string, expiry))
    }

    /// Puts a value in the place of what the key held, and returns the value if it was one.
    pub fn set_value(&mut self, value: V, expiry: Expiry) -> Option<V> {
        self.change(|record| record.set_value(value, expiry))
    }

    /// Sets when the key expires, or that it does not.
    pub fn set_expiry(&mut self, expiry_ms: Option<i64>) {
        self.change(|record| record.set_expiry(expiry_ms));
    }

    /// Puts another record of the same key in its place, and returns the old one.
    ///
    /// # Panics
    /// If the keys differ.
    pub fn replace(&mut self, record: Record<V>) -> Record<V> {
        assert!(self.record().key() == record.key(), "a record is replaced under its key");
        self.change(|old| mem::replace(old, record))
    }

    /// Takes the record out.
    pub fn remove(self) -> Record<V> {
        let (hash, address) = (self.record.hash(), self.record().address());
        if self.expiry().is_some() {
            forget(self.volatile, hash, address);
        }
        self.record.remove()
    }

    /// Takes the record out, and lends the room for another of the same key, which is given
    /// once more because the record owns the other copy.
    ///
    /// # Panics
    /// If the keys differ.
    pub fn vacate(self, key: &'a [u8]) -> (Record<V>, Vacant<'a, V>) {
        assert!(self.record().key() == key, "a record is replaced under its key");
        let (hash, address) = (self.record.hash(), self.record().address());
        if self.expiry().is_some() {
            forget(self.volatile, hash, address);
        }
        let Self { record, volatile } = self;
        let (record, slot) = record.vacate();
        (record, Vacant { slot, volatile, key })
    }

    /// Changes the record, then puts the index right. Whatever falls out of the record is
    /// handed on and not dropped before that: its drop might panic.
    fn change<T>(&mut self, change: impl FnOnce(&mut Record<V>) -> T) -> T {
        let hash = self.record.hash();
        let record = self.record.get_mut();
        let (old, was_volatile) = (record.address(), record.expiry().is_some());
        let fallen = change(record);
        let address = record.address();
        match (was_volatile, record.expiry().is_some()) {
            (true, true) if address != old => {
                let reference = self.volatile.find_mut_by(hash, |reference| reference.is_at(old));
                *reference.expect("a volatile record is in the index") = Reference::to(record);
            }
            (true, false) => forget(self.volatile, hash, old),
            (false, true) => add_if_volatile(self.volatile, hash, record),
            _ => {}
        }
        fallen
    }
}

/// The room for the record of a key that was not found.
pub struct Vacant<'a, V> {
    slot: dict::Vacant<'a, Record<V>>,
    volatile: &'a mut Dict<Reference<V>>,
    key: &'a [u8],
}

impl<'a, V> Vacant<'a, V> {
    /// Returns the key that was searched.
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Makes the key hold an embedded string. See [`Record::with_string`].
    ///
    /// # Panics
    /// If the string has more than 255 bytes; [`Record::embeds`] tells what is wise.
    pub fn insert_string(self, string: &[u8], expiry_ms: Option<i64>) -> Item<'a, V> {
        let record = Record::with_string(self.key, string, expiry_ms);
        self.place(record)
    }

    /// Makes the key hold a value.
    pub fn insert_value(self, value: V, expiry_ms: Option<i64>) -> Item<'a, V> {
        let record = Record::with_value(self.key, value, expiry_ms);
        self.place(record)
    }

    /// Makes the key hold a record that was made before.
    ///
    /// # Panics
    /// If that has another key.
    pub fn insert(self, record: Record<V>) -> Item<'a, V> {
        assert!(self.key == record.key(), "a record is inserted under its key");
        self.place(record)
    }

    fn place(self, record: Record<V>) -> Item<'a, V> {
        let Self { slot, volatile, .. } = self;
        let record = slot.insert_occupied(record);
        add_if_volatile(volatile, record.hash(), record.get());
        Item { record, volatile }
    }
}

fn add_if_volatile<V>(volatile: &mut Dict<Reference<V>>, hash: Hash, record: &Record<V>) {
    if record.expiry().is_some() {
        volatile.insert_absent(hash, Reference::to(record));
    }
}

/// Takes the reference to this address out of the index, all others of which are right.
fn forget<V>(volatile: &mut Dict<Reference<V>>, hash: Hash, address: NonNull<u8>) {
    let removed = volatile.remove_by(hash, |reference| reference.is_at(address));
    assert!(removed.is_some(), "a volatile record is in the index");
    volatile.rehash(1);
}

/// An entry of the index: the pointer of a record that the other dictionary owns.
struct Reference<V> {
    record: ManuallyDrop<Record<V>>,
}

impl<V> Reference<V> {
    fn to(record: &Record<V>) -> Self {
        // SAFETY: references stand in the index only, for as long as the record lives and is
        // there (invariant of the file); they lend `&Record` under a borrow of the store, and
        // are never dropped as records.
        Self { record: unsafe { record.alias() } }
    }

    fn record(&self) -> &Record<V> {
        &self.record
    }

    /// Compares addresses; reads nothing through them.
    fn is_at(&self, address: NonNull<u8>) -> bool {
        self.record.address() == address
    }
}

impl<V> Entry for Reference<V> {
    fn key(&self) -> &[u8] {
        self.record.key()
    }

    fn prefetch(&self) {
        self.record.prefetch();
    }
}

#[cfg(test)]
mod tests;
