//! Pure: the quicklist, a long list as a row of listpacks.
//!
//! A node is a [`Listpack`] of some KiB, or one large element by itself; 16 bytes in a ring, so
//! that an index is found by running over counts that lie side by side. Nodes that are some way
//! from both ends may be compressed; the ends, where lists are mostly used, never are.
//!
//! Which elements stand together in a node is what Redis does, step by step, since it shows in
//! the bytes of DUMP: `edit` has what takes nodes apart and together, `limits` when.
//!
//! Invariants: no node is empty. `count` is the sum of the counts of the nodes. With a depth of
//! compression d, the first d and the last d nodes are not compressed; any other is, if that
//! saves enough.
//!
//! Left out: merging nodes that have become small by deletion. Redis does not either, they
//! shrink to what they hold.

mod edit;
mod limits;
mod node;
mod walk;

use std::collections::VecDeque;

use self::node::{Content, Node};
pub use self::{
    limits::{Fill, set_packed_threshold},
    node::{NodeData, NodeView},
    walk::Walk,
};
use crate::{Listpack, SharedBytes, listpack::Item};

/// Around a change so many nodes may have come to be inner ones.
const SETTLED_AROUND: usize = 3;

/// An end of a list, or the way towards it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Where index 0 is.
    Head,
    /// Where index -1 is.
    Tail,
}

impl Side {
    /// Returns the opposite end.
    pub fn other(self) -> Self {
        match self {
            Self::Head => Self::Tail,
            Self::Tail => Self::Head,
        }
    }
}

/// On which side of an element another is put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    /// Towards the head.
    Before,
    /// Towards the tail.
    After,
}

/// How a list is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// How much a node holds: `list-max-listpack-size`.
    pub fill: Fill,
    /// How many nodes at each end are not compressed; 0 for all: `list-compress-depth`.
    pub compress_depth: u16,
}

/// A list of strings.
#[derive(Clone, Debug)]
pub struct Quicklist {
    nodes: VecDeque<Node>,
    /// Of elements.
    count: usize,
    options: Options,
}

impl Quicklist {
    /// Makes an empty list.
    pub fn new(options: Options) -> Self {
        Self { nodes: VecDeque::new(), count: 0, options }
    }

    /// Makes a list of one node, or none if the listpack is empty.
    pub fn from_listpack(list: Listpack, options: Options) -> Self {
        let mut quicklist = Self::new(options);
        quicklist.push_packed_node(list);
        quicklist
    }

    /// Counts the elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Tells whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns how the list is kept.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Puts an element at an end.
    pub fn push(&mut self, side: Side, element: &[u8]) {
        let fill = self.options.fill;
        let node = match side {
            Side::Head => self.nodes.front_mut(),
            Side::Tail => self.nodes.back_mut(),
        };
        self.count += 1;
        if let Some(node) = node
            && node.allows(element.len(), fill)
        {
            node.push(side, element);
            return;
        }
        self.add_end_node(side, Node::of_element(element));
    }

    /// Puts an element at an end. If it is large, it is kept as it is, without a copy.
    pub fn push_shared(&mut self, side: Side, element: &SharedBytes) {
        let Some(node) = Node::of_shared(element) else { return self.push(side, element) };
        self.count += 1;
        self.add_end_node(side, node);
    }

    /// Returns the element at an end, if it is a large one by itself.
    pub fn end_shared(&self, side: Side) -> Option<&SharedBytes> {
        match side {
            Side::Head => self.nodes.front()?.shared(),
            Side::Tail => self.nodes.back()?.shared(),
        }
    }

