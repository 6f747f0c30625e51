//! Pure: sorted sets as values: few and short members, or any.

use base::float::parse_f64;
use ds::{
    Listpack,
    listpack::{Digits, Item},
};

/// Members in the order of their scores, each once.
#[derive(Debug)]
pub enum Zset {
    /// A member, its score, the next member …, in order.
    Packed(Listpack),
    /// Any.
    Tree(Box<ds::zset::Zset>),
}

impl Default for Zset {
    fn default() -> Self {
        Self::Packed(Listpack::new())
    }
}

impl Zset {
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

    /// Shows all members and their scores to `visit`, in their order.
    pub fn each(&self, mut visit: impl FnMut(&[u8], f64)) {
        let mut digits = Digits::default();
        match self {
            Self::Packed(list) => list.pairs().for_each(|(member, score)| {
                visit(member.text(&mut digits), score_of(score));
            }),
            Self::Tree(zset) => zset.iter().for_each(|(member, score)| visit(member, score)),
        }
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
            Self::Tree(zset) => {
                let mut copy = Box::new(ds::zset::Zset::new());
                // Without room at once it grows step by step.
                let _ = copy.reserve(zset.len());
                for (member, score) in zset.iter() {
                    copy.insert(member, score);
                }
                Self::Tree(copy)
            }
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

/// Returns the score that an item is.
///
/// # Panics
/// If it is none: what comes from outside was looked through before it became a value.
pub(super) fn score_of(item: Item<'_>) -> f64 {
    match item {
        Item::Int(n) => n as f64,
        Item::Bytes(text) => parse_f64(text).expect("a score is a number"),
    }
}
