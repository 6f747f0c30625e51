//! Pure: a listpack with free room before it, so that its first element comes and goes without
//! moving the others.
//!
//! ```text
//! bytes in all: u32 · free: u32 · free bytes · the listpack
//! ```
//! The header of the listpack moves with its start. A node at the head of a long list is kept
//! like this while it is there; what goes into files is the listpack, which is the same bytes as
//! any other.

use super::{
    HEADER_BYTES, Listpack,
    entry::{Item, encode},
    read::{At, COUNT_UNKNOWN, Pack},
};
use crate::prefixed::{LENGTH_BYTES, Prefixed};

/// What stands before the free bytes.
const START: usize = LENGTH_BYTES + size_of::<u32>();
/// So small a share of the listpack is free after a move: what is moved then is eight times what
/// can be put before it until the next.
const FREE_SHARE: usize = 8;
/// If a larger share is free, it is given back.
const FREE_SHARE_MAX: usize = 2;

/// A listpack to whose start elements come.
#[derive(Clone, Debug)]
pub(crate) struct Gapped(Prefixed);

impl Gapped {
    /// Copies a listpack behind free room.
    pub(crate) fn new(pack: &Pack) -> Self {
        let free = pack.bytes().len() / FREE_SHARE;
        Self(Prefixed::new(&[&(free as u32).to_le_bytes(), &vec![0; free], pack.bytes()]))
    }

    /// Returns the listpack.
    #[inline]
    pub(crate) fn pack(&self) -> &Pack {
        Pack::wrap(&self.0.bytes()[START + self.free()..])
    }

    /// Puts an element at the start.
    #[inline]
    pub(crate) fn prepend(&mut self, item: Item<'_>) {
        encode(item, |pieces| {
            let bytes: usize = pieces.iter().map(|piece| piece.len()).sum();
            if self.free() < bytes {
                self.set_free(bytes + self.pack().bytes().len() / FREE_SHARE);
            }
            let free = self.free() - bytes;
            let total = self.pack().bytes().len() + bytes;
            self.write_header(free, total, more(self.pack().known_count()));
            let mut to = START + free + HEADER_BYTES - LENGTH_BYTES;
            let rest = self.0.rest_mut();
            for piece in pieces {
                // Most pieces are a byte, for which calling a function is too much.
                match piece {
                    [byte] => rest[to] = *byte,
                    piece => rest[to..to + piece.len()].copy_from_slice(piece),
                }
                to += piece.len();
            }
        });
    }

    /// Puts an element at the end.
    pub(crate) fn append(&mut self, item: Item<'_>) {
        let (free, count) = (self.free(), more(self.pack().known_count()));
        encode(item, |pieces| {
            let end = self.0.len() - 1;
            self.0.splice(end, 0, pieces);
        });
        self.write_header(free, self.0.len() - START - free, count);
    }

    /// Removes the first element, of which there must be one.
    pub(crate) fn remove_first(&mut self) {
        let pack = self.pack();
        let (total, count) = (pack.bytes().len(), fewer(pack.known_count()));
        let bytes = pack.behind(HEADER_BYTES) - HEADER_BYTES;
        let free = self.free() + bytes;
        let total = total - bytes;
        self.write_header(free, total, count);
        if total / FREE_SHARE_MAX < free {
            self.set_free(total / FREE_SHARE);
        }
    }

    /// Removes the last element, of which there must be one.
    pub(crate) fn remove_last(&mut self) {
        let pack = self.pack();
        let at = pack.last().map(At::offset).expect("there is an element");
        let (bytes, count) = (pack.end() - at, fewer(pack.known_count()));
        let free = self.free();
        self.0.splice(START + free + at, bytes, &[]);
        self.write_header(free, self.0.len() - START - free, count);
    }

    /// Makes an ordinary listpack of it.
    pub(crate) fn to_listpack(&self) -> Listpack {
        Listpack::from(self.pack())
    }

    /// Counts the bytes that it takes on the heap.
    pub(crate) fn allocation_bytes(&self) -> usize {
        self.0.allocation_bytes()
    }

    #[inline]
    fn free(&self) -> usize {
        let free = self.0.bytes()[LENGTH_BYTES..].first_chunk().expect("it is always there");
        u32::from_le_bytes(*free) as usize
    }

    /// Moves the listpack, to have so many bytes free before it.
    #[cold]
    fn set_free(&mut self, free: usize) {
        let before = self.free();
        if before < free {
            self.0.splice(START, 0, &[&vec![0; free - before]]);
        } else {
            self.0.splice(START, before - free, &[]);
        }
        self.0.rest_mut()[..4].copy_from_slice(&(free as u32).to_le_bytes());
    }

    #[inline]
    fn write_header(&mut self, free: usize, total: usize, count: u16) {
        let at = START + free - LENGTH_BYTES;
        let rest = self.0.rest_mut();
        rest[..4].copy_from_slice(&(free as u32).to_le_bytes());
        rest[at..at + 4].copy_from_slice(&(total as u32).to_le_bytes());
        rest[at + 4..at + HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}

/// Once the count is not known, it stays so.
fn more(count: u16) -> u16 {
    count.saturating_add(1)
}

fn fewer(count: u16) -> u16 {
    if count == COUNT_UNKNOWN { count } else { count - 1 }
}

#[cfg(test)]
mod tests {
    use super::Gapped;
    use crate::{
        Listpack,
        listpack::{Item, tests::any_element},
        seed::for_test,
    };

    #[test]
    fn has_the_bytes_of_a_listpack() {
        let mut random = for_test("has_the_bytes_of_a_listpack");
        for _ in 0..20 {
            let mut list = Listpack::from_items([Item::Int(1), Item::Bytes(b"abc")]);
            let mut gapped = Gapped::new(&list);
            for step in 0..2_000 {
                let element = any_element(&mut random);
                let item = Item::Bytes(&element);
                let is_growing = step % 1_000 < 600;
                match random.below(6) {
                    0 | 1 if is_growing => (list.prepend(item), gapped.prepend(item)).0,
                    2 if is_growing => (list.append(item), gapped.append(item)).0,
                    3 | 0 if list.count() > 1 => {
                        list.delete_range(0, 1);
                        gapped.remove_first();
                    }
                    4 if list.count() > 1 => {
                        list.delete_range(-1, 1);
                        gapped.remove_last();
                    }
                    _ => {}
                }
                assert_eq!(*gapped.pack(), *list, "step {step}");
                assert!(gapped.free() <= 25_000.max(list.bytes().len() / 2));
            }
            assert_eq!(gapped.to_listpack(), list);
        }
    }
}
