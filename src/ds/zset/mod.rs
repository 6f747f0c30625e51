//! Pure: the big form of a sorted set (`skiplist`): members by name and by score, with ranks.
//!
//! A member is stored once, with its score, in a block of its own. The dictionary owns the
//! blocks and finds them by name; the order, a B+tree that counts (`node.rs`), holds score and
//! reference of each in leaves of a kilobyte. So a search by score reads a few neighbouring
//! lines where a skip list follows a pointer for each step, and a rank is a sum of counts.
//!
//! All ranges come down to ranks: [`Zset::ranks_by_score`] and [`Zset::ranks_by_lex`] say
//! which, and [`Zset::range`] and [`Zset::remove_range`] take them from there. Invariant: the
//! two have the same elements whenever no method of this folder is running, with the scores
//! that stand in the blocks, and no score is NaN.
//!
//! Start with [`Zset::entry`].

mod member;
mod node;
mod order;
mod range;
#[cfg(test)]
mod tests;

use std::{
    cmp::Ordering,
    fmt,
    ops::{Bound, Range},
};

pub use self::range::Elements;
use self::{
    member::{IS_THERE, Key, Reference, ScoredText, new_text, score_of},
    order::Order,
};
use crate::dict::{self, Dict, Hash, OutOfMemory, Stats};

/// Members with scores, in the order of scores and, where these are equal, of bytes.
#[derive(Default)]
pub struct Zset {
    members: Dict<ScoredText>,
    order: Order,
    /// The allocations of all members together.
    text_bytes: usize,
}

