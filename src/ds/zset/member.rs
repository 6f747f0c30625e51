//! Pure: a member of a sorted set: its block, which the dictionary owns, and references to it.
//!
//! Invariant of this folder: a [`Reference`] stands in the tree of a sorted set only, and only
//! while the dictionary of the same set owns its member. Whoever takes a member out takes its
//! references out first. That is why none of this is seen outside.

use std::cmp::Ordering;

use crate::{block::Block, dict::prefetch_line, text::Text};

/// Says why a place below the count of a node holds a reference.
pub(super) const IS_THERE: &str = "all below the count are there";

/// A member with its score.
pub(super) type ScoredText = Text<{ size_of::<f64>() }>;

pub(super) fn new_text(member: &[u8], score: f64) -> ScoredText {
    Text::new(score.to_le_bytes(), member)
}

#[inline]
pub(super) fn score_of(text: &ScoredText) -> f64 {
    f64::from_le_bytes(text.head())
}

/// Says where a member is that the dictionary owns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference(Block);

impl Reference {
    #[inline]
    pub(super) fn to(text: &ScoredText) -> Self {
        Self(text.address())
    }

    /// Returns the member's bytes, for as long as the tree is lent.
    #[inline]
    pub(super) fn member(&self) -> &[u8] {
        // SAFETY: a reference in a tree that is lent is to a member that lives, and goes on
        // to: members are freed under `&mut` of the whole set (invariant of the folder).
        unsafe { ScoredText::string_at(self.0) }
    }

    #[inline]
    pub(super) fn is_to(&self, text: &ScoredText) -> bool {
        self.0 == text.address()
    }

    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch_line(self.0.at(0));
    }
}

/// Where an element stands in the order: by score, then by member.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) score: f64,
    pub(super) reference: Reference,
}

impl Key {
    /// Compares another element with this one. Of that, first the score is looked at, and the
    /// reference only if it is equal: most often it need not be fetched.
    #[inline]
    pub(super) fn order_of(&self, score: f64, reference: &Option<Reference>) -> Ordering {
        if score < self.score {
            return Ordering::Less;
        }
        if self.score < score {
            return Ordering::Greater;
        }
        self.order_of_tied(reference.as_ref().expect(IS_THERE))
    }

    fn order_of_tied(&self, reference: &Reference) -> Ordering {
        if *reference == self.reference {
            return Ordering::Equal;
        }
        reference.member().cmp(self.reference.member())
    }
}
