//! Pure: a map in the order of its keys, which counts: the nodes of a stream, entries that
//! wait to be acknowledged.
//!
//! A B+tree: leaves are vectors of entries; an inner node knows of each child its first key
//! and how many entries it has, both exactly. A small map is one vector that doubles. A full
//! node is split in half, but the one at either end of the whole tree leaves all it has behind
//! and begins anew with what comes: so keys that come in order, as ids do, fill their leaves.
//! Two neighbours are merged when a removal leaves them [`MERGED_MAX`] together. All leaves
//! have the same depth, which bounds the recursion.
//!
//! It is here because `BTreeMap` of std leaves nodes half empty behind keys that come in
//! order, and tells neither ranks nor its memory; and because a radix tree, which Redis has
//! in this place, needs a pointer or two for each key and is no faster where keys are numbers.
//!
//! Places are told as ranks, which [`Tree::ranks`] finds for keys: a walk goes over a range of
//! them from either end, and one that is interrupted by changes goes on from a key. Start with
//! [`Tree::insert`].

#[cfg(test)]
mod tests;
mod walk;

use std::{
    alloc::Layout,
    fmt,
    ops::{Bound, Range},
};

use base::memory::usable_size;

pub use self::walk::Entries;

/// Entries of a leaf, and children of an inner node.
const NODE_MAX: usize = 64;
/// What neighbours may have together when they are merged: so far from a split that it takes
/// many inserts.
const MERGED_MAX: usize = NODE_MAX * 3 / 4;

/// Values by keys that have an order.
pub struct Tree<K, V> {
    root: Node<K, V>,
    len: usize,
}

enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Inner(Vec<Child<K, V>>),
}

struct Child<K, V> {
    /// The first key under it.
    first: K,
    /// How many entries are under it.
    total: usize,
    node: Node<K, V>,
}

/// At which ends of the tree a node stands.
#[derive(Clone, Copy)]
struct Edges {
    is_first: bool,
    is_last: bool,
}

/// What an insert did.
enum Inserted<K, V> {
    /// The key had this value.
    Replaced(V),
    /// It is new.
    Done,
    /// It is new, and this node stands behind now.
    Split(Node<K, V>),
}

impl<K: Ord + Copy, V> Tree<K, V> {
    /// Makes an empty map, which allocates nothing.
    pub const fn new() -> Self {
        Self { root: Node::Leaf(Vec::new()), len: 0 }
    }

