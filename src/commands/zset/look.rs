//! Command: ZCARD, ZCOUNT, ZLEXCOUNT, ZSCORE, ZMSCORE, ZRANK, ZREVRANK.

use crate::{
    commands::zset::span::{By, Span},
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// ZCARD key
pub(in crate::commands) fn zcard(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    call.reply.count(zset.map_or(0, Zset::len));
    Ok(())
}

/// ZCOUNT key min max
pub(in crate::commands) fn zcount(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    count(server, call, By::Score)
}

/// ZLEXCOUNT key min max
pub(in crate::commands) fn zlexcount(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    count(server, call, By::Lex)
}

fn count(server: &mut Server, call: &mut Call<'_>, by: By) -> CommandResult {
    let span = Span::parse(by, call.arg(2), call.arg(3))?;
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    call.reply.count(zset.map_or(0, |zset| span.ranks(zset, End::Min).len()));
    Ok(())
}

/// ZSCORE key member
pub(in crate::commands) fn zscore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    match zset.and_then(|zset| zset.score(call.arg(2))) {
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
    Ok(())
}

/// ZMSCORE key member [member …]
pub(in crate::commands) fn zmscore(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    let members = call.argv.from(2);
    call.reply.array(members.len());
    for member in members {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => call.reply.double(score),
            None => call.reply.null(),
        }
    }
    Ok(())
}

/// ZRANK key member [WITHSCORE]
pub(in crate::commands) fn zrank(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    rank(server, call, End::Min)
}

/// ZREVRANK key member [WITHSCORE]
pub(in crate::commands) fn zrevrank(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    rank(server, call, End::Max)
}

fn rank(server: &mut Server, call: &mut Call<'_>, from: End) -> CommandResult {
    let with_score = match call.argv.count() {
        3 => false,
        4 if call.arg(3).eq_ignore_ascii_case(b"withscore") => true,
        4 => return Err(ReplyError::Syntax),
        _ => return Err(call.arity_error()),
    };
    let zset = server.keyspace.read::<Zset>(call.db(), call.arg(1))?;
    match zset.and_then(|zset| zset.rank(call.arg(2), from)) {
        Some((rank, score)) if with_score => {
            call.reply.array(2);
            call.reply.count(rank);
            call.reply.double(score);
        }
        Some((rank, _)) => call.reply.count(rank),
        None if with_score => call.reply.null_array(),
        None => call.reply.null(),
    }
    Ok(())
}