    /// Returns the element at an end.
    #[inline]
    pub fn end(&self, side: Side) -> Option<Item<'_>> {
        let node = match side {
            Side::Head => self.nodes.front(),
            Side::Tail => self.nodes.back(),
        };
        let iter = match node? {
            Node::Packed { list, .. } => list.iter(),
            Node::Gapped { list, .. } => list.pack().iter(),
            Node::Alone { element, .. } => return Some(Item::Bytes(element)),
            Node::Lzf { .. } => panic!("the ends are not compressed"),
        };
        walk::step(&mut { iter }, side.other())
    }

    /// Removes the element at an end, and tells whether there was one.
    pub fn remove_end(&mut self, side: Side) -> bool {
        let node = match side {
            Side::Head => self.nodes.front_mut(),
            Side::Tail => self.nodes.back_mut(),
        };
        let Some(node) = node else { return false };
        self.count -= 1;
        if node.remove_end(side) {
            return true;
        }
        match side {
            Side::Head => self.nodes.pop_front(),
            Side::Tail => self.nodes.pop_back(),
        };
        // One node has come nearer to the end than nodes are compressed.
        if let Some(at) = usize::from(self.options.compress_depth).checked_sub(1)
            && let Some(at) = self.node_from(side, at)
        {
            self.nodes[at].decompress();
        }
        true
    }

    /// Moves the last element to the head.
    pub fn rotate(&mut self) {
        if self.count < 2 {
            return;
        }
        if let Some(Node::Alone { .. }) = self.nodes.back() {
            self.nodes.rotate_right(1);
            self.settle(0..0);
            return;
        }
        let last = self.end(Side::Tail).expect("there are two").to_vec();
        self.push(Side::Head, &last);
        self.remove_end(Side::Tail);
    }

    /// Walks from the element with an index towards an end; the first that it gives is that
    /// element. Where no element is, it gives none.
    pub fn walk(&self, index: usize, towards: Side) -> Walk<'_> {
        match self.locate(index) {
            Some((node, offset)) => Walk::new(self, node, offset, towards),
            None => Walk::empty(self),
        }
    }

    /// Returns the index of the first element that is this string.
    pub fn index_of(&self, element: &[u8]) -> Option<usize> {
        let mut before = 0;
        for node in &self.nodes {
            match node.content() {
                Content::Plain(bytes) if *bytes == *element => return Some(before),
                Content::Plain(_) => {}
                Content::Packed(pack) => {
                    let first = pack.first().expect("no node is empty");
                    if let Some(at) = pack.find(first, element, 0) {
                        return Some(before + pack.iter_to(at).count() - 1);
                    }
                }
            }
            before += node.count();
        }
        None
    }

    /// Counts the nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Walks over the nodes, as they go into files.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeView<'_>> + ExactSizeIterator {
        self.nodes.iter().map(Node::view)
    }

    /// Puts a node of a file at the tail; one without elements is left out.
    pub fn push_packed_node(&mut self, list: Listpack) {
        if !list.is_empty() {
            self.push_node(Node::packed(list));
        }
    }

    /// Puts a node of a file at the tail: one element by itself, however large.
    pub fn push_plain_node(&mut self, element: Vec<u8>) {
        self.push_node(Node::plain(element));
    }

    /// Counts the bytes that it takes on the heap. Of many nodes, only the first `samples` are
    /// asked, and the others are taken to be like them; 0 asks all.
    pub fn allocation_bytes(&self, samples: usize) -> usize {
        let asked = if samples == 0 { self.nodes.len() } else { self.nodes.len().min(samples) };
        let bytes: usize = self.nodes.iter().take(asked).map(Node::allocation_bytes).sum();
        let ring = base::memory::usable_bytes(self.nodes.capacity() * size_of::<Node>());
        match asked {
            0 => 0,
            asked => ring + (bytes as u128 * self.nodes.len() as u128 / asked as u128) as usize,
        }
    }

    /// Returns the only node's listpack, if there is no other node, it is none of a large
    /// element, and it is small enough to stand alone. See `List`.
    pub fn into_bare(mut self, fill: Fill, is_shrinking: bool) -> Result<Listpack, Self> {
        if !self.may_be_bare(fill, is_shrinking) {
            return Err(self);
        }
        Ok(self.nodes[0].take_list())
    }

    /// Tells whether `into_bare` succeeds.
    pub fn may_be_bare(&self, fill: Fill, is_shrinking: bool) -> bool {
        match self.nodes.front() {
            Some(node) if self.nodes.len() == 1 && !node.is_plain() => {
                fill.allows_bare(node.bytes(), self.count, is_shrinking)
            }
            _ => false,
        }
    }

    fn push_node(&mut self, node: Node) {
        self.count += node.count();
        self.add_end_node(Side::Tail, node);
    }

    #[cold]
    fn add_end_node(&mut self, side: Side, node: Node) {
        if let Some(head) = self.nodes.front_mut().filter(|_| side == Side::Head) {
            head.close_gap();
        }
        match side {
            Side::Head => self.nodes.push_front(node),
            Side::Tail => self.nodes.push_back(node),
        }
        // One node has become an inner one.
        if let Some(at) = self.node_from(side, usize::from(self.options.compress_depth)) {
            self.settle_node(at);
        }
    }

    /// Returns the index of a node that is `at` nodes from an end.
    fn node_from(&self, side: Side, at: usize) -> Option<usize> {
        let last = self.nodes.len().checked_sub(1)?;
        match side {
            Side::Head => (at <= last).then_some(at),
            Side::Tail => last.checked_sub(at),
        }
    }

    /// Returns the node of an element, and where it is within that.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.count {
            return None;
        }
        if index <= self.count / 2 {
            let mut offset = index;
            for (at, node) in self.nodes.iter().enumerate() {
                let Some(left) = offset.checked_sub(node.count()) else {
                    return Some((at, offset));
                };
                offset = left;
            }
            return None;
        }
        let mut behind = self.count;
        for (at, node) in self.nodes.iter().enumerate().rev() {
            behind -= node.count();
            if behind <= index {
                return Some((at, index - behind));
            }
        }
        None
    }

    fn is_inner(&self, node: usize) -> bool {
        let depth = usize::from(self.options.compress_depth);
        depth > 0 && depth <= node && node + depth < self.nodes.len()
    }

    /// Compresses a node that was changed, if it is an inner one.
    fn settle_node(&mut self, node: usize) {
        if self.is_inner(node) {
            self.nodes[node].compress();
        }
    }

    /// Restores what holds of compression after nodes have come or gone. `changed` are those
    /// whose content is another.
    fn settle(&mut self, changed: std::ops::Range<usize>) {
        let depth = usize::from(self.options.compress_depth);
        if depth == 0 {
            return;
        }
        let count = self.nodes.len();
        for node in 0..depth.min(count) {
            self.nodes[node].decompress();
            self.nodes[count - 1 - node].decompress();
        }
        let changed = changed.start.saturating_sub(SETTLED_AROUND)..changed.end + SETTLED_AROUND;
        let end = count.saturating_sub(depth);
        let around_ends = [depth..depth + SETTLED_AROUND, end.saturating_sub(SETTLED_AROUND)..end];
        for node in around_ends.into_iter().flatten().chain(changed) {
            self.settle_node(node);
        }
    }
}
