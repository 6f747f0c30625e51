//! Pure: what changes a quicklist elsewhere than at its ends.
//!
//! An element goes into the node where it belongs, if that has room; else, at the edge of the
//! node, into the neighbour or a node of its own; else the node is split, and neighbours that
//! have become small are joined.

use super::{
    Beside, Quicklist, Side,
    limits::is_large,
    node::{Content, Node},
};
use crate::{
    SharedBytes,
    listpack::{At, Item, Pack},
};

/// What an entry may take beside its element, and a little more.
const ENTRY_BYTES_MAX: usize = 16;

impl Quicklist {
    /// Puts an element beside that with an index; tells whether there is one.
    pub fn insert(&mut self, index: usize, beside: Beside, element: &[u8]) -> bool {
        let Some((node, offset)) = self.locate(index) else { return false };
        self.insert_in(node, offset, beside, element);
        true
    }

    /// Puts an element in the place of that with an index; tells whether there is one.
    pub fn set(&mut self, index: usize, element: &[u8]) -> bool {
        let Some((at, offset)) = self.locate(index) else { return false };
        let node = &mut self.nodes[at];
        if let Node::Alone { is_plain: false, .. } = node {
            *node = Node::of_element(element);
            self.settle_node(at);
            return true;
        }
        let is_separate = is_large(element.len())
            || u32::try_from(node.bytes() + element.len() + ENTRY_BYTES_MAX).is_err();
        match (node.is_plain(), is_separate) {
            (false, false) => {
                node.edit(|list| list.replace(place(list, offset), Item::Bytes(element)));
                self.settle_node(at);
            }
            (true, true) => {
                *node = Node::of_element(element);
                self.settle_node(at);
            }
            (true, false) => {
                self.insert_in(at, 0, Beside::After, element);
                self.remove_nodes(at..at + 1);
            }
            (false, true) => self.set_separate(at, offset, element),
        }
        true
    }

    /// Puts an element in the place of that with an index; tells whether there is one. If both
    /// are alone in a node, it is kept as it is, without a copy.
    pub fn set_shared(&mut self, index: usize, element: &SharedBytes) -> bool {
        let Some((at, _)) = self.locate(index) else { return false };
        let node = Node::of_shared(element).filter(|_| self.nodes[at].count() == 1);
        let Some(node) = node else { return self.set(index, element) };
        self.nodes[at] = node;
        self.settle_node(at);
        true
    }

    /// Removes up to `count` elements from an index on.
    pub fn delete_range(&mut self, index: usize, count: usize) {
        let Some((mut at, mut offset)) = self.locate(index) else { return };
        let mut left = count.min(self.count - index);
        // Nodes that go entirely.
        let mut whole = if offset == 0 { at..at } else { at + 1..at + 1 };
        while left > 0 {
            let there = self.nodes[at].count();
            if offset == 0 && there <= left {
                whole.end = at + 1;
                left -= there;
            } else {
                let count = left.min(there - offset);
                self.nodes[at].edit(|list| list.delete_range(offset as i64, count));
                self.count -= count;
                self.settle_node(at);
                left -= count;
            }
            (at, offset) = (at + 1, 0);
        }
        self.remove_nodes(whole);
    }

    /// Removes up to `limit` elements that are this string, the nearest to an end first;
    /// returns how many.
    pub fn remove_equal(&mut self, element: &[u8], limit: usize, from: Side) -> usize {
        let mut emptied = Vec::new();
        let mut left = limit;
        for step in 0..self.nodes.len() {
            if left == 0 {
                break;
            }
            let at = match from {
                Side::Head => step,
                Side::Tail => self.nodes.len() - 1 - step,
            };
            let places = match self.nodes[at].content() {
                Content::Plain(bytes) if *bytes == *element => {
                    emptied.push(at);
                    left -= 1;
                    continue;
                }
                Content::Plain(_) => continue,
                Content::Packed(pack) => pack.places_of(element, left, from == Side::Tail),
            };
            left -= places.len();
            if places.len() == self.nodes[at].count() {
                emptied.push(at);
            } else if !places.is_empty() {
                self.nodes[at].edit(|list| list.delete_all(&places));
                self.count -= places.len();
                self.settle_node(at);
            }
        }
        emptied.sort_unstable();
        self.remove_scattered(&emptied);
        limit - left
    }

