//! Pure: sorted sets in a listpack: a member, its score, the next member …
//!
//! A whole score is an integer there, any other the shortest text of it: so it is in files.

use std::{cmp::Ordering, ops::Range};

use base::float::{parse_f64, write_f64};
use ds::{
    Listpack,
    listpack::{At, Digits, Item},
};

use crate::{config::Encoding, value::zset::End};

/// Between these a whole score is stored as an integer.
const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;

/// A score, which may be text yet.
#[derive(Clone, Copy, Debug)]
pub enum Score<'a> {
    /// As it stands in a listpack.
    Packed(Item<'a>),
    /// A number.
    Number(f64),
}

impl Score<'_> {
    /// Returns the number.
    pub fn value(self) -> f64 {
        match self {
            Self::Packed(item) => score_of(item),
            Self::Number(score) => score,
        }
    }
}

/// Parses a score. NaN is none.
pub fn parse_score(text: &[u8]) -> Option<f64> {
    parse_f64(text)
}

/// Returns the score that an item is.
///
/// # Panics
/// If it is none: what comes from outside was looked through before it became a value.
pub(super) fn score_of(item: Item<'_>) -> f64 {
    number_of(item).expect("a score is a number")
}

/// Returns the score that an item is, if it is one.
pub(super) fn number_of(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Int(n) => Some(n as f64),
        Item::Bytes(text) => parse_score(text),
    }
}

/// Whether each member stands behind the one before it, as scores and then names tell.
pub(super) fn is_in_order(list: &Listpack) -> bool {
    let (mut digits, mut more) = (Digits::default(), Digits::default());
    let scored = list.pairs().map(|(member, score)| (member, score_of(score)));
    scored.is_sorted_by(|(before, score_before), (member, score)| {
        score_before < score
            || score_before == score && before.text(&mut digits) < member.text(&mut more)
    })
}

/// Finds a member, and returns its place.
pub(super) fn place(list: &Listpack, member: &[u8]) -> Option<At> {
    list.find(list.first()?, member, 1)
}

/// Finds a member, and returns its place and its score.
pub(super) fn find(list: &Listpack, member: &[u8]) -> Option<(At, f64)> {
    let at = place(list, member)?;
    let score = list.next(at).expect("a member has a score");
    Some((at, score_of(list.item(score))))
}

/// Finds a member, and returns its rank and its score.
pub(super) fn rank(list: &Listpack, member: &[u8]) -> Option<(usize, f64)> {
    let mut pairs = list.pairs().enumerate();
    let (rank, (_, score)) = pairs.find(|(_, (item, _))| item.is(member))?;
    Some((rank, score_of(score)))
}

/// Counts the members before a range, and those until its end.
pub(super) fn ranks(
    list: &Listpack,
    is_before: impl Fn(&[u8], Score<'_>) -> bool,
    is_behind: impl Fn(&[u8], Score<'_>) -> bool,
) -> Range<usize> {
    let mut digits = Digits::default();
    let mut pairs = list.pairs();
    let (mut start, mut end) = (0, 0);
    for (member, score) in &mut pairs {
        let (member, score) = (member.text(&mut digits), Score::Packed(score));
        if !is_before(member, score) {
            end = start + usize::from(!is_behind(member, score));
            break;
        }
        start += 1;
    }
    if end <= start {
        return start..start;
    }
    for (member, score) in pairs {
        if is_behind(member.text(&mut digits), Score::Packed(score)) {
            break;
        }
        end += 1;
    }
    start..end
}

/// Shows the members of a range of ranks to `visit`, beginning at an end.
pub(super) fn range(
    list: &Listpack,
    ranks: Range<usize>,
    from: End,
    mut visit: impl FnMut(&[u8], Score<'_>),
) {
    let end = ranks.end.min(list.count() / 2);
    let count = end.saturating_sub(ranks.start);
    if count == 0 {
        return;
    }
    let mut digits = Digits::default();
    let first = match from {
        End::Min => 2 * ranks.start,
        End::Max => 2 * end - 1,
    };
    let at = list.seek(first as i64).expect("the range is one of the list");
    match from {
        End::Min => {
            let mut items = list.iter_from(at);
            for _ in 0..count {
                let (Some(member), Some(score)) = (items.next(), items.next()) else { return };
                visit(member.text(&mut digits), Score::Packed(score));
            }
        }
        End::Max => {
            let mut items = list.iter_to(at);
            for _ in 0..count {
                let (Some(score), Some(member)) = (items.next_back(), items.next_back()) else {
                    return;
                };
                visit(member.text(&mut digits), Score::Packed(score));
            }
        }
    }
}

/// Whether the listpack may take one more member, which is this.
pub(super) fn has_room(list: &Listpack, member: &[u8], limits: Encoding) -> bool {
    list.count() / 2 < limits.zset_max_listpack_entries
        && member.len() <= limits.zset_max_listpack_value
        && list.has_room_for(member.len())
}

/// Puts a member that is not there where it belongs.
pub(super) fn insert(list: &mut Listpack, member: &[u8], score: f64) {
    let mut text = Vec::new();
    let item = item_of(score, &mut text);
    match behind(list, member, score) {
        None => list.append_two(Item::Bytes(member), item),
        Some(at) => list.insert_two(at, Item::Bytes(member), item),
    }
}

/// Finds the member before which one goes; none if it is the last.
fn behind(list: &Listpack, member: &[u8], score: f64) -> Option<At> {
    let mut digits = Digits::default();
    let mut is_behind = |at: At| {
        let next = list.next(at).expect("a member has a score");
        let other = score_of(list.item(next));
        let order = other.partial_cmp(&score).expect("no score is NaN");
        let order = order.then_with(|| list.item(at).text(&mut digits).cmp(member));
        (order == Ordering::Greater, next)
    };
    // What comes last often is the highest.
    let last = list.previous(list.last()?).expect("a score has a member");
    if !is_behind(last).0 {
        return None;
    }
    let mut at = list.first();
    while let Some(place) = at {
        let (found, score) = is_behind(place);
        if found {
            return Some(place);
        }
        at = list.next(score);
    }
    None
}

/// Packs what is not too large for it.
pub(super) fn of(zset: &ds::zset::Zset) -> Listpack {
    let (mut list, mut text) = (Listpack::new(), Vec::new());
    for (member, score) in zset.iter() {
        list.append_two(Item::Bytes(member), item_of(score, &mut text));
    }
    list
}

#[expect(clippy::cast_possible_truncation, reason = "whole and in range, as was just seen")]
fn item_of(score: f64, text: &mut Vec<u8>) -> Item<'_> {
    if score.abs() <= INTEGER_MAX && score.trunc() == score {
        return Item::Int(score as i64);
    }
    text.clear();
    write_f64(text, score);
    Item::Bytes(text)
}
