//! Pure: streams as values: entries that were added one behind the other, and groups of consumers
//! who share them.
//!
//! `log` has the entries, in nodes whose bytes are Redis's; `group` what is delivered to whom. The
//! two stand beside each other, so that entries can be lent while a group notes where they go.
//! A stream that has no entries is one still: it remembers the last number.

mod entries;
mod group;
mod id;
mod log;
mod node;
mod radix;
mod restore;
#[cfg(test)]
mod tests;

use base::memory::usable_bytes;

pub use entries::{Course, Entries, Entry};
pub use group::{Consumer, ConsumerId, Group, Groups, Nack};
pub use id::{IdText, StreamId, parse_part};
pub use log::{Log, TooLarge, Trim};
pub use restore::{BadNode, BadOwner, RestoredGroup};

/// Entries with numbers that grow, and the groups that read them.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The entries.
    pub log: Log,
    /// The groups.
    pub groups: Groups,
}

impl Stream {
    /// Counts the allocations that freeing it gives back, about: as if all groups had as much to
    /// be acknowledged as the first.
    pub(super) fn allocations(&self) -> u64 {
        let of_group = self.groups.values().next().map_or(0, |group| 1 + group.pending().len());
        (self.log.nodes().len() + self.groups.len().saturating_mul(of_group)) as u64
    }

    /// Counts the bytes of its allocations; nodes but the last are estimated by `samples` of them,
    /// 0 meaning all. Groups and their consumers are counted one by one.
    pub(super) fn memory_bytes(&self, samples: usize) -> usize {
        let nodes = self.log.nodes();
        let sampled = if samples == 0 { nodes.len() } else { nodes.len().min(samples) };
        let of_samples: usize =
            nodes.range(0..sampled).map(|(_, pack)| pack.allocation_bytes()).sum();
        let of_nodes = match nodes.last() {
            Some((_, last)) if sampled < nodes.len() => {
                of_samples / sampled * (nodes.len() - 1) + last.allocation_bytes()
            }
            _ => of_samples,
        };
        let itself = usable_bytes(size_of::<Self>());
        itself + nodes.memory_bytes() + of_nodes + group::memory_bytes(&self.groups)
    }
}
