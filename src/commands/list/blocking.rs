//! Command: those that wait for an element: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.

use ds::quicklist::Side;

use crate::{
    blocking::Wanted,
    commands::{
        list::{
            parse_side,
            pop::take_of_first,
            pop_event, reply_end, shrink,
            transfer::{Route, transfer},
        },
        pop::{ManyArgs, wait_or_answer_none},
        timeout,
    },
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// BLPOP key [key …] timeout
pub(in crate::commands) fn blpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Head)
}

/// BRPOP key [key …] timeout
pub(in crate::commands) fn brpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Tail)
}

fn pop(server: &mut Server, call: &mut Call<'_>, side: Side) -> CommandResult {
    let (db, last) = (call.db(), call.argv.count() - 1);
    let until_ms = timeout::parse_seconds(call.arg(last), server.keyspace.now_ms)?;
    let options = list_options(server.config.encoding);
    let keys = call.argv.from(1).take(last - 1);
    for key in keys.clone() {
        let Some(list) = server.keyspace.change::<List>(db, key)? else { continue };
        call.reply.array(2);
        call.reply.bulk(key);
        reply_end(list, side, call.reply);
        list.remove_end(side);
        let is_empty = shrink(list, options);
        let name: &[u8] = if side == Side::Head { b"LPOP" } else { b"RPOP" };
        call.propagate_as(server, &[name, key]);
        server.keyspace.lost(db, key, pop_event(side), 1, is_empty);
        return Ok(());
    }
    wait_or_answer_none(call, keys, Wanted::List, until_ms)
}

/// BLMPOP timeout numkeys key [key …] LEFT | RIGHT [COUNT count]
pub(in crate::commands) fn blmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 2, parse_side)?;
    let until_ms = timeout::parse_seconds(call.arg(1), server.keyspace.now_ms)?;
    if take_of_first(server, call, &args)? {
        return Ok(());
    }
    wait_or_answer_none(call, args.keys(call), Wanted::List, until_ms)
}

/// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
pub(in crate::commands) fn blmove(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let route = Route::parse(call)?;
    let until_ms = timeout::parse_seconds(call.arg(5), server.keyspace.now_ms)?;
    if transfer(server, call, route)? {
        let [from, to] = [call.arg(3), call.arg(4)];
        call.propagate_as(server, &[b"LMOVE", call.arg(1), call.arg(2), from, to]);
        return Ok(());
    }
    wait_for_source(call, until_ms);
    Ok(())
}

/// BRPOPLPUSH source destination timeout
pub(in crate::commands) fn brpoplpush(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let until_ms = timeout::parse_seconds(call.arg(3), server.keyspace.now_ms)?;
    if transfer(server, call, Route::from_tail_to_head(call))? {
        call.propagate_as(server, &[b"RPOPLPUSH", call.arg(1), call.arg(2)]);
        return Ok(());
    }
    wait_for_source(call, until_ms);
    Ok(())
}

fn wait_for_source(call: &mut Call<'_>, until_ms: Option<i64>) {
    if !call.wait_for(call.argv.from(1).take(1), Wanted::List, until_ms) {
        call.reply.null();
    }
}
