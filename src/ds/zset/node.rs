//! Pure: the nodes of a counted B+tree: leaves of elements, inner nodes of counted children.
//!
//! A leaf keeps scores and references in two arrays: a search reads scores alone, unless they
//! are equal. An inner node knows for each child how many elements it has and which is its
//! first, exactly; so no reference in it outlives its member, and whoever changes a child
//! calls [`Inner::refresh`] for it on the way up.
//!
//! A node that is full is split in half, but the one at either end of the whole tree leaves
//! all it has behind and begins anew with what comes: so elements that come in order fill
//! their leaves. Two neighbours are merged when a removal leaves them [`MERGED_MAX`] together.
//! All leaves have the same depth, which bounds the recursion: ten levels hold more elements
//! than any memory.

use std::{alloc::Layout, cmp::Ordering};

use base::memory::usable_size;

use super::member::{IS_THERE, Key, Reference};
use crate::dict::prefetch_line;

/// Elements of a leaf: 1 KiB with its count.
const LEAF_MAX: usize = 63;
/// Children of an inner node: 2.5 KiB.
const INNER_MAX: usize = 63;
/// Scores that a processor fetches at once.
const SCORES_PER_LINE: usize = 8;
/// What neighbours may have together when they are merged, in leaves and inner nodes: so far
/// from a split that it takes many inserts.
const MERGED_MAX: usize = LEAF_MAX * 3 / 4;

/// A node, its kind the same for all at one depth.
pub(super) enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

pub(super) struct Leaf {
    count: usize,
    scores: [f64; LEAF_MAX],
    references: [Option<Reference>; LEAF_MAX],
}

pub(super) struct Inner {
    count: usize,
    /// The scores of the children's first elements.
    scores: [f64; INNER_MAX],
    /// The children's first elements.
    references: [Option<Reference>; INNER_MAX],
    /// Elements under each child.
    totals: [usize; INNER_MAX],
    children: [Option<Node>; INNER_MAX],
}

/// At which ends of the tree a node stands.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

/// Which element is meant.
#[derive(Clone, Copy)]
pub(super) enum Seek<'a> {
    Rank(usize),
    Key(&'a Key),
}

impl Node {
    pub(super) fn leaf() -> Self {
        Self::Leaf(Box::new(Leaf::new()))
    }

    /// Makes the parent of two nodes.
    pub(super) fn parent(left: Self, right: Self) -> Self {
        let mut inner = Inner::new();
        inner.put(0, left);
        inner.put(1, right);
        Self::Inner(Box::new(inner))
    }

    /// Counts the elements.
    pub(super) fn total(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.count,
            Self::Inner(inner) => inner.totals[..inner.count].iter().sum(),
        }
    }

    /// Counts elements or children.
    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.count,
            Self::Inner(inner) => inner.count,
        }
    }

    /// Returns the first element. There must be one.
    fn first(&self) -> Key {
        match self {
            Self::Leaf(leaf) => leaf.key(0),
            Self::Inner(inner) => inner.first(0),
        }
    }

    /// Returns the bytes of this node and all below.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Leaf(_) => usable_size(Layout::new::<Leaf>()),
            Self::Inner(inner) => {
                let children = inner.children().map(Self::memory_bytes);
                usable_size(Layout::new::<Inner>()) + children.sum::<usize>()
            }
        }
    }

    /// Puts an element in its place. If the node was full, returns what stands behind it now.
    pub(super) fn insert(&mut self, key: Key, edges: Edges) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => leaf.insert(key, edges).map(Self::Leaf),
            Self::Inner(inner) => inner.insert(key, edges).map(Self::Inner),
        }
    }

    /// Takes out up to `count` elements that stand in one leaf, from the one that is sought.
    /// Returns how many.
    pub(super) fn remove_run(
        &mut self,
        seek: Seek<'_>,
        count: usize,
        removed: &mut impl FnMut(Key),
    ) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.remove_run(seek, count, removed),
            Self::Inner(inner) => inner.remove_run(seek, count, removed),
        }
    }

    /// Changes the score of an element, unless it would go to another leaf.
    pub(super) fn reposition(&mut self, old: &Key, score: f64, edges: Edges) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.reposition(old, score, edges),
            Self::Inner(inner) => inner.reposition(old, score, edges),
        }
    }

    /// Takes the only child of an inner node out, if it has no other.
    pub(super) fn take_only_child(&mut self) -> Option<Self> {
        match self {
            Self::Inner(inner) if inner.count == 1 => inner.children[0].take(),
            _ => None,
        }
    }

    /// Appends all that the next node of the same depth has.
    fn append(&mut self, next: Self) {
        match (self, next) {
            (Self::Leaf(leaf), Self::Leaf(mut next)) => leaf.append(&mut next),
            (Self::Inner(inner), Self::Inner(mut next)) => inner.append(&mut next, 0),
            _ => unreachable!("all leaves have the same depth"),
        }
    }
}

