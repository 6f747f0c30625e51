//! Command: those that wait for a member: BZPOPMIN, BZPOPMAX, BZMPOP.

use crate::{
    blocking::Wanted,
    commands::{
        pop::{ManyArgs, wait_or_answer_none},
        timeout,
        zset::pop::{parse_end, pop_event, pop_name, take_of_first},
    },
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{Zset, zset::End},
};

/// BZPOPMIN key [key …] timeout
pub(in crate::commands) fn bzpopmin(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, End::Min)
}

/// BZPOPMAX key [key …] timeout
pub(in crate::commands) fn bzpopmax(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, End::Max)
}

fn pop(server: &mut Server, call: &mut Call<'_>, end: End) -> CommandResult {
    let (db, last) = (call.db(), call.argv.count() - 1);
    let until_ms = timeout::parse_seconds(call.arg(last), server.keyspace.now_ms)?;
    let keys = call.argv.from(1).take(last - 1);
    for key in keys.clone() {
        let Some(zset) = server.keyspace.change::<Zset>(db, key)? else { continue };
        call.reply.array(3);
        call.reply.bulk(key);
        zset.pop(end, 1, |member, score| {
            call.reply.bulk(member);
            call.reply.double(score.value());
        });
        let is_empty = zset.is_empty();
        call.propagate_as(server, &[pop_name(end), key]);
        server.keyspace.lost(db, key, pop_event(end), 1, is_empty);
        return Ok(());
    }
    wait_or_answer_none(call, keys, Wanted::Zset, until_ms)
}

/// BZMPOP timeout numkeys key [key …] MIN | MAX [COUNT count]
pub(in crate::commands) fn bzmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 2, parse_end)?;
    let until_ms = timeout::parse_seconds(call.arg(1), server.keyspace.now_ms)?;
    if take_of_first(server, call, &args)? {
        return Ok(());
    }
    wait_or_answer_none(call, args.keys(call), Wanted::Zset, until_ms)
}
