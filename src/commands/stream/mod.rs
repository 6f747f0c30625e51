//! Command: streams: what their handlers share: how numbers of entries are read and answered, and
//! how entries are.

mod add;
mod claim;
mod delete;
mod group;
mod info;
mod pending;
mod range;
mod read;
mod readgroup;
mod repeat;
mod setid;
mod trim;

use ds::listpack::Item;
use resp::Reply;

use crate::{
    error::{REPEATED_BYTES_MAX, ReplyError, printed},
    server::call::Call,
    value::stream::{Course, Entry, Log, StreamId},
};

pub(super) use add::xadd;
pub(super) use claim::{xautoclaim, xclaim};
pub(super) use delete::xdel;
pub(super) use group::{
    xgroup_create, xgroup_createconsumer, xgroup_delconsumer, xgroup_destroy, xgroup_help,
    xgroup_setid,
};
pub(super) use info::{xinfo_consumers, xinfo_groups, xinfo_help, xinfo_stream};
pub(super) use pending::{xack, xpending};
pub(super) use range::{xlen, xrange, xrevrange};
pub(super) use read::xread;
pub(super) use readgroup::xreadgroup;
pub(super) use setid::xsetid;
pub(super) use trim::xtrim;

const INVALID_ID: ReplyError =
    ReplyError::text("ERR Invalid stream ID specified as stream command argument");

/// Reads the number of an entry; without its second part it is the first of its millisecond.
fn parse_id(text: &[u8]) -> Result<StreamId, ReplyError> {
    StreamId::parse(text, 0).ok_or(INVALID_ID)
}

/// Reads the first number of a range; one behind a bracket is left out.
fn parse_min(text: &[u8]) -> Result<StreamId, ReplyError> {
    let invalid = ReplyError::text("ERR invalid start ID for the interval");
    match excluded(text) {
        Some(text) => parse_id(text)?.next().ok_or(invalid),
        None => parse_included(text, 0),
    }
}

/// Reads the last number of a range. Without its second part it is the last of its millisecond.
fn parse_max(text: &[u8]) -> Result<StreamId, ReplyError> {
    let invalid = ReplyError::text("ERR invalid end ID for the interval");
    match excluded(text) {
        Some(text) => StreamId::parse(text, u64::MAX).ok_or(INVALID_ID)?.previous().ok_or(invalid),
        None => parse_included(text, u64::MAX),
    }
}

fn excluded(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"(").filter(|text| !text.is_empty())
}

/// Reads a number, or what stands for the least and the greatest.
fn parse_included(text: &[u8], missing_seq: u64) -> Result<StreamId, ReplyError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => StreamId::parse(text, missing_seq).ok_or(INVALID_ID),
    }
}

/// Reads how many entries are wanted; a negative number is none.
fn parse_count(text: &[u8]) -> Result<usize, ReplyError> {
    let count = base::number::parse_i64(text).ok_or(ReplyError::NotInteger)?;
    Ok(usize::try_from(count.max(0)).unwrap_or(usize::MAX))
}

/// Makes the error for a group that there is not, if there is the stream.
fn no_group(key: &[u8], group: &[u8], tail: &str) -> ReplyError {
    let [key, group] = [printed(key), printed(group)];
    let head = b"NOGROUP No such key '";
    ReplyError::Bytes([head, key, b"' or consumer group '", group, b"'", tail.as_bytes()].concat())
}

/// The same in the words of who has seen that there is the stream.
fn no_group_of_key(key: &[u8], group: &[u8]) -> ReplyError {
    let [key, group] = [printed(key), printed(group)];
    let head = b"NOGROUP No such consumer group '";
    ReplyError::Bytes([head, group, b"' for key name '", key, b"'"].concat())
}

/// Makes the error for arguments that fit no form of a subcommand.
fn misfit(call: &Call<'_>) -> ReplyError {
    let asked = call.arg(1);
    let tail =
        format!("'. Try {} HELP.", call.command.spec().container_name().to_ascii_uppercase());
    ReplyError::quoting(
        "ERR unknown subcommand or wrong number of arguments for '",
        &asked[..asked.len().min(REPEATED_BYTES_MAX)],
        &tail,
    )
}

/// Returns a number as it is answered and counted in C.
fn as_i64(count: u64) -> i64 {
    count.cast_signed()
}

fn reply_id(reply: &mut Reply, id: StreamId) {
    reply.bulk(&id.text());
}

/// Answers all entries in a range of numbers, but no more than `count`, and counts them; 0 is no
/// limit.
fn reply_range(
    reply: &mut Reply,
    log: &Log,
    (min, max): (StreamId, StreamId),
    course: Course,
    count: usize,
) {
    let limit = if count == 0 { usize::MAX } else { count };
    let opened = reply.deferred();
    let mut answered = 0;
    for entry in log.range(min, max, course).take(limit) {
        reply_entry(reply, entry);
        answered += 1;
    }
    reply.close_array(opened, answered);
}

/// Answers an entry: its number, then names and values in turn.
fn reply_entry(reply: &mut Reply, entry: Entry<'_>) {
    reply.array(2);
    reply_id(reply, entry.id);
    reply.array(2 * entry.len());
    for (name, value) in entry {
        reply_item(reply, name);
        reply_item(reply, value);
    }
}

#[inline]
fn reply_item(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(n) => reply.bulk_integer(n),
    }
}
