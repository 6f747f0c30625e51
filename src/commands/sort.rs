//! Command: SORT and SORT_RO: parse, take the elements, weigh and order them, cut, show.
//!
//! What is sorted comes from `elements`, the one place that knows types.

use std::cmp::Ordering;

use base::{Bytes, float::parse_f64, number::parse_i64};
use ds::{
    Quicklist,
    listpack::Digits,
    quicklist::{Options, Side},
};
use sys::collate::terminated;

use crate::{
    error::ReplyError,
    keyspace::{Event, Look, Text},
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, Set, Value, Zset, list_options, zset::End},
};

/// Which of the two was called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Sort,
    ReadOnly,
}

/// By what elements are ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By<'a> {
    Element,
    /// By what this pattern names for each.
    Pattern(&'a [u8]),
    /// A pattern without a star names the same for all: they stay as they come.
    Nothing,
}

struct SortArgs<'a> {
    by: By<'a>,
    is_alpha: bool,
    is_descending: bool,
    offset: i64,
    /// Negative: all.
    count: i64,
    gets: Vec<&'a [u8]>,
    destination: Option<&'a [u8]>,
}

impl<'a> SortArgs<'a> {
    fn parse(call: &Call<'a>, form: Form, is_cluster: bool) -> Result<Self, ReplyError> {
        let mut args = Self {
            by: By::Element,
            is_alpha: false,
            is_descending: false,
            offset: 0,
            count: -1,
            gets: Vec::new(),
            destination: None,
        };
        let mut words = call.argv.from(2);
        while let Some(word) = words.next() {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            match () {
                () if is("asc") => args.is_descending = false,
                () if is("desc") => args.is_descending = true,
                () if is("alpha") => args.is_alpha = true,
                () if is("limit") => {
                    let (Some(offset), Some(count)) = (words.next(), words.next()) else {
                        return Err(ReplyError::Syntax);
                    };
                    args.offset = parse_i64(offset).ok_or(ReplyError::NotInteger)?;
                    args.count = parse_i64(count).ok_or(ReplyError::NotInteger)?;
                }
                () if is("store") && form == Form::Sort => {
                    args.destination = Some(words.next().ok_or(ReplyError::Syntax)?);
                }
                () if is("by") => {
                    let pattern = words.next().ok_or(ReplyError::Syntax)?;
                    args.by = if !pattern.contains(&b'*') {
                        By::Nothing
                    } else if is_cluster {
                        return Err(ReplyError::text(
                            "ERR BY option of SORT denied in Cluster mode.",
                        ));
                    } else {
                        By::Pattern(pattern)
                    };
                }
                () if is("get") => {
                    let pattern = words.next().ok_or(ReplyError::Syntax)?;
                    if is_cluster {
                        return Err(ReplyError::text(
                            "ERR GET option of SORT denied in Cluster mode.",
                        ));
                    }
                    args.gets.push(pattern);
                }
                () => return Err(ReplyError::Syntax),
            }
        }
        Ok(args)
    }

    /// Whether texts are in the order of the locale. What is stored must be the same wherever it
    /// is repeated, and is in that of bytes.
    fn is_collated(&self) -> bool {
        self.is_alpha && self.destination.is_none()
    }

    /// Returns what is left of so many elements.
    fn range(&self, length: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.offset).unwrap_or(0).min(length);
        let count = usize::try_from(self.count).unwrap_or(length);
        start..start.saturating_add(count).min(length)
    }
}

/// What is sorted.
struct Elements {
    /// In the order that they have by themselves.
    list: Vec<Bytes>,
    /// That order means nothing.
    is_unordered: bool,
    /// They were asked for in this order, and cut to what is wanted: nothing is to be done.
    is_final: bool,
}

impl Elements {
    fn in_order(list: Vec<Bytes>) -> Self {
        Self { list, is_unordered: false, is_final: false }
    }
}

/// What an element is ordered by.
#[derive(Clone, PartialEq, Debug)]
enum Weight {
    Number(f64),
    /// `None` goes before all.
    Text(Option<Bytes>),
}

/// SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]
/// [STORE destination]
pub(super) fn sort(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    sort_as(server, call, Form::Sort)
}

/// SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC] [ALPHA]
pub(super) fn sort_ro(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    sort_as(server, call, Form::ReadOnly)
}