    fn insert_in(&mut self, at: usize, offset: usize, beside: Beside, element: &[u8]) {
        let fill = self.options.fill;
        let node = &self.nodes[at];
        let is_after = beside == Beside::After;
        // Where the new element is within the node.
        let to = offset + usize::from(is_after);
        let is_at_edge = if is_after { to == node.count() } else { to == 0 };
        let neighbour = if is_after { Some(at + 1) } else { at.checked_sub(1) };
        let neighbour = neighbour
            .filter(|at| self.nodes.get(*at).is_some_and(|node| node.allows(element.len(), fill)));
        self.count += 1;
        if node.allows(element.len(), fill) {
            self.nodes[at].edit(|list| match beside {
                Beside::Before => list.insert_before(place(list, offset), Item::Bytes(element)),
                Beside::After => list.insert_after(place(list, offset), Item::Bytes(element)),
            });
            self.settle_node(at);
            return;
        }
        if let (true, Some(neighbour)) = (is_at_edge, neighbour) {
            self.nodes[neighbour].edit(|list| match beside {
                Beside::Before => list.append(Item::Bytes(element)),
                Beside::After => list.prepend(Item::Bytes(element)),
            });
            self.settle_node(neighbour);
            return;
        }
        let new_at = at + usize::from(is_after);
        if is_at_edge || node.is_plain() {
            self.nodes.insert(new_at, Node::of_element(element));
            self.settle(new_at..new_at + 1);
            return;
        }
        self.split(at, to);
        if is_large(element.len()) {
            self.nodes.insert(at + 1, Node::of_element(element));
            self.settle(at..at + 3);
            return;
        }
        let center = match beside {
            Beside::After => {
                self.nodes[at + 1].edit(|list| list.prepend(Item::Bytes(element)));
                at
            }
            Beside::Before => {
                self.nodes[at].edit(|list| list.append(Item::Bytes(element)));
                at + 1
            }
        };
        self.merge_around(center);
    }

    /// Puts an element that must have its own node in the place of one in a listpack.
    fn set_separate(&mut self, at: usize, offset: usize, element: &[u8]) {
        let there = self.nodes[at].count();
        if offset + 1 < there {
            self.split(at, offset + 1);
        }
        self.nodes.insert(at + 1, Node::of_element(element));
        self.count += 1;
        if offset == 0 {
            self.remove_nodes(at..at + 1);
            return;
        }
        self.nodes[at].edit(|list| list.delete(place(list, offset)));
        self.count -= 1;
        self.merge_around(at + 1);
    }

    /// Makes two nodes of one: the second starts with the element at `offset`.
    fn split(&mut self, at: usize, offset: usize) {
        let behind = self.nodes[at].edit(|list| list.split_off(place(list, offset)));
        self.nodes.insert(at + 1, Node::packed(behind));
    }

    /// Joins the two before a node, the two behind it, and then it with what it has on either
    /// side, as far as limits allow.
    fn merge_around(&mut self, mut center: usize) {
        if center >= 2 && self.merge(center - 2) {
            center -= 1;
        }
        self.merge(center + 1);
        if center >= 1 && self.merge(center - 1) {
            center -= 1;
        }
        self.merge(center);
        self.settle(center..center + 1);
    }

    /// Joins a node with the next, if both are there and limits allow.
    fn merge(&mut self, at: usize) -> bool {
        let fill = self.options.fill;
        let (Some(first), Some(second)) = (self.nodes.get(at), self.nodes.get(at + 1)) else {
            return false;
        };
        if !first.allows_merge(second, fill) {
            return false;
        }
        let is_first_larger = second.bytes() <= first.bytes();
        let mut second = self.nodes.remove(at + 1).expect("it was there just now").take_list();
        self.nodes[at].edit(|first| {
            if is_first_larger {
                first.append_pack(&second);
            } else {
                second.prepend_pack(first);
                *first = second;
            }
        });
        true
    }

    fn remove_nodes(&mut self, range: std::ops::Range<usize>) {
        let start = range.start;
        self.count -= self.nodes.drain(range).map(|node| node.count()).sum::<usize>();
        self.settle(start..start);
    }

    /// Removes nodes, whose indexes are in order, in one pass.
    fn remove_scattered(&mut self, nodes: &[usize]) {
        let (mut at, mut next) = (0, nodes.iter().peekable());
        let mut removed = 0;
        if nodes.is_empty() {
            return;
        }
        self.nodes.retain(|node| {
            let goes = next.next_if(|next| **next == at).is_some();
            removed += if goes { node.count() } else { 0 };
            at += 1;
            !goes
        });
        self.count -= removed;
        self.settle(0..0);
    }
}

fn place(pack: &Pack, offset: usize) -> At {
    pack.seek(offset as i64).expect("the element was located")
}
