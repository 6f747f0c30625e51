//! Room: client-side caching: which clients are to be told when a key changes.
//!
//! Two tables. One remembers who has read a key, by the key's name alone, whatever its
//! database; the first change takes the key out, as its readers then know. It is limited
//! (`tracking-table-max-keys`). The other has the prefixes that clients want to hear of
//! (BCAST); it gathers the keys that have changed until the end of a turn, when each prefix
//! sends one message.
//!
//! A client that goes or stops tracking leaves its places in the first table: looking for
//! them would take long, and who is told looks whether the client still wants to hear.

mod prefixes;

use base::{Bytes, random::Random};
use ds::Map;

use crate::client::ClientId;

pub use prefixes::{Change, Prefixes};

/// So many keys are forgotten at once where there are too many; more the next time, if that
/// was not enough.
const FORGOTTEN_PER_STEP: usize = 100;

/// See the head of the file.
pub struct Tracking {
    /// Who wants to hear of keys by their beginning.
    pub prefixes: Prefixes,
    tracker_count: usize,
    /// Who has read what, each list in order.
    readers: Map<Vec<ClientId>>,
    reader_count: usize,
    /// How often in a row the limit was not reached.
    shortfalls: usize,
    random: Random,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            prefixes: Prefixes::default(),
            tracker_count: 0,
            readers: Map::new(),
            reader_count: 0,
            shortfalls: 0,
            random: Random::from_system(),
        }
    }
}

impl Tracking {
    /// Counts one client more that tracks.
    pub fn begin(&mut self) {
        self.tracker_count += 1;
    }

    /// Counts one client less that tracks.
    pub fn end(&mut self) {
        self.tracker_count -= 1;
    }

    /// Counts the clients that track.
    #[inline]
    pub fn tracker_count(&self) -> usize {
        self.tracker_count
    }

    /// Whether a change of a key may concern anybody.
    #[inline]
    pub fn is_watching(&self) -> bool {
        !self.readers.is_empty() || !self.prefixes.is_empty()
    }

    /// Remembers that a client has read a key.
    pub fn remember(&mut self, id: ClientId, key: &[u8]) {
        let readers = self.readers.get_or_insert_with(key, Vec::new);
        if let Err(at) = readers.binary_search(&id) {
            readers.insert(at, id);
            self.reader_count += 1;
        }
    }

    /// Forgets a key, and returns who has read it.
    pub fn forget(&mut self, key: &[u8]) -> Vec<ClientId> {
        let readers = self.readers.remove(key).unwrap_or_default();
        self.reader_count -= readers.len();
        readers
    }

    /// Forgets all keys.
    pub fn forget_all(&mut self) {
        (self.readers, self.reader_count) = (Map::new(), 0);
    }

    /// Counts the keys that somebody has read.
    pub fn key_count(&self) -> usize {
        self.readers.len()
    }

    /// Counts who has read each of them, in all.
    pub fn reader_count(&self) -> usize {
        self.reader_count
    }

    /// Whether more keys are remembered than may be; 0 is no limit.
    #[inline]
    pub fn exceeds(&self, keys_max: usize) -> bool {
        keys_max != 0 && keys_max < self.readers.len()
    }

    /// Returns some of the keys that are too many, each as likely as another, for who forgets
    /// them: not all at once if they are many, but more with each call that finds too many.
    pub fn excess(&mut self, keys_max: usize) -> usize {
        let excess = if self.exceeds(keys_max) { self.readers.len() - keys_max } else { 0 };
        let effort = FORGOTTEN_PER_STEP * (self.shortfalls + 1);
        self.shortfalls = if effort < excess { self.shortfalls + 1 } else { 0 };
        excess.min(effort)
    }

    /// Returns any key that is remembered.
    pub fn random_key(&mut self) -> Option<Bytes> {
        let Self { readers, random, .. } = self;
        readers.random(|bound| random.below(bound)).map(|(key, _)| key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Tracking;
    use crate::client::Clients;

    #[test]
    fn a_key_is_forgotten_with_its_first_change() {
        let (mut clients, mut tracking) = (Clients::default(), Tracking::default());
        let (one, other) = (clients.add(0), clients.add(0));
        for (id, key) in [(other, b"a"), (one, b"a"), (one, b"b"), (other, b"a")] {
            tracking.remember(id, key);
        }
        assert_eq!((tracking.key_count(), tracking.reader_count()), (2, 3));
        assert_eq!(tracking.forget(b"a"), [one, other]);
        assert_eq!((tracking.key_count(), tracking.reader_count()), (1, 1));
        assert!(tracking.forget(b"a").is_empty() && tracking.is_watching());
        tracking.forget_all();
        assert!(tracking.reader_count() == 0 && !tracking.is_watching());
    }

    #[test]
    fn what_is_too_much_goes_in_steps_that_grow() {
        let (mut clients, mut tracking) = (Clients::default(), Tracking::default());
        let id = clients.add(0);
        (0..650_u32).for_each(|n| tracking.remember(id, &n.to_le_bytes()));
        assert_eq!((tracking.excess(0), tracking.excess(650)), (0, 0));
        let mut steps = Vec::new();
        while tracking.exceeds(10) {
            let count = tracking.excess(10);
            for _ in 0..count {
                let key = tracking.random_key().unwrap();
                assert_eq!(tracking.forget(&key), [id]);
            }
            steps.push(count);
        }
        assert_eq!((steps, tracking.key_count()), (vec![100, 200, 300, 40], 10));
        assert_eq!(tracking.excess(10), 0);
        (0..200_u32).for_each(|n| tracking.remember(id, &n.to_le_bytes()));
        assert_eq!(tracking.excess(10), 100, "the effort is the first one again");
    }
}
