//! Room: who wants to hear of keys by what they begin with, and which have changed.

use std::{
    collections::BTreeMap,
    mem,
    ops::Bound::{Excluded, Included, Unbounded},
};

use base::Bytes;

use crate::client::ClientId;

/// Keys of one prefix that have changed, and by whom last; nobody, where time has done it.
pub(super) type Changed = BTreeMap<Bytes, Option<ClientId>>;

/// What is to be told of one prefix.
#[derive(Debug)]
pub struct Change {
    /// To whom.
    pub listeners: Vec<ClientId>,
    /// What.
    pub keys: Changed,
}

#[derive(Debug, Default)]
struct Prefix {
    listeners: Vec<ClientId>,
    changed: Changed,
}

/// See the head of the file. Invariant: each prefix has a listener.
#[derive(Debug, Default)]
pub struct Prefixes {
    known: BTreeMap<Bytes, Prefix>,
    has_changes: bool,
}

impl Prefixes {
    /// Whether nobody listens.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Counts the prefixes.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// Lets a client hear of keys that begin with `prefix`.
    pub fn listen(&mut self, id: ClientId, prefix: &[u8]) {
        let listeners = &mut self.known.entry(prefix.into()).or_default().listeners;
        if let Err(at) = listeners.binary_search(&id) {
            listeners.insert(at, id);
        }
    }

    /// Lets a client no more hear of them.
    pub fn leave(&mut self, id: ClientId, prefix: &[u8]) {
        let Some(known) = self.known.get_mut(prefix) else { return };
        if let Ok(at) = known.listeners.binary_search(&id) {
            known.listeners.remove(at);
        }
        if known.listeners.is_empty() {
            self.known.remove(prefix);
        }
    }

    /// Notes that a key has changed. Costs no more for many prefixes than for few: of those
    /// that stand before the key in order, the last one either begins it, or shows how long
    /// those that begin it can be.
    pub fn changed(&mut self, key: &[u8], author: Option<ClientId>) {
        let mut end = Included(key);
        while let Some((prefix, known)) =
            self.known.range_mut::<[u8], _>((Unbounded, end)).next_back()
        {
            let shared = prefix.iter().zip(key).take_while(|(one, other)| one == other).count();
            end = if shared == prefix.len() {
                known.changed.insert(key.into(), author);
                self.has_changes = true;
                Excluded(&key[..shared])
            } else {
                Included(&key[..shared])
            };
        }
    }

    /// Whether something is to be told.
    #[inline]
    pub fn has_changes(&self) -> bool {
        self.has_changes
    }

    /// Returns what has changed since the last call, by the order of prefixes.
    pub fn take_changes(&mut self) -> Vec<Change> {
        if !mem::take(&mut self.has_changes) {
            return Vec::new();
        }
        let changed = self.known.values_mut().filter(|prefix| !prefix.changed.is_empty());
        let changes = changed.map(|prefix| Change {
            listeners: prefix.listeners.clone(),
            keys: mem::take(&mut prefix.changed),
        });
        changes.collect()
    }
}

#[cfg(test)]
mod tests {
    use base::random::Random;

    use super::Prefixes;
    use crate::client::Clients;

    #[test]
    fn a_change_is_told_once_to_each_prefix_of_the_key() {
        let (mut clients, mut prefixes) = (Clients::default(), Prefixes::default());
        let (one, other) = (clients.add(0), clients.add(0));
        for (id, prefix) in [(one, "a"), (other, "a"), (one, "ab"), (one, "b"), (other, "")] {
            prefixes.listen(id, prefix.as_bytes());
        }
        assert_eq!(prefixes.count(), 4);
        prefixes.changed(b"abc", Some(one));
        prefixes.changed(b"abc", None);
        let changes = prefixes.take_changes();
        let listeners: Vec<_> = changes.iter().map(|change| &change.listeners[..]).collect();
        assert_eq!(listeners, [&[other][..], &[one, other], &[one]]);
        for change in changes {
            assert_eq!(change.keys.into_iter().collect::<Vec<_>>(), [(b"abc"[..].into(), None)]);
        }
        assert!(prefixes.take_changes().is_empty() && !prefixes.has_changes());
        prefixes.leave(one, b"a");
        prefixes.leave(other, b"a");
        prefixes.leave(other, b"");
        prefixes.leave(other, b"never");
        assert_eq!(prefixes.count(), 2);
        prefixes.changed(b"ax", None);
        assert!(!prefixes.has_changes());
    }

    #[test]
    fn the_prefixes_of_a_key_are_found_among_any_others() {
        let seed = 7;
        println!("seed {seed}");
        let mut random = Random::seeded(seed);
        let mut clients = Clients::default();
        let id = clients.add(0);
        let mut word = |bytes_max: usize| -> Vec<u8> {
            (0..random.index(bytes_max + 1)).map(|_| b'a' + random.index(2) as u8).collect()
        };
        for _ in 0..300 {
            let mut prefixes = Prefixes::default();
            let mut known: Vec<Vec<u8>> = (0..20).map(|_| word(5)).collect();
            known.sort();
            known.dedup();
            known.iter().for_each(|prefix| prefixes.listen(id, prefix));
            let key = word(8);
            prefixes.changed(&key, None);
            let expected = known.iter().filter(|prefix| key.starts_with(prefix)).count();
            assert_eq!(prefixes.take_changes().len(), expected, "{key:?} in {known:?}");
        }
    }
}
