//! Pure: sorted sets as values: few and short members, or any.
//!
//! All ranges come down to ranks: `ranks_by_score` and `ranks_by_lex` say which, and `range` and
//! `remove_range` take them from there. Start with [`Zset::update`].

mod packed;
#[cfg(test)]
mod tests;
mod update;

use std::ops::{Bound, Range};

use ds::{
    Listpack,
    listpack::{self, Digits, Item},
    zset::{Lex, Slot},
};

use crate::config::Encoding;

pub use packed::{Score, parse_score};
pub use update::{Course, NotANumber, Outcome, Presence, Update};

/// Members in the order of their scores, each once.
#[derive(Debug)]
pub enum Zset {
    /// A member, its score, the next member …, in order.
    Packed(Listpack),
    /// Any.
    Tree(Box<ds::zset::Zset>),
}

/// An end of a sorted set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The lowest score.
    Min,
    /// The highest.
    Max,
}

/// From which score to which.
pub type ScoreRange = (Bound<f64>, Bound<f64>);

impl Default for Zset {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Zset {
    /// Makes one in the form that so many members ask for, the first of which has so many bytes.
    pub fn for_members(count: usize, bytes: usize, limits: Encoding) -> Self {
        if count <= limits.zset_max_listpack_entries && bytes <= limits.zset_max_listpack_value {
            Self::default()
        } else {
            Self::tree(count)
        }
    }

    /// Makes one that takes any members, with room for so many.
    pub fn tree(count: usize) -> Self {
        let mut tree = Box::new(ds::zset::Zset::new());
        // Without room at once it grows step by step.
        let _ = tree.reserve(count);
        Self::Tree(tree)
    }

