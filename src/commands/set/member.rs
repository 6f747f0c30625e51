//! Command: single members: SADD, SREM, SISMEMBER, SMISMEMBER, SMOVE; all: SCARD, SMEMBERS.

use crate::{
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Set,
};

/// SADD key member [member …]
pub(in crate::commands) fn sadd(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let (limits, count) = (server.config.encoding, call.argv.count() - 2);
    let make = || Set::for_members(call.arg(2), count, limits);
    let set = server.keyspace.change_or_create_with::<Set>(db, key, make)?;
    set.make_room(count, limits);
    let added = call.argv.from(2).filter(|member| set.insert(member, limits)).count();
    if 0 < added {
        server.keyspace.written_as(db, key, Event::set("sadd"), added);
    }
    call.reply.count(added);
    Ok(())
}

/// SREM key member [member …]
pub(in crate::commands) fn srem(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let mut removed = 0;
    let mut is_empty = false;
    if let Some(set) = server.keyspace.change::<Set>(db, key)? {
        for member in call.argv.from(2) {
            removed += usize::from(set.remove(member));
        }
        is_empty = set.is_empty();
    }
    if 0 < removed {
        server.keyspace.lost(db, key, Event::set("srem"), removed, is_empty);
    }
    call.reply.count(removed);
    Ok(())
}

/// SISMEMBER key member
pub(in crate::commands) fn sismember(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let set = server.keyspace.read::<Set>(call.db(), call.arg(1))?;
    let is_member = set.is_some_and(|set| set.contains(call.arg(2)));
    call.reply.count(usize::from(is_member));
    Ok(())
}

/// SMISMEMBER key member [member …]
pub(in crate::commands) fn smismember(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let set = server.keyspace.read::<Set>(call.db(), call.arg(1))?;
    call.reply.array(call.argv.count() - 2);
    for member in call.argv.from(2) {
        let is_member = set.is_some_and(|set| set.contains(member));
        call.reply.count(usize::from(is_member));
    }
    Ok(())
}

/// SCARD key
pub(in crate::commands) fn scard(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let set = server.keyspace.read::<Set>(call.db(), call.arg(1))?;
    call.reply.count(set.map_or(0, Set::len));
    Ok(())
}

/// SMEMBERS key
pub(in crate::commands) fn smembers(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let set = server.keyspace.read::<Set>(call.db(), call.arg(1))?;
    call.reply.set(set.map_or(0, Set::len));
    if let Some(set) = set {
        set.each(|member| call.reply.bulk(member));
    }
    Ok(())
}

/// SMOVE source destination member
pub(in crate::commands) fn smove(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, from, to, member) = (call.db(), call.arg(1), call.arg(2), call.arg(3));
    let limits = server.config.encoding;
    let keyspace = &mut server.keyspace;
    // Redis looks at the destination first, but says nothing of its type if there is no source.
    let is_to_set = keyspace.change::<Set>(db, to).map(|_| ());
    let Some(source) = keyspace.change::<Set>(db, from)? else {
        call.reply.count(0);
        return Ok(());
    };
    is_to_set?;
    if from == to {
        call.reply.count(usize::from(source.contains(member)));
        return Ok(());
    }
    if !source.remove(member) {
        call.reply.count(0);
        return Ok(());
    }
    let is_empty = source.is_empty();
    server.keyspace.lost(db, from, Event::set("srem"), 1, is_empty);
    let make = || Set::for_members(member, 1, limits);
    let destination = server.keyspace.change_or_create_with::<Set>(db, to, make)?;
    if destination.insert(member, limits) {
        server.keyspace.written(db, to, Event::set("sadd"));
    }
    call.reply.count(1);
    Ok(())
}
