//! Command: many strings at once: MGET, MSET, MSETNX.

use crate::{
    commands::string::reply_text,
    error::ReplyError,
    keyspace::{Event, Look, NewText, Ttl},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// MGET key [key …]
pub(in crate::commands) fn mget(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.array(call.argv.count() - 1);
    for key in call.argv.from(1) {
        // A key of another type is answered as if it were missing.
        let text = server.keyspace.read_text(call.db(), key).unwrap_or_default();
        reply_text(call, text);
    }
    Ok(())
}

/// MSET key value [key value …]
pub(in crate::commands) fn mset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    check_pairs(call)?;
    set_all(server, call);
    call.reply.ok();
    Ok(())
}

/// MSETNX key value [key value …]: all or nothing.
pub(in crate::commands) fn msetnx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    check_pairs(call)?;
    let db = call.db();
    let is_any_present =
        call.argv.from(1).step_by(2).any(|key| server.keyspace.touch(db, key, Look::Write));
    if !is_any_present {
        set_all(server, call);
    }
    call.reply.count(usize::from(!is_any_present));
    Ok(())
}

fn check_pairs(call: &Call<'_>) -> Result<(), ReplyError> {
    if call.argv.count().is_multiple_of(2) { Err(call.arity_error()) } else { Ok(()) }
}

fn set_all(server: &mut Server, call: &Call<'_>) {
    let db = call.db();
    for at in (1..call.argv.count()).step_by(2) {
        let key = call.arg(at);
        server.keyspace.set_text(db, key, NewText::of(call.argv, at + 1), Ttl::Clear);
        server.keyspace.written(db, key, Event::SET);
    }
}