impl Leaf {
    fn new() -> Self {
        Self { count: 0, scores: [0.0; LEAF_MAX], references: [None; LEAF_MAX] }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns an element.
    #[inline]
    pub(super) fn key(&self, at: usize) -> Key {
        let reference = self.references[at].expect(IS_THERE);
        Key { score: self.scores[at], reference }
    }

    /// Returns a score with its member, which is lent as long as the tree is.
    #[inline]
    pub(super) fn element(&self, at: usize) -> (&[u8], f64) {
        let reference = self.references[at].as_ref().expect(IS_THERE);
        (reference.member(), self.scores[at])
    }

    /// Asks for the member of an element, if there is one.
    #[inline]
    pub(super) fn prefetch(&self, at: usize) {
        if let Some(Some(reference)) = self.references.get(at) {
            reference.prefetch();
        }
    }

    /// Counts the elements at the begin that are before something.
    #[inline]
    pub(super) fn count_before(
        &self,
        is_before: impl Fn(f64, &Option<Reference>) -> bool,
    ) -> usize {
        // A search jumps about in them, and would wait for one line after the other.
        for scores in self.scores.chunks(SCORES_PER_LINE) {
            prefetch_line(scores.as_ptr());
        }
        partition(self.count, |at| is_before(self.scores[at], &self.references[at]))
    }

    fn seek(&self, seek: Seek<'_>) -> usize {
        match seek {
            Seek::Rank(rank) => rank,
            Seek::Key(key) => self
                .count_before(|score, reference| key.order_of(score, reference) == Ordering::Less),
        }
    }

    fn insert(&mut self, key: Key, edges: Edges) -> Option<Box<Self>> {
        let at = self.seek(Seek::Key(&key));
        if self.count < LEAF_MAX {
            self.put(at, key);
            return None;
        }
        let split_at = split_at(at, LEAF_MAX, edges);
        let mut next = Box::new(self.split_off(split_at));
        if at <= split_at && (split_at < LEAF_MAX || at < split_at) {
            self.put(at, key);
        } else {
            next.put(at - split_at, key);
        }
        Some(next)
    }

    fn put(&mut self, at: usize, key: Key) {
        self.scores.copy_within(at..self.count, at + 1);
        self.references.copy_within(at..self.count, at + 1);
        self.scores[at] = key.score;
        self.references[at] = Some(key.reference);
        self.count += 1;
    }

    fn split_off(&mut self, at: usize) -> Self {
        let mut next = Self::new();
        next.count = self.count - at;
        next.scores[..next.count].copy_from_slice(&self.scores[at..self.count]);
        next.references[..next.count].copy_from_slice(&self.references[at..self.count]);
        self.truncate(at);
        next
    }

    fn truncate(&mut self, count: usize) {
        self.references[count..self.count].fill(None);
        self.count = count;
    }

    fn append(&mut self, next: &mut Self) {
        let count = self.count + next.count;
        self.scores[self.count..count].copy_from_slice(&next.scores[..next.count]);
        self.references[self.count..count].copy_from_slice(&next.references[..next.count]);
        self.count = count;
    }

    fn remove_run(&mut self, seek: Seek<'_>, count: usize, removed: &mut impl FnMut(Key)) -> usize {
        let at = self.seek(seek);
        let end = at.saturating_add(count).min(self.count);
        (at..end).for_each(|at| removed(self.key(at)));
        self.scores.copy_within(end..self.count, at);
        self.references.copy_within(end..self.count, at);
        self.truncate(self.count - (end - at));
        end - at
    }

    fn reposition(&mut self, old: &Key, score: f64, edges: Edges) -> bool {
        let at = self.seek(Seek::Key(old));
        let new = Key { score, reference: old.reference };
        let last = self.count - 1;
        // Where it would stand among the others.
        let is_before =
            |at: usize| new.order_of(self.scores[at], &self.references[at]) == Ordering::Less;
        let to = if old.score < score {
            at + partition(last - at, |step| is_before(at + 1 + step))
        } else {
            partition(at, is_before)
        };
        // At an end of the leaf, what stands in the next leaf is not known, unless the
        // element goes away from there.
        let is_before_all = to == 0 && !edges.is_first && (at != 0 || score < old.score);
        let is_after_all = to == last && !edges.is_last && (at != last || old.score < score);
        if is_before_all || is_after_all {
            return false;
        }
        if to < at {
            self.scores.copy_within(to..at, to + 1);
            self.references.copy_within(to..at, to + 1);
        } else {
            self.scores.copy_within(at + 1..to + 1, at);
            self.references.copy_within(at + 1..to + 1, at);
        }
        self.scores[to] = score;
        self.references[to] = Some(old.reference);
        true
    }
}

impl Inner {
    fn new() -> Self {
        Self {
            count: 0,
            scores: [0.0; INNER_MAX],
            references: [None; INNER_MAX],
            totals: [0; INNER_MAX],
            children: [const { None }; INNER_MAX],
        }
    }

