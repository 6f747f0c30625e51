//! Pure: groups of consumers, who share the entries of a stream: each entry goes to one of them,
//! and waits then to be acknowledged.
//!
//! What waits is owned by the group's list; a consumer has just the numbers of what waits for it.
//! Invariant: a number is in the list of the consumer that the group's list names, and in no
//! other. [`Group::assign`] and [`Group::acknowledge`] are the only ways in and out.

use std::collections::BTreeMap;

use base::{Bytes, memory::usable_bytes};
use ds::Tree;

use super::{Log, StreamId};

/// The groups of a stream, in the order of their names.
pub type Groups = BTreeMap<Bytes, Group>;

/// A group of consumers.
#[derive(Clone, Debug)]
pub struct Group {
    /// The last entry that was delivered.
    pub last_id: StreamId,
    /// How many entries there were up to that one, if it is known.
    pub entries_read: Option<i64>,
    pub(super) pending: Tree<StreamId, Nack>,
    /// Places of consumers that are gone are given away again.
    slots: Vec<Option<Consumer>>,
    names: BTreeMap<Bytes, ConsumerId>,
}

/// Names a consumer within its group, until it is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsumerId(pub(super) u32);

/// An entry that was delivered and waits to be acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nack {
    /// To whom.
    pub consumer: ConsumerId,
    /// When last.
    pub delivered_ms: i64,
    /// How often.
    pub count: u64,
}

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Bytes,
    /// When it last asked for entries.
    pub seen_ms: i64,
    /// When it last got one; -1 if never.
    pub active_ms: i64,
    pub(super) pending: Tree<StreamId, ()>,
}

impl Consumer {
    /// What `active_ms` is of one that has got nothing yet.
    pub const NEVER_MS: i64 = -1;

    /// Returns its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Lends the numbers of what waits to be acknowledged by it.
    pub fn pending(&self) -> &Tree<StreamId, ()> {
        &self.pending
    }
}

