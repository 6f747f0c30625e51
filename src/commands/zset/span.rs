//! Command: ranges of ranks, scores and names, as commands of sorted sets are told them.

use std::ops::{Bound, Range};

use base::{float::parse_f64, number::parse_i64};
use ds::zset::Lex;

use crate::{
    error::ReplyError,
    value::{
        Zset,
        zset::{End, ScoreRange},
    },
};

/// By what a range is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// From where to where.
pub(super) enum Span<'a> {
    /// Negative ranks count from the other end.
    Rank(i64, i64),
    Score(ScoreRange),
    Lex((Lex<'a>, Lex<'a>)),
}

impl<'a> Span<'a> {
    /// Parses a lower and an upper end.
    pub(super) fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self, ReplyError> {
        match by {
            By::Rank => {
                let rank = |text| parse_i64(text).ok_or(ReplyError::NotInteger);
                Ok(Self::Rank(rank(min)?, rank(max)?))
            }
            By::Score => parse_scores(min, max).map(Self::Score),
            By::Lex => parse_names(min, max).map(Self::Lex),
        }
    }

    /// Returns the ranks, counted from the lowest, of what is meant; told ranks are counted
    /// from an end.
    pub(super) fn ranks(&self, zset: &Zset, from: End) -> Range<usize> {
        match self {
            Self::Rank(start, stop) => {
                let length = zset.len();
                let ranks = told_ranks(*start, *stop, length);
                match from {
                    End::Min => ranks,
                    End::Max => length - ranks.end..length - ranks.start,
                }
            }
            Self::Score(range) => zset.ranks_by_score(*range),
            Self::Lex(range) => zset.ranks_by_lex(*range),
        }
    }
}

fn told_ranks(start: i64, stop: i64, length: usize) -> Range<usize> {
    let count = i64::try_from(length).expect("members take memory");
    let from_end = |rank: i64| if rank < 0 { count.saturating_add(rank) } else { rank };
    let (start, stop) = (from_end(start).max(0), from_end(stop).min(count - 1));
    if stop < start {
        return 0..0;
    }
    // Both are at least zero, and below the length.
    start as usize..stop as usize + 1
}

/// Parses two scores, either of which `(` excludes.
pub(super) fn parse_scores(min: &[u8], max: &[u8]) -> Result<ScoreRange, ReplyError> {
    let parse = |text: &[u8]| match text {
        [b'(', score @ ..] => loose_score(score).map(Bound::Excluded),
        score => loose_score(score).map(Bound::Included),
    };
    let wrong = ReplyError::text("ERR min or max is not a float");
    parse(min).zip(parse(max)).ok_or(wrong)
}

/// Reads a number as C's `strtod` does, which is less strict than scores are: it passes over
/// space, ends at a zero byte, finds 0 where there is nothing, and rounds what is too large.
fn loose_score(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\x0b';
    let digits = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let out_of_range = || std::str::from_utf8(digits).ok()?.parse().ok();
    parse_f64(digits).or_else(out_of_range).filter(|number: &f64| !number.is_nan())
}

/// Parses two ends of a range of names.
pub(super) fn parse_names<'a>(
    min: &'a [u8],
    max: &'a [u8],
) -> Result<(Lex<'a>, Lex<'a>), ReplyError> {
    let parse = |text: &'a [u8]| match text {
        [b'-'] | [b'-', 0, ..] => Some(Lex::Min),
        [b'+'] | [b'+', 0, ..] => Some(Lex::Max),
        [b'[', name @ ..] => Some(Lex::Included(name)),
        [b'(', name @ ..] => Some(Lex::Excluded(name)),
        _ => None,
    };
    let wrong = ReplyError::text("ERR min or max not valid string range item");
    parse(min).zip(parse(max)).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::{loose_score, told_ranks};

    #[test]
    fn a_bound_is_what_c_takes_for_a_number() {
        let right: [(&[u8], f64); 8] = [
            (b"", 0.0),
            (b" \t1.5", 1.5),
            (b"1e400", f64::INFINITY),
            (b"-1e400", f64::NEG_INFINITY),
            (b"1e-400", 0.0),
            (b"+inf", f64::INFINITY),
            (b"0x10", 16.0),
            (b"2\0x", 2.0),
        ];
        for (text, number) in right {
            assert_eq!(loose_score(text), Some(number), "{}", text.escape_ascii());
        }
        for text in [&b" "[..], b"nan", b"1 ", b"x", b"(1", b"1e"] {
            assert_eq!(loose_score(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn ranks_are_cut_to_what_there_is() {
        assert_eq!(told_ranks(0, -1, 3), 0..3);
        assert_eq!(told_ranks(-2, 10, 3), 1..3);
        assert_eq!(told_ranks(i64::MIN, i64::MAX, 3), 0..3);
        assert_eq!(told_ranks(i64::MIN, i64::MIN, 3), 0..0);
        assert_eq!(told_ranks(3, 5, 3), 0..0);
        assert_eq!(told_ranks(2, 1, 3), 0..0);
    }
}
