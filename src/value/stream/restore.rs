//! Pure: streams that come from a snapshot, piece by piece, looked through as they come.

use ds::Listpack;

use super::{Consumer, ConsumerId, Group, Log, Nack, StreamId, node};

/// No node that was made here becomes so large, and one that is can grow without fear.
const NODE_BYTES_MAX: usize = 2 << 30;
/// Who has an entry that nobody has been found to have yet.
const NOBODY: ConsumerId = ConsumerId(u32::MAX);

/// Why a node is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadNode {
    /// It has nothing in it.
    Empty,
    /// What is in it are no entries.
    Corrupt,
    /// There is one of that number.
    Duplicate,
}

/// Why a consumer cannot have an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadOwner {
    /// It does not wait.
    NotPending,
    /// A consumer has it.
    Taken,
}

impl Log {
    /// Adds a node, and counts its entries.
    pub fn restore_node(&mut self, master: StreamId, pack: Listpack) -> Result<(), BadNode> {
        if pack.is_empty() {
            return Err(BadNode::Empty);
        }
        let live = node::check(&pack).ok_or(BadNode::Corrupt)?;
        if NODE_BYTES_MAX < pack.bytes().len() {
            return Err(BadNode::Corrupt);
        }
        if self.nodes.insert(master, pack).is_some() {
            return Err(BadNode::Duplicate);
        }
        self.len = self.len.saturating_add(live);
        Ok(())
    }

    /// Finds out what a snapshot of Redis 5 or 6 does not tell.
    pub fn restore_counts(&mut self) {
        self.entries_added = self.len;
        self.find_first();
    }
}

/// A group in the making: what waits comes first, and then who has it.
#[derive(Debug)]
pub struct RestoredGroup {
    group: Group,
    owned_count: usize,
}

impl RestoredGroup {
    /// Begins.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Self {
        Self { group: Group::new(last_id, entries_read), owned_count: 0 }
    }

    /// Adds an entry that waits; says whether there was none of that number.
    pub fn add_pending(&mut self, entry: StreamId, delivered_ms: i64, count: u64) -> bool {
        let nack = Nack { consumer: NOBODY, delivered_ms, count };
        self.group.pending.insert(entry, nack).is_none()
    }

    /// Adds a consumer; none if there is one of that name.
    pub fn add_consumer(
        &mut self,
        name: &[u8],
        seen_ms: i64,
        active_ms: i64,
    ) -> Option<ConsumerId> {
        let id = self.group.create(name, seen_ms)?;
        self.group.consumer_mut(id).active_ms = active_ms;
        Some(id)
    }

    /// Gives a consumer an entry that waits.
    pub fn own(&mut self, consumer: ConsumerId, entry: StreamId) -> Result<(), BadOwner> {
        let nack = self.group.pending.get_mut(entry).ok_or(BadOwner::NotPending)?;
        if nack.consumer != NOBODY {
            return Err(BadOwner::Taken);
        }
        nack.consumer = consumer;
        let Consumer { pending, .. } = self.group.consumer_mut(consumer);
        pending.insert(entry, ());
        self.owned_count += 1;
        Ok(())
    }

    /// Returns the group, if somebody has each entry that waits.
    pub fn finish(self) -> Option<Group> {
        (self.owned_count == self.group.pending.len()).then_some(self.group)
    }
}
