//! Pure: what changes a listpack.
//!
//! Everything is `splice`: bytes go, others come in their place, the tail moves, once.
//! Each change keeps the count in the header if it is known. At 65,535 it ceases to be, and
//! stays so until somebody counts: [`Listpack::recount`].

use super::{
    HEADER_BYTES, Listpack,
    entry::{Item, encode},
    read::{At, COUNT_UNKNOWN, Pack},
};
use crate::prefixed::LENGTH_BYTES;

impl Listpack {
    /// Puts an element before another, and returns its place.
    ///
    /// # Panics
    /// As all that make it larger: if it would have more than `u32::MAX` bytes. Whoever adds
    /// what a peer sends asks `has_room_for` before.
    pub fn insert_before(&mut self, at: At, item: Item<'_>) -> At {
        self.insert_at(at.offset(), item);
        at
    }

    /// Puts an element behind another, and returns its place.
    pub fn insert_after(&mut self, at: At, item: Item<'_>) -> At {
        let behind = self.behind(at.offset());
        self.insert_at(behind, item);
        At::new(behind)
    }

    /// Puts an element at the end.
    #[inline]
    pub fn append(&mut self, item: Item<'_>) {
        self.insert_at(self.end(), item);
    }

    /// Puts an element at the start.
    #[inline]
    pub fn prepend(&mut self, item: Item<'_>) {
        self.insert_at(HEADER_BYTES, item);
    }

    /// Puts two elements at the end, as [`Self::insert_two`].
    #[inline]
    pub fn append_two(&mut self, first: Item<'_>, second: Item<'_>) {
        self.insert_two_at(self.end(), first, second);
    }

    /// Puts two elements before another, with one move of the bytes.
    pub fn insert_two(&mut self, at: At, first: Item<'_>, second: Item<'_>) {
        self.insert_two_at(at.offset(), first, second);
    }

    /// Removes the last element, and tells whether there was one.
    #[inline]
    pub fn remove_last(&mut self) -> bool {
        let Some(at) = self.last() else { return false };
        let removed = self.end() - at.offset();
        self.0.splice(at.offset(), removed, &[]);
        self.note_fewer(1);
        true
    }

