//! Command: what is in a hash: HGET, HMGET, HGETALL, HKEYS, HVALS, HEXISTS, HLEN, HSTRLEN.

use ds::{hash::APART_BYTES_MIN, listpack::Item};
use resp::Reply;

use crate::{
    commands::hash::reply_value,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Hash,
};

/// HGET key field
pub(in crate::commands) fn hget(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    reply_field(call.reply, hash, call.arg(2), now_ms);
    Ok(())
}

/// HMGET key field [field …]
pub(in crate::commands) fn hmget(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let names = call.argv.from(2);
    call.reply.array(names.len());
    for name in names {
        reply_field(call.reply, hash, name, now_ms);
    }
    Ok(())
}

/// Answers a field's value, a large one without a copy.
fn reply_field(reply: &mut Reply, hash: Option<&Hash>, name: &[u8], now_ms: i64) {
    let value = hash.and_then(|hash| hash.get(name, now_ms));
    if let Some(Item::Bytes(bytes)) = value
        && APART_BYTES_MIN <= bytes.len()
        && let Some(value) = hash.and_then(|hash| hash.shared(name))
    {
        return reply.shared(&value);
    }
    reply_value(reply, value);
}

/// HEXISTS key field
pub(in crate::commands) fn hexists(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let is_there = hash.is_some_and(|hash| hash.get(call.arg(2), now_ms).is_some());
    call.reply.count(usize::from(is_there));
    Ok(())
}

/// HSTRLEN key field
pub(in crate::commands) fn hstrlen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let value = hash.and_then(|hash| hash.get(call.arg(2), now_ms));
    call.reply.count(value.map_or(0, Item::len));
    Ok(())
}

/// HLEN key
pub(in crate::commands) fn hlen(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    call.reply.count(hash.map_or(0, |hash| hash.alive_len(now_ms)));
    Ok(())
}

/// Which parts of fields are answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Names,
    Values,
    Both,
}

/// HGETALL key
pub(in crate::commands) fn hgetall(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_all(server, call, Part::Both)
}

/// HKEYS key
pub(in crate::commands) fn hkeys(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_all(server, call, Part::Names)
}

/// HVALS key
pub(in crate::commands) fn hvals(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply_all(server, call, Part::Values)
}

fn reply_all(server: &mut Server, call: &mut Call<'_>, part: Part) -> CommandResult {
    let now_ms = server.keyspace.now_ms;
    let hash = server.keyspace.read_hash(call.db(), call.arg(1))?;
    let count = hash.map_or(0, |hash| hash.alive_len(now_ms));
    let reply: &mut Reply = call.reply;
    match part {
        Part::Both => reply.map(count),
        Part::Names | Part::Values => reply.array(count),
    }
    let Some(hash) = hash else { return Ok(()) };
    hash.each_alive(now_ms, |name, value| {
        if part != Part::Values {
            reply.bulk(name);
        }
        if part != Part::Names {
            reply.bulk(value);
        }
    });
    Ok(())
}
