//! Command: HSET, HMSET, HSETNX, HDEL.

use ds::hash::NewValue;
use resp::Argv;

use crate::{
    error::ReplyError,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// The first field among the arguments.
const FIELDS_AT: usize = 2;

/// HSET key field value [field value …]
pub(in crate::commands) fn hset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let new_count = set_all(server, call)?;
    call.reply.count(new_count);
    Ok(())
}

/// HMSET key field value [field value …]
pub(in crate::commands) fn hmset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    set_all(server, call)?;
    call.reply.ok();
    Ok(())
}

/// Gives each field its value, and says how many are new.
fn set_all(server: &mut Server, call: &mut Call<'_>) -> Result<usize, ReplyError> {
    if !call.argv.count().is_multiple_of(2) {
        return Err(call.arity_error());
    }
    let (db, key, limits) = (call.db(), call.arg(1), server.config.encoding);
    let hash = server.keyspace.change_or_create_hash(db, key, call.argv.from(2))?;
    let texts = call.argv.from(FIELDS_AT);
    let count = texts.len() / 2;
    hash.make_room(texts, limits);
    let mut new_count = 0;
    for at in (FIELDS_AT..call.argv.count()).step_by(2) {
        let value = value_at(call.argv, at + 1);
        new_count += usize::from(hash.set(call.argv.at(at), value, false, limits));
    }
    server.keyspace.written_as(db, key, Event::hash("hset"), count);
    Ok(new_count)
}

/// Takes an argument as a value, which needs no copy if it is in a buffer of its own.
fn value_at(argv: Argv<'_>, at: usize) -> NewValue<'_> {
    argv.shared(at).map_or_else(|| argv.at(at).into(), NewValue::Shared)
}

/// HSETNX key field value
pub(in crate::commands) fn hsetnx(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, limits) = (call.db(), call.arg(1), server.config.encoding);
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.change_or_create_hash(db, key, call.argv.from(2))?;
    if hash.get(call.arg(2), now_ms).is_some() {
        call.reply.count(0);
        return Ok(());
    }
    hash.make_room(call.argv.from(FIELDS_AT), limits);
    hash.set(call.arg(2), value_at(call.argv, 3), false, limits);
    server.keyspace.written(db, key, Event::hash("hset"));
    call.reply.count(1);
    Ok(())
}

/// HDEL key field [field …]
pub(in crate::commands) fn hdel(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let Some(hash) = server.keyspace.change_hash(db, key, call.argv.from(2))? else {
        call.reply.count(0);
        return Ok(());
    };
    let count = call.argv.from(FIELDS_AT).filter(|name| hash.remove(name)).count();
    let is_empty = hash.is_empty();
    call.reply.count(count);
    if count != 0 {
        server.keyspace.lost(db, key, Event::hash("hdel"), count, is_empty);
    }
    Ok(())
}
