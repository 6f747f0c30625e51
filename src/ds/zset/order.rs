//! Pure: the order of a sorted set: a counted B+tree of references to members.

use super::{
    member::{Key, Reference},
    node::{Edges, Leaf, Node, Seek},
};

const WHOLE: Edges = Edges { is_first: true, is_last: true };

/// Elements by score and member, with their ranks.
#[derive(Default)]
pub(super) struct Order {
    /// A root has an element.
    root: Option<Node>,
}

impl Order {
    pub(super) const fn new() -> Self {
        Self { root: None }
    }

    /// Puts in an element that is not there.
    pub(super) fn insert(&mut self, key: Key) {
        let root = self.root.get_or_insert_with(Node::leaf);
        if let Some(next) = root.insert(key, WHOLE)
            && let Some(root) = self.root.take()
        {
            self.root = Some(Node::parent(root, next));
        }
    }

    /// Takes out an element that is there.
    pub(super) fn remove(&mut self, key: &Key) {
        let mut is_it = false;
        self.remove_run(Seek::Key(key), 1, &mut |removed: Key| {
            is_it = removed.reference == key.reference;
        });
        assert!(is_it, "a member stands in the order by its score");
    }

    /// Takes out up to `count` elements from a rank on, as many as stand in one leaf.
    pub(super) fn remove_from(&mut self, rank: usize, count: usize, mut removed: impl FnMut(Key)) {
        self.remove_run(Seek::Rank(rank), count, &mut removed);
    }

    fn remove_run(&mut self, seek: Seek<'_>, count: usize, removed: &mut impl FnMut(Key)) {
        let Some(root) = &mut self.root else { return };
        root.remove_run(seek, count, removed);
        // As high as the tree is, at most.
        while let Some(child) = root.take_only_child() {
            *root = child;
        }
        if root.total() == 0 {
            self.root = None;
        }
    }

    /// Gives an element that is there another score.
    pub(super) fn change_score(&mut self, key: &Key, score: f64) {
        let Some(root) = &mut self.root else { return };
        if !root.reposition(key, score, WHOLE) {
            self.remove(key);
            self.insert(Key { score, reference: key.reference });
        }
    }

    /// Counts the elements that come before something: `is_before` is true of some at the
    /// begin, and false of all others.
    pub(super) fn count_before(
        &self,
        is_before: impl Fn(f64, &Option<Reference>) -> bool,
    ) -> usize {
        let Some(mut node) = self.root.as_ref() else { return 0 };
        let mut rank = 0;
        loop {
            match node {
                Node::Leaf(leaf) => return rank + leaf.count_before(&is_before),
                Node::Inner(inner) => {
                    let (at, before) = inner.seek_before(&is_before);
                    rank += before;
                    node = inner.child(at);
                }
            }
        }
    }

    /// Returns the leaf that holds an element, and where in it that is.
    ///
    /// # Panics
    /// If there are not so many elements.
    pub(super) fn leaf_at(&self, rank: usize) -> (&Leaf, usize) {
        let mut node = self.root.as_ref().expect("a rank is below the total");
        let mut rank = rank;
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank),
                Node::Inner(inner) => {
                    let (at, rank_below) = inner.seek_rank(rank);
                    rank = rank_below;
                    node = inner.child(at);
                }
            }
        }
    }

    /// Returns the bytes of all nodes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.root.as_ref().map_or(0, Node::memory_bytes)
    }

    /// Forgets all elements.
    pub(super) fn clear(&mut self) {
        self.root = None;
    }
}

impl Key {
    /// The element of a member that lives.
    pub(super) fn new(score: f64, reference: Reference) -> Self {
        Self { score, reference }
    }
}
