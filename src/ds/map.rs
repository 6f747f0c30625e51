//! Pure: values by name: command tables, users, channels.

use crate::{
    dict::{self, Dict, OutOfMemory},
    record::{Expiry, Record},
};

/// Values keyed by bytes, with one allocation for each.
pub struct Map<V> {
    dict: Dict<Record<V>>,
}

impl<V> Map<V> {
    /// Makes an empty map, which allocates nothing.
    pub const fn new() -> Self {
        Self { dict: Dict::new() }
    }

    /// Counts the keys.
    pub fn len(&self) -> usize {
        self.dict.len()
    }

    /// Tells whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.dict.is_empty()
    }

    /// Tells whether a key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.dict.contains(key)
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.dict.find(key).and_then(Record::value)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        self.dict.find_mut(key).and_then(Record::value_mut)
    }

    /// Sets the value of a key, and returns the one it had.
    pub fn insert(&mut self, key: &[u8], value: V) -> Option<V> {
        match self.dict.entry(key) {
            dict::Slot::Occupied(mut record) => record.get_mut().set_value(value, Expiry::Keep),
            dict::Slot::Vacant(slot) => {
                slot.insert(Record::with_value(key, value, None));
                None
            }
        }
    }

    /// Returns the value of a key, made first if there is none. One search.
    pub fn get_or_insert_with(&mut self, key: &[u8], make: impl FnOnce() -> V) -> &mut V {
        let record = match self.dict.entry(key) {
            dict::Slot::Occupied(record) => record.into_mut(),
            dict::Slot::Vacant(slot) => slot.insert(Record::with_value(key, make(), None)),
        };
        record.value_mut().expect("a map embeds no string")
    }

    /// Takes a key out, and returns its value.
    pub fn remove(&mut self, key: &[u8]) -> Option<V> {
        self.dict.remove(key).and_then(Record::into_value)
    }

    /// Takes a key out if its value is no longer wanted: as when a set in it became empty.
    /// One search.
    pub fn remove_if(&mut self, key: &[u8], is_unwanted: impl FnOnce(&mut V) -> bool) -> Option<V> {
        let dict::Slot::Occupied(mut record) = self.dict.entry(key) else { return None };
        if !record.get_mut().value_mut().is_some_and(is_unwanted) {
            return None;
        }
        record.remove().into_value()
    }

    /// Lends keys and values, in no order that means anything.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &V)> {
        self.dict
            .iter()
            .map(|record| (record.key(), record.value().expect("a map embeds no string")))
    }

    /// Lends the keys, in no order that means anything.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.dict.iter().map(Record::key)
    }

    /// Lends the values, in no order that means anything.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Lends each value in turn, to change it.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut V)) {
        self.dict.for_each_mut(|record| record.value_mut().into_iter().for_each(&mut visit));
    }

    /// Visits the values of one chain and returns the next cursor, as [`Dict::scan`].
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(&[u8], &V)) -> u64 {
        self.dict.scan(cursor, |record| {
            visit(record.key(), record.value().expect("a map embeds no string"));
        })
    }

    /// Returns a key and its value, each with the same chance, as [`Dict::random`].
    pub fn random(&self, draw: impl FnMut(u64) -> u64) -> Option<(&[u8], &V)> {
        let record = self.dict.random(draw)?;
        record.value().map(|value| (record.key(), value))
    }

    /// Makes room for so many values before they come.
    pub fn expand(&mut self, values: usize) -> Result<(), OutOfMemory> {
        self.dict.expand(values)
    }

    /// Drops all values and all memory.
    pub fn clear(&mut self) {
        self.dict.clear();
    }

    /// Returns the bytes of table and allocations, without what values own elsewhere. Counts
    /// one by one.
    pub fn memory_bytes(&self) -> usize {
        let records = self.dict.iter().map(Record::allocation_bytes);
        self.dict.memory_bytes() + records.sum::<usize>()
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Map;

    #[test]
    fn values_come_and_go_by_name() {
        let mut map = Map::<BTreeSet<u32>>::new();
        assert!(map.is_empty() && map.get(b"a").is_none() && map.remove(b"a").is_none());
        for number in 0..100 {
            map.get_or_insert_with(&[number as u8 % 10], BTreeSet::new).insert(number);
        }
        assert_eq!((map.len(), map.keys().count(), map.values().len()), (10, 10, 10));
        assert!(map.iter().all(|(key, set)| set.iter().all(|n| *n % 10 == u32::from(key[0]))));
        map.for_each_mut(|set| set.retain(|number| *number < 10));
        map.get_mut(&[3]).unwrap().clear();
        assert!(map.remove_if(&[2], |set| set.is_empty()).is_none());
        assert!(map.remove_if(&[3], |set| set.is_empty()).is_some());
        assert!(!map.contains(&[3]));
        assert_eq!(map.insert(&[4], BTreeSet::new()), Some(BTreeSet::from([4])));
        assert_eq!(map.remove(&[5]), Some(BTreeSet::from([5])));
        assert_eq!(map.random(|_| 0).map(|(key, _)| key.len()), Some(1));
        map.clear();
        assert_eq!((map.len(), map.memory_bytes()), (0, 0));
    }
}