    /// Counts the entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the value of a key.
    pub fn get(&self, key: K) -> Option<&V> {
        let (leaf, _, _) = self.seek(|other| other <= key);
        let at = leaf.binary_search_by(|(other, _)| other.cmp(&key)).ok()?;
        Some(&leaf[at].1)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let at = leaf.binary_search_by(|(other, _)| other.cmp(&key)).ok()?;
                    return Some(&mut leaf[at].1);
                }
                Node::Inner(children) => {
                    let at = child_before(children, |first| first <= key);
                    node = &mut children[at].node;
                }
            }
        }
    }

    /// Tells whether a key is there.
    pub fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key, and returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let edges = Edges { is_first: true, is_last: true };
        match self.root.insert(key, value, edges) {
            Inserted::Replaced(old) => return Some(old),
            Inserted::Done => {}
            Inserted::Split(next) => {
                let root = std::mem::replace(&mut self.root, Node::Inner(Vec::new()));
                self.root = Node::Inner(vec![Child::of(root), Child::of(next)]);
            }
        }
        self.len += 1;
        None
    }

    /// Takes a key out, and returns its value.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let (leaf, before, at) = self.seek(|other| other < key);
        // The key may be the first of the next leaf, which its rank finds.
        let rank = before + at;
        let is_it = match leaf.get(at) {
            Some((other, _)) => *other == key,
            None => self.by_rank(rank).is_some_and(|(other, _)| other == key),
        };
        if is_it { self.remove_at(rank).map(|(_, value)| value) } else { None }
    }

    /// Returns the entry of a rank.
    pub fn by_rank(&self, rank: usize) -> Option<(K, &V)> {
        if self.len <= rank {
            return None;
        }
        let (leaf, at) = self.leaf_at(rank);
        leaf.get(at).map(|(key, value)| (*key, value))
    }

    /// Returns the entry of a rank, its value to be changed.
    pub fn by_rank_mut(&mut self, rank: usize) -> Option<(K, &mut V)> {
        let (mut node, mut rank) = (&mut self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.get_mut(rank).map(|(key, value)| (*key, value)),
                Node::Inner(children) => {
                    let (at, rank_below) = child_at(children, rank)?;
                    rank = rank_below;
                    node = &mut children[at].node;
                }
            }
        }
    }

    /// Returns the first entry.
    pub fn first(&self) -> Option<(K, &V)> {
        self.by_rank(0)
    }

    /// Returns the last entry.
    pub fn last(&self) -> Option<(K, &V)> {
        self.by_rank(self.len.checked_sub(1)?)
    }

    /// Returns the last entry, its value to be changed.
    pub fn last_mut(&mut self) -> Option<(K, &mut V)> {
        self.by_rank_mut(self.len.checked_sub(1)?)
    }

    /// Takes the first entry out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.remove_at(0)
    }

    /// Takes the last entry out.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.remove_at(self.len.checked_sub(1)?)
    }

    /// Takes the entry of a rank out.
    pub fn remove_at(&mut self, rank: usize) -> Option<(K, V)> {
        let mut removed = None;
        self.remove_range(rank..rank.checked_add(1)?, |key, value| removed = Some((key, value)));
        removed
    }

    /// Takes the entries of a range of ranks out. Ranks that there are not are left out.
    pub fn remove_range(&mut self, ranks: Range<usize>, mut removed: impl FnMut(K, V)) {
        let end = ranks.end.min(self.len);
        let mut left = end.saturating_sub(ranks.start);
        let mut run = Vec::new();
        while 0 < left {
            self.root.take_run(ranks.start, left, &mut run);
            left -= run.len();
            self.len -= run.len();
            // As high as the tree is, at most.
            while let Node::Inner(children) = &mut self.root
                && children.len() <= 1
            {
                self.root = children.pop().map_or(Node::Leaf(Vec::new()), |child| child.node);
            }
            run.drain(..).for_each(|(key, value)| removed(key, value));
        }
    }

    /// Counts the keys before one: the rank that it has or would have.
    pub fn rank(&self, key: K) -> usize {
        let (_, before, at) = self.seek(|other| other < key);
        before + at
    }

    /// Returns the ranks of the keys in a range; empty, where such a key would stand, if
    /// there are none.
    pub fn ranks(&self, min: Bound<K>, max: Bound<K>) -> Range<usize> {
        let count_through = |key: K| {
            let (_, before, at) = self.seek(|other| other <= key);
            before + at
        };
        let start = match min {
            Bound::Included(min) => self.rank(min),
            Bound::Excluded(min) => count_through(min),
            Bound::Unbounded => 0,
        };
        let end = match max {
            Bound::Included(max) => count_through(max),
            Bound::Excluded(max) => self.rank(max),
            Bound::Unbounded => self.len,
        };
        start..end.max(start)
    }

    /// Lends the entries of a range of ranks, from either end. Ranks that there are not are
    /// left out.
    pub fn range(&self, ranks: Range<usize>) -> Entries<'_, K, V> {
        let end = ranks.end.min(self.len);
        Entries::new(self, ranks.start.min(end)..end)
    }

    /// Lends all entries, in order.
    pub fn iter(&self) -> Entries<'_, K, V> {
        self.range(0..self.len)
    }

    /// Lends each entry in turn, its value to be changed.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(K, &mut V)) {
        self.root.for_each_mut(&mut visit);
    }

    /// Returns an entry, each with the same chance. `draw` gives a random number below its
    /// argument.
    pub fn random(&self, mut draw: impl FnMut(u64) -> u64) -> Option<(K, &V)> {
        if self.is_empty() {
            return None;
        }
        self.by_rank(usize::try_from(draw(self.len as u64)).unwrap_or(0))
    }

    /// Drops all entries and all memory.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Counts the nodes.
    pub fn node_count(&self) -> usize {
        self.root.node_count()
    }

    /// Returns the bytes of all nodes, without what values own elsewhere. Looks at each node.
    pub fn memory_bytes(&self) -> usize {
        self.root.memory_bytes()
    }

    /// Finds where keys cease to be before something: a leaf, how many entries stand before
    /// it, and how many in it do.
    fn seek(&self, is_before: impl Fn(K) -> bool) -> (&[(K, V)], usize, usize) {
        let (mut node, mut before) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => {
                    return (leaf, before, leaf.partition_point(|(key, _)| is_before(*key)));
                }
                Node::Inner(children) => {
                    let at = child_before(children, &is_before);
                    before += children[..at].iter().map(|child| child.total).sum::<usize>();
                    node = &children[at].node;
                }
            }
        }
    }

    /// Returns the leaf that holds an entry, and where in it that is. The rank is below the
    /// length.
    fn leaf_at(&self, rank: usize) -> (&[(K, V)], usize) {
        let (mut node, mut rank) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank),
                Node::Inner(children) => {
                    let (at, rank_below) = child_at(children, rank).expect("the rank is below");
                    rank = rank_below;
                    node = &children[at].node;
                }
            }
        }
    }
}