fn sort_as(server: &mut Server, call: &mut Call<'_>, form: Form) -> CommandResult {
    let mut args = SortArgs::parse(call, form, server.config.cluster.cluster_enabled)?;
    let db = call.db();
    let elements = elements(server, db, call.arg(1), &args)?;
    if args.by == By::Nothing && elements.is_unordered && args.destination.is_some() {
        // What is stored must be the same wherever it is repeated.
        (args.by, args.is_alpha) = (By::Element, true);
    }
    // What has no order is shown as it is found, from either end.
    args.is_descending &= args.by != By::Nothing || !elements.is_unordered;
    let (sorted, range) = if elements.is_final {
        let range = 0..elements.list.len();
        (elements.list, range)
    } else {
        let sorted = order(server, db, elements.list, &args)?;
        let range = args.range(sorted.len());
        (sorted, range)
    };
    let mut shown: Vec<Option<Bytes>> = Vec::new();
    for element in &sorted[range] {
        if args.gets.is_empty() {
            shown.push(Some(element.clone()));
        }
        for pattern in &args.gets {
            shown.push(named_by(server, db, pattern, element));
        }
    }
    match args.destination {
        Some(destination) => store(server, call, destination, &shown),
        None => {
            call.reply.array(shown.len());
            for value in shown {
                match value {
                    Some(value) => call.reply.bulk(&value),
                    None => call.reply.null(),
                }
            }
        }
    }
    Ok(())
}

/// Takes the elements out of the key that is sorted.
fn elements(
    server: &mut Server,
    db: usize,
    key: &[u8],
    args: &SortArgs<'_>,
) -> Result<Elements, ReplyError> {
    let Some(record) = server.keyspace.look(db, key, Look::Read) else {
        return Ok(Elements::in_order(Vec::new()));
    };
    let record = if let Some(Value::Zset(Zset::Packed(_))) = record.value() {
        // Redis wants the big form to walk over, and leaves it so: encodings show it.
        if let Some(zset) = server.keyspace.change::<Zset>(db, key)? {
            zset.unpack(0);
        }
        server.keyspace.peek(db, key).expect("it was there just now")
    } else {
        record
    };
    match record.value() {
        Some(Value::List(list)) => Ok(elements_of_list(list, args)),
        Some(Value::Set(set)) => Ok(elements_of_set(set)),
        Some(Value::Zset(zset)) => Ok(elements_of_zset(zset, args)),
        _ => Err(ReplyError::WrongType),
    }
}

/// A list that is not sorted is not copied as a whole if a part of it is wanted.
fn elements_of_list(list: &List, args: &SortArgs<'_>) -> Elements {
    if args.by != By::Nothing {
        return Elements::in_order(copy(list, 0..list.len(), Side::Tail));
    }
    let range = args.range(list.len());
    let list = if args.is_descending {
        copy(list, range, Side::Head)
    } else {
        copy(list, range, Side::Tail)
    };
    Elements { list, is_unordered: false, is_final: true }
}

fn elements_of_set(set: &Set) -> Elements {
    let mut list = Vec::with_capacity(set.len());
    set.each(|member| list.push(member.into()));
    Elements { list, is_unordered: true, is_final: false }
}

/// A sorted set that is not sorted by anything else keeps its own order, from either end.
fn elements_of_zset(zset: &Zset, args: &SortArgs<'_>) -> Elements {
    let is_final = args.by == By::Nothing;
    let range = if is_final { args.range(zset.len()) } else { 0..zset.len() };
    let mut list = Vec::with_capacity(range.len());
    let (ranks, from) = if is_final && args.is_descending {
        (zset.len() - range.end..zset.len() - range.start, End::Max)
    } else {
        (range, End::Min)
    };
    zset.range(ranks, from, |member, _| list.push(member.into()));
    Elements { list, is_unordered: false, is_final }
}

/// Copies the elements of a range that is counted from the end from which they are taken.
fn copy(list: &List, range: std::ops::Range<usize>, towards: Side) -> Vec<Bytes> {
    let first = match towards {
        Side::Tail => range.start,
        Side::Head => list.len().wrapping_sub(1 + range.start),
    };
    let (mut walk, mut digits) = (list.walk(first, towards), Digits::default());
    let mut elements = Vec::with_capacity(range.len());
    while elements.len() < range.len() {
        let element = walk.next().expect("the range is one of the list");
        elements.push(element.text(&mut digits).into());
    }
    elements
}

