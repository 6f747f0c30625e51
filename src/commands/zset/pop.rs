//! Command: ZPOPMIN, ZPOPMAX, ZMPOP.

use base::number::{parse_i64, write_i64};
use resp::Protocol;

use crate::{
    commands::zset::lost,
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// ZPOPMIN key [count]
pub(in crate::commands) fn zpopmin(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, End::Min)
}

/// ZPOPMAX key [count]
pub(in crate::commands) fn zpopmax(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, End::Max)
}

fn pop(server: &mut Server, call: &mut Call<'_>, end: End) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let count = match call.argv.count() {
        2 => None,
        3 => Some(parse_count(call.arg(2))?),
        _ => return Err(ReplyError::Syntax),
    };
    let Some(zset) = server.keyspace.change::<Zset>(db, key)? else {
        call.reply.array(0);
        return Ok(());
    };
    // With a count each is a pair of its own in RESP3.
    let are_pairs = count.is_some() && call.reply.protocol == Protocol::Resp3;
    let count = count.unwrap_or(1).min(zset.len());
    call.reply.array(if are_pairs { count } else { 2 * count });
    if count == 0 {
        return Ok(());
    }
    zset.pop(end, count, |member, score| {
        if are_pairs {
            call.reply.array(2);
        }
        call.reply.bulk(member);
        call.reply.double(score.value());
    });
    let is_empty = zset.is_empty();
    lost(server, db, key, pop_event(end), count, is_empty);
    Ok(())
}

pub(super) fn pop_event(end: End) -> Event {
    Event::zset(match end {
        End::Min => "zpopmin",
        End::Max => "zpopmax",
    })
}

/// Returns the command that others repeat.
pub(super) fn pop_name(end: End) -> &'static [u8] {
    match end {
        End::Min => b"ZPOPMIN",
        End::Max => b"ZPOPMAX",
    }
}

/// Reads how many members are wanted. More than there can be is as good as all.
fn parse_count(text: &[u8]) -> Result<usize, ReplyError> {
    let count = parse_i64(text).filter(|count| 0 <= *count);
    let count = count.ok_or(ReplyError::NotPositive("value"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// What ZMPOP and its like take, and of which keys.
pub(super) struct ManyArgs {
    /// Where the first key stands.
    pub(super) keys_at: usize,
    /// How many they are.
    pub(super) key_count: usize,
    pub(super) end: End,
    pub(super) count: usize,
}

impl ManyArgs {
    /// Reads what stands from the number of keys on, which is at `at`.
    pub(super) fn parse(call: &Call<'_>, at: usize) -> Result<Self, ReplyError> {
        let key_count = parse_from_one(call.arg(at));
        let key_count =
            key_count.ok_or(ReplyError::text("ERR numkeys should be greater than 0"))?;
        let end_at = key_count.checked_add(at + 1).ok_or(ReplyError::Syntax)?;
        let end = match call.argv.get(end_at).ok_or(ReplyError::Syntax)? {
            word if word.eq_ignore_ascii_case(b"min") => End::Min,
            word if word.eq_ignore_ascii_case(b"max") => End::Max,
            _ => return Err(ReplyError::Syntax),
        };
        let mut count = None;
        let mut words = call.argv.from(end_at + 1);
        while let Some(word) = words.next() {
            if count.is_some() || !word.eq_ignore_ascii_case(b"count") {
                return Err(ReplyError::Syntax);
            }
            let number = parse_from_one(words.next().ok_or(ReplyError::Syntax)?);
            count = Some(number.ok_or(ReplyError::text("ERR count should be greater than 0"))?);
        }
        Ok(Self { keys_at: at + 1, key_count, end, count: count.unwrap_or(1) })
    }
}

fn parse_from_one(text: &[u8]) -> Option<usize> {
    let number = parse_i64(text).filter(|number| 0 < *number)?;
    usize::try_from(number).ok()
}

/// ZMPOP numkeys key [key …] MIN | MAX [COUNT count]
pub(in crate::commands) fn zmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 1)?;
    if !take_of_first(server, call, &args)? {
        call.reply.null_array();
    }
    Ok(())
}

/// Takes members off the first sorted set that is there, and answers its key and them; says
/// whether there is one.
pub(super) fn take_of_first(
    server: &mut Server,
    call: &mut Call<'_>,
    args: &ManyArgs,
) -> Result<bool, ReplyError> {
    let db = call.db();
    for key in call.argv.from(args.keys_at).take(args.key_count) {
        let Some(zset) = server.keyspace.change::<Zset>(db, key)? else { continue };
        let count = args.count.min(zset.len());
        call.reply.array(2);
        call.reply.bulk(key);
        call.reply.array(count);
        zset.pop(args.end, count, |member, score| {
            call.reply.array(2);
            call.reply.bulk(member);
            call.reply.double(score.value());
        });
        let is_empty = zset.is_empty();
        let mut digits = Vec::new();
        write_i64(&mut digits, i64::try_from(count).expect("members take memory"));
        call.propagate_as(server, &[pop_name(args.end), key, &digits]);
        lost(server, db, key, pop_event(args.end), count, is_empty);
        return Ok(true);
    }
    Ok(false)
}
