//! Pure: a node of a quicklist: elements in a listpack, or one large element by itself, either
//! of them compressed or not.
//!
//! An element that no listpack would share with another stands in the buffer that it came in,
//! which others may hold, too; nobody changes it there. Files have most of them as a listpack of
//! one element, which is made when it is asked for.

use std::{
    borrow::Cow,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use base::lzf::{self, Compressor};

use super::{
    Side,
    limits::{ALONE_BYTES_MIN, Fill, is_large},
};
use crate::{
    Depth, Listpack, SharedBytes,
    listpack::{Gapped, Item, Pack, long_entry_bytes},
    prefixed::{LENGTH_BYTES, Prefixed},
    shared_allocation_bytes,
};

/// What has fewer bytes is not compressed.
const COMPRESSED_FROM_BYTES: usize = 48;
/// Compression must save more than this.
const SAVED_BYTES_MIN: usize = 8;

/// Moving fewer bytes is cheap.
const GAPPED_FROM_BYTES: usize = 1_024;
/// A gap is for a few elements at least.
const GAPPED_ELEMENTS_MIN: usize = 16;

/// Its table is too large to be made for each node, and to stand in each list. It is made when
/// the first node is compressed.
static COMPRESSOR: Mutex<Option<Compressor>> = Mutex::new(None);

/// 16 bytes, besides the allocation that it owns.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Packed {
        list: Listpack,
        count: u32,
    },
    /// A listpack to whose start elements come and go; most often the first node.
    Gapped {
        list: Gapped,
        count: u32,
    },
    /// One large element.
    Alone {
        element: SharedBytes,
        /// Whether files have it bare, not in a listpack.
        is_plain: bool,
    },
    Lzf {
        data: Lzf,
        /// Of its elements.
        count: u32,
        is_plain: bool,
    },
}

/// Compressed bytes, behind their length and that of what they were.
#[derive(Clone, Debug)]
pub(super) struct Lzf(Prefixed);

/// A node as files have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView<'a> {
    /// Whether it is one large element rather than a listpack.
    pub is_plain: bool,
    /// How many elements it has.
    pub count: usize,
    /// Its bytes before compression: of the listpack or the element.
    pub bytes: usize,
    /// What it keeps.
    pub data: NodeData<'a>,
}

