//! Pure: the entries of a stream, in the order of their numbers, and what is known of those that
//! are gone.
//!
//! Entries stand in nodes (`node`), which are found by the number of the first entry. They come at
//! the end only, go anywhere, and are never changed. Start with [`Log::append`].

use std::ops::Bound;

use ds::{Listpack, Tree};

use super::{
    Course, Entries, Entry, StreamId,
    node::{self, Node},
};
use crate::config::Encoding;

/// An entry may have no more bytes, nor a node, whatever its limits are.
const NODE_BYTES_MAX: usize = 1 << 30;

/// An entry has more bytes than any may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLarge;

/// How much of a stream is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trim {
    /// The oldest entries, until so many are left.
    MaxLen(u64),
    /// Those before a number.
    MinId(StreamId),
}

/// The entries of a stream.
#[derive(Clone, Debug, Default)]
pub struct Log {
    pub(super) nodes: Tree<StreamId, Listpack>,
    pub(super) len: u64,
    /// The number of the first entry; the least one if there is none.
    pub first_id: StreamId,
    /// The greatest number that any entry has had, or was said to have had.
    pub last_id: StreamId,
    /// The greatest number that was deleted.
    pub max_deleted_id: StreamId,
    /// How many entries there ever were.
    pub entries_added: u64,
}

impl Log {
    /// Counts the entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Tells whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lends the nodes, each with the number of its first entry.
    pub fn nodes(&self) -> &Tree<StreamId, Listpack> {
        &self.nodes
    }

