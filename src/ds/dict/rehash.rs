//! Pure: growing and shrinking of a dictionary, a few buckets at a time.
//!
//! Two tables exist while a rehash is under way: buckets leave `tables[0]` in order and are
//! spread over `tables[1]`; `moved` of them are gone. Because both tables are ordered by the
//! hash, a key's home follows from its hash alone: in `tables[1]` if its old bucket has
//! moved, in `tables[0]` if not, *also for a key inserted meanwhile*. So a search looks into
//! one bucket, rehash or not, and starting a rehash moves nothing: places found before it
//! stay right.
//!
//! Each call that changes the dictionary moves one bucket with entries, and skips a few
//! without; who has a value that is only read does the same (`rehash_step`). A growing table has
//! been emptied long before its successor is full: that takes eight inserts for each bucket.
//!
//! While a child process shares our memory, moving entries copies pages. [`Resize::Avoid`]
//! then puts a rehash off until the chains are four times as long as we like, begins no
//! shrinking, and goes on with that of a table that is nearly empty. [`Resize::Forbid`] puts
//! all off for ever.

use std::{
    mem,
    sync::atomic::{AtomicU8, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use super::{Dict, Entry, OutOfMemory, Table, hash};

/// What a bucket takes: a cache line.
const BUCKET_BYTES: usize = 64;

/// What dictionaries may do about their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Resize {
    /// Grow, shrink and rehash as needed.
    Allow,
    /// Only grow, and only from long chains: a child shares our memory.
    Avoid,
    /// Nothing: this process is the child.
    Forbid,
}

/// Entries a bucket, on average, beyond which a table doubles. It costs 14.1 bytes an entry
/// over the life of a growing dictionary, in which a search that hits reads 1.13 lines and one
/// that misses 1.25. (With 10 it would be 13.1 bytes for 1.23 and 1.46 lines.) A table is so
/// made for a power of two of entries, as those of Redis are.
pub(super) const ENTRIES_PER_BUCKET_MAX: usize = 8;
/// The same under [`Resize::Avoid`].
const ENTRIES_PER_BUCKET_HARD_MAX: usize = 4 * ENTRIES_PER_BUCKET_MAX;
/// The same where the larger table would make the process use more memory than it may.
const ENTRIES_PER_BUCKET_SHORT_MAX: usize = 13;
/// By more than this a table must be larger than its successor to be given up under
/// [`Resize::Avoid`]: so few pages of it hold entries that hardly any is copied.
const SHRINK_HARD_MIN: usize = 4;
/// Entries a bucket, on average, below which a table shrinks.
const ENTRIES_PER_BUCKET_MIN: usize = 1;
/// Entries a bucket, at most, after shrinking: as far from growing again as from shrinking.
const ENTRIES_PER_BUCKET_SHRUNK: usize = 4;
/// Empty buckets that may be skipped for each that is moved.
const EMPTY_BUCKETS_PER_STEP: usize = 10;
/// Buckets moved between two looks at the clock.
const BUCKETS_PER_CLOCK_READ: usize = 64;

// One policy for the process, as a fork is: the dictionaries inside values follow it too.
static RESIZE: AtomicU8 = AtomicU8::new(Resize::Allow as u8);

/// Sets what all dictionaries of the process may do about their size.
pub fn set_may_resize(resize: Resize) {
    RESIZE.store(resize as u8, Ordering::Relaxed);
}

// As above: memory is short for all of them or for none.
static MEMORY_LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Sets how much memory the process may use. A table that would not fit is made later, when
/// chains have become longer.
pub fn set_memory_limit(bytes: usize) {
    MEMORY_LIMIT.store(bytes, Ordering::Relaxed);
}

fn is_memory_short(table_bytes: usize) -> bool {
    let limit = MEMORY_LIMIT.load(Ordering::Relaxed);
    limit != usize::MAX && limit < base::memory::used_bytes().saturating_add(table_bytes)
}

fn may_resize() -> Resize {
    match RESIZE.load(Ordering::Relaxed) {
        0 => Resize::Allow,
        1 => Resize::Avoid,
        _ => Resize::Forbid,
    }
}

impl<E: Entry> Dict<E> {
    /// Tells whether entries are on their way from one table to another.
    pub fn is_rehashing(&self) -> bool {
        self.tables[1].bucket_count() != 0
    }

    /// Makes room for `entries` before they come, so that no rehash is needed for them.
    /// Does nothing while a rehash is under way.
    pub fn expand(&mut self, entries: usize) -> Result<(), OutOfMemory> {
        let buckets = buckets_for(entries, ENTRIES_PER_BUCKET_MAX).ok_or(OutOfMemory)?;
        if self.is_rehashing() || buckets <= self.tables[0].bucket_count() {
            return Ok(());
        }
        self.resize_to(buckets)
    }

    /// Moves up to `buckets` buckets of a rehash under way; tells whether some are left.
    pub fn rehash(&mut self, buckets: usize) -> bool {
        let mut empty_left = buckets.saturating_mul(EMPTY_BUCKETS_PER_STEP);
        for _ in 0..buckets {
            if !self.is_rehashing() || !self.may_move() {
                return false;
            }
            self.move_bucket(&mut empty_left);
        }
        self.is_rehashing() && self.may_move()
    }

    /// Rehashes for about this long; tells whether there is more to do.
    pub fn rehash_for(&mut self, budget: Duration) -> bool {
        if !self.is_rehashing() {
            return false;
        }
        let start = Instant::now();
        while self.rehash(BUCKETS_PER_CLOCK_READ) {
            if budget <= start.elapsed() {
                return true;
            }
        }
        false
    }

    /// The share of a rehash that each changing call bears, and whoever reads through `&self`
    /// may bear beforehand.
    #[inline]
    pub(crate) fn rehash_step(&mut self) {
        if self.is_rehashing() {
            self.move_if_allowed();
        }
    }

    #[cold]
    fn move_if_allowed(&mut self) {
        if self.may_move() {
            self.move_bucket(&mut { EMPTY_BUCKETS_PER_STEP });
        }
    }

    /// Called after an insert: moves nothing, so the entry's place stays right.
    pub(super) fn grow_if_full(&mut self) {
        let entries_max = self.tables[0].bucket_count() * ENTRIES_PER_BUCKET_MAX;
        if self.len() <= entries_max || self.is_rehashing() {
            return;
        }
        let entries_max = match may_resize() {
            Resize::Allow => entries_max,
            Resize::Avoid => self.tables[0].bucket_count() * ENTRIES_PER_BUCKET_HARD_MAX,
            Resize::Forbid => return,
        };
        if entries_max < self.len()
            && let Some(buckets) = buckets_for(self.len(), ENTRIES_PER_BUCKET_MAX)
        {
            let is_urgent =
                self.tables[0].bucket_count() * ENTRIES_PER_BUCKET_SHORT_MAX < self.len();
            if !is_urgent && is_memory_short(buckets.saturating_mul(BUCKET_BYTES)) {
                return;
            }
            // Without memory for a larger table the chains grow; the next insert tries again.
            let _refused = self.resize_to(buckets);
        }
    }

    /// Called after a removal.
    pub(super) fn shrink_if_sparse(&mut self) {
        let buckets = self.tables[0].bucket_count();
        if buckets * ENTRIES_PER_BUCKET_MIN <= self.len() || buckets <= 1 {
            return;
        }
        if may_resize() != Resize::Allow {
            return;
        }
        if self.is_empty() {
            *self = Self::new();
        } else if !self.is_rehashing()
            && let Some(fewer) = buckets_for(self.len(), ENTRIES_PER_BUCKET_SHRUNK)
            && fewer < buckets
        {
            // A smaller table that cannot be had is not worth a word.
            let _refused = self.resize_to(fewer);
        }
    }

    fn resize_to(&mut self, buckets: usize) -> Result<(), OutOfMemory> {
        let table = Table::with_buckets(buckets)?;
        let is_first = self.tables[0].entry_count() == 0;
        self.tables[usize::from(!is_first)] = table;
        Ok(())
    }

    fn may_move(&self) -> bool {
        match may_resize() {
            Resize::Allow => true,
            Resize::Avoid => {
                let [old, new] = self.tables.each_ref().map(Table::bucket_count);
                old * ENTRIES_PER_BUCKET_HARD_MAX < self.len() || new * SHRINK_HARD_MIN < old
            }
            Resize::Forbid => false,
        }
    }

    /// Moves the next bucket that has entries, or uses up `empty_left` in search of it.
    fn move_bucket(&mut self, empty_left: &mut usize) {
        let [old, new] = &mut self.tables;
        while self.moved < old.bucket_count() && old.bucket(self.moved).is_empty() {
            self.moved += 1;
            if *empty_left <= 1 {
                break;
            }
            *empty_left -= 1;
        }
        if self.moved < old.bucket_count() {
            while let Some(entry) = old.pop(self.moved) {
                new.insert(hash(entry.key()), entry);
            }
            self.moved += 1;
        }
        if self.moved < old.bucket_count() {
            // The next step finds what it hashes in the cache.
            old.bucket(self.moved).for_each(|entry| entry.prefetch());
            return;
        }
        self.tables[0] = mem::replace(new, Table::new());
        self.moved = 0;
    }
}

/// The smallest power of two of buckets that holds so many entries.
fn buckets_for(entries: usize, per_bucket: usize) -> Option<usize> {
    entries.div_ceil(per_bucket).max(1).checked_next_power_of_two()
}
