//! Pure: the hash table of the house: open buckets of a cache line, rehashed step by step.
//!
//! A dictionary owns entries of 8 bytes, thin pointers to what bears its own key. They stand
//! in buckets of seven (`bucket.rs`) in a table of a power of two of buckets (`table.rs`).
//! A search reads one line, and then only entries whose tag, 8 bits of the hash, agrees.
//!
//! A bucket is chosen by the *top* bits of the hash: buckets stand in the order of hashes
//! whatever the size of the table. From this follow a rehash in which each key has one home
//! at each moment (`rehash.rs`) and a SCAN that sees one chain a call (`scan.rs`).
//!
//! Deliberately absent: entries that hold keys by value, a hash kept with the entry (a rehash
//! reads the keys again), iteration that survives changes other than by cursor.
//!
//! Start with [`Dict::entry`]. Invariant: `moved` is 0 unless a rehash is under way, and
//! `tables[1]` is empty then.

mod bucket;
mod choose;
mod hash;
mod iter;
mod rehash;
mod scan;
mod stats;
mod table;
#[cfg(test)]
mod tests;

use self::{bucket::Inserted, table::Table};
pub use self::{
    hash::{Hash, hash, set_hash_seed},
    iter::{IntoIter, Iter},
    rehash::{Resize, set_may_resize, set_memory_limit},
    stats::{Stats, TableStats},
    table::OutOfMemory,
};

/// What a dictionary holds: a thin pointer, of 8 bytes, to something with a key.
///
/// The key of an entry in a dictionary must not change, or the entry is lost to searches.
pub trait Entry {
    /// Returns the key.
    fn key(&self) -> &[u8];

    /// Asks for the key's memory, which will be read soon.
    fn prefetch(&self) {}
}

impl<E: Entry> Entry for Box<E> {
    fn key(&self) -> &[u8] {
        (**self).key()
    }

    fn prefetch(&self) {
        prefetch_line(&raw const **self);
    }
}

/// A hash table of owning entries. An empty one allocates nothing.
pub struct Dict<E: Entry> {
    tables: [Table<E>; 2],
    /// Buckets of `tables[0]` whose entries are in `tables[1]`.
    moved: usize,
}

/// Where an entry stands. Good until the next change.
#[derive(Clone, Copy)]
struct Place {
    table: usize,
    index: usize,
    depth: usize,
    at: usize,
}

impl<E: Entry> Dict<E> {
    /// Makes an empty dictionary.
    pub const fn new() -> Self {
        const { assert!(size_of::<E>() == 8, "an entry is a thin pointer") };
        Self { tables: [const { Table::new() }; 2], moved: 0 }
    }

