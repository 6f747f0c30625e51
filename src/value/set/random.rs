//! Pure: members of a set at random, each with the same chance.
//!
//! `draw(bound)` gives a number below `bound`, all alike.

use std::collections::BTreeSet;

use ds::{
    Intset, Listpack,
    listpack::{Digits, Item},
};

use super::Set;
use crate::config::Encoding;

/// So many picks of a listpack are sorted at a time, to be found in one walk.
const PICKS_MAX: usize = 1000;
/// If more are taken than this many times what is left, what is left is taken instead.
const TAKEN_PER_LEFT_MIN: usize = 5;

impl Set {
    /// Shows a member to `visit`.
    pub fn random(&self, draw: &mut impl FnMut(u64) -> u64, visit: impl FnOnce(&[u8])) {
        let mut digits = Digits::default();
        match self {
            Self::Ints(set) => {
                if let Some(n) = set.random(draw) {
                    visit(Item::Int(n).text(&mut digits));
                }
            }
            Self::Packed(list) => {
                if let Some(at) = list.random(1, draw) {
                    visit(list.item(at).text(&mut digits));
                }
            }
            Self::Table(set) => {
                if let Some(member) = set.random(draw) {
                    visit(member);
                }
            }
        }
    }

    /// Shows `count` members to `visit`, any one as often as it comes, until that says that it
    /// does not want more.
    pub fn random_any(
        &self,
        count: u64,
        draw: &mut impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&[u8]) -> bool,
    ) {
        let mut digits = Digits::default();
        let mut left = count;
        while 0 < left {
            if let Self::Packed(list) = self {
                let picks = usize::try_from(left).map_or(PICKS_MAX, |left| left.min(PICKS_MAX));
                for at in list.random_any(picks, 1, draw) {
                    if !visit(list.item(at).text(&mut digits)) {
                        return;
                    }
                }
                left -= picks as u64;
                continue;
            }
            let mut goes_on = false;
            self.random(draw, |member| goes_on = visit(member));
            if !goes_on {
                return;
            }
            left -= 1;
        }
    }

    /// Shows `count` different members to `visit`, or all if there are fewer.
    pub fn random_distinct(
        &self,
        count: usize,
        draw: &mut impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&[u8]),
    ) {
        if self.len() <= count {
            return self.each(visit);
        }
        let mut digits = Digits::default();
        match self {
            Self::Ints(set) => {
                for index in distinct_below(set.len(), count, draw) {
                    let n = set.at(index).expect("below the count");
                    visit(Item::Int(n).text(&mut digits));
                }
            }
            Self::Packed(list) => {
                for at in list.random_distinct(count, 1, draw) {
                    visit(list.item(at).text(&mut digits));
                }
            }
            Self::Table(set) => set.random_distinct(count, draw, visit),
        }
    }

    /// Takes a member out and shows it to `visit`.
    pub fn pop(&mut self, draw: &mut impl FnMut(u64) -> u64, visit: impl FnOnce(&[u8])) {
        let mut digits = Digits::default();
        match self {
            Self::Ints(set) => {
                if let Some(n) = set.random(draw) {
                    set.remove(n);
                    visit(Item::Int(n).text(&mut digits));
                }
            }
            Self::Packed(list) => {
                if let Some(at) = list.random(1, draw) {
                    visit(list.item(at).text(&mut digits));
                    list.delete(at);
                }
            }
            Self::Table(set) => {
                if let Some(member) = set.pop_random(draw) {
                    visit(&member);
                }
            }
        }
    }

    /// Takes `count` members out, fewer than there are, and shows them to `visit`. Returns what
    /// is to be freed.
    pub fn pop_many(
        &mut self,
        count: usize,
        limits: Encoding,
        draw: &mut impl FnMut(u64) -> u64,
        mut visit: impl FnMut(&[u8]),
    ) -> Option<Self> {
        let left = self.len() - count;
        if left.saturating_mul(TAKEN_PER_LEFT_MIN) <= count {
            let taken = self.keep_few(left, limits, draw);
            taken.each(visit);
            return Some(taken);
        }
        if let Self::Packed(list) = self {
            let mut digits = Digits::default();
            let places = list.random_distinct(count, 1, draw);
            places.iter().for_each(|at| visit(list.item(*at).text(&mut digits)));
            list.delete_all(&places);
        } else {
            (0..count).for_each(|_| self.pop(draw, &mut visit));
        }
        None
    }

    /// Keeps so many members, and returns the others. Those that stay make a set of the form
    /// that so few have, as Redis does it.
    fn keep_few(
        &mut self,
        count: usize,
        limits: Encoding,
        draw: &mut impl FnMut(u64) -> u64,
    ) -> Self {
        let mut kept = match self {
            Self::Ints(_) => Self::Ints(Intset::new()),
            Self::Table(_) if limits.set_max_listpack_entries < count => Self::table(count),
            Self::Packed(_) | Self::Table(_) => Self::Packed(Listpack::new()),
        };
        if let Self::Packed(list) = self {
            let places = list.random_distinct(count, 1, draw);
            for at in &places {
                kept.insert_item(list.item(*at), limits);
            }
            list.delete_all(&places);
        } else {
            for _ in 0..count {
                self.pop(draw, |member| {
                    kept.insert(member, limits);
                });
            }
        }
        std::mem::replace(self, kept)
    }
}

/// Picks `count` different numbers below `bound`, which is not less: each further bound brings
/// one in, itself if what is drawn is there already.
fn distinct_below(
    bound: usize,
    count: usize,
    draw: &mut impl FnMut(u64) -> u64,
) -> BTreeSet<usize> {
    let mut picked = BTreeSet::new();
    for last in bound - count..bound {
        let drawn = usize::try_from(draw(last as u64 + 1)).expect("drawn below a size");
        if !picked.insert(drawn) {
            picked.insert(last);
        }
    }
    picked
}
