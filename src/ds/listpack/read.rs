//! Pure: a listpack that is only looked at, wherever its bytes are.

use std::fmt;

use super::{
    HEADER_BYTES,
    entry::{END, Item, back_bytes, decode, decode_back, decode_short, encoded_bytes, short_bytes},
};

/// A count that says: count yourself.
pub(super) const COUNT_UNKNOWN: u16 = u16::MAX;

/// The bytes of a listpack. To a [`super::Listpack`] it is what `str` is to `String`.
#[derive(PartialEq, Eq)]
#[repr(transparent)]
pub struct Pack([u8]);

/// The place of an element: where its bytes start, from the start of the listpack.
///
/// Good until the listpack changes before it. Another listpack may panic over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(pub(super) u32);

impl At {
    #[inline]
    pub(super) fn new(offset: usize) -> Self {
        Self(u32::try_from(offset).expect("a listpack has at most u32::MAX bytes"))
    }

    #[inline]
    pub(super) fn offset(self) -> usize {
        self.0 as usize
    }
}

impl Pack {
    /// Looks at bytes that are a listpack, as `check` has found or as they were made here.
    #[inline]
    pub(super) fn wrap(bytes: &[u8]) -> &Self {
        // SAFETY: a pack is laid out as the bytes that it has, and has no further demands.
        unsafe { &*(std::ptr::from_ref(bytes) as *const Self) }
    }

    /// Returns the bytes, which go into a file as they are.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Counts the elements. From 65,535 on all of them are walked over.
    #[inline]
    pub fn count(&self) -> usize {
        match self.known_count() {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Tells whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0[HEADER_BYTES] == END
    }

    /// Tells whether `bytes` more leave the listpack below the limit of 1 GiB.
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.0.len().checked_add(bytes).is_some_and(|bytes| bytes <= super::BYTES_MAX)
    }

    /// Returns the place of the first element.
    #[inline]
    pub fn first(&self) -> Option<At> {
        (!self.is_empty()).then_some(At(HEADER_BYTES as u32))
    }

    /// Returns the place of the last element.
    #[inline]
    pub fn last(&self) -> Option<At> {
        self.before(self.end())
    }

    /// Returns the place of the element behind another.
    #[inline]
    pub fn next(&self, at: At) -> Option<At> {
        let next = self.behind(at.offset());
        (next < self.end()).then(|| At::new(next))
    }

    /// Returns the place of the element before another.
    #[inline]
    pub fn previous(&self, at: At) -> Option<At> {
        self.before(at.offset())
    }

    /// Returns the place of the element with an index, which counts from the end if it is
    /// negative: -1 is the last.
    pub fn seek(&self, index: i64) -> Option<At> {
        let count = match self.known_count() {
            COUNT_UNKNOWN => None,
            count => Some(i64::from(count)),
        };
        let index = match count {
            Some(count) if index < 0 => index.checked_add(count).filter(|index| *index >= 0)?,
            Some(count) if index >= count => return None,
            _ => index,
        };
        let from_end = match count {
            // As Redis does: what is behind the middle is nearer to the end.
            Some(count) if index > count / 2 => index - count,
            _ => index,
        };
        let steps = usize::try_from(if from_end < 0 { -1 - from_end } else { from_end }).ok()?;
        if from_end < 0 {
            let mut at = self.last()?;
            for _ in 0..steps {
                at = self.previous(at)?;
            }
            return Some(at);
        }
        let mut at = self.first()?;
        for _ in 0..steps {
            at = self.next(at)?;
        }
        Some(at)
    }