    /// Counts the entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.tables[0].entry_count() + self.tables[1].entry_count()
    }

    /// Tells whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of its tables, without those that the entries own.
    pub fn memory_bytes(&self) -> usize {
        self.tables.iter().map(Table::memory_bytes).sum()
    }

    /// Tells whether a key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Finds the entry of a key.
    pub fn find(&self, key: &[u8]) -> Option<&E> {
        if self.is_empty() {
            return None;
        }
        self.find_hashed(hash(key), key)
    }

    /// Finds the entry of a key whose hash is known.
    #[inline]
    pub fn find_hashed(&self, hash: Hash, key: &[u8]) -> Option<&E> {
        if self.is_empty() {
            return None;
        }
        let (table, index) = self.home(hash.position());
        let found = self.tables[table].bucket(index).find(hash.tag(), |entry| entry.key() == key);
        found.map(|found| found.entry)
    }

    /// Finds the entry of a key, to change it.
    pub fn find_mut(&mut self, key: &[u8]) -> Option<&mut E> {
        if self.is_empty() {
            return None;
        }
        self.find_mut_hashed(hash(key), key)
    }

    /// Finds the entry of a key whose hash is known, to change it.
    pub fn find_mut_hashed(&mut self, hash: Hash, key: &[u8]) -> Option<&mut E> {
        self.rehash_step();
        let place = self.locate(hash, |entry| entry.key() == key)?;
        Some(self.entry_at(place))
    }

    /// Searches once for a key, to look at, change, remove or insert its entry.
    pub fn entry(&mut self, key: &[u8]) -> Slot<'_, E> {
        self.entry_hashed(hash(key), key)
    }

    /// Searches once for a key whose hash is known.
    pub fn entry_hashed(&mut self, hash: Hash, key: &[u8]) -> Slot<'_, E> {
        self.rehash_step();
        match self.locate(hash, |entry| entry.key() == key) {
            Some(place) => Slot::Occupied(Occupied { dict: self, hash, place }),
            None => Slot::Vacant(Vacant { dict: self, hash }),
        }
    }

    /// Puts an entry in, and returns the one that had its key.
    pub fn insert(&mut self, entry: E) -> Option<E> {
        match self.entry(entry.key()) {
            Slot::Occupied(mut old) => Some(old.replace(entry)),
            Slot::Vacant(slot) => {
                slot.insert(entry);
                None
            }
        }
    }

    /// Takes the entry of a key out.
    pub fn remove(&mut self, key: &[u8]) -> Option<E> {
        if self.is_empty() {
            return None;
        }
        self.rehash_step();
        let place = self.locate(hash(key), |entry| entry.key() == key)?;
        Some(self.remove_at(place))
    }

    /// Finds an entry by what it is instead of by its key, which is not read. No rehash step
    /// is made either, which would read keys: so an entry whose key lies in memory that is
    /// gone can be put right.
    pub(crate) fn find_mut_by(&mut self, hash: Hash, is: impl FnMut(&E) -> bool) -> Option<&mut E> {
        let place = self.locate(hash, is)?;
        Some(self.entry_at(place))
    }

    /// Takes out an entry that is found as by [`Self::find_mut_by`].
    pub(crate) fn remove_by(&mut self, hash: Hash, is: impl FnMut(&E) -> bool) -> Option<E> {
        let place = self.locate(hash, is)?;
        Some(self.remove_at(place))
    }

    /// Puts in an entry whose key is known to be absent.
    pub(crate) fn insert_absent(&mut self, hash: Hash, entry: E) {
        self.rehash_step();
        self.place(hash, entry);
    }

    /// Drops all entries and all memory. [`Self::take`] lets another thread do it.
    pub fn clear(&mut self) {
        drop(self.take());
    }

    /// Leaves an empty dictionary behind.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Asks for the bucket of a key, to be searched soon.
    #[inline]
    pub fn prefetch(&self, hash: Hash) {
        if !self.is_empty() {
            let (table, index) = self.home(hash.position());
            prefetch_line(self.tables[table].bucket(index));
        }
    }

    /// Asks for what the entry of a key points to. Reads the bucket, which
    /// [`Self::prefetch`] should have brought by then.
    #[inline]
    pub fn prefetch_entry(&self, hash: Hash) {
        self.guess(hash).into_iter().for_each(Entry::prefetch);
    }

    /// Returns the entry that most likely is that of a key with this hash; the key is not read.
    #[inline]
    pub fn guess(&self, hash: Hash) -> Option<&E> {
        if self.is_empty() {
            return None;
        }
        let (table, index) = self.home(hash.position());
        let found = self.tables[table].bucket(index).find(hash.tag(), |_| true);
        found.map(|found| found.entry)
    }

    /// Returns the one bucket that may hold this position. There must be a table.
    #[inline]
    fn home(&self, position: u64) -> (usize, usize) {
        let index = self.tables[0].index(position);
        if index < self.moved { (1, self.tables[1].index(position)) } else { (0, index) }
    }

    #[inline]
    fn locate(&self, hash: Hash, is: impl FnMut(&E) -> bool) -> Option<Place> {
        if self.is_empty() {
            return None;
        }
        let (table, index) = self.home(hash.position());
        let found = self.tables[table].bucket(index).find(hash.tag(), is)?;
        Some(Place { table, index, depth: found.depth, at: found.at })
    }

    #[inline]
    fn entry_at(&mut self, place: Place) -> &mut E {
        let bucket = self.tables[place.table].bucket_mut(place.index).at_depth_mut(place.depth);
        bucket.entry_mut(place.at).expect("the place was found by a search")
    }

    fn remove_at(&mut self, place: Place) -> E {
        let entry = self.tables[place.table].remove(place.index, place.depth, place.at);
        self.shrink_if_sparse();
        entry
    }

    fn place(&mut self, hash: Hash, entry: E) -> Place {
        if self.tables[0].bucket_count() == 0 {
            self.tables[0] = Table::with_buckets(1).expect("64 bytes can be had");
        }
        let (table, _) = self.home(hash.position());
        let (index, Inserted { depth, at, .. }) = self.tables[table].insert(hash, entry);
        self.grow_if_full();
        Place { table, index, depth, at }
    }
}