    /// Adds an entry, whose number is greater than `last_id`. Names and values take turns.
    pub fn append<'a>(
        &mut self,
        id: StreamId,
        words: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        limits: Encoding,
    ) -> Result<(), TooLarge> {
        let bytes: usize = words.clone().map(<[u8]>::len).sum();
        if NODE_BYTES_MAX < bytes {
            return Err(TooLarge);
        }
        match self.nodes.last_mut() {
            Some((master, pack)) if has_room(pack, bytes, limits) => {
                node::append(pack, id.minus(master), words);
            }
            _ => drop(self.nodes.insert(id, node::first_entry(words))),
        }
        self.len += 1;
        self.entries_added = self.entries_added.saturating_add(1);
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
        }
        Ok(())
    }

    /// Walks over the entries in a range of numbers, both ends included.
    pub fn range(&self, min: StreamId, max: StreamId, course: Course) -> Entries<'_> {
        Entries::new(&self.nodes, (min, max), course)
    }

    /// Walks over all entries.
    pub fn iter(&self) -> Entries<'_> {
        self.range(StreamId::MIN, StreamId::MAX, Course::Forward)
    }

    /// Returns an entry.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id, Course::Forward).next()
    }

    /// Tells whether there is an entry.
    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// Returns the oldest entry.
    pub fn first(&self) -> Option<Entry<'_>> {
        self.iter().next()
    }

    /// Returns the newest entry.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.range(StreamId::MIN, StreamId::MAX, Course::Backward).next()
    }

    /// Deletes an entry, and tells whether there was one.
    pub fn delete(&mut self, id: StreamId) -> bool {
        if !self.take_out(id) {
            return false;
        }
        self.len = self.len.saturating_sub(1);
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.is_empty() || id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Takes the oldest entries out, and counts them. If it is enough to do it about, nodes go
    /// entire, and no more than `limit` entries, 0 meaning any.
    pub fn trim(&mut self, trim: Trim, is_about: bool, limit: u64) -> u64 {
        let mut trimmed = 0;
        while let Some((master, pack)) = self.nodes.first() {
            if matches!(trim, Trim::MaxLen(len) if self.len <= len) {
                break;
            }
            let node = Node::new(master, pack);
            let live = node.live;
            if limit != 0 && limit < live.saturating_add(trimmed) {
                break;
            }
            let goes_entire = match trim {
                Trim::MaxLen(len) => len <= self.len.saturating_sub(live),
                Trim::MinId(min) => node.last_id().unwrap_or_default() < min,
            };
            if !goes_entire {
                if is_about {
                    break;
                }
                let (count, first) = self.trim_first_node(trim);
                trimmed += count;
                if let Some(first) = first.filter(|_| 0 < trimmed) {
                    self.first_id = first;
                    return trimmed;
                }
                break;
            }
            self.nodes.pop_first();
            self.len = self.len.saturating_sub(live);
            trimmed += live;
        }
        if self.is_empty() || 0 < trimmed {
            self.find_first();
        }
        trimmed
    }

    /// Counts the nodes that Redis's radix tree would have for the nodes here.
    pub fn radix_node_count(&self) -> u64 {
        super::radix::node_count(&self.nodes)
    }

    /// Whether an entry from a number on, or one that was there, was deleted: then numbers say
    /// nothing about counts.
    pub fn has_gap_from(&self, id: StreamId) -> bool {
        !self.is_empty()
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && id <= self.max_deleted_id
    }

    /// Counts the entries that there ever were up to a number, if that can be told.
    pub fn entries_through(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if (self.is_empty() && id <= self.last_id) || id == self.last_id {
            return Some(self.entries_added);
        }
        if self.last_id < id {
            return None;
        }
        let is_whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let before_first = self.entries_added.wrapping_sub(self.len);
        match id {
            _ if !is_whole => None,
            id if id < self.first_id => Some(before_first),
            id if id == self.first_id => Some(before_first.wrapping_add(1)),
            _ => None,
        }
    }

    /// Marks an entry as deleted, or drops its node if it was the last one there.
    fn take_out(&mut self, id: StreamId) -> bool {
        let through = self.nodes.ranks(Bound::Unbounded, Bound::Included(id)).end;
        let Some(rank) = through.checked_sub(1) else { return false };
        let Some((master, pack)) = self.nodes.by_rank_mut(rank) else { return false };
        let node = Node::new(master, pack);
        let (live, mut items) = (node.live, node.entries());
        let found = loop {
            match node.next(&mut items) {
                None => return false,
                Some((head, _)) if head.id == id && !head.is_deleted() => break head,
                Some(_) => {}
            }
        };
        if live <= 1 {
            self.nodes.remove_at(rank);
            return true;
        }
        node::mark(pack, found.at, found.flags);
        node::count_marked(pack, 1);
        true
    }

    /// Marks the first entries of the first node as deleted, as far as they are to go. Returns how
    /// many they are, and the first one there that stays.
    fn trim_first_node(&mut self, trim: Trim) -> (u64, Option<StreamId>) {
        let Some((master, pack)) = self.nodes.by_rank_mut(0) else { return (0, None) };
        let node = Node::new(master, pack);
        let (mut items, mut marked, mut first) = (node.entries(), Vec::new(), None);
        while let Some((head, _)) = node.next(&mut items) {
            if head.is_deleted() {
                continue;
            }
            let goes = match trim {
                Trim::MaxLen(len) => len < self.len.saturating_sub(marked.len() as u64),
                Trim::MinId(min) => head.id < min,
            };
            if !goes {
                first = Some(head.id);
                break;
            }
            marked.push((head.at, head.flags));
        }
        // From behind: flags that are marked may be longer or shorter, which moves what follows.
        marked.iter().rev().for_each(|(at, flags)| node::mark(pack, *at, *flags));
        let count = marked.len() as u64;
        node::count_marked(pack, count);
        self.len = self.len.saturating_sub(count);
        (count, first)
    }

    pub(super) fn find_first(&mut self) {
        self.first_id = if self.is_empty() {
            StreamId::MIN
        } else {
            // Where no entry is in spite of the count, Redis has the greatest number.
            self.first().map_or(StreamId::MAX, |entry| entry.id)
        };
    }
}

/// Whether an entry of so many bytes belongs into a node, or into the next one.
fn has_room(pack: &Listpack, bytes: usize, limits: Encoding) -> bool {
    let bytes_max = match limits.stream_node_max_bytes {
        0 => NODE_BYTES_MAX,
        bytes => bytes.min(NODE_BYTES_MAX),
    };
    let entries_max = limits.stream_node_max_entries;
    pack.bytes().len() + bytes < bytes_max
        && (entries_max == 0 || node::entry_count(pack) < entries_max)
}
