//! Command: LPOP, RPOP, LMPOP.

use ds::quicklist::Side;

use crate::{
    commands::{
        list::{parse_side, pop_event, reply_end, shrink, take},
        pop::{ManyArgs, parse_count, propagate_as_pop},
    },
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// LPOP key [count]
pub(in crate::commands) fn lpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Head)
}

/// RPOP key [count]
pub(in crate::commands) fn rpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    pop(server, call, Side::Tail)
}

fn pop(server: &mut Server, call: &mut Call<'_>, side: Side) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let count = match call.argv.count() {
        2 => None,
        3 => Some(parse_count(call.arg(2))?),
        _ => return Err(call.arity_error()),
    };
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, key)? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.null_array(),
        }
        return Ok(());
    };
    let taken = match count {
        None => {
            reply_end(list, side, call.reply);
            list.remove_end(side);
            1
        }
        Some(0) => {
            call.reply.array(0);
            return Ok(());
        }
        Some(count) => take(list, side, count, call.reply),
    };
    let is_empty = shrink(list, options);
    server.keyspace.lost(db, key, pop_event(side), taken, is_empty);
    Ok(())
}

/// LMPOP numkeys key [key …] LEFT | RIGHT [COUNT count]
pub(in crate::commands) fn lmpop(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let args = ManyArgs::parse(call, 1, parse_side)?;
    if !take_of_first(server, call, &args)? {
        call.reply.null_array();
    }
    Ok(())
}

/// Takes elements off the first list that is there, and answers its key and them; says whether
/// there is one.
pub(super) fn take_of_first(
    server: &mut Server,
    call: &mut Call<'_>,
    args: &ManyArgs<Side>,
) -> Result<bool, ReplyError> {
    let db = call.db();
    let options = list_options(server.config.encoding);
    for key in args.keys(call) {
        let Some(list) = server.keyspace.change::<List>(db, key)? else { continue };
        call.reply.array(2);
        call.reply.bulk(key);
        let taken = take(list, args.end, args.count, call.reply);
        let is_empty = shrink(list, options);
        let name: &[u8] = if args.end == Side::Head { b"LPOP" } else { b"RPOP" };
        propagate_as_pop(server, call, name, key, taken);
        server.keyspace.lost(db, key, pop_event(args.end), taken, is_empty);
        return Ok(true);
    }
    Ok(false)
}