/// The bytes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeData<'a> {
    /// A listpack or an element.
    Raw(&'a [u8]),
    /// A listpack that was made for this view.
    Made(Listpack),
    /// The bytes of either, compressed by LZF.
    Lzf(&'a [u8]),
}

/// The content of a node to be read, decompressed for it if need be.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Packed(Cow<'a, Pack>),
    Plain(Cow<'a, [u8]>),
}

impl Node {
    /// Makes a node of one element, of the kind that its size asks for.
    pub(super) fn of_element(element: &[u8]) -> Self {
        if is_alone(element.len()) {
            return Self::alone(Arc::new(element.to_vec()));
        }
        Self::Packed { list: Listpack::from_items([Item::Bytes(element)]), count: 1 }
    }

    /// Makes a node of an element that others hold, too, if such a one can be alone.
    pub(super) fn of_shared(element: &SharedBytes) -> Option<Self> {
        is_alone(element.len()).then(|| Self::alone(element.clone()))
    }

    fn alone(element: SharedBytes) -> Self {
        let is_plain = is_large(element.len());
        Self::Alone { element, is_plain }
    }

    /// Makes a node of an element that files have bare.
    pub(super) fn plain(element: Vec<u8>) -> Self {
        Self::Alone { element: Arc::new(element), is_plain: true }
    }

    pub(super) fn packed(list: Listpack) -> Self {
        let count = u32::try_from(list.count()).expect("a listpack has fewer elements than bytes");
        Self::Packed { list, count }
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Packed { count, .. } | Self::Gapped { count, .. } | Self::Lzf { count, .. } => {
                *count as usize
            }
            Self::Alone { .. } => 1,
        }
    }

    /// Counts the bytes of its content, not compressed.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Packed { list, .. } => list.bytes().len(),
            Self::Gapped { list, .. } => list.pack().bytes().len(),
            Self::Alone { element, is_plain: true } => element.len(),
            Self::Alone { element, .. } => Listpack::EMPTY_BYTES + long_entry_bytes(element.len()),
            Self::Lzf { data, .. } => data.bytes_before(),
        }
    }

    /// Tells whether files have it as a bare element.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Alone { is_plain: true, .. } | Self::Lzf { is_plain: true, .. })
    }

    /// Returns its element, if that stands by itself.
    pub(super) fn shared(&self) -> Option<&SharedBytes> {
        if let Self::Alone { element, .. } = self { Some(element) } else { None }
    }

    /// Tells whether it may take one more element of so many bytes.
    #[inline]
    pub(super) fn allows(&self, element_bytes: usize, fill: Fill) -> bool {
        let (bytes, count) = (self.bytes(), self.count());
        !self.is_plain()
            && !is_large(element_bytes)
            && fill.allows_one_more(bytes, count, element_bytes)
    }

    /// Tells whether both may become one.
    pub(super) fn allows_merge(&self, other: &Self, fill: Fill) -> bool {
        // One header and one end less.
        let bytes = (self.bytes() + other.bytes()).saturating_sub(Listpack::EMPTY_BYTES);
        !self.is_plain()
            && !other.is_plain()
            && !fill.is_exceeded(bytes, self.count() + other.count())
    }

    pub(super) fn content(&self) -> Content<'_> {
        match self {
            Self::Packed { list, .. } => Content::Packed(Cow::Borrowed(list)),
            Self::Gapped { list, .. } => Content::Packed(Cow::Borrowed(list.pack())),
            Self::Alone { element, .. } => Content::Plain(Cow::Borrowed(element)),
            Self::Lzf { data, is_plain: true, .. } => Content::Plain(Cow::Owned(data.decompress())),
            Self::Lzf { data, .. } => Content::Packed(Cow::Owned(data.listpack())),
        }
    }

    pub(super) fn view(&self) -> NodeView<'_> {
        let data = match self {
            Self::Packed { list, .. } => NodeData::Raw(list.bytes()),
            Self::Gapped { list, .. } => NodeData::Raw(list.pack().bytes()),
            Self::Alone { element, is_plain: true } => NodeData::Raw(element),
            Self::Alone { element, .. } => NodeData::Made(listpack_of(element)),
            Self::Lzf { data, .. } => NodeData::Lzf(data.data()),
        };
        NodeView { is_plain: self.is_plain(), count: self.count(), bytes: self.bytes(), data }
    }

    /// Compresses it, if that is worth it.
    pub(super) fn compress(&mut self) {
        let made;
        let (bytes, count, is_plain) = match self {
            Self::Packed { list, count } => (list.bytes(), *count, false),
            Self::Gapped { list, count } => (list.pack().bytes(), *count, false),
            Self::Alone { element, is_plain: true } => (&element[..], 1, true),
            Self::Alone { element, .. } => {
                made = listpack_of(element);
                (made.bytes(), 1, false)
            }
            Self::Lzf { .. } => return,
        };
        if let Some(data) = Lzf::compress(bytes) {
            *self = Self::Lzf { data, count, is_plain };
        }
    }

    pub(super) fn decompress(&mut self) {
        let Self::Lzf { data, count, is_plain } = self else { return };
        *self = match is_plain {
            true => Self::plain(data.decompress()),
            false => Self::Packed { list: data.listpack(), count: *count },
        };
    }

    /// Makes an ordinary listpack of one with a gap.
    pub(super) fn close_gap(&mut self) {
        if let Self::Gapped { list, count } = self {
            *self = Self::Packed { list: list.to_listpack(), count: *count };
        }
    }

    /// Puts an element at an end of the listpack that the node must be, not compressed.
    #[inline]
    pub(super) fn push(&mut self, side: Side, element: &[u8]) {
        let item = Item::Bytes(element);
        if side == Side::Head {
            self.open_gap(element.len());
        }
        match (self, side) {
            (Self::Packed { list, count }, Side::Tail) => {
                *count += 1;
                list.append(item);
            }
            (Self::Packed { list, count }, Side::Head) => {
                *count += 1;
                list.prepend(item);
            }
            (Self::Gapped { list, count }, Side::Tail) => {
                *count += 1;
                list.append(item);
            }
            (Self::Gapped { list, count }, Side::Head) => {
                *count += 1;
                list.prepend(item);
            }
            (Self::Alone { .. } | Self::Lzf { .. }, _) => panic!("the node is no listpack"),
        }
    }

    /// Removes the element at an end, and tells whether it did: the last one is not removed, and
    /// large ones are nodes by themselves.
    #[inline]
    pub(super) fn remove_end(&mut self, side: Side) -> bool {
        if self.count() < 2 {
            return false;
        }
        if side == Side::Head {
            self.open_gap(0);
        }
        match (self, side) {
            (Self::Packed { list, count }, Side::Tail) => {
                list.remove_last();
                *count -= 1;
            }
            (Self::Packed { list, count }, Side::Head) => {
                list.delete(list.first().expect("no node is empty"));
                *count -= 1;
            }
            (Self::Gapped { list, count }, Side::Tail) => {
                list.remove_last();
                *count -= 1;
            }
            (Self::Gapped { list, count }, Side::Head) => {
                list.remove_first();
                *count -= 1;
            }
            (Self::Alone { .. } | Self::Lzf { .. }, _) => panic!("the ends are not compressed"),
        }
        true
    }

    /// Makes room before the elements, if moving them each time would cost more.
    #[inline]
    fn open_gap(&mut self, element_bytes: usize) {
        if let Self::Packed { list, count } = self {
            let bytes = list.bytes().len();
            if GAPPED_FROM_BYTES <= bytes && element_bytes < bytes / GAPPED_ELEMENTS_MIN {
                *self = Self::Gapped { list: Gapped::new(list), count: *count };
            }
        }
    }

    /// Changes the listpack of the node, which must be one, and leaves it decompressed.
    pub(super) fn edit<R>(&mut self, change: impl FnOnce(&mut Listpack) -> R) -> R {
        self.decompress();
        self.close_gap();
        if let Self::Alone { element, is_plain: false } = self {
            *self = Self::Packed { list: listpack_of(element), count: 1 };
        }
        let Self::Packed { list, count } = self else { panic!("the node is no listpack") };
        let result = change(list);
        *count = list.count() as u32;
        result
    }

    /// Takes the listpack out of the node, which must be one.
    pub(super) fn take_list(&mut self) -> Listpack {
        self.edit(mem::take)
    }

    /// Counts the bytes that it takes on the heap.
    pub(super) fn allocation_bytes(&self) -> usize {
        match self {
            Self::Packed { list, .. } => list.allocation_bytes(),
            Self::Gapped { list, .. } => list.allocation_bytes(),
            Self::Alone { element, .. } => shared_allocation_bytes(element),
            Self::Lzf { data, .. } => data.0.allocation_bytes(),
        }
    }
}

