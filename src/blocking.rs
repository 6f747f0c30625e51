//! Room: clients that wait for keys, in the order in which they came.
//!
//! A command that finds nothing says for which keys it waits and what they must hold. Its client
//! stands then in a queue of each of those keys, under the ticket of its wait. Whoever changes a
//! key that somebody waits for marks it; when the unit is over, the flow takes marked keys one
//! after the other, and runs the commands of those again whom the key can serve, the one who
//! came first before all others. A command that finds nothing again waits again, behind all who
//! are there.
//!
//! A key has a queue for each thing that is waited for, so whoever waits for a list is not even
//! looked at when there is a stream. Serving costs what is served, however many wait.
//!
//! Invariants: a ticket is in the queues of all keys of its wait, and in `deadlines` if it has
//! one, or in none of them; a key without tickets is not there; a key is marked as often as it
//! is in `ready`, once or not at all.

use std::collections::{BTreeMap, VecDeque};

use base::Bytes;
use ds::Map;

use crate::client_id::ClientId;

/// What a key must hold to serve who waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A list.
    List,
    /// A sorted set.
    Zset,
    /// A stream.
    Stream,
    /// A stream; or else anything or nothing, as then there is no stream any more.
    StreamOrItsEnd,
}

/// The queues of a key.
const QUEUES: usize = 4;

/// Names a wait, and says which came first.
pub type Ticket = u64;

/// What a client waits for.
#[derive(Clone, Debug)]
pub struct KeyWait {
    /// The database.
    pub db: usize,
    /// One of these is enough.
    pub keys: Vec<Bytes>,
    /// What it must hold.
    pub wanted: Wanted,
    /// When the wait ends anyhow; nothing if never.
    pub until_ms: Option<i64>,
}

impl KeyWait {
    /// Counts the bytes that its keys take.
    pub fn memory_bytes(&self) -> usize {
        let names: usize = self.keys.iter().map(|key| key.len()).sum();
        self.keys.capacity() * size_of::<Bytes>() + names
    }
}

/// Who waits for one key.
#[derive(Debug, Default)]
struct Waiters {
    queues: [BTreeMap<Ticket, ClientId>; QUEUES],
    is_marked: bool,
}

impl Waiters {
    fn queue(&mut self, wanted: Wanted) -> &mut BTreeMap<Ticket, ClientId> {
        &mut self.queues[wanted as usize]
    }

    fn is_empty(&self) -> bool {
        self.queues.iter().all(BTreeMap::is_empty)
    }

    fn wants_end(&self) -> bool {
        !self.queues[Wanted::StreamOrItsEnd as usize].is_empty()
    }
}

/// See the head of the file.
#[derive(Default)]
pub struct Blocking {
    dbs: Vec<Map<Waiters>>,
    waiting_count: usize,
    deadlines: BTreeMap<(i64, Ticket), ClientId>,
    /// Keys that were marked, in their order.
    ready: VecDeque<(usize, Bytes)>,
    /// Keys are being served: what is marked meanwhile is served then, too.
    pub is_serving: bool,
    /// When the loop is woken for a deadline.
    pub alarm_ms: Option<i64>,
}

