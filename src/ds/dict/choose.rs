//! Pure: fair choices among the entries of a dictionary.
//!
//! A bucket and a seat in it are drawn until the seat is taken: so it does not matter how many
//! share the bucket. Only buckets that may hold something take part.

use std::collections::BTreeSet;

use super::{Dict, Entry, Place, bucket::chain_capacity};

/// Tries for a fair choice. A table is so sparse that they are used up only when a child
/// keeps it from shrinking.
const FAIR_TRIES_MAX: usize = 1024;
/// Draws for each of several distinct entries, after which the rest is chosen by a walk.
const DRAWS_PER_ENTRY: usize = 32;
/// Of so many entries one is drawn at most; more are chosen by a walk over all.
const ENTRIES_PER_DRAW_MIN: usize = 3;
/// A table is so sparse only while a child keeps it from shrinking, and draws hit nothing then.
const BUCKETS_PER_ENTRY_MAX: usize = 8;

impl<E: Entry> Dict<E> {
    /// Returns an entry, each with the same chance. `draw` gives a random number below its
    /// argument.
    pub fn random(&self, draw: impl FnMut(u64) -> u64) -> Option<&E> {
        let place = self.random_place(draw)?;
        let mut bucket = self.tables[place.table].bucket(place.index);
        for _ in 0..place.depth {
            bucket = bucket.child()?;
        }
        bucket.entry(place.at)
    }

    /// Takes an entry out, each with the same chance.
    pub fn pop_random(&mut self, draw: impl FnMut(u64) -> u64) -> Option<E> {
        self.rehash_step();
        let place = self.random_place(draw)?;
        Some(self.remove_at(place))
    }

    /// Visits `count` entries, or all if there are not so many, none of them twice. Each such
    /// choice has the same chance; the order has no meaning.
    pub fn random_distinct<'a>(
        &'a self,
        count: usize,
        mut draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a E),
    ) {
        let mut needed = count.min(self.len());
        let mut seen = BTreeSet::new();
        let (moved, unmoved) = self.chain_counts();
        let is_sparse = self.len() * BUCKETS_PER_ENTRY_MAX < moved + unmoved;
        if needed <= self.len() / ENTRIES_PER_DRAW_MIN && !is_sparse {
            for _ in 0..needed.saturating_mul(DRAWS_PER_ENTRY) {
                if needed == 0 {
                    return;
                }
                let Some(entry) = self.random(&mut draw) else { return };
                if seen.insert(seat(entry)) {
                    visit(entry);
                    needed -= 1;
                }
            }
        }
        // Each is taken with the chance that so many are needed of so many left.
        let mut left = self.len() - seen.len();
        for entry in self {
            if needed == 0 {
                return;
            }
            if seen.contains(&seat(entry)) {
                continue;
            }
            if draw(left as u64) < needed as u64 {
                visit(entry);
                needed -= 1;
            }
            left -= 1;
        }
    }

    fn random_place(&self, mut draw: impl FnMut(u64) -> u64) -> Option<Place> {
        if self.is_empty() {
            return None;
        }
        let [old, new] = &self.tables;
        let (moved, unmoved) = self.chain_counts();
        let buckets = moved + unmoved;
        let seats = chain_capacity(old.depth_max().max(new.depth_max()));
        for _ in 0..FAIR_TRIES_MAX {
            let drawn = usize::try_from(draw((buckets * seats) as u64)).unwrap_or(0);
            let (index, seat) = ((drawn / seats).min(buckets - 1), drawn % seats);
            let (table, index) = match index.checked_sub(moved) {
                Some(index) => (0, self.moved + index),
                None => (1, index),
            };
            if let Some((depth, at)) = self.tables[table].bucket(index).seat(seat) {
                return Some(Place { table, index, depth, at });
            }
        }
        self.first_place()
    }

    fn first_place(&self) -> Option<Place> {
        for (table, first) in [(0, self.moved), (1, 0)] {
            for index in first..self.tables[table].bucket_count() {
                if let Some((depth, at)) = self.tables[table].bucket(index).seat(0) {
                    return Some(Place { table, index, depth, at });
                }
            }
        }
        None
    }
}

/// What tells an entry from the others of its dictionary.
fn seat<E>(entry: &E) -> usize {
    std::ptr::from_ref(entry).addr()
}