    /// Counts the members.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(list) => list.count() / 2,
            Self::Tree(zset) => zset.len(),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Packed(list) => packed::find(list, member).map(|(_, score)| score),
            Self::Tree(zset) => zset.score(member),
        }
    }

    /// Returns the rank of a member, counted from an end, and its score.
    pub fn rank(&self, member: &[u8], from: End) -> Option<(usize, f64)> {
        let (rank, score) = match self {
            Self::Packed(list) => packed::rank(list, member)?,
            Self::Tree(zset) => zset.rank(member)?,
        };
        Some(match from {
            End::Min => (rank, score),
            End::Max => (self.len() - 1 - rank, score),
        })
    }

    /// Returns the ranks of the members whose scores are in a range.
    pub fn ranks_by_score(&self, (min, max): ScoreRange) -> Range<usize> {
        match self {
            Self::Packed(list) => packed::ranks(
                list,
                |_, score| match min {
                    Bound::Included(min) => score.value() < min,
                    Bound::Excluded(min) => score.value() <= min,
                    Bound::Unbounded => false,
                },
                |_, score| match max {
                    Bound::Included(max) => max < score.value(),
                    Bound::Excluded(max) => max <= score.value(),
                    Bound::Unbounded => false,
                },
            ),
            Self::Tree(zset) => zset.ranks_by_score(min, max),
        }
    }

    /// Returns the ranks of the members whose names are in a range. Means something only if all
    /// scores are equal.
    pub fn ranks_by_lex(&self, (min, max): (Lex<'_>, Lex<'_>)) -> Range<usize> {
        match self {
            Self::Packed(list) => packed::ranks(
                list,
                |member, _| match min {
                    Lex::Min => false,
                    Lex::Max => true,
                    Lex::Included(min) => member < min,
                    Lex::Excluded(min) => member <= min,
                },
                |member, _| match max {
                    Lex::Min => true,
                    Lex::Max => false,
                    Lex::Included(max) => max < member,
                    Lex::Excluded(max) => max <= member,
                },
            ),
            Self::Tree(zset) => zset.ranks_by_lex(min, max),
        }
    }

    /// Shows the members of a range of ranks and their scores to `visit`, beginning at an end.
    /// Ranks that there are not are left out.
    pub fn range(&self, ranks: Range<usize>, from: End, mut visit: impl FnMut(&[u8], Score<'_>)) {
        match (self, from) {
            (Self::Packed(list), _) => packed::range(list, ranks, from, visit),
            (Self::Tree(zset), End::Min) => {
                zset.range(ranks).for_each(|(member, score)| visit(member, Score::Number(score)));
            }
            (Self::Tree(zset), End::Max) => {
                let elements = zset.range(ranks).rev();
                elements.for_each(|(member, score)| visit(member, Score::Number(score)));
            }
        }
    }

    /// Shows all members and their scores to `visit`, in their order.
    pub fn each(&self, mut visit: impl FnMut(&[u8], f64)) {
        match self {
            Self::Packed(list) => {
                let mut digits = Digits::default();
                list.pairs().for_each(|(member, score)| {
                    visit(member.text(&mut digits), packed::score_of(score));
                });
            }
            Self::Tree(zset) => zset.iter().for_each(|(member, score)| visit(member, score)),
        }
    }

    /// Shows some members with their scores as text to `visit`, and returns the cursor of the
    /// next ones. Of few and short ones all are shown at once.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(&[u8], Score<'_>)) -> u64 {
        match self {
            Self::Packed(_) => {
                self.range(0..self.len(), End::Min, visit);
                0
            }
            Self::Tree(zset) => {
                zset.scan(cursor, |member, score| visit(member, Score::Number(score)))
            }
        }
    }

    /// Shows `count` members to `visit`, each with the same chance, and any of them again.
    /// `visit` says whether to go on.
    pub fn random(
        &self,
        count: u64,
        mut draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&[u8], Score<'_>) -> bool,
    ) {
        if self.is_empty() {
            return;
        }
        match self {
            Self::Packed(list) => {
                let (pairs, mut digits) = (list.pairs().collect::<Vec<_>>(), Digits::default());
                for _ in 0..count {
                    let (member, score) = pairs[draw(pairs.len() as u64) as usize];
                    if !visit(member.text(&mut digits), Score::Packed(score)) {
                        return;
                    }
                }
            }
            Self::Tree(zset) => {
                for _ in 0..count {
                    let (member, score) = zset.random(&mut draw).expect("there are members");
                    if !visit(member, Score::Number(score)) {
                        return;
                    }
                }
            }
        }
    }

    /// Shows `count` members to `visit`, or all if there are not so many, none of them twice.
    pub fn random_distinct(
        &self,
        count: usize,
        mut draw: impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&[u8], Score<'_>),
    ) {
        if self.len() <= count {
            return self.range(0..self.len(), End::Min, visit);
        }
        match self {
            Self::Packed(list) => {
                let (mut wanted, mut left) = (count as u64, self.len() as u64);
                let mut digits = Digits::default();
                for (member, score) in list.pairs() {
                    // As many as are wanted of those that are left: each such choice alike.
                    if draw(left) < wanted {
                        visit(member.text(&mut digits), Score::Packed(score));
                        wanted -= 1;
                    }
                    left -= 1;
                }
            }
            Self::Tree(zset) => zset.random_distinct(count, draw, |member, score| {
                visit(member, Score::Number(score));
            }),
        }
    }

    /// Brings a set to which so many members come into the form for them.
    pub fn expect(&mut self, count: usize, limits: Encoding) {
        if matches!(self, Self::Packed(_)) && limits.zset_max_listpack_entries < count {
            self.unpack(count);
        }
    }

    /// Gives a member a score if `how` allows it.
    ///
    /// # Panics
    /// If the score is NaN.
    pub fn update(
        &mut self,
        member: &[u8],
        score: f64,
        how: Update,
        limits: Encoding,
    ) -> Result<Outcome, NotANumber> {
        assert!(!score.is_nan(), "a score has a place in the order");
        if let Self::Packed(list) = self {
            let found = packed::find(list, member);
            let outcome = how.outcome(found.map(|(_, score)| score), score)?;
            match (outcome, found) {
                (Outcome::Updated(score), Some((at, _))) => {
                    list.delete_from(at, 2);
                    packed::insert(list, member, score);
                    return Ok(outcome);
                }
                (Outcome::Added(score), _) if packed::has_room(list, member, limits) => {
                    packed::insert(list, member, score);
                    return Ok(outcome);
                }
                (Outcome::Added(_), _) => {}
                _ => return Ok(outcome),
            }
            self.unpack(0);
        }
        let Self::Tree(zset) = self else { unreachable!("it is packed no more") };
        match zset.entry(member) {
            Slot::Occupied(mut item) => {
                let outcome = how.outcome(Some(item.score()), score)?;
                if let Outcome::Updated(score) = outcome {
                    item.set_score(score);
                }
                Ok(outcome)
            }
            Slot::Vacant(slot) => {
                let outcome = how.outcome(None, score)?;
                if let Outcome::Added(score) = outcome {
                    slot.insert(score);
                }
                Ok(outcome)
            }
        }
    }

    /// Gives a member a score, whatever it has.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: Encoding) {
        let outcome = self.update(member, score, Update::default(), limits);
        debug_assert!(outcome.is_ok(), "nothing was added up");
    }

    /// Takes a member out; says whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Self::Packed(list) => {
                let Some(at) = packed::place(list, member) else { return false };
                list.delete_from(at, 2);
                true
            }
            Self::Tree(zset) => zset.remove(member).is_some(),
        }
    }

    /// Takes the members of a range of ranks out; says how many there were.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match self {
            _ if count == 0 => {}
            Self::Packed(list) => list.delete_range(2 * ranks.start as i64, 2 * count),
            Self::Tree(zset) => {
                zset.remove_range(ranks.start..end, |_, _| {});
            }
        }
        count
    }

    /// Takes up to `count` members off an end, and shows them to `visit`.
    pub fn pop(&mut self, end: End, count: usize, mut visit: impl FnMut(&[u8], Score<'_>)) {
        if let (Self::Tree(zset), 1) = (&mut *self, count) {
            let popped = match end {
                End::Min => zset.pop_first(),
                End::Max => zset.pop_last(),
            };
            if let Some(member) = popped {
                visit(member.name(), Score::Number(member.score()));
            }
            return;
        }
        let count = count.min(self.len());
        let ranks = match end {
            End::Min => 0..count,
            End::Max => self.len() - count..self.len(),
        };
        self.range(ranks.clone(), end, visit);
        self.remove_range(ranks);
    }

    /// Packs what was made without asking for its size, if it is small enough.
    pub fn settle(&mut self, limits: Encoding) {
        let Self::Tree(zset) = self else { return };
        if limits.zset_max_listpack_entries < zset.len() {
            return;
        }
        let mut total_bytes = 0;
        for (member, _) in zset.iter() {
            total_bytes += member.len();
            if limits.zset_max_listpack_value < member.len() {
                return;
            }
        }
        if total_bytes <= listpack::BYTES_MAX {
            *self = Self::Packed(packed::of(zset));
        }
    }

    /// Gives it the form that takes any members, with room for so many.
    pub fn unpack(&mut self, room: usize) {
        if let Self::Packed(list) = self {
            let mut zset = Box::new(ds::zset::Zset::new());
            // Without room at once it grows step by step.
            let _ = zset.reserve(room.max(list.count() / 2));
            let mut digits = Digits::default();
            for (member, score) in list.pairs() {
                zset.insert(member.text(&mut digits), packed::score_of(score));
            }
            *self = Self::Tree(zset);
        }
    }

    /// Takes over a listpack of members and scores, in the form that its length asks for. It
    /// is put in order if it is not.
    pub fn from_pack(list: Listpack, limits: Encoding) -> Self {
        let is_in_order = packed::is_in_order(&list);
        let mut zset = Self::Packed(list);
        if limits.zset_max_listpack_entries < zset.len() || !is_in_order {
            zset.unpack(0);
        }
        if !is_in_order {
            zset.settle(limits);
        }
        zset
    }

    /// Returns the name of the form that it is held in.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            // What Redis calls its own.
            Self::Tree(_) => "skiplist",
        }
    }

    /// Makes a second one like it.
    #[must_use]
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Packed(list) => Self::Packed(list.clone()),
            Self::Tree(zset) => Self::Tree(zset.clone()),
        }
    }

    /// Counts the allocations that freeing it gives back.
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Packed(_) => 1,
            Self::Tree(zset) => zset.len() as u64,
        }
    }

    /// Counts the bytes of its allocations.
    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Packed(list) => list.allocation_bytes(),
            Self::Tree(zset) => size_of::<ds::zset::Zset>() + zset.memory_bytes(),
        }
    }
}

/// Whether an element of a listpack can be a score.
pub fn is_score(item: Item<'_>) -> bool {
    packed::number_of(item).is_some()
}
