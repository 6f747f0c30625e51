//! Command: how long fields live on: HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME, HPERSIST.

use crate::{
    commands::hash::fields::{NOT_POSITIVE, parse_fields},
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// The field is not there.
const NO_FIELD: i64 = -2;
/// The field does not expire.
const NEVER: i64 = -1;
/// The field does not expire any more.
const PERSISTED: i64 = 1;

const FIELDS_AT: usize = 2;

/// HTTL key FIELDS numfields field [field …]
pub(in crate::commands) fn httl(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    reply_expiry(server, call, |at_ms| in_seconds(at_ms - now_ms))
}

/// HPTTL key FIELDS numfields field [field …]
pub(in crate::commands) fn hpttl(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    reply_expiry(server, call, |at_ms| at_ms - now_ms)
}

/// HEXPIRETIME key FIELDS numfields field [field …]
pub(in crate::commands) fn hexpiretime(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_expiry(server, call, in_seconds)
}

/// HPEXPIRETIME key FIELDS numfields field [field …]
pub(in crate::commands) fn hpexpiretime(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_expiry(server, call, |at_ms| at_ms)
}

/// Seconds that have begun count.
fn in_seconds(ms: i64) -> i64 {
    (ms + 999) / 1000
}

fn reply_expiry(
    server: &mut Server,
    call: &mut Call<'_>,
    show: impl Fn(i64) -> i64,
) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let names = parse_fields(call.argv, FIELDS_AT, 1, NOT_POSITIVE)?;
    call.reply.array(names.count());
    for name in names.iter() {
        let expiry = hash.and_then(|hash| hash.expiry(name, now_ms));
        call.reply.integer(match expiry {
            None => NO_FIELD,
            Some(at_ms) => at_ms.map_or(NEVER, &show),
        });
    }
    Ok(())
}

/// HPERSIST key FIELDS numfields field [field …]
pub(in crate::commands) fn hpersist(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key, now_ms) = (call.db(), call.arg(1), server.keyspace.now_ms);
    let mut hash = server.keyspace.change_hash(db, key, call.argv.from(2))?;
    let names = parse_fields(call.argv, FIELDS_AT, 1, NOT_POSITIVE)?;
    call.reply.array(names.count());
    let mut has_changed = false;
    for name in names.iter() {
        let expiry = hash.as_ref().and_then(|hash| hash.expiry(name, now_ms));
        if let (Some(Some(_)), Some(hash)) = (expiry, &mut hash) {
            hash.set_expiry(name, None);
            has_changed = true;
        }
        call.reply.integer(match expiry {
            None => NO_FIELD,
            Some(None) => NEVER,
            Some(Some(_)) => PERSISTED,
        });
    }
    if has_changed {
        server.keyspace.note_fields(db, key);
        server.keyspace.written(db, key, Event::hash("hpersist"));
    }
    Ok(())
}
