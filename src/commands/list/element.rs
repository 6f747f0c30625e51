//! Command: single elements: LINDEX, LSET, LINSERT, LREM.

use ds::quicklist::{Beside, Side};

use crate::{
    commands::list::{parse_index, reply_range, shrink},
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::{List, list_options},
};

/// LINDEX key index
pub(in crate::commands) fn lindex(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let Some(list) = server.keyspace.read::<List>(call.db(), call.arg(1))? else {
        // Nobody looks at the index then.
        call.reply.null();
        return Ok(());
    };
    let Some(position) = list.position(parse_index(call.arg(2))?) else {
        call.reply.null();
        return Ok(());
    };
    reply_range(list, position, Side::Tail, 1, call.reply);
    Ok(())
}

/// LSET key index element
pub(in crate::commands) fn lset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, element) = (call.db(), call.arg(1), call.arg(3));
    let options = list_options(server.config.encoding);
    let list = server.keyspace.change::<List>(db, key)?.ok_or(ReplyError::NoSuchKey)?;
    let index = parse_index(call.arg(2))?;
    list.make_room(element.len(), 1, options);
    let position = list.position(index).ok_or(ReplyError::text("ERR index out of range"))?;
    match call.argv.shared(3) {
        Some(element) => list.set_shared(position, element),
        None => list.set(position, element),
    };
    list.shrink(options);
    server.keyspace.written(db, key, Event::list("lset"));
    call.reply.ok();
    Ok(())
}

/// LINSERT key BEFORE | AFTER pivot element
pub(in crate::commands) fn linsert(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, pivot, element) = (call.db(), call.arg(1), call.arg(3), call.arg(4));
    let beside = match call.arg(2) {
        word if word.eq_ignore_ascii_case(b"before") => Beside::Before,
        word if word.eq_ignore_ascii_case(b"after") => Beside::After,
        _ => return Err(ReplyError::Syntax),
    };
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, key)? else {
        call.reply.count(0);
        return Ok(());
    };
    // Before anybody knows whether the pivot is there: so does Redis, and encodings show it.
    list.make_room(element.len(), 1, options);
    if list.insert(pivot, beside, element) {
        call.reply.count(list.len());
        server.keyspace.written(db, key, Event::list("linsert"));
    } else {
        call.reply.integer(-1);
    }
    Ok(())
}

/// LREM key count element: a negative count counts from the tail, 0 is all.
pub(in crate::commands) fn lrem(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let count = parse_index(call.arg(2))?;
    let from = if count < 0 { Side::Tail } else { Side::Head };
    let limit = match count {
        0 => usize::MAX,
        count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let options = list_options(server.config.encoding);
    let Some(list) = server.keyspace.change::<List>(db, key)? else {
        call.reply.count(0);
        return Ok(());
    };
    let removed = list.remove_equal(call.arg(3), limit, from);
    call.reply.count(removed);
    if 0 < removed {
        let is_empty = shrink(list, options);
        server.keyspace.lost(db, key, Event::list("lrem"), removed, is_empty);
    }
    Ok(())
}
