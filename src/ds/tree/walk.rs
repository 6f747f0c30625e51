//! Pure: walks over a range of ranks, from either end.
//!
//! A walk keeps the leaf that it is in, and finds the next one by its rank.

use std::{iter::FusedIterator, ops::Range};

use super::Tree;

/// Lends keys with their values.
pub struct Entries<'a, K, V> {
    tree: &'a Tree<K, V>,
    ranks: Range<usize>,
    front: Place<'a, K, V>,
    back: Place<'a, K, V>,
}

/// A leaf, and how many of its entries stand before the place.
type Place<'a, K, V> = (&'a [(K, V)], usize);

impl<'a, K: Ord + Copy, V> Entries<'a, K, V> {
    pub(super) fn new(tree: &'a Tree<K, V>, ranks: Range<usize>) -> Self {
        Self { tree, ranks, front: (&[], 0), back: (&[], 0) }
    }
}

impl<'a, K: Ord + Copy, V> Iterator for Entries<'a, K, V> {
    type Item = (K, &'a V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next()?;
        if self.front.0.len() <= self.front.1 {
            self.front = self.tree.leaf_at(rank);
        }
        let (leaf, at) = self.front;
        self.front.1 += 1;
        leaf.get(at).map(|(key, value)| (*key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }

    fn nth(&mut self, count: usize) -> Option<Self::Item> {
        self.ranks.start = self.ranks.start.saturating_add(count).min(self.ranks.end);
        self.front = (&[], 0);
        self.next()
    }
}

impl<K: Ord + Copy, V> DoubleEndedIterator for Entries<'_, K, V> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        if self.back.1 == 0 {
            let (leaf, at) = self.tree.leaf_at(rank);
            self.back = (leaf, at + 1);
        }
        self.back.1 -= 1;
        let (leaf, at) = self.back;
        leaf.get(at).map(|(key, value)| (*key, value))
    }
}

impl<K: Ord + Copy, V> ExactSizeIterator for Entries<'_, K, V> {}

impl<K: Ord + Copy, V> FusedIterator for Entries<'_, K, V> {}

impl<'a, K: Ord + Copy, V> IntoIterator for &'a Tree<K, V> {
    type Item = (K, &'a V);
    type IntoIter = Entries<'a, K, V>;

    fn into_iter(self) -> Entries<'a, K, V> {
        self.iter()
    }
}
