//! Pure: a list of strings, small or large.
//!
//! A small one is a bare [`Listpack`], a large one a [`Quicklist`]. Which of them it is shows in
//! OBJECT ENCODING, so the list does not decide by itself: who adds says so before, who removes
//! after ([`List::make_room`], [`List::shrink`], [`List::settle`]).

use std::mem;

use crate::{
    Listpack, SharedBytes,
    listpack::{Item, Iter},
    quicklist::{Beside, Options, Quicklist, Side, Walk},
};

/// A list in one word beside the tag.
#[derive(Clone, Debug)]
pub enum List {
    /// Bare elements.
    Packed(Listpack),
    /// Nodes of elements.
    Nodes(Box<Quicklist>),
}

impl List {
    /// Makes an empty list, a bare one.
    pub fn new() -> Self {
        Self::Packed(Listpack::new())
    }

    /// Counts the elements.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(list) => list.count(),
            Self::Nodes(list) => list.len(),
        }
    }

    /// Tells whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Packed(list) => list.is_empty(),
            Self::Nodes(list) => list.is_empty(),
        }
    }

    /// Gives a bare list nodes if `count` elements of `bytes` in all would be too much for it.
    /// Tells whether it did.
    pub fn make_room(&mut self, bytes: usize, count: usize, options: Options) -> bool {
        let Self::Packed(list) = self else { return false };
        let bytes = list.bytes().len().saturating_add(bytes);
        if !options.fill.is_exceeded(bytes, list.count() + count) {
            return false;
        }
        let quicklist = Quicklist::from_listpack(mem::take(list), options);
        *self = Self::Nodes(Box::new(quicklist));
        true
    }

    /// Makes a list bare that has come down to half of what a bare one may have. Tells whether
    /// it did.
    pub fn shrink(&mut self, options: Options) -> bool {
        self.make_bare(options, true)
    }

    /// Brings a list that was just built into the form that its size asks for.
    pub fn settle(&mut self, options: Options) {
        if !self.make_room(0, 0, options) {
            self.make_bare(options, false);
        }
    }

    /// Puts an element at an end.
    pub fn push(&mut self, side: Side, element: &[u8]) {
        match self {
            Self::Packed(list) => match side {
                Side::Head => list.prepend(Item::Bytes(element)),
                Side::Tail => list.append(Item::Bytes(element)),
            },
            Self::Nodes(list) => list.push(side, element),
        }
    }

    /// Puts an element at an end, without a copy if it is large and the list has nodes.
    pub fn push_shared(&mut self, side: Side, element: &SharedBytes) {
        match self {
            Self::Packed(_) => self.push(side, element),
            Self::Nodes(list) => list.push_shared(side, element),
        }
    }

    /// Returns the element at an end, if it is a large one by itself.
    pub fn end_shared(&self, side: Side) -> Option<&SharedBytes> {
        if let Self::Nodes(list) = self { list.end_shared(side) } else { None }
    }

    /// Returns the element at an end.
    #[inline]
    pub fn end(&self, side: Side) -> Option<Item<'_>> {
        match self {
            Self::Packed(list) => match side {
                Side::Head => list.iter().next(),
                Side::Tail => list.iter().next_back(),
            },
            Self::Nodes(list) => list.end(side),
        }
    }

    /// Removes the element at an end, and tells whether there was one.
    pub fn remove_end(&mut self, side: Side) -> bool {
        let list = match self {
            Self::Packed(list) => list,
            Self::Nodes(list) => return list.remove_end(side),
        };
        if side == Side::Tail {
            return list.remove_last();
        }
        let Some(at) = list.first() else { return false };
        list.delete(at);
        true
    }

    /// Returns the position that an index means, which counts from the tail if it is negative.
    pub fn position(&self, index: i64) -> Option<usize> {
        let count = self.len();
        let position = match usize::try_from(index) {
            Ok(position) => position,
            Err(_) => count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
        };
        (position < count).then_some(position)
    }

    /// Walks from the element at a position towards an end, that element first. Where no
    /// element is, it gives none.
    pub fn walk(&self, position: usize, towards: Side) -> ListWalk<'_> {
        let list = match self {
            Self::Packed(list) => list,
            Self::Nodes(list) => return ListWalk::Nodes(list.walk(position, towards)),
        };
        let at = i64::try_from(position).ok().and_then(|position| list.seek(position));
        let iter = match (at, towards) {
            (Some(at), Side::Tail) => list.iter_from(at),
            (Some(at), Side::Head) => list.iter_to(at),
            (None, _) => Iter::within(list, (0, 0)),
        };
        ListWalk::Packed(iter, towards)
    }

    /// Puts an element in the place of that at a position; tells whether there is one.
    pub fn set(&mut self, position: usize, element: &[u8]) -> bool {
        let list = match self {
            Self::Packed(list) => list,
            Self::Nodes(list) => return list.set(position, element),
        };
        let at = i64::try_from(position).ok().and_then(|position| list.seek(position));
        let Some(at) = at else { return false };
        list.replace(at, Item::Bytes(element));
        true
    }

    /// Puts an element in the place of that at a position, without a copy if it is large and
    /// alone in its node; tells whether there is one.
    pub fn set_shared(&mut self, position: usize, element: &SharedBytes) -> bool {
        match self {
            Self::Packed(_) => self.set(position, element),
            Self::Nodes(list) => list.set_shared(position, element),
        }
    }

    /// Puts an element beside the first that is `pivot`; tells whether there is one.
    pub fn insert(&mut self, pivot: &[u8], beside: Beside, element: &[u8]) -> bool {
        let list = match self {
            Self::Packed(list) => list,
            Self::Nodes(list) => {
                return list.index_of(pivot).is_some_and(|at| list.insert(at, beside, element));
            }
        };
        let Some(at) = list.first().and_then(|first| list.find(first, pivot, 0)) else {
            return false;
        };
        match beside {
            Beside::Before => list.insert_before(at, Item::Bytes(element)),
            Beside::After => list.insert_after(at, Item::Bytes(element)),
        };
        true
    }

    /// Removes up to `count` elements from a position on.
    pub fn delete_range(&mut self, position: usize, count: usize) {
        match self {
            Self::Packed(list) => {
                if let Ok(position) = i64::try_from(position) {
                    list.delete_range(position, count);
                }
            }
            Self::Nodes(list) => list.delete_range(position, count),
        }
    }

    /// Removes up to `limit` elements that are this string, the nearest to an end first;
    /// returns how many.
    pub fn remove_equal(&mut self, element: &[u8], limit: usize, from: Side) -> usize {
        let list = match self {
            Self::Packed(list) => list,
            Self::Nodes(list) => return list.remove_equal(element, limit, from),
        };
        let places = list.places_of(element, limit, from == Side::Tail);
        list.delete_all(&places);
        places.len()
    }

    /// Counts the bytes that it takes on the heap; see [`Quicklist::allocation_bytes`].
    pub fn allocation_bytes(&self, samples: usize) -> usize {
        match self {
            Self::Packed(list) => list.allocation_bytes(),
            Self::Nodes(list) => {
                base::memory::usable_bytes(size_of::<Quicklist>()) + list.allocation_bytes(samples)
            }
        }
    }

    fn make_bare(&mut self, options: Options, is_shrinking: bool) -> bool {
        let Self::Nodes(list) = self else { return false };
        if !list.may_be_bare(options.fill, is_shrinking) {
            return false;
        }
        let list = mem::replace(&mut **list, Quicklist::new(options));
        let bare = list.into_bare(options.fill, is_shrinking).expect("it may be bare");
        *self = Self::Packed(bare);
        true
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

/// Elements one after the other, each lent until the next is asked for.
#[derive(Debug)]
pub enum ListWalk<'a> {
    /// Of a bare list.
    Packed(Iter<'a>, Side),
    /// Of a list with nodes.
    Nodes(Walk<'a>),
}

impl<'a> ListWalk<'a> {
    /// Takes the next element if it is a large one by itself; if not, `next` returns it.
    #[inline]
    pub fn next_shared(&mut self) -> Option<&'a SharedBytes> {
        if let Self::Nodes(walk) = self { walk.next_shared() } else { None }
    }

    /// Returns the next element.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        match self {
            Self::Packed(iter, Side::Tail) => iter.next(),
            Self::Packed(iter, Side::Head) => iter.next_back(),
            Self::Nodes(walk) => walk.next(),
        }
    }
}
