//! Pure: what DEBUG HTSTATS tells of a dictionary.

use super::{Dict, Entry, rehash::ENTRIES_PER_BUCKET_MAX, table::Table};

/// Chains as long as this or longer are counted together.
const CHAIN_LENGTH_MAX: usize = 50;

/// The shape of a dictionary. Counted bucket by bucket, so not for every day.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The table, and the one that takes over from it while a rehash is under way.
    pub tables: Vec<TableStats>,
    /// How many buckets of the first table have moved, while a rehash is under way.
    pub rehash_at: Option<usize>,
}

/// The shape of one table.
#[derive(Clone, Debug)]
pub struct TableStats {
    /// Entries that the table is made for: with more of them it grows.
    pub capacity: usize,
    /// Buckets in the table.
    pub buckets: usize,
    /// Buckets that overflowed ones chain.
    pub children: usize,
    /// Entries in all of them.
    pub entries: usize,
    /// Buckets in the table that are not empty.
    pub used: usize,
    /// Entries in the longest chain.
    pub longest: usize,
    /// Counts chains by their entries; the last count is of those with more entries too.
    pub lengths: Vec<usize>,
}

impl<E: Entry> Dict<E> {
    /// Counts what is where.
    pub fn stats(&self) -> Stats {
        let rehash_at = self.is_rehashing().then_some(self.moved);
        let tables = self.tables.iter().take(1 + usize::from(self.is_rehashing()));
        Stats { tables: tables.map(table_stats).collect(), rehash_at }
    }
}

fn table_stats<E>(table: &Table<E>) -> TableStats {
    let buckets = table.bucket_count();
    let mut lengths = vec![0; CHAIN_LENGTH_MAX];
    let mut longest = 0;
    for bucket in table.buckets(0..buckets) {
        let length = bucket.chain_count();
        lengths[length.min(CHAIN_LENGTH_MAX - 1)] += 1;
        longest = longest.max(length);
    }
    TableStats {
        capacity: buckets * ENTRIES_PER_BUCKET_MAX,
        buckets,
        children: table.child_count(),
        entries: table.entry_count(),
        used: buckets - lengths[0],
        longest,
        lengths,
    }
}