impl<K: Ord + Copy, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + Copy, V: Clone> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        self.iter().map(|(key, value)| (key, value.clone())).collect()
    }
}

impl<K: Ord + Copy + fmt::Debug, V: fmt::Debug> fmt::Debug for Tree<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord + Copy, V> FromIterator<(K, V)> for Tree<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut tree = Self::new();
        for (key, value) in entries {
            tree.insert(key, value);
        }
        tree
    }
}

impl<K: Ord + Copy, V> Node<K, V> {
    fn insert(&mut self, key: K, value: V, edges: Edges) -> Inserted<K, V> {
        match self {
            Self::Leaf(leaf) => match leaf.binary_search_by(|(other, _)| other.cmp(&key)) {
                Ok(at) => Inserted::Replaced(std::mem::replace(&mut leaf[at].1, value)),
                Err(at) => put(leaf, at, (key, value), edges)
                    .map_or(Inserted::Done, |next| Inserted::Split(Self::Leaf(next))),
            },
            Self::Inner(children) => {
                let at = child_before(children, |first| first <= key);
                let edges_below = Edges {
                    is_first: edges.is_first && at == 0,
                    is_last: edges.is_last && at + 1 == children.len(),
                };
                let inserted = children[at].node.insert(key, value, edges_below);
                if matches!(inserted, Inserted::Replaced(_)) {
                    return inserted;
                }
                children[at].refresh();
                let Inserted::Split(next) = inserted else { return inserted };
                put(children, at + 1, Child::of(next), edges)
                    .map_or(Inserted::Done, |next| Inserted::Split(Self::Inner(next)))
            }
        }
    }

    /// Moves up to `count` entries that stand in one leaf, from a rank on, to `run`.
    fn take_run(&mut self, rank: usize, count: usize, run: &mut Vec<(K, V)>) {
        match self {
            Self::Leaf(leaf) => {
                let end = rank.saturating_add(count).min(leaf.len());
                run.extend(leaf.drain(rank..end));
                if leaf.len() <= leaf.capacity() / 4 {
                    leaf.shrink_to(leaf.len() * 2);
                }
            }
            Self::Inner(children) => {
                let Some((at, rank)) = child_at(children, rank) else { return };
                children[at].node.take_run(rank, count, run);
                if children[at].node.count() == 0 {
                    children.remove(at);
                } else {
                    children[at].refresh();
                    merge_with_neighbour(children, at);
                }
            }
        }
    }

