//! Pure: which arguments of a call are keys, and what the call does to them.
//!
//! A key spec says where to begin (at an index, or after a keyword) and how to go on (a range,
//! or as many as an argument counts). Specs are data, the arguments are a stranger's: every
//! place is computed in `i64` and checked against the number of arguments before it is used,
//! a count in an argument bounds nothing but a range that has been checked so, and nothing is
//! allocated. `Keys::find` does all the checking; walking what it returns cannot fail.
//!
//! Either all keys are found or none: a call whose specs do not fit it, or whose specs are
//! known to be incomplete, is given to the command's own function, and without one it has no
//! keys that anybody knows of. COMMAND GETKEYS and access rules see the same keys, because
//! both ask here.

use std::mem;

use base::number::parse_i64;
use resp::Argv;

use super::{Spec, flags::KeyFlags};

/// Where some of a command's keys stand.
#[derive(Debug)]
pub struct KeySpec {
    /// What happens to the keys.
    pub flags: KeyFlags,
    /// Where to begin.
    pub begin: BeginSearch,
    /// How to go on.
    pub find: FindKeys,
    /// What the rest cannot say.
    pub notes: Option<&'static str>,
}

/// Where a spec's first key may stand.
#[derive(Clone, Copy, Debug)]
pub enum BeginSearch {
    /// At a place.
    Index {
        /// Counted with the name, from 0.
        index: i16,
    },
    /// After a word, if it is there.
    Keyword {
        /// In any case.
        keyword: &'static str,
        /// The first place to look at; negative: counted from the end, searching backwards.
        start_from: i16,
    },
    /// Nobody can tell from the arguments.
    Unknown,
}

/// How many keys a spec finds.
#[derive(Clone, Copy, Debug)]
pub enum FindKeys {
    /// Up to a place.
    Range {
        /// Counted from the first key; negative: from the end of the arguments.
        last_key: i16,
        /// The distance of two keys.
        key_step: i16,
        /// Of what is left only one part in so many is keys; 0 and 1: all of it.
        limit: i16,
    },
    /// As many as an argument says.
    KeyNum {
        /// The counting argument, from where the search began.
        index: i16,
        /// The first key, from where the search began.
        first_key: i16,
        /// The distance of two keys.
        key_step: i16,
    },
    /// Nobody can tell from the arguments.
    Unknown,
}

/// Finds the keys of commands whose specs cannot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeysFunction {
    /// SET only reads what was there if GET is among its options.
    Set,
    /// SORT reads its first argument; a destination may follow anywhere. The keys that its
    /// patterns make of elements are nobody's to know.
    Sort,
    /// The same without a destination.
    SortRo,
    /// BITFIELD only reads if GET is all it is told.
    Bitfield,
    /// XREAD and XREADGROUP may have the word that their keys follow among their names.
    Xread,
}

/// Which specs count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Search {
    /// Those of keys.
    Keys,
    /// Also those of names that are only routed like keys.
    RoutedNames,
}

/// The specs do not fit the arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Misfit;

/// A key of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyAt {
    /// Its place among the arguments.
    pub index: usize,
    /// What happens to it.
    pub flags: KeyFlags,
}

/// The keys of a call, all of whose places are within its arguments.
#[derive(Clone, Debug)]
pub struct Keys<'a> {
    argv: Argv<'a>,
    specs: &'static [KeySpec],
    search: Search,
    range: Range,
    /// What comes after `range`, and before the ranges of `specs`.
    then: Range,
}

/// Some keys of equal flags and distance; every place is one of an argument.
#[derive(Clone, Copy, Debug)]
struct Range {
    next: usize,
    end: usize,
    step: usize,
    flags: KeyFlags,
}