impl Group {
    /// Makes a group that has yet to be delivered what stands behind an entry.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Self {
        Self {
            last_id,
            entries_read,
            pending: Tree::new(),
            slots: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// Lends all that waits to be acknowledged.
    pub fn pending(&self) -> &Tree<StreamId, Nack> {
        &self.pending
    }

    /// Finds a consumer by its name.
    pub fn find(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// Adds a consumer; none if there is one of that name.
    pub fn create(&mut self, name: &[u8], now_ms: i64) -> Option<ConsumerId> {
        if self.names.contains_key(name) {
            return None;
        }
        let consumer = Consumer {
            name: name.into(),
            seen_ms: now_ms,
            active_ms: Consumer::NEVER_MS,
            pending: Tree::new(),
        };
        let at = if self.names.len() < self.slots.len() {
            self.slots.iter().position(Option::is_none)?
        } else {
            self.slots.push(None);
            self.slots.len() - 1
        };
        let id = ConsumerId(u32::try_from(at).ok()?);
        self.slots[at] = Some(consumer);
        self.names.insert(name.into(), id);
        Some(id)
    }

    /// Finds a consumer that asks for entries, or adds it; says whether it did that.
    pub fn find_or_create(&mut self, name: &[u8], now_ms: i64) -> Option<(ConsumerId, bool)> {
        let Some(id) = self.find(name) else {
            return self.create(name, now_ms).map(|id| (id, true));
        };
        self.consumer_mut(id).seen_ms = now_ms;
        Some((id, false))
    }

    /// Returns a consumer.
    ///
    /// # Panics
    /// If it was deleted.
    #[inline]
    pub fn consumer(&self, id: ConsumerId) -> &Consumer {
        self.slots[id.0 as usize].as_ref().expect("who holds the id has not deleted the consumer")
    }

    /// Returns a consumer, to note what it does.
    ///
    /// # Panics
    /// If it was deleted.
    #[inline]
    pub fn consumer_mut(&mut self, id: ConsumerId) -> &mut Consumer {
        self.slots[id.0 as usize].as_mut().expect("who holds the id has not deleted the consumer")
    }

    /// Lends the consumers, in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.names.values().map(|id| self.consumer(*id))
    }

    /// Deletes a consumer with all that waits for it, and counts that; none if there is no such
    /// consumer.
    pub fn delete(&mut self, name: &[u8]) -> Option<u64> {
        let id = self.names.remove(name)?;
        let consumer = self.slots[id.0 as usize].take()?;
        for (entry, ()) in &consumer.pending {
            self.pending.remove(entry);
        }
        if self.names.is_empty() {
            self.slots = Vec::new();
        }
        Some(consumer.pending.len() as u64)
    }

    /// Gives an entry to a consumer, whoever had it before.
    pub fn assign(&mut self, entry: StreamId, nack: Nack) {
        if let Some(old) = self.pending.insert(entry, nack) {
            if old.consumer == nack.consumer {
                return;
            }
            self.consumer_mut(old.consumer).pending.remove(entry);
        }
        self.consumer_mut(nack.consumer).pending.insert(entry, ());
    }

    /// Takes an entry that waits off all lists, and returns what was known of it.
    pub fn acknowledge(&mut self, entry: StreamId) -> Option<Nack> {
        let nack = self.pending.remove(entry)?;
        self.consumer_mut(nack.consumer).pending.remove(entry);
        Some(nack)
    }

    /// Notes that a consumer was delivered an entry once more that waits for it.
    pub fn deliver_again(&mut self, entry: StreamId, now_ms: i64) {
        if let Some(nack) = self.pending.get_mut(entry) {
            nack.delivered_ms = now_ms;
            nack.count = nack.count.saturating_add(1);
        }
    }

    /// Returns the first entry that waits, from a number on.
    pub fn pending_from(&self, entry: StreamId) -> Option<(StreamId, Nack)> {
        self.pending.by_rank(self.pending.rank(entry)).map(|(id, nack)| (id, *nack))
    }

    /// Moves on to an entry that is being delivered; says whether it is behind the last one.
    pub fn advance(&mut self, log: &Log, entry: StreamId) -> bool {
        if entry <= self.last_id {
            return false;
        }
        match &mut self.entries_read {
            Some(count) if !log.has_gap_from(entry) => *count = count.saturating_add(1),
            _ if log.entries_added != 0 => {
                self.entries_read = log.entries_through(entry).map(u64::cast_signed);
            }
            _ => {}
        }
        self.last_id = entry;
        true
    }

    /// Counts the entries that are still to be delivered, if that can be told.
    pub fn lag(&self, log: &Log) -> Option<i64> {
        if log.entries_added == 0 {
            return Some(0);
        }
        let read = match self.entries_read {
            Some(count) if !log.has_gap_from(self.last_id) => count,
            _ => log.entries_through(self.last_id)?.cast_signed(),
        };
        Some(log.entries_added.cast_signed().wrapping_sub(read))
    }

    /// Counts the bytes of its allocations.
    fn memory_bytes(&self) -> usize {
        let consumers = self.consumers().map(|consumer| {
            2 * usable_bytes(consumer.name.len()) + consumer.pending.memory_bytes()
        });
        self.pending.memory_bytes()
            + usable_bytes(self.slots.capacity() * size_of::<Option<Consumer>>())
            + map_bytes::<ConsumerId>(self.names.len())
            + consumers.sum::<usize>()
    }
}

/// Counts the bytes of the allocations of all groups.
pub(super) fn memory_bytes(groups: &Groups) -> usize {
    let each = groups.iter().map(|(name, group)| usable_bytes(name.len()) + group.memory_bytes());
    map_bytes::<Group>(groups.len()) + each.sum::<usize>()
}

/// Counts about the bytes of the nodes of a map from names, which does not tell: all but a root
/// have from 5 to 11 entries, and one that stands behind each but the last.
fn map_bytes<V>(entries: usize) -> usize {
    const NODE_MAX: usize = 11;
    const NODE_USUAL: usize = 7;
    const NODE_HEAD_BYTES: usize = 16;
    const CHILDREN_BYTES: usize = (NODE_MAX + 1) * size_of::<usize>();
    let node_bytes = NODE_HEAD_BYTES + NODE_MAX * (size_of::<Bytes>() + size_of::<V>());
    let leaves = match entries {
        0..=NODE_MAX => entries.min(1),
        _ => entries.div_ceil(NODE_USUAL),
    };
    let inner = if leaves < 2 { 0 } else { leaves.div_ceil(NODE_USUAL) };
    leaves * usable_bytes(node_bytes) + inner * usable_bytes(node_bytes + CHILDREN_BYTES)
}
