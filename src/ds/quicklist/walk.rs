//! Pure: a walk over the elements of a quicklist, from any of them towards either end.

use super::{Quicklist, Side, node::Content};
use crate::listpack::{Item, Iter};

/// Elements one after the other. It lends each of them until the next is asked for, because
/// what is compressed is decompressed for the walk alone.
#[derive(Debug)]
pub struct Walk<'a> {
    list: &'a Quicklist,
    towards: Side,
    /// The node that `content` is of.
    node: usize,
    content: Content<'a>,
    /// What is left of a listpack, by offsets. Of a plain node, what is not empty is all.
    left: (usize, usize),
}

impl<'a> Walk<'a> {
    /// Starts at an offset within a node, which it gives first.
    pub(super) fn new(list: &'a Quicklist, node: usize, offset: usize, towards: Side) -> Self {
        let mut walk = Self { list, towards, node, content: Content::NONE, left: (0, 0) };
        walk.enter(node);
        if let Content::Packed(pack) = &walk.content {
            let at = pack.seek(offset as i64).expect("the node has that element");
            let iter = match towards {
                Side::Tail => pack.iter_from(at),
                Side::Head => pack.iter_to(at),
            };
            walk.left = iter.range();
        }
        walk
    }

    /// Starts where nothing is.
    pub(super) fn empty(list: &'a Quicklist) -> Self {
        let node = list.nodes.len();
        Self { list, towards: Side::Tail, node, content: Content::NONE, left: (0, 0) }
    }

    /// Returns the next element.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        while self.left.0 == self.left.1 {
            let next = match self.towards {
                Side::Tail => self.node + 1,
                Side::Head => self.node.wrapping_sub(1),
            };
            if next >= self.list.nodes.len() {
                return None;
            }
            self.enter(next);
        }
        match &self.content {
            Content::Plain(element) => {
                self.left = (0, 0);
                Some(Item::Bytes(element))
            }
            Content::Packed(pack) => {
                let mut iter = Iter::within(pack, self.left);
                let item = match self.towards {
                    Side::Tail => iter.next(),
                    Side::Head => iter.next_back(),
                };
                self.left = iter.range();
                item
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.node = node;
        self.content = self.list.nodes[node].content();
        self.left = match &self.content {
            Content::Plain(_) => (0, 1),
            Content::Packed(pack) => pack.iter().range(),
        };
    }
}