impl<'a> Keys<'a> {
    /// Finds the keys of a call: `argv` holds the name, its count has been held to the arity.
    /// A command with neither specs nor function has none.
    pub fn find(spec: &'static Spec, argv: Argv<'a>, search: Search) -> Result<Self, Misfit> {
        let of_keys = spec.key_specs.iter().any(KeySpec::is_of_keys);
        let vary = spec.key_specs.iter().any(|spec| spec.flags.has(KeyFlags::VARIABLE_FLAGS));
        if of_keys && !vary {
            let found = Self::of_specs(spec.key_specs, argv, search);
            if found.is_ok() {
                return found;
            }
        }
        let [range, then] = spec.keys_function.ok_or(Misfit)?.find(argv)?;
        Ok(Self { argv, specs: &[], search, range, then })
    }

    /// Holds each spec against the arguments: its keys must be among them, and it must not
    /// say that there may be more.
    pub(super) fn of_specs(
        specs: &'static [KeySpec],
        argv: Argv<'a>,
        search: Search,
    ) -> Result<Self, Misfit> {
        for spec in specs.iter().filter(|spec| spec.counts(search)) {
            if spec.flags.has(KeyFlags::INCOMPLETE) {
                return Err(Misfit);
            }
            spec.range(argv)?;
        }
        Ok(Self { argv, specs, search, range: Range::EMPTY, then: Range::EMPTY })
    }
}

impl Iterator for Keys<'_> {
    type Item = KeyAt;

    fn next(&mut self) -> Option<KeyAt> {
        loop {
            let Range { next, end, step, flags } = self.range;
            if next < end {
                self.range.next = next.saturating_add(step);
                return Some(KeyAt { index: next, flags });
            }
            if self.then.next < self.then.end {
                self.range = mem::replace(&mut self.then, Range::EMPTY);
                continue;
            }
            let (spec, rest) = self.specs.split_first()?;
            self.specs = rest;
            if spec.counts(self.search) {
                // `of_specs` has seen that no spec fails.
                self.range = spec.range(self.argv).ok().flatten().unwrap_or(Range::EMPTY);
            }
        }
    }
}

impl KeySpec {
    /// Whether it finds keys, and not names that are only routed like keys.
    pub fn is_of_keys(&self) -> bool {
        !self.flags.has(KeyFlags::NOT_KEY)
    }

    fn counts(&self, search: Search) -> bool {
        self.is_of_keys() || search == Search::RoutedNames
    }

    /// Returns where its keys stand; `None` if the keyword that they follow is not there.
    fn range(&self, argv: Argv<'_>) -> Result<Option<Range>, Misfit> {
        let count = as_i64(argv.count());
        let begin = match self.begin {
            BeginSearch::Index { index } => i64::from(index),
            BeginSearch::Keyword { keyword, start_from } => {
                match find_keyword(argv, keyword.as_bytes(), start_from) {
                    Some(at) => as_i64(at) + 1,
                    None => return Ok(None),
                }
            }
            BeginSearch::Unknown => return Err(Misfit),
        };
        let (first, last, step) = match self.find {
            FindKeys::Range { last_key, key_step, limit } => {
                let last = match (last_key, limit) {
                    (0.., _) => begin + i64::from(last_key),
                    (_, 0) => count + i64::from(last_key),
                    (_, limit) => begin + (count - begin) / i64::from(limit) + i64::from(last_key),
                };
                (begin, last, key_step)
            }
            FindKeys::KeyNum { index, first_key, key_step } => {
                let at = usize::try_from(begin + i64::from(index)).map_err(|_| Misfit)?;
                let argument = if at < argv.count() { argv.at(at) } else { return Err(Misfit) };
                let number = parse_i64(argument).filter(|n| (0..=count).contains(n));
                let first = begin + i64::from(first_key);
                (first, first + number.ok_or(Misfit)? - 1, key_step)
            }
            FindKeys::Unknown => return Err(Misfit),
        };
        if first < 1 || last < first || count <= last {
            return Err(Misfit);
        }
        let place = |n: i64| usize::try_from(n).map_err(|_| Misfit);
        let (next, end, step) = (place(first)?, place(last + 1)?, place(i64::from(step.max(1)))?);
        Ok(Some(Range { next, end, step, flags: self.flags }))
    }
}

impl Range {
    const EMPTY: Self = Self { next: 0, end: 0, step: 1, flags: KeyFlags::from_bits(0) };