impl Blocking {
    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiting_count == 0
    }

    /// Counts the keys that somebody waits for.
    pub fn key_count(&self) -> usize {
        self.dbs.iter().map(Map::len).sum()
    }

    /// Counts the keys whose end somebody waits for, too.
    pub fn end_key_count(&self) -> usize {
        self.dbs.iter().flat_map(Map::values).filter(|waiters| waiters.wants_end()).count()
    }

    /// Counts the waits that end in time.
    pub fn deadline_count(&self) -> usize {
        self.deadlines.len()
    }

    /// Adds a wait.
    pub fn add(&mut self, ticket: Ticket, id: ClientId, wait: &KeyWait) {
        if self.dbs.len() <= wait.db {
            self.dbs.resize_with(wait.db + 1, Map::new);
        }
        for key in &wait.keys {
            let waiters = self.dbs[wait.db].get_or_insert_with(key, Waiters::default);
            waiters.queue(wait.wanted).insert(ticket, id);
        }
        self.waiting_count += 1;
        if let Some(until_ms) = wait.until_ms {
            self.deadlines.insert((until_ms, ticket), id);
        }
    }

    /// Ends a wait.
    pub fn remove(&mut self, ticket: Ticket, wait: &KeyWait) {
        for key in &wait.keys {
            self.dbs[wait.db].remove_if(key, |waiters| {
                waiters.queue(wait.wanted).remove(&ticket);
                waiters.is_empty()
            });
        }
        self.waiting_count -= 1;
        if let Some(until_ms) = wait.until_ms {
            self.deadlines.remove(&(until_ms, ticket));
        }
    }

    /// Notes that a key has changed, if somebody waits for it.
    pub fn mark(&mut self, db: usize, key: &[u8]) {
        let waiters = self.dbs.get_mut(db).and_then(|keys| keys.get_mut(key));
        if let Some(waiters) = waiters.filter(|waiters| !waiters.is_marked) {
            waiters.is_marked = true;
            self.ready.push_back((db, key.into()));
        }
    }

    /// Notes that all keys of a database may have changed.
    pub fn mark_db(&mut self, db: usize) {
        let keys: Vec<Bytes> =
            self.dbs.get(db).into_iter().flat_map(Map::keys).map(Bytes::from).collect();
        keys.iter().for_each(|key| self.mark(db, key));
    }

    /// Whether a key is marked.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Takes the key that was marked first.
    pub fn pop_ready(&mut self) -> Option<(usize, Bytes)> {
        let (db, key) = self.ready.pop_front()?;
        if let Some(waiters) = self.dbs.get_mut(db).and_then(|keys| keys.get_mut(&key)) {
            waiters.is_marked = false;
        }
        Some((db, key))
    }

    /// Returns who came first, after one ticket and not after another, of those whom a key can
    /// serve that holds this.
    pub fn next(
        &self,
        (db, key): (usize, &[u8]),
        held: Option<Wanted>,
        tickets: (Ticket, Ticket),
    ) -> Option<(Ticket, ClientId)> {
        let waiters = self.dbs.get(db)?.get(key)?;
        let (after, last) = tickets;
        if last <= after {
            return None;
        }
        let queues = held.into_iter().chain([Wanted::StreamOrItsEnd]);
        let firsts = queues.filter_map(|wanted| {
            let mut waiting = waiters.queues[wanted as usize].range(after + 1..=last);
            waiting.next().map(|(ticket, id)| (*ticket, *id))
        });
        firsts.min_by_key(|(ticket, _)| *ticket)
    }

    /// Returns when the next wait ends in time.
    #[inline]
    pub fn next_deadline(&self) -> Option<i64> {
        self.deadlines.first_key_value().map(|((until_ms, _), _)| *until_ms)
    }

    /// Returns one whose wait has lasted as long as it may; whoever asks ends it.
    pub fn late(&self, now_ms: i64) -> Option<ClientId> {
        let ((until_ms, _), id) = self.deadlines.first_key_value()?;
        (*until_ms <= now_ms).then_some(*id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocking, KeyWait, Wanted};
    use crate::client::{ClientId, Clients};

    fn wait(keys: &[&str], wanted: Wanted, until_ms: Option<i64>) -> KeyWait {
        let keys = keys.iter().map(|key| key.as_bytes().into()).collect();
        KeyWait { db: 1, keys, wanted, until_ms }
    }

    /// Adds waits under the tickets 1, 2 …
    fn waiting(waits: &[KeyWait]) -> (Blocking, Vec<ClientId>) {
        let (mut blocking, mut clients) = (Blocking::default(), Clients::default());
        let ids: Vec<ClientId> = waits.iter().map(|_| clients.add(0)).collect();
        for (at, wait) in waits.iter().enumerate() {
            blocking.add(at as u64 + 1, ids[at], wait);
        }
        (blocking, ids)
    }

    #[test]
    fn who_came_first_is_served_first_if_the_key_holds_the_right_thing() {
        let waits = [
            wait(&["a", "b"], Wanted::List, None),
            wait(&["a"], Wanted::Zset, None),
            wait(&["a", "a"], Wanted::List, None),
            wait(&["a"], Wanted::StreamOrItsEnd, None),
        ];
        let (mut blocking, ids) = waiting(&waits);
        let next = |blocking: &Blocking, key: &str, held, after, last| {
            let next = blocking.next((1, key.as_bytes()), held, (after, last));
            next.map(|(ticket, id)| {
                assert_eq!(id, ids[ticket as usize - 1]);
                ticket
            })
        };
        assert_eq!(next(&blocking, "a", Some(Wanted::List), 0, 9), Some(1));
        assert_eq!(next(&blocking, "a", Some(Wanted::List), 1, 9), Some(3));
        assert_eq!(next(&blocking, "a", Some(Wanted::List), 3, 9), Some(4));
        assert_eq!(next(&blocking, "a", Some(Wanted::List), 1, 2), None);
        assert_eq!(next(&blocking, "a", Some(Wanted::Zset), 0, 9), Some(2));
        assert_eq!(next(&blocking, "a", None, 0, 9), Some(4));
        assert_eq!(next(&blocking, "b", Some(Wanted::List), 1, 9), None);
        assert_eq!((blocking.key_count(), blocking.end_key_count()), (2, 1));
        for (at, wait) in waits.iter().enumerate() {
            blocking.remove(at as u64 + 1, wait);
        }
        assert!(blocking.is_empty() && blocking.key_count() == 0);
    }

    #[test]
    fn a_key_is_marked_once_until_it_is_taken() {
        let waits = [wait(&["a", "b"], Wanted::List, None)];
        let (mut blocking, _) = waiting(&waits);
        for (db, key) in [(1, "b"), (0, "a"), (7, "a"), (1, "c"), (1, "a"), (1, "b")] {
            blocking.mark(db, key.as_bytes());
        }
        assert_eq!(blocking.pop_ready(), Some((1, b"b"[..].into())));
        blocking.mark(1, b"b");
        blocking.mark_db(1);
        blocking.mark_db(7);
        assert_eq!(blocking.pop_ready(), Some((1, b"a"[..].into())));
        // It is served even if nobody waits any more: nothing happens then.
        blocking.remove(1, &waits[0]);
        assert_eq!(blocking.pop_ready(), Some((1, b"b"[..].into())));
        assert!(blocking.pop_ready().is_none() && !blocking.has_ready());
    }

    #[test]
    fn waits_end_in_the_order_of_their_deadlines() {
        let waits = [
            wait(&["a"], Wanted::List, Some(50)),
            wait(&["a"], Wanted::List, None),
            wait(&["b"], Wanted::Stream, Some(20)),
        ];
        let (mut blocking, ids) = waiting(&waits);
        assert_eq!((blocking.next_deadline(), blocking.deadline_count()), (Some(20), 2));
        assert_eq!((blocking.late(19), blocking.late(20)), (None, Some(ids[2])));
        blocking.remove(3, &waits[2]);
        assert_eq!((blocking.late(49), blocking.late(50)), (None, Some(ids[0])));
        blocking.remove(1, &waits[0]);
        assert_eq!((blocking.late(i64::MAX), blocking.next_deadline()), (None, None));
        assert!(!blocking.is_empty());
    }
}