impl<E: Entry> Default for Dict<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Entry> FromIterator<E> for Dict<E> {
    fn from_iter<I: IntoIterator<Item = E>>(entries: I) -> Self {
        let mut dict = Self::new();
        for entry in entries {
            dict.insert(entry);
        }
        dict
    }
}

/// What a search found.
pub enum Slot<'a, E: Entry> {
    /// The key has an entry.
    Occupied(Occupied<'a, E>),
    /// The key has none.
    Vacant(Vacant<'a, E>),
}

/// An entry that was found.
pub struct Occupied<'a, E: Entry> {
    dict: &'a mut Dict<E>,
    hash: Hash,
    place: Place,
}

impl<'a, E: Entry> Occupied<'a, E> {
    /// Returns the entry.
    #[inline]
    pub fn get(&self) -> &E {
        let Place { table, index, depth, at } = self.place;
        let mut bucket = self.dict.tables[table].bucket(index);
        for _ in 0..depth {
            bucket = bucket.child().expect("the place was found by a search");
        }
        bucket.entry(at).expect("the place was found by a search")
    }

    /// Returns the entry, to change all but its key.
    pub fn get_mut(&mut self) -> &mut E {
        self.dict.entry_at(self.place)
    }

    /// Returns the entry for as long as the dictionary is lent.
    pub fn into_mut(self) -> &'a mut E {
        self.dict.entry_at(self.place)
    }

    /// Puts another entry of the same key in its place.
    pub fn replace(&mut self, entry: E) -> E {
        debug_assert!(self.get().key() == entry.key());
        std::mem::replace(self.get_mut(), entry)
    }

    /// Takes the entry out.
    pub fn remove(self) -> E {
        self.dict.remove_at(self.place)
    }

    /// Takes the entry out, and lends the room for another of the same key.
    pub fn vacate(self) -> (E, Vacant<'a, E>) {
        let entry = self.dict.remove_at(self.place);
        (entry, Vacant { dict: self.dict, hash: self.hash })
    }

    /// Returns the hash of the key.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// The room for an entry that was not found.
pub struct Vacant<'a, E: Entry> {
    dict: &'a mut Dict<E>,
    hash: Hash,
}

impl<'a, E: Entry> Vacant<'a, E> {
    /// Puts the entry of the key that was searched in.
    pub fn insert(self, entry: E) -> &'a mut E {
        self.insert_occupied(entry).into_mut()
    }

    /// Puts the entry of the key that was searched in, to go on with it.
    pub fn insert_occupied(self, entry: E) -> Occupied<'a, E> {
        debug_assert!(hash(entry.key()) == self.hash);
        let place = self.dict.place(self.hash, entry);
        Occupied { dict: self.dict, hash: self.hash, place }
    }

    /// Returns the hash of the key.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// Asks the processor for the cache line at an address, which is not read.
#[inline]
pub(crate) fn prefetch_line<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint: it faults at no address. SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    // Other processors have no stable intrinsic; theirs prefetch by themselves.
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