    fn first(&self, at: usize) -> Key {
        let reference = self.references[at].expect(IS_THERE);
        Key { score: self.scores[at], reference }
    }

    pub(super) fn child(&self, at: usize) -> &Node {
        self.children[at].as_ref().expect(IS_THERE)
    }

    fn child_mut(&mut self, at: usize) -> &mut Node {
        self.children[at].as_mut().expect(IS_THERE)
    }

    fn children(&self) -> impl Iterator<Item = &Node> {
        self.children[..self.count].iter().flatten()
    }

    /// Finds the child in which elements cease to be before something, and counts those in
    /// the children before it.
    #[inline]
    pub(super) fn seek_before(
        &self,
        is_before: impl Fn(f64, &Option<Reference>) -> bool,
    ) -> (usize, usize) {
        let at = partition(self.count - 1, |at| {
            is_before(self.scores[at + 1], &self.references[at + 1])
        });
        (at, self.totals[..at].iter().sum())
    }

    /// Finds the child that has an element, or that it belongs in.
    fn seek_key(&self, key: &Key) -> usize {
        let is_through = |score, reference: &Option<Reference>| {
            key.order_of(score, reference) != Ordering::Greater
        };
        self.seek_before(is_through).0
    }

    /// Finds the child that has an element, and its rank there.
    #[inline]
    pub(super) fn seek_rank(&self, rank: usize) -> (usize, usize) {
        let mut left = rank;
        for (at, total) in self.totals[..self.count].iter().enumerate() {
            if left < *total {
                return (at, left);
            }
            left -= total;
        }
        panic!("a rank is below the total");
    }

    fn insert(&mut self, key: Key, edges: Edges) -> Option<Box<Self>> {
        let at = self.seek_key(&key);
        let edges_below = self.edges_of(at, edges);
        let split = self.child_mut(at).insert(key, edges_below);
        self.refresh(at);
        let split = split?;
        let at = at + 1;
        if self.count < INNER_MAX {
            self.put(at, split);
            return None;
        }
        let split_at = split_at(at, INNER_MAX, edges);
        let mut next = Box::new(Self::new());
        next.append(self, split_at);
        if at <= split_at && (split_at < INNER_MAX || at < split_at) {
            self.put(at, split);
        } else {
            next.put(at - split_at, split);
        }
        Some(next)
    }

