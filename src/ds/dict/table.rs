//! Pure: a table: a power of two of buckets, ordered by the top bits of the hash.

use std::{
    alloc::{self, Layout},
    mem,
    ops::Range,
};

use super::{
    bucket::{Bucket, Inserted, Taken},
    hash::Hash,
};

/// The memory for a larger table was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl std::fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of memory for a hash table")
    }
}

impl std::error::Error for OutOfMemory {}

/// Buckets with their counts. A table without buckets holds no memory.
pub(super) struct Table<E> {
    buckets: Vec<Bucket<E>>,
    entries: usize,
    children: usize,
    /// Buckets in the longest chain that this table ever had.
    depth_max: usize,
}

impl<E> Table<E> {
    pub(super) const fn new() -> Self {
        Self { buckets: Vec::new(), entries: 0, children: 0, depth_max: 1 }
    }

    /// Makes a table of empty buckets. A large one costs what the system asks for zeroed
    /// pages, which it may put off until they are touched.
    pub(super) fn with_buckets(count: usize) -> Result<Self, OutOfMemory> {
        assert!(count.is_power_of_two());
        let layout = Layout::array::<Bucket<E>>(count).map_err(|_| OutOfMemory)?;
        // SAFETY: the layout is not of size 0: `count` is at least 1, a bucket has 64 bytes.
        let block = unsafe { alloc::alloc_zeroed(layout) }.cast::<Bucket<E>>();
        if block.is_null() {
            return Err(OutOfMemory);
        }
        // SAFETY: the block is of the global allocator, with the layout of `count` buckets,
        // and all zero bytes are an empty bucket.
        let buckets = unsafe { Vec::from_raw_parts(block, count, count) };
        Ok(Self { buckets, entries: 0, children: 0, depth_max: 1 })
    }

    pub(super) fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn entry_count(&self) -> usize {
        self.entries
    }

    pub(super) fn child_count(&self) -> usize {
        self.children
    }

    pub(super) fn depth_max(&self) -> usize {
        self.depth_max
    }

    pub(super) fn memory_bytes(&self) -> usize {
        (self.buckets.len() + self.children) * size_of::<Bucket<E>>()
    }

    /// Returns the index of the bucket whose range holds this position. The table must have
    /// buckets.
    #[inline]
    pub(super) fn index(&self, position: u64) -> usize {
        let bits = self.buckets.len().trailing_zeros();
        // Shifted in two goes, because one bucket takes all 64 bits away.
        ((position >> 1) >> (63 - bits)) as usize
    }

    /// Returns the position at which a bucket's range begins; none for the end of the table.
    pub(super) fn position(&self, index: usize) -> Option<u64> {
        let bits = self.buckets.len().trailing_zeros();
        (index < self.buckets.len()).then(|| ((index as u64) << (63 - bits)) << 1)
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> &Bucket<E> {
        &self.buckets[index]
    }

    #[inline]
    pub(super) fn bucket_mut(&mut self, index: usize) -> &mut Bucket<E> {
        &mut self.buckets[index]
    }

    pub(super) fn buckets(&self, range: Range<usize>) -> &[Bucket<E>] {
        &self.buckets[range]
    }

    pub(super) fn insert(&mut self, hash: Hash, entry: E) -> (usize, Inserted) {
        let index = self.index(hash.position());
        let inserted = self.buckets[index].insert(hash.tag(), entry);
        self.entries += 1;
        if inserted.is_child_new {
            self.children += 1;
            self.depth_max = self.depth_max.max(inserted.depth + 1);
        }
        (index, inserted)
    }

    /// # Panics
    /// If there is no such entry.
    pub(super) fn remove(&mut self, index: usize, depth: usize, at: usize) -> E {
        let taken = self.buckets[index].remove(depth, at);
        self.entry_of(taken)
    }

    /// Takes any entry out of a bucket's chain.
    pub(super) fn pop(&mut self, index: usize) -> Option<E> {
        let taken = self.buckets[index].pop()?;
        Some(self.entry_of(taken))
    }

    fn entry_of(&mut self, taken: Taken<E>) -> E {
        self.entries -= 1;
        self.children -= usize::from(taken.is_child_freed);
        taken.entry
    }
}

impl<E> Drop for Table<E> {
    fn drop(&mut self) {
        if !mem::needs_drop::<E>() && self.children == 0 {
            return;
        }
        // An empty table, as a rehash leaves it behind, is not walked.
        let mut index = 0;
        while 0 < self.entries {
            while let Some(entry) = self.pop(index) {
                drop(entry);
            }
            index += 1;
        }
    }
}
