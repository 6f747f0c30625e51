//! Pure: a walk over the elements of a quicklist, from any of them towards either end.

use std::borrow::Cow;

use super::{Quicklist, Side, node::Content};
use crate::{
    Listpack, SharedBytes,
    listpack::{Item, Iter, Pack},
};

/// Elements one after the other. It lends each of them until the next is asked for, because
/// what is compressed is decompressed for the walk alone.
#[derive(Debug)]
pub struct Walk<'a> {
    list: &'a Quicklist,
    towards: Side,
    /// The node that `left` is of.
    node: usize,
    left: Left<'a>,
}

/// What is left of a node.
#[derive(Debug)]
enum Left<'a> {
    Nothing,
    Packed(Iter<'a>),
    /// A listpack of the walk's own, and what is left of it.
    Decompressed(Listpack, (usize, usize)),
    Plain(Cow<'a, [u8]>),
    /// What was lent last, and is all of its node.
    Lent(Cow<'a, [u8]>),
}

impl<'a> Walk<'a> {
    /// Starts at an offset within a node, which it gives first.
    pub(super) fn new(list: &'a Quicklist, node: usize, offset: usize, towards: Side) -> Self {
        let mut walk = Self { list, towards, node, left: Left::Nothing };
        walk.enter(node);
        let from = |pack: &Pack| {
            let at = pack.seek(offset as i64).expect("the node has that element");
            let iter = match towards {
                Side::Tail => pack.iter_from(at),
                Side::Head => pack.iter_to(at),
            };
            iter.range()
        };
        match &mut walk.left {
            Left::Packed(iter) => *iter = Iter::within(iter.pack(), from(iter.pack())),
            Left::Decompressed(list, range) => *range = from(list),
            _ => {}
        }
        walk
    }

    /// Starts where nothing is.
    pub(super) fn empty(list: &'a Quicklist) -> Self {
        Self { list, towards: Side::Tail, node: list.nodes.len(), left: Left::Nothing }
    }

    /// Returns the next element.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        if let Left::Packed(iter) = &mut self.left
            && let Some(item) = step(iter, self.towards)
        {
            return Some(item);
        }
        self.next_elsewhere()
    }

    /// Takes the next element if it is a large one by itself; if not, `next` returns it.
    #[inline]
    pub fn next_shared(&mut self) -> Option<&'a SharedBytes> {
        if matches!(&self.left, Left::Packed(iter) if iter.at().is_some()) {
            return None;
        }
        self.next_alone()
    }

    fn next_alone(&mut self) -> Option<&'a SharedBytes> {
        if !self.go_on() {
            return None;
        }
        let element = self.list.nodes[self.node].shared()?;
        self.left = Left::Nothing;
        Some(element)
    }

    fn next_elsewhere(&mut self) -> Option<Item<'_>> {
        if !self.go_on() {
            return None;
        }
        if let Left::Plain(element) = &mut self.left {
            self.left = Left::Lent(std::mem::take(element));
        }
        match &mut self.left {
            Left::Packed(iter) => step(iter, self.towards),
            Left::Decompressed(list, range) => {
                let mut iter = Iter::within(list, *range);
                let item = step(&mut iter, self.towards);
                *range = iter.range();
                item
            }
            Left::Lent(element) => Some(Item::Bytes(element)),
            Left::Nothing | Left::Plain(_) => None,
        }
    }

    /// Goes on to the node of the next element; tells whether there is one.
    fn go_on(&mut self) -> bool {
        while !self.has_next() {
            let next = match self.towards {
                Side::Tail => self.node + 1,
                Side::Head => self.node.wrapping_sub(1),
            };
            if next >= self.list.nodes.len() {
                return false;
            }
            self.enter(next);
        }
        true
    }

    fn has_next(&self) -> bool {
        match &self.left {
            Left::Packed(iter) => iter.at().is_some(),
            Left::Decompressed(_, (front, back)) => front < back,
            Left::Plain(_) => true,
            Left::Nothing | Left::Lent(_) => false,
        }
    }

    fn enter(&mut self, node: usize) {
        self.node = node;
        self.left = match self.list.nodes[node].content() {
            Content::Plain(element) => Left::Plain(element),
            Content::Packed(Cow::Borrowed(pack)) => Left::Packed(pack.iter()),
            Content::Packed(Cow::Owned(list)) => {
                let range = list.iter().range();
                Left::Decompressed(list, range)
            }
        };
    }
}

/// Takes the next element on the way towards an end.
#[inline]
pub(super) fn step<'a>(iter: &mut Iter<'a>, towards: Side) -> Option<Item<'a>> {
    match towards {
        Side::Tail => iter.next(),
        Side::Head => iter.next_back(),
    }
}