/// An end of a range of members by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lex<'a> {
    /// Before all members (`-`).
    Min,
    /// After all members (`+`).
    Max,
    /// At this name, which belongs to the range (`[`).
    Included(&'a [u8]),
    /// At this name, which does not belong to the range (`(`).
    Excluded(&'a [u8]),
}

/// A member that was taken out of its set.
pub struct Member(ScoredText);

impl Member {
    /// Returns the name.
    pub fn name(&self) -> &[u8] {
        self.0.string()
    }

    /// Returns the score that it had.
    pub fn score(&self) -> f64 {
        score_of(&self.0)
    }
}

impl Zset {
    /// Makes an empty sorted set, which allocates nothing.
    pub const fn new() -> Self {
        Self { members: Dict::new(), order: Order::new(), text_bytes: 0 }
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

    /// Tells whether a member is there.
    pub fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Returns the score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.find(member).map(score_of)
    }

    /// Returns the score of a member whose hash is known.
    #[inline]
    pub fn score_hashed(&self, hash: Hash, member: &[u8]) -> Option<f64> {
        self.members.find_hashed(hash, member).map(score_of)
    }

    /// Searches once for a member, to look at, change, remove or insert it.
    pub fn entry<'a>(&'a mut self, member: &'a [u8]) -> Slot<'a> {
        self.entry_hashed(dict::hash(member), member)
    }

    /// Searches once for a member whose hash is known.
    pub fn entry_hashed<'a>(&'a mut self, hash: Hash, member: &'a [u8]) -> Slot<'a> {
        let Self { members, order, text_bytes } = self;
        match members.entry_hashed(hash, member) {
            dict::Slot::Occupied(entry) => Slot::Occupied(Item { entry, order, text_bytes }),
            dict::Slot::Vacant(slot) => Slot::Vacant(Vacant { slot, order, text_bytes, member }),
        }
    }

    /// Gives a member a score, and returns the one it had.
    ///
    /// # Panics
    /// If the score is NaN.
    pub fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        match self.entry(member) {
            Slot::Occupied(mut item) => {
                let old = item.score();
                item.set_score(score);
                Some(old)
            }
            Slot::Vacant(slot) => {
                slot.insert(score);
                None
            }
        }
    }

    /// Takes a member out, and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.entry(member) {
            Slot::Occupied(item) => Some(item.remove().score()),
            Slot::Vacant(_) => None,
        }
    }

    /// Returns the rank of a member, counted from the lowest, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let text = self.members.find(member)?;
        let key = Key::new(score_of(text), Reference::to(text));
        let is_before =
            |score, reference: &Option<Reference>| key.order_of(score, reference) == Ordering::Less;
        Some((self.order.count_before(is_before), key.score))
    }

    /// Returns the rank of a member, counted from the highest, and its score.
    pub fn reverse_rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let (rank, score) = self.rank(member)?;
        Some((self.len() - 1 - rank, score))
    }

    /// Returns the member of a rank and its score.
    pub fn by_rank(&self, rank: usize) -> Option<(&[u8], f64)> {
        if self.len() <= rank {
            return None;
        }
        let (leaf, at) = self.order.leaf_at(rank);
        Some(leaf.element(at))
    }

    /// Returns the lowest member and its score.
    pub fn first(&self) -> Option<(&[u8], f64)> {
        self.by_rank(0)
    }

    /// Returns the highest member and its score.
    pub fn last(&self) -> Option<(&[u8], f64)> {
        self.by_rank(self.len().checked_sub(1)?)
    }

    /// Returns the ranks of the members whose scores are in a range; empty, where such a
    /// member would stand, if there are none.
    pub fn ranks_by_score(&self, min: Bound<f64>, max: Bound<f64>) -> Range<usize> {
        let start = match min {
            Bound::Included(min) => self.order.count_before(|score, _| score < min),
            Bound::Excluded(min) => self.order.count_before(|score, _| score <= min),
            Bound::Unbounded => 0,
        };
        let end = match max {
            Bound::Included(max) => self.order.count_before(|score, _| score <= max),
            Bound::Excluded(max) => self.order.count_before(|score, _| score < max),
            Bound::Unbounded => self.len(),
        };
        start..end.max(start)
    }

    /// Returns the ranks of the members whose names are in a range. Means something only if
    /// all scores are equal.
    pub fn ranks_by_lex(&self, min: Lex<'_>, max: Lex<'_>) -> Range<usize> {
        let start = match min {
            Lex::Min => 0,
            Lex::Max => self.len(),
            Lex::Included(min) => self.order.count_before(|_, reference| name_of(reference) < min),
            Lex::Excluded(min) => self.order.count_before(|_, reference| name_of(reference) <= min),
        };
        let end = match max {
            Lex::Min => 0,
            Lex::Max => self.len(),
            Lex::Included(max) => self.order.count_before(|_, reference| name_of(reference) <= max),
            Lex::Excluded(max) => self.order.count_before(|_, reference| name_of(reference) < max),
        };
        start..end.max(start)
    }

    /// Lends the members of a range of ranks with their scores, from either end. Ranks that
    /// there are not are left out.
    pub fn range(&self, ranks: Range<usize>) -> Elements<'_> {
        let end = ranks.end.min(self.len());
        Elements::new(&self.order, ranks.start.min(end)..end)
    }

    /// Lends all members with their scores, in order.
    pub fn iter(&self) -> Elements<'_> {
        self.range(0..self.len())
    }

    /// Takes the members of a range of ranks out. Returns how many there were.
    pub fn remove_range(
        &mut self,
        ranks: Range<usize>,
        mut removed: impl FnMut(&[u8], f64),
    ) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        let mut left = count;
        let (mut run, mut hashes) = (Vec::new(), Vec::new());
        while 0 < left {
            self.order.remove_from(ranks.start, left, |key| {
                key.reference.prefetch();
                run.push(key);
            });
            left -= run.len();
            hashes.extend(run.iter().map(|key| {
                let hash = dict::hash(key.reference.member());
                self.members.prefetch(hash);
                hash
            }));
            for (key, hash) in run.drain(..).zip(hashes.drain(..)) {
                let text = self.members.remove_by(hash, |text| key.reference.is_to(text));
                let text = text.expect("what stands in the order is a member");
                self.text_bytes -= text.allocation_bytes();
                removed(text.string(), key.score);
            }
            self.members.rehash(1);
        }
        count
    }

    /// Takes the lowest member out.
    pub fn pop_first(&mut self) -> Option<Member> {
        self.pop(0)
    }

    /// Takes the highest member out.
    pub fn pop_last(&mut self) -> Option<Member> {
        self.pop(self.len().checked_sub(1)?)
    }

    fn pop(&mut self, rank: usize) -> Option<Member> {
        let mut popped = None;
        self.order.remove_from(rank, 1, |key| popped = Some(key.reference));
        let reference = popped?;
        let hash = dict::hash(reference.member());
        let text = self.members.remove_by(hash, |text| reference.is_to(text));
        let text = text.expect("what stands in the order is a member");
        self.members.rehash(1);
        self.text_bytes -= text.allocation_bytes();
        Some(Member(text))
    }

    /// Returns a member and its score, each with the same chance. `draw` gives a random
    /// number below its argument.
    pub fn random(&self, mut draw: impl FnMut(u64) -> u64) -> Option<(&[u8], f64)> {
        if self.is_empty() {
            return None;
        }
        self.by_rank(usize::try_from(draw(self.len() as u64)).unwrap_or(0))
    }

    /// Visits `count` members, or all if there are not so many, none of them twice. Each such
    /// choice has the same chance; the order has no meaning.
    pub fn random_distinct<'a>(
        &'a self,
        count: usize,
        draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&'a [u8], f64),
    ) {
        self.members.random_distinct(count, draw, |text| visit(text.string(), score_of(text)));
    }

    /// Visits the members of one chain of the table by name, and returns the cursor of the
    /// next. See [`Dict::scan`].
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(&[u8], f64)) -> u64 {
        self.members.scan(cursor, |text| visit(text.string(), score_of(text)))
    }

    /// Makes room for so many members in all in the table by name, before they come.
    pub fn reserve(&mut self, members: usize) -> Result<(), OutOfMemory> {
        self.members.expand(members)
    }

    /// Drops all members and all memory.
    pub fn clear(&mut self) {
        self.order.clear();
        self.members.clear();
        self.text_bytes = 0;
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

    /// Returns the bytes of members, table and order. Walks over the inner nodes of the
    /// order, one for some two thousand members.
    pub fn memory_bytes(&self) -> usize {
        self.members.memory_bytes() + self.text_bytes + self.order.memory_bytes()
    }

    /// Makes a step of a rehash that is under way, as each change does by itself: before each
    /// read, it ends also where nothing changes.
    #[inline]
    pub fn rehash_step(&mut self) {
        self.members.rehash_step();
    }

    /// Counts what is where in the table by name.
    pub fn stats(&self) -> Stats {
        self.members.stats()
    }
}

