//! Command: ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX.

use crate::{
    commands::zset::span::{By, Span},
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// ZREM key member [member …]
pub(in crate::commands) fn zrem(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let Some(zset) = server.keyspace.change::<Zset>(db, key)? else {
        call.reply.count(0);
        return Ok(());
    };
    let count = call.argv.from(2).filter(|member| zset.remove(member)).count();
    let is_empty = zset.is_empty();
    if count != 0 {
        server.keyspace.lost(db, key, Event::zset("zrem"), count, is_empty);
    }
    call.reply.count(count);
    Ok(())
}

/// ZREMRANGEBYRANK key start stop
pub(in crate::commands) fn zremrangebyrank(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    remove_range(server, call, By::Rank, "zremrangebyrank")
}

/// ZREMRANGEBYSCORE key min max
pub(in crate::commands) fn zremrangebyscore(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    remove_range(server, call, By::Score, "zremrangebyscore")
}

/// ZREMRANGEBYLEX key min max
pub(in crate::commands) fn zremrangebylex(
    server: &mut Server,
    call: &mut Call<'_>,
) -> CommandResult {
    remove_range(server, call, By::Lex, "zremrangebylex")
}

fn remove_range(
    server: &mut Server,
    call: &mut Call<'_>,
    by: By,
    event: &'static str,
) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let span = Span::parse(by, call.arg(2), call.arg(3))?;
    let Some(zset) = server.keyspace.change::<Zset>(db, key)? else {
        call.reply.count(0);
        return Ok(());
    };
    let count = zset.remove_range(span.ranks(zset, End::Min));
    let is_empty = zset.is_empty();
    if count != 0 {
        server.keyspace.lost(db, key, Event::zset(event), count, is_empty);
    }
    call.reply.count(count);
    Ok(())
}
