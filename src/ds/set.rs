//! Pure: the big form of a set (`hashtable`): members in blocks of their own, hashed.
//!
//! A member takes its bytes and one more, rounded up to 8, and its share of the table 13 on
//! average. Start with [`Set::insert`].

use std::{fmt, ops::Deref};

use crate::{
    dict::{self, Dict, Hash, OutOfMemory, Slot, Stats},
    text::Text,
};

/// Strings that are fetched at once.
const BATCH: usize = 16;

/// A set of byte strings.
#[derive(Default)]
pub struct Set {
    members: Dict<Text<0>>,
    /// The allocations of all members together.
    text_bytes: usize,
}

/// A member that was taken out of its set.
pub struct Member(Text<0>);

impl Set {
    /// Makes an empty set, which allocates nothing.
    pub const fn new() -> Self {
        Self { members: Dict::new(), text_bytes: 0 }
    }

    /// Counts the members.
    #[inline]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Tells whether there is no member.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Tells whether a string is a member.
    pub fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Tells whether a string whose hash is known is a member: one hash serves any number of
    /// sets.
    #[inline]
    pub fn contains_hashed(&self, hash: Hash, member: &[u8]) -> bool {
        self.members.find_hashed(hash, member).is_some()
    }

    /// Tells of each of several strings whether it is a member. What is in memory far away is
    /// fetched for many at once, as sets that are intersected want it.
    pub fn contains_each(&self, strings: &[(Hash, &[u8])], mut tell: impl FnMut(usize, bool)) {
        for (batch, strings) in strings.chunks(BATCH).enumerate() {
            strings.iter().for_each(|(hash, _)| self.prefetch(*hash));
            strings.iter().for_each(|(hash, _)| self.prefetch_member(*hash));
            for (at, (hash, string)) in strings.iter().enumerate() {
                tell(batch * BATCH + at, self.contains_hashed(*hash, string));
            }
        }
    }

    /// Puts a member in; tells whether it is new.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        self.insert_hashed(dict::hash(member), member)
    }

    /// Puts a member in whose hash is known; tells whether it is new.
    pub fn insert_hashed(&mut self, hash: Hash, member: &[u8]) -> bool {
        let Slot::Vacant(slot) = self.members.entry_hashed(hash, member) else { return false };
        let text = Text::new([], member);
        self.text_bytes += text.allocation_bytes();
        slot.insert(text);
        true
    }

    /// Puts a member in that was taken out of another set, without a copy; tells whether it
    /// is new.
    pub fn insert_member(&mut self, member: Member) -> bool {
        let Slot::Vacant(slot) = self.members.entry(&member) else { return false };
        self.text_bytes += member.0.allocation_bytes();
        slot.insert(member.0);
        true
    }

    /// Takes a member out; tells whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        self.take(member).is_some()
    }

    /// Takes a member out, and returns it.
    pub fn take(&mut self, member: &[u8]) -> Option<Member> {
        let text = self.members.remove(member)?;
        Some(self.forget(text))
    }

    /// Takes a member out, each with the same chance. `draw` gives a random number below its
    /// argument.
    pub fn pop_random(&mut self, draw: impl FnMut(u64) -> u64) -> Option<Member> {
        let text = self.members.pop_random(draw)?;
        Some(self.forget(text))
    }

    /// Returns a member, each with the same chance.
    pub fn random(&self, draw: impl FnMut(u64) -> u64) -> Option<&[u8]> {
        self.members.random(draw).map(Text::string)
    }

    /// Visits `count` members, or all if there are not so many, none of them twice. Each such
    /// choice has the same chance; the order has no meaning.
    pub fn random_distinct<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a [u8]),
    ) {
        self.members.random_distinct(count, draw, |text| visit(text.string()));
    }

    /// Visits about `count` members that stand together somewhere, and returns how many. See
    /// [`Dict::sample`].
    pub fn sample<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a [u8]),
    ) -> usize {
        self.members.sample(count, draw, |text| visit(text.string()))
    }

    /// Visits the members of one chain, and returns the cursor of the next. See
    /// [`Dict::scan`].
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(&[u8])) -> u64 {
        self.members.scan(cursor, |text| visit(text.string()))
    }

    /// Lends the members, in no order that means anything.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.members.iter())
    }

    /// Gives all members away, and the memory of the table back.
    pub fn drain(&mut self) -> impl ExactSizeIterator<Item = Member> + use<> {
        self.text_bytes = 0;
        self.members.drain().map(Member)
    }

    /// Makes room for so many members in all, before they come.
    pub fn reserve(&mut self, members: usize) -> Result<(), OutOfMemory> {
        self.members.expand(members)
    }

    /// Asks for the bucket of a member, to be searched soon.
    #[inline]
    pub fn prefetch(&self, hash: Hash) {
        self.members.prefetch(hash);
    }

    /// Asks for the member itself, once its bucket is there.
    #[inline]
    pub fn prefetch_member(&self, hash: Hash) {
        self.members.prefetch_entry(hash);
    }

    /// Returns the bytes of the table and of the members.
    pub fn memory_bytes(&self) -> usize {
        self.members.memory_bytes() + self.text_bytes
    }

    /// Counts what is where in the table.
    pub fn stats(&self) -> Stats {
        self.members.stats()
    }

    fn forget(&mut self, text: Text<0>) -> Member {
        self.text_bytes -= text.allocation_bytes();
        Member(text)
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'m> FromIterator<&'m [u8]> for Set {
    fn from_iter<I: IntoIterator<Item = &'m [u8]>>(members: I) -> Self {
        let mut set = Self::new();
        for member in members {
            set.insert(member);
        }
        set
    }
}

impl Clone for Set {
    fn clone(&self) -> Self {
        let mut clone = Self::new();
        // Without the room the table grows as it must.
        let _refused = clone.reserve(self.len());
        for member in self {
            clone.insert(member);
        }
        clone
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|member| member.escape_ascii().to_string())).finish()
    }
}

/// Lends the members of a set.
pub struct Iter<'a>(dict::Iter<'a, Text<0>>);

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next().map(Text::string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl Deref for Member {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.string()
    }
}

#[cfg(test)]
mod tests;