    /// Puts elements at the end, in their order, with one move of the bytes.
    pub fn append_all(&mut self, items: &[Item<'_>]) {
        let most = items.iter().map(|item| item.bytes_max()).sum();
        let mut batch = Vec::with_capacity(most);
        for item in items {
            encode(*item, |pieces| pieces.iter().for_each(|piece| batch.extend_from_slice(piece)));
        }
        let end = self.end();
        self.0.splice(end, 0, &[&batch]);
        self.note_more(items.len());
    }

    /// Puts all elements of another list behind its own.
    pub fn append_pack(&mut self, other: &Pack) {
        self.join(self.end(), other);
    }

    /// Puts all elements of another list before its own.
    pub fn prepend_pack(&mut self, other: &Pack) {
        self.join(HEADER_BYTES, other);
    }

    /// Puts an element in the place of another.
    pub fn replace(&mut self, at: At, item: Item<'_>) {
        let removed = self.behind(at.offset()) - at.offset();
        encode(item, |pieces| self.0.splice(at.offset(), removed, pieces));
    }

    /// Removes an element, and returns the place of the next.
    pub fn delete(&mut self, at: At) -> Option<At> {
        self.delete_from(at, 1)
    }

    /// Removes up to `count` elements from a place on, and returns the place of the next.
    pub fn delete_from(&mut self, at: At, count: usize) -> Option<At> {
        let (mut behind, mut deleted) = (at.offset(), 0);
        while deleted < count && behind < self.end() {
            behind = self.behind(behind);
            deleted += 1;
        }
        self.0.splice(at.offset(), behind - at.offset(), &[]);
        self.note_fewer(deleted);
        (at.offset() < self.end()).then_some(at)
    }

    /// Removes up to `count` elements from an index on, which is negative to count from the
    /// end. Nothing happens if there is no such element.
    pub fn delete_range(&mut self, index: i64, count: usize) {
        if count == 0 {
            return;
        }
        let Some(at) = self.seek(index) else { return };
        let known = self.known_count();
        if known == COUNT_UNKNOWN {
            self.delete_from(at, count);
            return;
        }
        let known = usize::from(known);
        let index =
            usize::try_from(index).unwrap_or_else(|_| known - index.unsigned_abs() as usize);
        if count < known - index {
            self.delete_from(at, count);
            return;
        }
        // All that follows goes: no need to walk over it.
        let removed = self.end() - at.offset();
        self.0.splice(at.offset(), removed, &[]);
        self.set_count(index);
    }

    /// Removes elements, whose places are in their order, with one move of the bytes.
    ///
    /// # Panics
    /// If the places are not in order.
    pub fn delete_all(&mut self, places: &[At]) {
        let Some(first) = places.first() else { return };
        let mut kept_to = first.offset();
        for (at, place) in places.iter().enumerate() {
            let from = self.behind(place.offset());
            let to = places.get(at + 1).map_or(self.end(), |next| next.offset());
            assert!(from <= to, "places are in order");
            self.0
                .rest_mut()
                .copy_within(from - LENGTH_BYTES..to - LENGTH_BYTES, kept_to - LENGTH_BYTES);
            kept_to += to - from;
        }
        let removed = self.end() - kept_to;
        self.0.splice(kept_to, removed, &[]);
        self.note_fewer(places.len());
    }

    /// Keeps the elements before a place and returns the others.
    pub fn split_off(&mut self, at: At) -> Self {
        let known = self.known_count();
        let mut behind = Self::new();
        let moved = &self.bytes()[at.offset()..self.end()];
        behind.0.splice(HEADER_BYTES, 0, &[moved]);
        let removed = moved.len();
        self.0.splice(at.offset(), removed, &[]);
        // One walk, over the shorter of both.
        let is_shorter = removed < at.offset();
        let (shorter, longer) = if is_shorter { (&mut behind, self) } else { (self, &mut behind) };
        let count = shorter.iter().count();
        shorter.set_count(count);
        match known {
            COUNT_UNKNOWN => longer.set_count(longer.iter().count()),
            known => longer.set_count(usize::from(known) - count),
        }
        behind
    }

    /// Counts the elements, and notes the count if it was not known.
    pub fn recount(&mut self) -> usize {
        let count = self.count();
        if self.known_count() == COUNT_UNKNOWN {
            self.set_count(count);
        }
        count
    }

    fn insert_at(&mut self, offset: usize, item: Item<'_>) {
        encode(item, |pieces| self.0.splice(offset, 0, pieces));
        self.note_more(1);
    }

    #[inline]
    fn insert_two_at(&mut self, offset: usize, first: Item<'_>, second: Item<'_>) {
        encode(first, |first| {
            encode(second, |second| {
                let [a, b, c] = three(first);
                let [d, e, f] = three(second);
                self.0.splice(offset, 0, &[a, b, c, d, e, f]);
            });
        });
        self.note_more(2);
    }

    fn join(&mut self, offset: usize, other: &Pack) {
        let count = self.count() + other.count();
        let entries = &other.bytes()[HEADER_BYTES..other.end()];
        self.0.splice(offset, 0, &[entries]);
        self.set_count(count);
    }

    fn note_more(&mut self, more: usize) {
        match self.known_count() {
            COUNT_UNKNOWN => {}
            count => self.set_count(usize::from(count) + more),
        }
    }

    fn note_fewer(&mut self, fewer: usize) {
        match self.known_count() {
            COUNT_UNKNOWN => {}
            count => self.set_count(usize::from(count).saturating_sub(fewer)),
        }
    }

    fn set_count(&mut self, count: usize) {
        let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
        self.0.rest_mut()[..2].copy_from_slice(&count.to_le_bytes());
    }
}

impl<'a> Extend<Item<'a>> for Listpack {
    fn extend<T: IntoIterator<Item = Item<'a>>>(&mut self, items: T) {
        items.into_iter().for_each(|item| self.append(item));
    }
}

/// Returns the pieces of an entry, of which there are three at most.
#[inline]
fn three<'a>(pieces: &[&'a [u8]]) -> [&'a [u8]; 3] {
    let piece = |at: usize| pieces.get(at).copied().unwrap_or_default();
    [piece(0), piece(1), piece(2)]
}