    /// Returns the element at a place.
    #[inline]
    pub fn item(&self, at: At) -> Item<'_> {
        if let Some((short, _)) = decode_short(&self.0, at.offset()) {
            return Item::Bytes(short);
        }
        decode(&self.0, at.offset()).0
    }

    /// Finds an element at `from` or behind, looking at each one and then not at `skip` ones:
    /// with 1 every other is looked at, as the fields of a list of fields and values are.
    pub fn find(&self, from: At, element: &[u8], skip: usize) -> Option<At> {
        let integer = base::number::parse_i64(element);
        let (bytes, end) = (&self.0, self.end());
        let mut at = from.offset();
        while at < end {
            let (is_it, next) = match decode_short(bytes, at) {
                Some((short, next)) => (is_same(short, element), next),
                None => {
                    let (item, encoded) = decode(bytes, at);
                    let is_it = match item {
                        Item::Bytes(bytes) => bytes == element,
                        Item::Int(n) => integer == Some(n),
                    };
                    (is_it, at + encoded + back_bytes(encoded))
                }
            };
            if is_it {
                return Some(At::new(at));
            }
            at = next;
            for _ in 0..skip {
                if at >= end {
                    return None;
                }
                at = self.behind(at);
            }
        }
        None
    }

    /// Finds up to `limit` elements that are this string, in the order of the list: the first
    /// ones, or the last.
    pub fn places_of(&self, element: &[u8], limit: usize, are_last: bool) -> Vec<At> {
        let mut places = Vec::new();
        let mut at = self.first().filter(|_| limit > 0);
        while let Some(found) = at.and_then(|at| self.find(at, element, 0)) {
            places.push(found);
            if !are_last && places.len() == limit {
                break;
            }
            at = self.next(found);
        }
        places.drain(..places.len().saturating_sub(limit));
        places
    }

    /// Walks over all elements; either end may be taken.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: &self.0, front: HEADER_BYTES, back: self.end() }
    }

    /// Walks over the elements from a place on; taken from its end, to that place.
    pub fn iter_from(&self, at: At) -> Iter<'_> {
        Iter { bytes: &self.0, front: at.offset(), back: self.end() }
    }

    /// Walks over the elements up to a place and with it; taken from its end, from there to
    /// the first.
    pub fn iter_to(&self, at: At) -> Iter<'_> {
        Iter { bytes: &self.0, front: HEADER_BYTES, back: self.behind(at.offset()) }
    }

    /// Walks over neighbours two by two. An element without a partner is left out.
    pub fn pairs(&self) -> impl Iterator<Item = (Item<'_>, Item<'_>)> {
        let mut items = self.iter();
        std::iter::from_fn(move || Some((items.next()?, items.next()?)))
    }

    #[inline]
    pub(super) fn known_count(&self) -> u16 {
        u16::from_le_bytes([self.0[4], self.0[5]])
    }

    /// Returns where the end is marked.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.0.len() - 1
    }

    /// Returns where the next entry starts, or the end is marked.
    #[inline]
    pub(super) fn behind(&self, offset: usize) -> usize {
        if let Some(bytes) = short_bytes(self.0[offset]) {
            return offset + bytes;
        }
        let encoded = encoded_bytes(&self.0[offset..]).expect("a place is that of an entry");
        offset + encoded + back_bytes(encoded)
    }

    #[inline]
    fn before(&self, offset: usize) -> Option<At> {
        if offset <= HEADER_BYTES {
            return None;
        }
        Some(At::new(start_before(&self.0, offset)))
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Pack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Elements of a listpack, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iter<'a> {
    /// Goes on within bounds that `range` returned.
    #[inline]
    pub(crate) fn within(pack: &'a Pack, (front, back): (usize, usize)) -> Self {
        Self { bytes: &pack.0, front, back }
    }

    /// Returns what it walks over.
    pub(crate) fn pack(&self) -> &'a Pack {
        Pack::wrap(self.bytes)
    }

    /// Returns what is left: where the next entry starts and where the last one ends.
    #[inline]
    pub(crate) fn range(&self) -> (usize, usize) {
        (self.front, self.back)
    }

    fn next_long(&mut self) -> Option<Item<'a>> {
        let (item, encoded) = decode(self.bytes, self.front);
        self.front += encoded + back_bytes(encoded);
        Some(item)
    }

    /// Returns the place of what `next` gives next.
    #[inline]
    pub fn at(&self) -> Option<At> {
        (self.front < self.back).then(|| At::new(self.front))
    }

    /// Returns the place of what `next_back` gives next.
    pub fn at_back(&self) -> Option<At> {
        (self.front < self.back).then(|| At::new(start_before(self.bytes, self.back)))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        // Through memory, as the result of a function, every element would wait for its stores.
        if let Some((short, next)) = decode_short(self.bytes, self.front) {
            self.front = next;
            return Some(Item::Bytes(short));
        }
        self.next_long()
    }

    fn count(self) -> usize {
        let mut count = 0;
        let mut at = self.front;
        while at < self.back {
            let encoded = encoded_bytes(&self.bytes[at..]).expect("an entry follows another");
            at += encoded + back_bytes(encoded);
            count += 1;
        }
        count
    }

    fn nth(&mut self, n: usize) -> Option<Item<'a>> {
        for _ in 0..n {
            if self.front >= self.back {
                return None;
            }
            let encoded = encoded_bytes(&self.bytes[self.front..]).expect("an entry follows");
            self.front += encoded + back_bytes(encoded);
        }
        self.next()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back = start_before(self.bytes, self.back);
        if let Some((short, _)) = decode_short(self.bytes, self.back) {
            return Some(Item::Bytes(short));
        }
        Some(decode(self.bytes, self.back).0)
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

/// Compares strings of which most differ: the first and the last bytes of both in a word, which
/// is all of them up to 16.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let words = (a.first_chunk(), a.last_chunk(), b.first_chunk(), b.last_chunk());
    match words {
        (Some(a_first), Some(a_last), Some(b_first), Some(b_last)) => {
            u64::from_le_bytes(*a_last) == u64::from_le_bytes(*b_last)
                && u64::from_le_bytes(*a_first) == u64::from_le_bytes(*b_first)
                && (a.len() <= 16 || a == b)
        }
        // Byte by byte: a call would cost more.
        _ => a.iter().zip(b).all(|(a, b)| a == b),
    }
}

/// Returns where the entry starts that ends before `end`.
#[inline]
fn start_before(bytes: &[u8], end: usize) -> usize {
    let encoded = decode_back(bytes, end).expect("every entry ends with its length");
    end - encoded - back_bytes(encoded)
}
