//! Command: OBJECT: how a value is stored and how often it is used.

use crate::{
    commands::help,
    error::ReplyError,
    keyspace::{Access, Keyspace, Look},
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// OBJECT ENCODING key
pub(super) fn encoding(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match inspect(server, call).encoding(call.db(), call.arg(2)) {
        Some(name) => call.reply.bulk(name.as_bytes()),
        None => call.reply.null(),
    }
    Ok(())
}

/// OBJECT REFCOUNT key: values have one owner, but for what Redis shares by design.
pub(super) fn refcount(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let is_shared = server.config.memory.shares_integers();
    match inspect(server, call).refcount(call.db(), call.arg(2)) {
        Some(_) if !is_shared => call.reply.integer(1),
        Some(count) => call.reply.integer(count),
        None => call.reply.null(),
    }
    Ok(())
}

/// OBJECT IDLETIME key
pub(super) fn idletime(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match inspect(server, call).access(call.db(), call.arg(2)) {
        None => call.reply.null(),
        Some(Access::IdleSeconds(seconds)) => call.reply.integer(seconds),
        Some(Access::Frequency(_)) => {
            return Err(ReplyError::text(
                "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that \
                 when switching between policies at runtime LRU and LFU data will take some time \
                 to adjust.",
            ));
        }
    }
    Ok(())
}

/// OBJECT FREQ key
pub(super) fn freq(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match inspect(server, call).access(call.db(), call.arg(2)) {
        None => call.reply.null(),
        Some(Access::Frequency(count)) => call.reply.integer(i64::from(count)),
        Some(Access::IdleSeconds(_)) => {
            return Err(ReplyError::text(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please \
                 note that when switching between policies at runtime LRU and LFU data will take \
                 some time to adjust.",
            ));
        }
    }
    Ok(())
}

/// Deletes the key if it is due, and counts a hit or a miss; nobody is told of a miss.
fn inspect<'a>(server: &'a mut Server, call: &Call<'_>) -> &'a Keyspace {
    server.keyspace.touch(call.db(), call.arg(2), Look::Inspect);
    &server.keyspace
}

/// OBJECT HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "ENCODING <key>",
            "    Return the kind of internal representation of the value at <key>.",
            "FREQ <key>",
            "    Return the access frequency counter of <key>, kept under an LFU policy.",
            "IDLETIME <key>",
            "    Return the seconds since <key> was last used.",
            "REFCOUNT <key>",
            "    Return the number of references to the value at <key>.",
        ],
    );
    Ok(())
}
