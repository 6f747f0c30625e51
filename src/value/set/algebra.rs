//! Pure: what several sets have in common, have together, or one has alone.
//!
//! All of it is one question, asked for a batch of members of one set: which of them are in
//! another? A batch is hashed once, however many sets are asked, and what tables have to say
//! is fetched for many members at a time. The smallest set is asked about where any would do.
//!
//! The forms with a result show its form, so that is Redis's: what a set of members becomes
//! depends on the steps by which it was made.

use ds::{
    Intset, Listpack, dict,
    listpack::{Digits, Item},
};

use super::Set;
use crate::config::Encoding;

/// Members that are looked for at once.
const BATCH: usize = 32;
/// With more sets than this, a union is collected instead of looked up in each.
const UNION_SETS_LOOKED_UP_MAX: usize = 6;

/// What is asked of the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    InAll,
    InNone,
}

/// Shows to `visit` the members of `set` that all, or none, of `others` have, until it says
/// that it does not want more.
fn select(set: &Set, others: &[&Set], wanted: Wanted, mut visit: impl FnMut(Item<'_>) -> bool) {
    let mut members = set.iter();
    let is_hashed = others.iter().any(|other| matches!(other, Set::Table(_)));
    loop {
        let mut digits: [Digits; BATCH] = Default::default();
        let mut batch: Vec<(Item<'_>, Option<dict::Hash>, &[u8])> = Vec::with_capacity(BATCH);
        for digits in &mut digits {
            let Some(member) = members.next() else { break };
            let text = member.text(digits);
            batch.push((member, is_hashed.then(|| dict::hash(text)), text));
        }
        let is_last = batch.len() < BATCH;
        for other in others {
            if let Set::Table(table) = other {
                let hashes = || batch.iter().filter_map(|(_, hash, _)| *hash);
                hashes().for_each(|hash| table.prefetch(hash));
                hashes().for_each(|hash| table.prefetch_member(hash));
            }
            batch.retain(|(member, hash, text)| {
                other.contains_known(*member, text, *hash) == (wanted == Wanted::InAll)
            });
        }
        if !batch.iter().all(|(member, ..)| visit(*member)) || is_last {
            return;
        }
    }
}

/// Shows to `visit` the members that all sets have, until it says that it does not want more.
pub fn each_of_intersection(sets: &[&Set], mut visit: impl FnMut(Item<'_>) -> bool) {
    if let Some((smallest, others)) = by_size(sets).split_first() {
        select(smallest, others, Wanted::InAll, &mut visit);
    }
}

/// Returns the set of what all sets have.
pub fn intersection(sets: &[&Set], limits: Encoding) -> Set {
    let sets = by_size(sets);
    let Some((smallest, others)) = sets.split_first() else { return Set::default() };
    let mut common = match smallest {
        Set::Ints(_) => Set::Ints(Intset::new()),
        Set::Packed(_) | Set::Table(_) => Set::Packed(Listpack::new()),
    };
    let is_table = matches!(smallest, Set::Table(_));
    let mut has_integers_alone = true;
    select(smallest, others, Wanted::InAll, |member| {
        let is_integer = match member {
            Item::Int(_) => true,
            Item::Bytes(_) => is_table && has_integers_alone && member.integer().is_some(),
        };
        has_integers_alone &= is_integer;
        common.insert_item(member, limits);
        true
    });
    if has_integers_alone {
        common.narrow(limits);
    }
    common
}

/// Shows to `visit` what any set has, each member once.
pub fn each_of_union(sets: &[&Set], mut visit: impl FnMut(Item<'_>)) {
    if UNION_SETS_LOOKED_UP_MAX < sets.len() {
        let mut seen = ds::set::Set::new();
        let mut digits = Digits::default();
        for member in sets.iter().flat_map(|set| set.iter()) {
            if seen.insert(member.text(&mut digits)) {
                visit(member);
            }
        }
        return;
    }
    // What the large ones have is shown without a look anywhere.
    let mut sets = by_size(sets);
    sets.reverse();
    for (at, set) in sets.iter().enumerate() {
        select(set, &sets[..at], Wanted::InNone, |member| {
            visit(member);
            true
        });
    }
}

/// Returns the set of what any set has.
pub fn union(sets: &[&Set], limits: Encoding) -> Set {
    let largest = sets.iter().map(|set| set.len()).max().unwrap_or(0);
    let small_max = limits.set_max_intset_entries.max(limits.set_max_listpack_entries);
    let mut all = if small_max < largest { Set::table(largest) } else { Set::default() };
    for member in sets.iter().flat_map(|set| set.iter()) {
        all.insert_item(member, limits);
    }
    all
}

/// Shows to `visit` what the first set has and the others have not.
pub fn each_of_difference(first: &Set, others: &[&Set], mut visit: impl FnMut(Item<'_>)) {
    match Way::choose(first, others) {
        Way::Empty => {}
        Way::LookUp => select(first, &largest_first(others), Wanted::InNone, |member| {
            visit(member);
            true
        }),
        Way::TakeOut => {
            // What the others have of it is less than all that it has.
            let mut out = ds::set::Set::new();
            for other in others {
                select(other, &[first], Wanted::InAll, |member| {
                    out.insert(member.text(&mut Digits::default()));
                    out.len() < first.len()
                });
            }
            if out.len() < first.len() {
                let out = Set::Table(Box::new(out));
                select(first, &[&out], Wanted::InNone, |member| {
                    visit(member);
                    true
                });
            }
        }
    }
}

/// Returns the set of what the first set has and the others have not.
pub fn difference(first: &Set, others: &[&Set], limits: Encoding) -> Set {
    let mut rest = Set::default();
    match Way::choose(first, others) {
        Way::Empty => {}
        Way::LookUp => select(first, &largest_first(others), Wanted::InNone, |member| {
            rest.insert_item(member, limits);
            true
        }),
        Way::TakeOut => {
            // The form is that which all members of the first set need.
            rest = union(&[first], limits);
            let mut digits = Digits::default();
            for member in others.iter().flat_map(|set| set.iter()) {
                if rest.is_empty() {
                    break;
                }
                rest.remove(member.text(&mut digits));
            }
        }
    }
    rest
}

/// How a difference is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// A set has nothing that it has not.
    Empty,
    /// Each member of the first set is looked up in the others.
    LookUp,
    /// Each member of the others is taken out of the first set.
    TakeOut,
}

impl Way {
    /// Chooses as Redis does, which shows in the form of what is stored: looking up stops at
    /// the first set that has a member, so it counts half.
    fn choose(first: &Set, others: &[&Set]) -> Self {
        if others.iter().any(|other| std::ptr::eq(*other, first)) {
            return Self::Empty;
        }
        let all: usize = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
        let looked_up = first.len().saturating_mul(others.len() + 1) / 2;
        if looked_up <= all { Self::LookUp } else { Self::TakeOut }
    }
}

impl Set {
    /// Holds integers alone, and becomes an intset if they are few enough.
    fn narrow(&mut self, limits: Encoding) {
        let count_max = limits.set_max_intset_entries.min(super::INTS_MAX);
        if matches!(self, Self::Ints(_)) || count_max < self.len() {
            return;
        }
        let mut integers: Vec<i64> = self.iter().filter_map(Item::integer).collect();
        integers.sort_unstable();
        let mut set = Intset::new();
        integers.into_iter().for_each(|n| {
            set.insert(n);
        });
        *self = Self::Ints(set);
    }
}

fn by_size<'a>(sets: &[&'a Set]) -> Vec<&'a Set> {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| set.len());
    sets.dedup_by(|a, b| std::ptr::eq(*a, *b));
    sets
}

/// The largest is the most likely to have what is looked for.
fn largest_first<'a>(sets: &[&'a Set]) -> Vec<&'a Set> {
    let mut sets = by_size(sets);
    sets.reverse();
    sets
}
