//! Command: keys, whatever they hold: DEL, EXISTS, KEYS, TYPE.

use crate::{
    keyspace::{Event, Gone, Look, Pattern},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// DEL key [key …]
pub(super) fn del(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    delete(server, call, Gone::Deleted)
}

/// UNLINK key [key …]
pub(super) fn unlink(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    delete(server, call, Gone::Unlinked)
}

fn delete(server: &mut Server, call: &mut Call<'_>, gone: Gone) -> CommandResult {
    let db = call.db();
    let mut deleted = 0;
    for key in call.argv.from(1) {
        if server.keyspace.delete(db, key, gone) {
            server.keyspace.written(db, key, Event::DEL);
            deleted += 1;
        }
    }
    call.reply.count(deleted);
    Ok(())
}

/// EXISTS key [key …]: one that is named twice counts twice.
pub(super) fn exists(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = call.db();
    let is_there = |key: &&[u8]| server.keyspace.touch(db, key, Look::Glance);
    call.reply.count(call.argv.from(1).filter(is_there).count());
    Ok(())
}

/// TOUCH key [key …]: counts as an access even for one who has said CLIENT NO-TOUCH.
pub(super) fn touch(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = call.db();
    server.keyspace.begin_call(true);
    let is_there = |key: &&[u8]| server.keyspace.touch(db, key, Look::Read);
    call.reply.count(call.argv.from(1).filter(is_there).count());
    Ok(())
}

/// TYPE key
pub(super) fn type_name(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    server.keyspace.touch(db, key, Look::Glance);
    call.reply.simple(server.keyspace.type_name(db, key).unwrap_or("none"));
    Ok(())
}

/// KEYS pattern
pub(super) fn keys(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let pattern = Pattern::of(call.arg(1));
    let deferred = call.reply.deferred();
    let mut count = 0;
    for key in server.keyspace.keys(call.db()) {
        if pattern.matches(key) {
            call.reply.bulk(key);
            count += 1;
        }
        // Nobody will read the rest.
        if call.reply.output().is_cut() {
            break;
        }
    }
    call.reply.close_array(deferred, count);
    Ok(())
}

/// DBSIZE
pub(super) fn dbsize(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.count(server.keyspace.len(call.db()));
    Ok(())
}

/// RANDOMKEY
pub(super) fn randomkey(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match server.keyspace.random_key(call.db()) {
        Some(key) => call.reply.bulk(&key),
        None => call.reply.null(),
    }
    Ok(())
}
