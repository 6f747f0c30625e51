//! Pure: walks over the entries of a stream, from either end, and what one entry holds.
//!
//! An entry is lent: its names and values are elements of a listpack where they are.

use std::{iter::FusedIterator, ops::Bound};

use ds::{
    Listpack, Tree,
    listpack::{Item, Iter},
    tree,
};

use super::{StreamId, node::Node};

/// An entry of a stream: its number, and names with values. It is an iterator over these.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub id: StreamId,
    /// Pairs that are left.
    pub(super) left: usize,
    /// The names, if they are the node's.
    pub(super) names: Option<Iter<'a>>,
    /// The values, with a name before each if it has names of its own.
    pub(super) items: Iter<'a>,
}

impl<'a> Iterator for Entry<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => names.next()?,
            None => self.items.next()?,
        };
        Some((name, self.items.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Entry<'_> {}

impl FusedIterator for Entry<'_> {}

/// From which end a walk begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    /// The oldest entry comes first.
    Forward,
    /// The newest does.
    Backward,
}

/// Entries that are not deleted, in a range of numbers.
pub struct Entries<'a> {
    nodes: tree::Entries<'a, StreamId, Listpack>,
    node: Option<(Node<'a>, Iter<'a>)>,
    min: StreamId,
    max: StreamId,
    course: Course,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        nodes: &'a Tree<StreamId, Listpack>,
        (min, max): (StreamId, StreamId),
        course: Course,
    ) -> Self {
        // The first entry may stand in the node that begins before it.
        let through = |id| nodes.ranks(Bound::Unbounded, Bound::Included(id)).end;
        let ranks = through(min).saturating_sub(1)..through(max);
        Self { nodes: nodes.range(ranks), node: None, min, max, course }
    }

    fn end(&mut self) -> Option<Entry<'a>> {
        self.node = None;
        self.nodes.nth(usize::MAX);
        None
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some((node, items)) = &mut self.node else {
                let (master, pack) = match self.course {
                    Course::Forward => self.nodes.next()?,
                    Course::Backward => self.nodes.next_back()?,
                };
                let node = Node::new(master, pack);
                let items = match self.course {
                    Course::Forward => node.entries_from(self.min),
                    Course::Backward => node.entries(),
                };
                self.node = Some((node, items));
                continue;
            };
            let found = match self.course {
                Course::Forward => node.next(items),
                Course::Backward => node.previous(items),
            };
            let Some(found) = found else {
                self.node = None;
                continue;
            };
            let id = found.0.id;
            let (is_early, is_late) = match self.course {
                Course::Forward => (id < self.min, self.max < id),
                Course::Backward => (self.max < id, id < self.min),
            };
            if is_early || found.0.is_deleted() {
                continue;
            }
            if is_late {
                return self.end();
            }
            return Some(node.entry(found));
        }
    }
}

impl FusedIterator for Entries<'_> {}
