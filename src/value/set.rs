//! Pure: sets as values: few integers, few members, or many.
//!
//! A set of integers alone stays an intset up to a count, and another one a listpack up to a
//! count and a size. What outgrows its form takes the next one, and does not come back: forms
//! show in OBJECT ENCODING and in DUMP, so when they change is Redis's. `algebra` combines
//! sets, `random` picks members.

mod algebra;
mod random;

use base::number::{char_count, parse_i64};
use ds::{
    Depth, Intset, Listpack, dict,
    listpack::{self, Digits, Item},
};

use crate::{config::Encoding, value::Pattern};

pub use algebra::{
    difference, each_of_difference, each_of_intersection, each_of_union, intersection, union,
};

/// No intset has more, whatever is set.
const INTS_MAX: usize = 1 << 30;
/// What an integer takes in a listpack at most.
const PACKED_INT_BYTES_MAX: usize = 11;
/// For each member that a call of SSCAN may look at, it looks at so many chains at most.
const CHAINS_PER_MEMBER: u64 = 10;

/// Members in no order, each once.
#[derive(Debug)]
pub enum Set {
    /// Integers alone, in the order of their size.
    Ints(Intset),
    /// Few and short members.
    Packed(Listpack),
    /// Any.
    Table(Box<ds::set::Set>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Ints(Intset::new())
    }
}

impl Set {
    /// Counts the members.
    pub fn len(&self) -> usize {
        match self {
            Self::Ints(set) => set.len(),
            Self::Packed(list) => list.count(),
            Self::Table(set) => set.len(),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes an empty set of the form that its first member and the number of all of them,
    /// known or guessed, ask for.
    pub fn for_members(first: &[u8], count: usize, limits: Encoding) -> Self {
        if count <= limits.set_max_intset_entries && parse_i64(first).is_some() {
            return Self::Ints(Intset::new());
        }
        if count <= limits.set_max_listpack_entries {
            return Self::Packed(Listpack::new());
        }
        Self::table(count)
    }

    /// Makes an empty set of the largest form, with room for so many members.
    pub fn table(count: usize) -> Self {
        let mut set = Box::new(ds::set::Set::new());
        // Without room at once it grows step by step.
        let _refused = set.reserve(count);
        Self::Table(set)
    }

    /// Prepares for so many members to come: if they alone are too many for its form, it takes
    /// the largest.
    pub fn make_room(&mut self, count: usize, limits: Encoding) {
        let count_max = match self {
            Self::Ints(_) => limits.set_max_intset_entries,
            Self::Packed(_) => limits.set_max_listpack_entries,
            Self::Table(_) => return,
        };
        if count_max < count {
            self.spread(count);
        }
    }

    /// Puts a member in; says whether it is new.
    #[inline]
    pub fn insert(&mut self, member: &[u8], limits: Encoding) -> bool {
        match self {
            Self::Table(set) => set.insert(member),
            Self::Packed(_) => self.insert_packed(member, limits),
            Self::Ints(_) => match parse_i64(member) {
                Some(n) => self.insert_int(n, limits),
                None => {
                    self.insert_first_text(member, limits);
                    true
                }
            },
        }
    }

    /// Puts a member in that is an element of another set; says whether it is new.
    pub fn insert_item(&mut self, member: Item<'_>, limits: Encoding) -> bool {
        match (self, member) {
            (set @ Self::Ints(_), Item::Int(n)) => set.insert_int(n, limits),
            (set, member) => set.insert(member.text(&mut Digits::default()), limits),
        }
    }

    /// Takes a member out; says whether it was there.
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Self::Table(set) => set.remove(member),
            Self::Ints(set) => parse_i64(member).is_some_and(|n| set.remove(n)),
            Self::Packed(list) => {
                let Some(at) = find(list, member) else { return false };
                list.delete(at);
                true
            }
        }
    }

