//! Pure: a node of a stream: some entries in one listpack, in the bytes that Redis has.
//!
//! ```text
//! node     live · deleted · names: how many, each · 0     entry     entry …
//! entry    flags · ms · seq · names and values · how many elements these are
//! ```
//! A node has a number, that of its first entry; numbers of entries are distances from it. An
//! entry that has the names of the node (flag 2) has just its values; else how many there are,
//! and name, value, name, value. What is deleted stays where it is, with a mark (flag 1). The
//! last element of an entry leads to its start when one comes from behind; the 0 in its place
//! behind the names says that the entries end there.
//!
//! Bytes from elsewhere are looked through by [`check`], so that nothing here can fail. Numbers in
//! them may still be in no order: then ranges mean little, but nothing panics.

use ds::{
    Listpack,
    listpack::{At, Item, Iter, Pack},
};

use super::{Entry, StreamId};

/// The entry was deleted.
const DELETED: i64 = 1;
/// The entry has the names of the node.
const SAME_NAMES: i64 = 2;
/// Whoever reads on looks for one of the last entries: so many are tried from behind.
const TRIED_FROM_BEHIND: usize = 16;

/// A node that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    master: StreamId,
    pack: &'a Pack,
    /// Entries that are not deleted.
    pub(super) live: u64,
    name_count: usize,
    /// Begins with the first of the names.
    names: Iter<'a>,
    /// Begins with the first entry.
    entries: Iter<'a>,
}

/// What stands before the names and values of an entry, whether it is deleted or not.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) id: StreamId,
    /// Where the flags stand.
    pub(super) at: At,
    pub(super) flags: i64,
    pair_count: usize,
}

impl Head {
    #[inline]
    pub(super) fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    fn has_same_names(&self) -> bool {
        self.flags & SAME_NAMES != 0
    }
}

impl<'a> Node<'a> {
    #[inline]
    pub(super) fn new(master: StreamId, pack: &'a Pack) -> Self {
        let mut items = pack.iter();
        let live = count(&mut items);
        items.next();
        let name_count = count(&mut items) as usize;
        let names = items.clone();
        // The names, and the end of the entries for who comes from behind.
        items.nth(name_count);
        Self { master, pack, live, name_count, names, entries: items }
    }

    /// Returns all entries, for `next` and `previous` to take from.
    #[inline]
    pub(super) fn entries(&self) -> Iter<'a> {
        self.entries.clone()
    }

    /// Returns the entries from a number on, and some before it.
    pub(super) fn entries_from(&self, min: StreamId) -> Iter<'a> {
        if self.master < min {
            let mut items = self.entries();
            for _ in 0..TRIED_FROM_BEHIND {
                match self.previous(&mut items) {
                    Some((head, _)) if min <= head.id => {}
                    Some((head, _)) => return self.pack.iter_from(head.at),
                    None => break,
                }
            }
        }
        self.entries()
    }

    /// Takes the next entry, and returns its head and the elements behind that.
    #[inline]
    pub(super) fn next(&self, items: &mut Iter<'a>) -> Option<(Head, Iter<'a>)> {
        let (head, rest) = self.head(items)?;
        let element_count = head.pair_count * if head.has_same_names() { 1 } else { 2 };
        // Behind these stands how many they are.
        items.nth(element_count);
        Some((head, rest))
    }

    /// Takes the last entry, and returns the same of it.
    pub(super) fn previous(&self, items: &mut Iter<'a>) -> Option<(Head, Iter<'a>)> {
        let count = integer(items.next_back()?);
        for _ in 1..count {
            items.next_back()?;
        }
        let at = items.at_back()?;
        items.next_back();
        self.head(&mut self.pack.iter_from(at))
    }

    /// Makes an entry of what `next` or `previous` has returned.
    #[inline]
    pub(super) fn entry(&self, (head, rest): (Head, Iter<'a>)) -> Entry<'a> {
        let names = head.has_same_names().then(|| self.names.clone());
        Entry { id: head.id, left: head.pair_count, names, items: rest }
    }

    /// Returns the number of the last entry, even if it is deleted.
    pub(super) fn last_id(&self) -> Option<StreamId> {
        self.previous(&mut self.entries()).map(|(head, _)| head.id)
    }

    #[inline]
    fn head(&self, items: &mut Iter<'a>) -> Option<(Head, Iter<'a>)> {
        let at = items.at()?;
        let flags = integer(items.next()?);
        let id = self.master.plus(integer(items.next()?), integer(items.next()?));
        let pair_count =
            if flags & SAME_NAMES != 0 { self.name_count } else { count(items) as usize };
        Some((Head { id, at, flags, pair_count }, items.clone()))
    }
}

/// Makes a node of one entry. Names and values take turns.
pub(super) fn first_entry<'a>(words: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Listpack {
    let name_count = words.len() / 2;
    let head = [Item::Int(1), Item::Int(0), int(name_count)];
    let mut pack = Listpack::from_items(head);
    pack.extend(words.clone().step_by(2).map(Item::Bytes));
    pack.append(Item::Int(0));
    append_values(&mut pack, (0, 0), words);
    pack
}