    fn remove_run(&mut self, seek: Seek<'_>, count: usize, removed: &mut impl FnMut(Key)) -> usize {
        let (at, seek) = match seek {
            Seek::Rank(rank) => {
                let (at, rank) = self.seek_rank(rank);
                (at, Seek::Rank(rank))
            }
            Seek::Key(key) => (self.seek_key(key), seek),
        };
        let count = self.child_mut(at).remove_run(seek, count, removed);
        if self.child(at).count() == 0 {
            self.take(at);
        } else {
            self.refresh(at);
            self.merge_with_neighbour(at);
        }
        count
    }

    fn reposition(&mut self, old: &Key, score: f64, edges: Edges) -> bool {
        let at = self.seek_key(old);
        let edges_below = self.edges_of(at, edges);
        let is_done = self.child_mut(at).reposition(old, score, edges_below);
        if is_done {
            self.refresh(at);
        }
        is_done
    }

    fn edges_of(&self, at: usize, edges: Edges) -> Edges {
        Edges {
            is_first: edges.is_first && at == 0,
            is_last: edges.is_last && at + 1 == self.count,
        }
    }

    fn merge_with_neighbour(&mut self, at: usize) {
        let mut left = at.checked_sub(1).into_iter().chain((at + 1 < self.count).then_some(at));
        let fits =
            |left: &usize| self.child(*left).count() + self.child(left + 1).count() <= MERGED_MAX;
        if let Some(left) = left.find(fits) {
            let next = self.take(left + 1);
            self.child_mut(left).append(next);
            self.refresh(left);
        }
    }

    /// Brings what is known of a child up to date.
    fn refresh(&mut self, at: usize) {
        let child = self.child(at);
        let (first, total) = (child.first(), child.total());
        self.scores[at] = first.score;
        self.references[at] = Some(first.reference);
        self.totals[at] = total;
    }

    fn put(&mut self, at: usize, child: Node) {
        self.scores.copy_within(at..self.count, at + 1);
        self.references.copy_within(at..self.count, at + 1);
        self.totals.copy_within(at..self.count, at + 1);
        self.children[at..=self.count].rotate_right(1);
        self.children[at] = Some(child);
        self.count += 1;
        self.refresh(at);
    }

    fn take(&mut self, at: usize) -> Node {
        let child = self.children[at].take().expect(IS_THERE);
        self.scores.copy_within(at + 1..self.count, at);
        self.references.copy_within(at + 1..self.count, at);
        self.totals.copy_within(at + 1..self.count, at);
        self.children[at..self.count].rotate_left(1);
        self.count -= 1;
        self.references[self.count] = None;
        child
    }

    /// Takes over the children that another node has from `at` on.
    fn append(&mut self, other: &mut Self, at: usize) {
        let (from, end) = (self.count, self.count + other.count - at);
        self.scores[from..end].copy_from_slice(&other.scores[at..other.count]);
        self.references[from..end].copy_from_slice(&other.references[at..other.count]);
        self.totals[from..end].copy_from_slice(&other.totals[at..other.count]);
        self.children[from..end].swap_with_slice(&mut other.children[at..other.count]);
        other.references[at..other.count].fill(None);
        self.count = end;
        other.count = at;
    }
}

/// Counts the places at the begin of `0..count` of which a claim is true that is false of all
/// that follow.
#[inline]
fn partition(count: usize, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut left) = (0, count);
    while 0 < left {
        let half = left / 2;
        if is_before(from + half) {
            from += half + 1;
            left -= half + 1;
        } else {
            left = half;
        }
    }
    from
}

/// Says where a full node is split for something to be put in at `at`.
fn split_at(at: usize, count: usize, edges: Edges) -> usize {
    if edges.is_last && at == count {
        return count;
    }
    // A child that split at the begin puts its other half in second.
    if edges.is_first && at <= 1 {
        return at;
    }
    count / 2
}