    /// Whether this is a member.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self {
            Self::Table(set) => set.contains(member),
            Self::Ints(set) => parse_i64(member).is_some_and(|n| set.contains(n)),
            Self::Packed(list) => find(list, member).is_some(),
        }
    }

    /// Walks over all members.
    pub fn iter(&self) -> Members<'_> {
        match self {
            Self::Ints(set) => Members::Ints(set, 0),
            Self::Packed(list) => Members::Packed(list.iter()),
            Self::Table(set) => Members::Table(set.iter()),
        }
    }

    /// Visits some of the members that are meant, about `count`, and returns the cursor of the
    /// next ones. A set that is not a table is visited as a whole: it is small, and has no
    /// place to come back to. A member that stays from the first call to the last is visited.
    pub fn scan(
        &self,
        mut cursor: u64,
        count: u64,
        pattern: Pattern<'_>,
        mut visit: impl FnMut(&[u8]),
    ) -> u64 {
        let mut visit = |member: &[u8]| {
            if pattern.matches(member) {
                visit(member);
            }
        };
        let Self::Table(set) = self else {
            self.each(visit);
            return 0;
        };
        let (mut looked_at, mut chains) = (0, count.saturating_mul(CHAINS_PER_MEMBER));
        loop {
            cursor = set.scan(cursor, |member| {
                looked_at += 1;
                visit(member);
            });
            if cursor == 0 || count <= looked_at || chains == 0 {
                return cursor;
            }
            chains -= 1;
        }
    }

    /// Takes over an intset of a file, if it is one.
    pub fn from_ints(bytes: &[u8], limits: Encoding) -> Option<Self> {
        let mut set = Self::Ints(Intset::from_bytes(bytes, Depth::Deep).ok()?);
        let count = set.len();
        set.make_room(count, limits);
        Some(set)
    }

    /// Takes over a listpack of a file, if it is one and no member is in it twice. It may be
    /// empty.
    pub fn from_packed(bytes: &[u8], limits: Encoding) -> Option<Self> {
        let list = Listpack::from_bytes(bytes, Depth::Deep).ok()?;
        let count = list.count();
        let mut digits = Digits::default();
        let mut seen = ds::set::Set::new();
        // There are so many bytes that there is room for so many members.
        let _refused = seen.reserve(count);
        if !list.iter().all(|member| seen.insert(member.text(&mut digits))) {
            return None;
        }
        let is_small = count <= limits.set_max_listpack_entries;
        Some(if is_small { Self::Packed(list) } else { Self::Table(Box::new(seen)) })
    }

    /// Shows all members to `visit`.
    pub fn each(&self, mut visit: impl FnMut(&[u8])) {
        let mut digits = Digits::default();
        match self {
            Self::Ints(set) => set.iter().for_each(|n| visit(Item::Int(n).text(&mut digits))),
            Self::Packed(list) => list.iter().for_each(|item| visit(item.text(&mut digits))),
            Self::Table(set) => set.iter().for_each(visit),
        }
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Ints(_) => "intset",
            Self::Packed(_) => "listpack",
            Self::Table(_) => "hashtable",
        }
    }

    /// Makes a second one like it.
    #[must_use]
    pub(crate) fn duplicate(&self) -> Self {
        match self {
            Self::Ints(set) => Self::Ints(set.clone()),
            Self::Packed(list) => Self::Packed(list.clone()),
            Self::Table(set) => {
                let mut copy = Box::new(ds::set::Set::new());
                // Without room at once it grows step by step.
                let _refused = copy.reserve(set.len());
                set.iter().for_each(|member| {
                    copy.insert(member);
                });
                Self::Table(copy)
            }
        }
    }

    fn insert_int(&mut self, n: i64, limits: Encoding) -> bool {
        let Self::Ints(set) = self else {
            return self.insert(Item::Int(n).text(&mut Digits::default()), limits);
        };
        let is_new = set.insert(n);
        if is_new && limits.set_max_intset_entries.min(INTS_MAX) < set.len() {
            let count = set.len();
            self.spread(count);
        }
        is_new
    }

    fn insert_packed(&mut self, member: &[u8], limits: Encoding) -> bool {
        let Self::Packed(list) = self else { return self.insert(member, limits) };
        if find(list, member).is_some() {
            return false;
        }
        let count = list.count();
        if count < limits.set_max_listpack_entries
            && member.len() <= limits.set_max_listpack_value
            && list.has_room_for(member.len())
        {
            list.append(Item::Bytes(member));
        } else {
            self.spread(count + 1).insert(member);
        }
        true
    }

    /// Puts the first member into an intset that is no integer.
    fn insert_first_text(&mut self, member: &[u8], limits: Encoding) {
        let Self::Ints(set) = self else { unreachable!("the caller has looked") };
        let ends = [set.first(), set.last()];
        let longest = ends.into_iter().flatten().map(char_count).max().unwrap_or(0);
        let bytes = set.len().saturating_mul(PACKED_INT_BYTES_MAX).saturating_add(member.len());
        let is_small = set.len() < limits.set_max_listpack_entries
            && member.len().max(longest) <= limits.set_max_listpack_value
            && bytes <= listpack::BYTES_MAX;
        if is_small {
            let mut list = Listpack::new();
            let items: Vec<Item<'_>> =
                set.iter().map(Item::Int).chain([Item::Bytes(member)]).collect();
            list.append_all(&items);
            *self = Self::Packed(list);
        } else {
            let count = set.len() + 1;
            self.spread(count).insert(member);
        }
    }

    /// Takes the largest form, with room for so many members.
    fn spread(&mut self, count: usize) -> &mut ds::set::Set {
        let mut table = Box::new(ds::set::Set::new());
        // Without room at once it grows step by step.
        let _refused = table.reserve(count);
        self.each(|member| {
            table.insert(member);
        });
        *self = Self::Table(table);
        let Self::Table(table) = self else { unreachable!("it was just made one") };
        table
    }

    /// Whether an element of another set, of which all is known, is a member.
    fn contains_known(&self, member: Item<'_>, text: &[u8], hash: Option<dict::Hash>) -> bool {
        match self {
            Self::Table(set) => set.contains_hashed(hash.unwrap_or_else(|| dict::hash(text)), text),
            Self::Ints(set) => member.integer().is_some_and(|n| set.contains(n)),
            Self::Packed(list) => find(list, text).is_some(),
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Ints(_) | Self::Packed(_) => 1,
            Self::Table(set) => set.len() as u64,
        }
    }

    /// Counts the bytes of its allocations.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Ints(set) => set.allocation_bytes(),
            Self::Packed(list) => list.allocation_bytes(),
            Self::Table(set) => size_of::<ds::set::Set>() + set.memory_bytes(),
        }
    }
}

/// Members of a set, as they are held.
pub enum Members<'a> {
    /// Integers, from an index on.
    Ints(&'a Intset, usize),
    /// Elements of a listpack.
    Packed(listpack::Iter<'a>),
    /// Members of a table.
    Table(ds::set::Iter<'a>),
}

impl<'a> Iterator for Members<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match self {
            Self::Ints(set, at) => {
                let n = set.at(*at)?;
                *at += 1;
                Some(Item::Int(n))
            }
            Self::Packed(items) => items.next(),
            Self::Table(members) => members.next().map(Item::Bytes),
        }
    }
}

fn find(list: &Listpack, member: &[u8]) -> Option<listpack::At> {
    list.find(list.first()?, member, 0)
}

#[cfg(test)]
mod tests;
