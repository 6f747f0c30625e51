//! Command: ZPOPMIN, ZPOPMAX, ZMPOP.

use resp::Protocol;

use crate::{
    commands::pop::{ManyArgs, parse_count, propagate_as_pop},
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
    server.keyspace.lost(db, key, pop_event(end), count, is_empty);
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

/// Reads the name of an end.
pub(super) fn parse_end(word: &[u8]) -> Result<End, ReplyError> {
    match word {
        word if word.eq_ignore_ascii_case(b"min") => Ok(End::Min),
        word if word.eq_ignore_ascii_case(b"max") => Ok(End::Max),
        _ => Err(ReplyError::Syntax),
    }
}

/// ZMPOP numkeys key [key …] MIN | MAX [COUNT count]
pub(in crate::commands) fn zmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 1, parse_end)?;
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
    args: &ManyArgs<End>,
) -> Result<bool, ReplyError> {
    let db = call.db();
    for key in args.keys(call) {
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
        propagate_as_pop(server, call, pop_name(args.end), key, count);
        server.keyspace.lost(db, key, pop_event(args.end), count, is_empty);
        return Ok(true);
    }
    Ok(false)
}
