//! Command: lists: what their handlers share: ends, indexes, and elements that are answered.

mod blocking;
mod element;
mod pop;
mod position;
mod push;
mod range;
mod transfer;

use base::number::parse_i64;
use ds::{
    listpack::Digits,
    quicklist::{Options, Side},
};
use resp::Reply;

use crate::{error::ReplyError, keyspace::Event, value::List};

pub(super) use blocking::{blmove, blmpop, blpop, brpop, brpoplpush};
pub(super) use element::{lindex, linsert, lrem, lset};
pub(super) use pop::{lmpop, lpop, rpop};
pub(super) use position::lpos;
pub(super) use push::{lpush, lpushx, rpush, rpushx};
pub(super) use range::{llen, lrange, ltrim};
pub(super) use transfer::{lmove, rpoplpush};

/// Reads the name of an end.
fn parse_side(word: &[u8]) -> Result<Side, ReplyError> {
    match word {
        word if word.eq_ignore_ascii_case(b"left") => Ok(Side::Head),
        word if word.eq_ignore_ascii_case(b"right") => Ok(Side::Tail),
        _ => Err(ReplyError::Syntax),
    }
}

/// Reads an index, which counts from the tail if it is negative.
fn parse_index(text: &[u8]) -> Result<i64, ReplyError> {
    parse_i64(text).ok_or(ReplyError::NotInteger)
}

fn push_event(side: Side) -> Event {
    Event::list(match side {
        Side::Head => "lpush",
        Side::Tail => "rpush",
    })
}

fn pop_event(side: Side) -> Event {
    Event::list(match side {
        Side::Head => "lpop",
        Side::Tail => "rpop",
    })
}

/// Takes up to `count` elements off an end, and answers them; says how many they were.
fn take(list: &mut List, side: Side, count: usize, reply: &mut Reply) -> usize {
    let length = list.len();
    let count = count.min(length);
    reply.array(count);
    let first = match side {
        Side::Head => 0,
        Side::Tail => length.saturating_sub(1),
    };
    reply_range(list, first, side.other(), count, reply);
    let first = match side {
        Side::Head => 0,
        Side::Tail => length - count,
    };
    list.delete_range(first, count);
    count
}

/// Answers `count` elements, from one at a position on towards an end.
fn reply_range(list: &List, first: usize, towards: Side, count: usize, reply: &mut Reply) {
    let (mut walk, mut digits) = (list.walk(first, towards), Digits::default());
    for _ in 0..count {
        if let Some(element) = walk.next_shared() {
            reply.shared(element);
            continue;
        }
        let element = walk.next().expect("the list is longer");
        reply.bulk(element.text(&mut digits));
    }
}

/// Answers the element at an end of a list that is not empty.
fn reply_end(list: &List, side: Side, reply: &mut Reply) {
    if let Some(element) = list.end_shared(side) {
        return reply.shared(element);
    }
    let element = list.end(side).expect("a key holds no empty list");
    reply.bulk(element.text(&mut Digits::default()));
}

/// Brings a list that has lost elements into the form that its size asks for; says whether
/// nothing is left of it.
fn shrink(list: &mut List, options: Options) -> bool {
    let is_empty = list.is_empty();
    if !is_empty {
        list.shrink(options);
    }
    is_empty
}
