//! Pure: walks over a range of ranks, from either end.
//!
//! A walk keeps the leaf that it is in. Where that ends, the next one is found by its rank:
//! once for some fifty elements a descent, for which no leaf has to know its neighbours.

use std::{iter::FusedIterator, ops::Range};

use super::{node::Leaf, order::Order};

/// Members are fetched so many elements ahead.
const PREFETCH_AHEAD: usize = 8;

/// Lends members with their scores.
pub struct Elements<'a> {
    order: &'a Order,
    ranks: Range<usize>,
    front: Option<Place<'a>>,
    back: Option<Place<'a>>,
}

/// A leaf, and how many of its elements stand before the place.
struct Place<'a> {
    leaf: &'a Leaf,
    at: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn new(order: &'a Order, ranks: Range<usize>) -> Self {
        Self { order, ranks, front: None, back: None }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next()?;
        let place = match self.front.take() {
            Some(place) if place.at < place.leaf.count() => place,
            _ => {
                let (leaf, at) = self.order.leaf_at(rank);
                (0..PREFETCH_AHEAD).for_each(|step| leaf.prefetch(at + step));
                Place { leaf, at }
            }
        };
        place.leaf.prefetch(place.at + PREFETCH_AHEAD);
        self.front = Some(Place { at: place.at + 1, ..place });
        Some(place.leaf.element(place.at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }

    fn nth(&mut self, count: usize) -> Option<Self::Item> {
        self.ranks.start = self.ranks.start.saturating_add(count).min(self.ranks.end);
        self.front = None;
        self.next()
    }
}

impl DoubleEndedIterator for Elements<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        let place = match self.back.take() {
            Some(place) if place.at != 0 => place,
            _ => {
                let (leaf, at) = self.order.leaf_at(rank);
                (0..PREFETCH_AHEAD).for_each(|step| leaf.prefetch(at.wrapping_sub(step)));
                Place { leaf, at: at + 1 }
            }
        };
        let at = place.at - 1;
        place.leaf.prefetch(at.wrapping_sub(PREFETCH_AHEAD));
        self.back = Some(Place { at, ..place });
        Some(place.leaf.element(at))
    }
}

impl ExactSizeIterator for Elements<'_> {}

impl FusedIterator for Elements<'_> {}

impl<'a> IntoIterator for &'a super::Zset {
    type Item = (&'a [u8], f64);
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}