/// Whether an element of so many bytes shares its node with no other.
fn is_alone(element_bytes: usize) -> bool {
    is_large(element_bytes) || ALONE_BYTES_MIN <= element_bytes
}

fn listpack_of(element: &[u8]) -> Listpack {
    Listpack::from_items([Item::Bytes(element)])
}

impl Lzf {
    fn compress(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < COMPRESSED_FROM_BYTES {
            return None;
        }
        let before = u32::try_from(bytes.len()).ok()?;
        // A panic under the lock leaves nothing half done that the next string would see.
        let mut compressor = COMPRESSOR.lock().unwrap_or_else(PoisonError::into_inner);
        let compressor = compressor.get_or_insert_with(Compressor::default);
        let data = compressor.compress(bytes, bytes.len())?;
        let is_worth_it = data.len() + SAVED_BYTES_MIN < bytes.len();
        is_worth_it.then(|| Self(Prefixed::new(&[&before.to_le_bytes(), data])))
    }

    fn bytes_before(&self) -> usize {
        let before = self.0.bytes()[LENGTH_BYTES..].first_chunk().expect("it is always written");
        u32::from_le_bytes(*before) as usize
    }

    fn data(&self) -> &[u8] {
        &self.0.bytes()[2 * LENGTH_BYTES..]
    }

    fn decompress(&self) -> Vec<u8> {
        lzf::decompress(self.data(), self.bytes_before()).expect("it was compressed here")
    }

    fn listpack(&self) -> Listpack {
        Listpack::from_bytes(&self.decompress(), Depth::Header).expect("it was a listpack")
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn takes_two_words() {
        assert_eq!(size_of::<Node>(), 16);
    }
}
