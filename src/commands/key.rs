//! Command: keys, whatever they hold: DEL, EXISTS, KEYS, TYPE, and whole databases.

use base::glob::{self, Case};

use crate::{
    error::ReplyError,
    keyspace::{Event, Look},
    server::{
        Server,
        call::{Call, CommandResult},
        tracking,
    },
};

/// DEL key [key …]
pub(super) fn del(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let lazily = server.config.memory.lazyfree_lazy_user_del;
    delete(server, call, lazily)
}

/// UNLINK key [key …]
pub(super) fn unlink(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    delete(server, call, true)
}

fn delete(server: &mut Server, call: &mut Call<'_>, lazily: bool) -> CommandResult {
    let db = call.db();
    let mut deleted = 0;
    for key in call.argv.from(1) {
        let Some(value) = server.keyspace.delete(db, key) else { continue };
        server.free(value, lazily);
        server.keyspace.written(db, key, Event::DEL);
        deleted += 1;
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
    let pattern = call.arg(1);
    let takes_all = pattern == b"*";
    let deferred = call.reply.deferred();
    let mut count = 0;
    for key in server.keyspace.keys(call.db()) {
        if takes_all || glob::matches(pattern, key, Case::Sensitive) {
            call.reply.bulk(key);
            count += 1;
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

/// FLUSHDB [ASYNC | SYNC]
pub(super) fn flushdb(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let lazily = flushes_lazily(server, call)?;
    flush(server, call.db(), lazily);
    tracking::flushed(server);
    server.keyspace.dirty += 1;
    call.reply.ok();
    Ok(())
}

/// FLUSHALL [ASYNC | SYNC]
pub(super) fn flushall(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let lazily = flushes_lazily(server, call)?;
    (0..server.keyspace.db_count()).for_each(|db| flush(server, db, lazily));
    tracking::flushed(server);
    server.keyspace.dirty += 1;
    call.reply.ok();
    Ok(())
}

fn flushes_lazily(server: &Server, call: &Call<'_>) -> Result<bool, ReplyError> {
    match (call.argv.count(), call.argv.get(1)) {
        (1, _) => Ok(server.config.memory.lazyfree_lazy_user_flush),
        (2, Some(mode)) if mode.eq_ignore_ascii_case(b"async") => Ok(true),
        (2, Some(mode)) if mode.eq_ignore_ascii_case(b"sync") => Ok(false),
        _ => Err(ReplyError::Syntax),
    }
}

fn flush(server: &mut Server, db: usize, lazily: bool) {
    let count = server.keyspace.len(db) as u64;
    let Server { watches, clients, keyspace, .. } = server;
    watches.touch_db(clients, db, |key| keyspace.contains(db, key));
    let all = server.keyspace.take_all(db);
    server.keyspace.dirty += count;
    if lazily && 0 < count {
        server.bio.free(all, count);
    }
}