fn order(
    server: &mut Server,
    db: usize,
    list: Vec<Bytes>,
    args: &SortArgs<'_>,
) -> Result<Vec<Bytes>, ReplyError> {
    if args.by == By::Nothing {
        // What has an order of its own came in it.
        return Ok(list);
    }
    let (mut weighed, mut collated) = (Vec::new(), Vec::new());
    for element in list {
        let text = match args.by {
            By::Pattern(pattern) => named_by(server, db, pattern, &element),
            By::Element | By::Nothing => Some(element.clone()),
        };
        if args.is_collated() {
            collated.push((text.as_deref().map(terminated), element));
        } else {
            weighed.push((weigh(text, args.is_alpha)?, element));
        }
    }
    if args.is_collated() {
        return Ok(server.collation.sort(collated, args.is_descending));
    }
    sort_weighed(&mut weighed, args.is_descending);
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

fn weigh(text: Option<Bytes>, is_alpha: bool) -> Result<Weight, ReplyError> {
    if is_alpha {
        return Ok(Weight::Text(text));
    }
    // Nothing weighs nothing.
    let digits = text.as_ref().map_or(&[][..], |text| text.trim_ascii_start());
    let number = if digits.is_empty() { Some(0.0) } else { parse_f64(digits) };
    let number = number.filter(|number| !number.is_nan());
    let wrong = ReplyError::text("ERR One or more scores can't be converted into double");
    number.map(Weight::Number).ok_or(wrong)
}

/// Numbers that are alike leave the order to the elements, so that it is always the same.
fn sort_weighed(weighed: &mut [(Weight, Bytes)], is_descending: bool) {
    weighed.sort_by(|(a, element), (b, other)| {
        let order = match (a, b) {
            (Weight::Number(a), Weight::Number(b)) => {
                a.partial_cmp(b).unwrap_or(Ordering::Equal).then_with(|| element.cmp(other))
            }
            (Weight::Text(a), Weight::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        };
        if is_descending { order.reverse() } else { order }
    });
}

/// Returns what a pattern names for an element: `#` the element itself; else a key, whose star
/// is the element, or with `->` a field of the hash there.
fn named_by(server: &mut Server, db: usize, pattern: &[u8], element: &[u8]) -> Option<Bytes> {
    if pattern == b"#" {
        return Some(element.into());
    }
    let star = pattern.iter().position(|byte| *byte == b'*')?;
    let rest = &pattern[star + 1..];
    let arrow = rest.windows(2).position(|two| two == b"->").filter(|at| at + 2 < rest.len());
    let key = [&pattern[..star], element, &rest[..arrow.unwrap_or(rest.len())]].concat();
    let Some(arrow) = arrow else {
        return server.keyspace.read_text(db, &key).ok()?.map(Text::bytes).map(Into::into);
    };
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(db, &key).ok()??;
    Some(hash.get(&rest[arrow + 2..], now_ms)?.to_vec().into())
}

/// Puts what comes out in the place of whatever the destination holds; nothing is no list.
fn store(server: &mut Server, call: &mut Call<'_>, destination: &[u8], shown: &[Option<Bytes>]) {
    let db = call.db();
    let options = list_options(server.config.encoding);
    let (list, event) = (list_of(shown, options), Event::list("sortstore"));
    server.keyspace.store(db, destination, list, event, shown.len());
    call.reply.count(shown.len());
}

/// Makes a list; what is not there is an empty string in it. Until it is whole it is one with
/// nodes, and keeps the usual size of those, whatever is set.
fn list_of(shown: &[Option<Bytes>], options: Options) -> List {
    let mut list = List::Nodes(Box::new(Quicklist::new(Options::default())));
    for value in shown {
        list.push(Side::Tail, value.as_deref().unwrap_or_default());
    }
    list.settle(options);
    list
}

#[cfg(test)]
mod tests {
    use super::{Weight, sort_weighed, weigh};

    fn sorted(elements: &[&str], is_alpha: bool, is_descending: bool) -> Vec<String> {
        let weighed = elements.iter().map(|element| {
            let element = base::Bytes::from(element.as_bytes());
            (weigh(Some(element.clone()), is_alpha).unwrap(), element)
        });
        let mut weighed: Vec<_> = weighed.collect();
        sort_weighed(&mut weighed, is_descending);
        let text = |element: &[u8]| String::from_utf8_lossy(element).into_owned();
        weighed.iter().map(|(_, element)| text(element)).collect()
    }

    #[test]
    fn numbers_and_texts_have_orders_of_their_own() {
        assert_eq!(sorted(&["10", "9", "-1", " 2"], false, false), ["-1", " 2", "9", "10"]);
        assert_eq!(sorted(&["10", "9", "-1"], true, false), ["-1", "10", "9"]);
        assert_eq!(sorted(&["10", "9", "-1"], true, true), ["9", "10", "-1"]);
        assert_eq!(sorted(&["1.0", "1", "1e0"], false, false), ["1", "1.0", "1e0"]);
    }

    #[test]
    fn a_weight_is_a_number_or_an_error() {
        assert_eq!(weigh(None, false), Ok(Weight::Number(0.0)));
        assert_eq!(weigh(Some(b""[..].into()), false), Ok(Weight::Number(0.0)));
        assert_eq!(weigh(Some(b"inf"[..].into()), false), Ok(Weight::Number(f64::INFINITY)));
        for wrong in ["x", "1x", "nan", "1 "] {
            assert!(weigh(Some(wrong.as_bytes().into()), false).is_err(), "{wrong}");
        }
    }
}