impl Clone for Zset {
    fn clone(&self) -> Self {
        let mut clone = Self::new();
        // Without the room the table grows as it must.
        let _refused = clone.reserve(self.len());
        for (member, score) in self {
            clone.insert(member, score);
        }
        clone
    }
}

impl fmt::Debug for Zset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements = self.iter().map(|(name, score)| (name.escape_ascii().to_string(), score));
        f.debug_map().entries(elements).finish()
    }
}

/// What a search found.
pub enum Slot<'a> {
    /// The member is there.
    Occupied(Item<'a>),
    /// It is not.
    Vacant(Vacant<'a>),
}

/// A member that was found, to change or remove.
pub struct Item<'a> {
    entry: dict::Occupied<'a, ScoredText>,
    order: &'a mut Order,
    text_bytes: &'a mut usize,
}

impl Item<'_> {
    /// Returns the score.
    pub fn score(&self) -> f64 {
        score_of(self.entry.get())
    }

    /// Changes the score. An equal one changes nothing, not even the sign of zero.
    ///
    /// # Panics
    /// If the score is NaN.
    pub fn set_score(&mut self, score: f64) {
        assert!(!score.is_nan(), "a score has a place in the order");
        let key = Key::new(self.score(), Reference::to(self.entry.get()));
        if score != key.score {
            self.order.change_score(&key, score);
            self.entry.get_mut().set_head(score.to_le_bytes());
        }
    }

    /// Takes the member out.
    pub fn remove(self) -> Member {
        self.order.remove(&Key::new(self.score(), Reference::to(self.entry.get())));
        let text = self.entry.remove();
        *self.text_bytes -= text.allocation_bytes();
        Member(text)
    }
}

/// The room for a member that was not found.
pub struct Vacant<'a> {
    slot: dict::Vacant<'a, ScoredText>,
    order: &'a mut Order,
    text_bytes: &'a mut usize,
    member: &'a [u8],
}

impl Vacant<'_> {
    /// Puts the member in.
    ///
    /// # Panics
    /// If the score is NaN.
    pub fn insert(self, score: f64) {
        assert!(!score.is_nan(), "a score has a place in the order");
        let text = new_text(self.member, score);
        *self.text_bytes += text.allocation_bytes();
        let text = self.slot.insert(text);
        self.order.insert(Key::new(score, Reference::to(text)));
    }
}

fn name_of(reference: &Option<Reference>) -> &[u8] {
    reference.as_ref().expect(IS_THERE).member()
}
