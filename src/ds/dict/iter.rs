//! Pure: walks over all entries of a dictionary.

use super::{
    Dict, Entry,
    bucket::{Bucket, SLOTS},
    table::Table,
};

/// Lends the entries, in no order that means anything.
pub struct Iter<'a, E: Entry> {
    dict: &'a Dict<E>,
    bucket: Option<&'a Bucket<E>>,
    /// The slot of `bucket` that comes next.
    at: usize,
    /// The bucket that comes next.
    table: usize,
    index: usize,
    left: usize,
}

impl<E: Entry> Dict<E> {
    /// Lends all entries.
    pub fn iter(&self) -> Iter<'_, E> {
        // What has moved leaves empty buckets behind.
        let (table, index) = (0, self.moved);
        Iter { dict: self, bucket: None, at: 0, table, index, left: self.len() }
    }

    /// Lends each entry in turn, to change all but its key.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut E)) {
        for table in &mut self.tables {
            for index in 0..table.bucket_count() {
                table.bucket_mut(index).for_each_mut(&mut visit);
            }
        }
    }

    /// Takes all entries out, and gives the memory of the tables back.
    pub fn drain(&mut self) -> IntoIter<E> {
        self.take().into_iter()
    }
}

impl<'a, E: Entry> Iter<'a, E> {
    fn next_bucket(&mut self) -> Option<&'a Bucket<E>> {
        let dict = self.dict;
        while self.table < dict.tables.len() {
            let table = &dict.tables[self.table];
            if self.index < table.bucket_count() {
                self.index += 1;
                if let [next] = table.buckets(self.index..table.bucket_count().min(self.index + 1))
                {
                    next.for_each(Entry::prefetch);
                }
                return Some(table.bucket(self.index - 1));
            }
            self.table += 1;
            self.index = 0;
        }
        None
    }
}

impl<'a, E: Entry> Iterator for Iter<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<&'a E> {
        loop {
            let Some(bucket) = self.bucket else {
                self.bucket = Some(self.next_bucket()?);
                continue;
            };
            while self.at < SLOTS {
                self.at += 1;
                if let Some(entry) = bucket.entry(self.at - 1) {
                    self.left -= 1;
                    return Some(entry);
                }
            }
            self.at = 0;
            self.bucket = bucket.child();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E: Entry> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Entry> IntoIterator for &'a Dict<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

/// Gives the entries away. What is left when it is dropped is dropped with it.
pub struct IntoIter<E> {
    tables: [Table<E>; 2],
    index: usize,
}

impl<E> Iterator for IntoIter<E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        for table in &mut self.tables {
            while 0 < table.entry_count() {
                if let Some(entry) = table.pop(self.index) {
                    return Some(entry);
                }
                self.index += 1;
            }
            if 0 < table.bucket_count() {
                *table = Table::new();
                self.index = 0;
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.tables.iter().map(Table::entry_count).sum();
        (left, Some(left))
    }
}

impl<E> ExactSizeIterator for IntoIter<E> {}

impl<E: Entry> IntoIterator for Dict<E> {
    type Item = E;
    type IntoIter = IntoIter<E>;

    fn into_iter(self) -> IntoIter<E> {
        IntoIter { tables: self.tables, index: 0 }
    }
}