/// Adds an entry behind those of a node.
pub(super) fn append<'a>(
    pack: &mut Listpack,
    distance: (i64, i64),
    words: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) {
    let name_count = words.len() / 2;
    let mut items = pack.iter();
    let live = count(&mut items);
    count(&mut items);
    let is_same = count(&mut items) == name_count as u64
        && words.clone().step_by(2).zip(items).all(|(name, item)| item.is(name));
    set_number(pack, 0, live + 1);
    if is_same {
        append_values(pack, distance, words);
        return;
    }
    let (ms, seq) = distance;
    pack.extend([Item::Int(0), Item::Int(ms), Item::Int(seq), int(name_count)]);
    pack.extend(words.map(Item::Bytes));
    pack.append(int(2 * name_count + 4));
}

/// Adds an entry that has the names of the node.
fn append_values<'a>(
    pack: &mut Listpack,
    (ms, seq): (i64, i64),
    words: impl ExactSizeIterator<Item = &'a [u8]>,
) {
    let name_count = words.len() / 2;
    pack.extend([Item::Int(SAME_NAMES), Item::Int(ms), Item::Int(seq)]);
    pack.extend(words.skip(1).step_by(2).map(Item::Bytes));
    pack.append(int(name_count + 3));
}

/// Marks an entry as deleted, without counting it.
pub(super) fn mark(pack: &mut Listpack, at: At, flags: i64) {
    pack.replace(at, Item::Int(flags | DELETED));
}

/// Counts entries that were marked.
pub(super) fn count_marked(pack: &mut Listpack, marked: u64) {
    let mut items = pack.iter();
    let (live, deleted) = (count(&mut items), count(&mut items));
    set_number(pack, 0, live.saturating_sub(marked));
    set_number(pack, 1, deleted.saturating_add(marked));
}

/// Counts the entries of a node, the deleted ones among them.
#[inline]
pub(super) fn entry_count(pack: &Pack) -> u64 {
    let mut items = pack.iter();
    count(&mut items).saturating_add(count(&mut items))
}

/// Tells whether bytes that are a listpack are a node, and how many entries are not deleted; the
/// count of these must be true.
pub(super) fn check(pack: &Pack) -> Option<u64> {
    let mut items = pack.iter();
    let live = checked_count(&mut items)?;
    let deleted = checked_count(&mut items)?;
    let name_count = checked_count(&mut items)?;
    skip(&mut items, name_count)?;
    if checked_count(&mut items)? != 0 {
        return None;
    }
    let (mut live_left, mut deleted_left) = (live, deleted);
    while items.at().is_some() {
        let flags = items.next()?.integer()?;
        let left = if flags & DELETED == 0 { &mut live_left } else { &mut deleted_left };
        *left = left.checked_sub(1)?;
        items.next()?.integer()?;
        items.next()?.integer()?;
        let element_count = if flags & SAME_NAMES != 0 {
            skip(&mut items, name_count)?;
            name_count.checked_add(3)?
        } else {
            let pair_count = checked_count(&mut items)?;
            skip(&mut items, pair_count.checked_mul(2)?)?;
            pair_count.checked_mul(2)?.checked_add(4)?
        };
        if checked_count(&mut items)? != element_count {
            return None;
        }
    }
    (live_left == 0 && deleted_left == 0).then_some(live)
}

fn checked_count(items: &mut Iter<'_>) -> Option<u64> {
    u64::try_from(items.next()?.integer()?).ok()
}

/// Goes past so many elements, if there are so many.
fn skip(items: &mut Iter<'_>, count: u64) -> Option<()> {
    for _ in 0..count {
        items.next()?;
    }
    Some(())
}

/// Takes an element that is a number of something.
#[inline]
fn count(items: &mut Iter<'_>) -> u64 {
    items.next().map_or(0, |item| u64::try_from(integer(item)).unwrap_or(0))
}

/// Returns an element that is a number. One that came from elsewhere may stand there as text.
#[inline]
fn integer(item: Item<'_>) -> i64 {
    match item {
        Item::Int(number) => number,
        Item::Bytes(_) => item.integer().unwrap_or(0),
    }
}

fn int(count: usize) -> Item<'static> {
    Item::Int(i64::try_from(count).expect("a node has less than 4 GiB"))
}

/// Changes the count at an index of the head.
fn set_number(pack: &mut Listpack, index: usize, number: u64) {
    let mut items = pack.iter();
    for _ in 0..index {
        items.next();
    }
    let Some(at) = items.at() else { return };
    pack.replace(at, Item::Int(i64::try_from(number).unwrap_or(i64::MAX)));
}
