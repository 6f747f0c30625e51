//! Pure: partial walks: SCAN by cursor, samples.
//!
//! A *position* is a point in the order of hashes; a bucket of any table covers a range of
//! them. SCAN visits the chain whose range holds its position and goes on where that range
//! ends. In a rehash the ranges below the moved part's end are those of the new table, the
//! others those of the old one, and a range that would reach over the end is cut there. At
//! each moment each key so belongs to one range, and a key with hash `h` that is there all
//! the time is visited by the call that passes `h`, whatever the tables were before. Nothing
//! is visited twice unless a table shrank in between.
//!
//! A cursor is a position with its bits reversed: a small number for a small table, and the
//! reverse-binary order that Redis's clients know.

use super::{Dict, Entry};

/// Chains a sample may find empty for each entry that it wants.
const EMPTY_CHAINS_PER_ENTRY: usize = 10;

impl<E: Entry> Dict<E> {
    /// Visits the entries of one chain, and returns the cursor of the next. 0 is the first
    /// chain's cursor; 0 is returned when the last was visited. Any number may be given.
    ///
    /// An entry that stays from the first call to the last is visited at least once, however
    /// often the dictionary is changed or rehashed between the calls.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(&E)) -> u64 {
        self.visit_chain(cursor.reverse_bits(), &mut visit).map_or(0, u64::reverse_bits)
    }

    /// Visits about `count` entries that stand together somewhere, and returns how many: fewer
    /// if there are not so many or the table is sparse, more by what their last chain has.
    /// Cheap, and random enough to choose a victim from.
    pub fn sample<'a>(
        &'a self,
        count: usize,
        mut draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a E),
    ) -> usize {
        if self.is_empty() {
            return 0;
        }
        let mut position = draw(1 << 32) << 32;
        let mut visited = 0;
        let (moved, unmoved) = self.chain_counts();
        let empty_max = count.saturating_mul(EMPTY_CHAINS_PER_ENTRY);
        for _ in 0..(moved + unmoved).min(empty_max) {
            if count <= visited {
                break;
            }
            let next = self.visit_chain(position, &mut |entry| {
                visited += 1;
                visit(entry);
            });
            position = next.unwrap_or(0);
        }
        visited
    }

    /// Visits the chain at a position; returns where the next begins.
    fn visit_chain<'a>(&'a self, position: u64, visit: &mut impl FnMut(&'a E)) -> Option<u64> {
        if self.tables[0].bucket_count() == 0 {
            return None;
        }
        let (table, index) = self.home(position);
        let bucket = self.tables[table].bucket(index);
        bucket.for_each(Entry::prefetch);
        bucket.for_each(visit);
        let end = self.tables[table].position(index + 1);
        match self.moved_position() {
            Some(moved) if table == 1 => Some(end.map_or(moved, |end| end.min(moved))),
            _ => end,
        }
    }

    /// Counts the chains that may hold something, in the new table and in the old one.
    pub(super) fn chain_counts(&self) -> (usize, usize) {
        let [old, new] = &self.tables;
        let moved = self.moved_position().map_or(0, |end| new.index(end - 1) + 1);
        (moved, old.bucket_count() - self.moved)
    }

    /// Returns where the part that has moved ends, if there is one.
    fn moved_position(&self) -> Option<u64> {
        if self.moved == 0 { None } else { self.tables[0].position(self.moved) }
    }
}