    fn one(index: usize, flags: KeyFlags) -> Self {
        Self { next: index, end: index + 1, step: 1, flags }
    }
}

impl KeysFunction {
    fn find(self, argv: Argv<'_>) -> Result<[Range; 2], Misfit> {
        match self {
            Self::Set if argv.count() < 3 => Err(Misfit),
            Self::Set => {
                let mut options = argv.iter().skip(3);
                let returns_old = options.any(|option| option.eq_ignore_ascii_case(b"get"));
                let access = KeyFlags::RW.with(KeyFlags::ACCESS);
                let access = if returns_old { access } else { KeyFlags::OW };
                Ok([Range::one(1, access.with(KeyFlags::UPDATE)), Range::EMPTY])
            }
            Self::Sort | Self::SortRo if argv.count() < 2 => Err(Misfit),
            Self::Sort => Ok([SORTED, find_destination(argv)]),
            Self::SortRo => Ok([SORTED, Range::EMPTY]),
            Self::Bitfield if argv.count() < 2 => Err(Misfit),
            Self::Bitfield => {
                let write = KeyFlags::RW.with(KeyFlags::UPDATE);
                let access = if has_only_gets(argv) { KeyFlags::RO } else { write };
                Ok([Range::one(1, access.with(KeyFlags::ACCESS)), Range::EMPTY])
            }
            Self::Xread => find_streams(argv).map(|streams| [streams, Range::EMPTY]),
        }
    }
}

const SORTED: Range =
    Range { next: 1, end: 2, step: 1, flags: KeyFlags::RO.with(KeyFlags::ACCESS) };

/// Finds the last STORE of a SORT. Arguments of other options are no options.
fn find_destination(argv: Argv<'_>) -> Range {
    let (mut found, mut at) = (Range::EMPTY, 2);
    while at < argv.count() {
        let is = |name: &str| argv.at(at).eq_ignore_ascii_case(name.as_bytes());
        if is("store") && at + 1 < argv.count() {
            found = Range::one(at + 1, KeyFlags::OW.with(KeyFlags::UPDATE));
        }
        at += match () {
            () if is("limit") => 3,
            () if is("get") || is("by") => 2,
            () => 1,
        };
    }
    found
}

/// Finds the streams that are read: the first half of what follows STREAMS.
fn find_streams(argv: Argv<'_>) -> Result<Range, Misfit> {
    let mut at = 1;
    while at < argv.count() {
        let is = |name: &str| argv.at(at).eq_ignore_ascii_case(name.as_bytes());
        at += match () {
            () if is("block") || is("count") => 2,
            () if is("group") => 3,
            () if is("noack") => 1,
            () if is("streams") => {
                let (next, count) = (at + 1, argv.count() - at - 1);
                let is_whole = count != 0 && count.is_multiple_of(2);
                let flags = KeyFlags::default();
                let range = Range { next, end: next + count / 2, step: 1, flags };
                return if is_whole { Ok(range) } else { Err(Misfit) };
            }
            () => return Err(Misfit),
        };
    }
    Err(Misfit)
}

/// Whether a BITFIELD changes nothing. What it would refuse counts as a change.
fn has_only_gets(argv: Argv<'_>) -> bool {
    let mut at = 2;
    while at < argv.count() {
        let is = |name: &str| argv.at(at).eq_ignore_ascii_case(name.as_bytes());
        at += match () {
            () if is("get") => 3,
            () if is("overflow") => 2,
            () => return false,
        };
    }
    at == argv.count()
}

/// Finds a word that has an argument behind it.
fn find_keyword(argv: Argv<'_>, keyword: &[u8], start_from: i16) -> Option<usize> {
    let last = argv.count().checked_sub(1)?;
    let is_keyword = |at: &usize| argv.at(*at).eq_ignore_ascii_case(keyword);
    if let Ok(start) = usize::try_from(start_from) {
        return (start.max(1)..last).find(is_keyword);
    }
    let start = argv.count().checked_sub(usize::from(start_from.unsigned_abs()))?;
    (2..=start).rev().find(is_keyword)
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).expect("a count of what is in memory")
}