    /// Counts entries or children.
    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Inner(children) => children.len(),
        }
    }

    fn total(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Inner(children) => children.iter().map(|child| child.total).sum(),
        }
    }

    /// Returns the first key. There must be one.
    fn first(&self) -> K {
        match self {
            Self::Leaf(leaf) => leaf[0].0,
            Self::Inner(children) => children[0].first,
        }
    }

    /// Appends all that the next node of the same depth has.
    fn append(&mut self, next: Self) {
        match (self, next) {
            (Self::Leaf(leaf), Self::Leaf(mut next)) => leaf.append(&mut next),
            (Self::Inner(children), Self::Inner(mut next)) => children.append(&mut next),
            _ => unreachable!("all leaves have the same depth"),
        }
    }

    fn for_each_mut(&mut self, visit: &mut impl FnMut(K, &mut V)) {
        match self {
            Self::Leaf(leaf) => leaf.iter_mut().for_each(|(key, value)| visit(*key, value)),
            Self::Inner(children) => {
                children.iter_mut().for_each(|child| child.node.for_each_mut(visit));
            }
        }
    }

    fn node_count(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Inner(children) => {
                1 + children.iter().map(|child| child.node.node_count()).sum::<usize>()
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Leaf(leaf) => heap_bytes(leaf),
            Self::Inner(children) => {
                let below = children.iter().map(|child| child.node.memory_bytes());
                heap_bytes(children) + below.sum::<usize>()
            }
        }
    }
}

impl<K: Ord + Copy, V> Child<K, V> {
    fn of(node: Node<K, V>) -> Self {
        Self { first: node.first(), total: node.total(), node }
    }

    /// Brings what is known of the node up to date.
    fn refresh(&mut self) {
        self.first = self.node.first();
        self.total = self.node.total();
    }
}

/// Puts something into a node; if that was full, returns what stands behind it now.
fn put<T>(node: &mut Vec<T>, at: usize, item: T, edges: Edges) -> Option<Vec<T>> {
    if node.len() < NODE_MAX {
        if node.len() == node.capacity() {
            node.reserve_exact(node.len().clamp(1, NODE_MAX - node.len()));
        }
        node.insert(at, item);
        return None;
    }
    let split_at = match at {
        _ if edges.is_last && at == node.len() => at,
        // A child that split at the begin puts its other half in second.
        0 | 1 if edges.is_first => at,
        _ => node.len() / 2,
    };
    let mut next = node.split_off(split_at);
    if at < split_at || (at == split_at && !next.is_empty()) {
        node.insert(at, item);
    } else {
        next.insert(at - split_at, item);
    }
    Some(next)
}

fn merge_with_neighbour<K: Ord + Copy, V>(children: &mut Vec<Child<K, V>>, at: usize) {
    let mut left = at.checked_sub(1).into_iter().chain((at + 1 < children.len()).then_some(at));
    let fits =
        |left: &usize| children[*left].node.count() + children[left + 1].node.count() <= MERGED_MAX;
    if let Some(left) = left.find(fits) {
        let next = children.remove(left + 1);
        children[left].node.append(next.node);
        children[left].refresh();
    }
}

/// Finds the child in which keys cease to be before something.
fn child_before<K: Copy, V>(children: &[Child<K, V>], is_before: impl Fn(K) -> bool) -> usize {
    children[1..].partition_point(|child| is_before(child.first))
}

/// Finds the child that has an entry, and its rank there.
fn child_at<K, V>(children: &[Child<K, V>], rank: usize) -> Option<(usize, usize)> {
    let mut left = rank;
    for (at, child) in children.iter().enumerate() {
        if left < child.total {
            return Some((at, left));
        }
        left -= child.total;
    }
    None
}

fn heap_bytes<T>(node: &Vec<T>) -> usize {
    Layout::array::<T>(node.capacity()).map_or(0, usable_size)
}
