//! Command: XDEL.

use crate::{
    commands::stream::parse_id,
    keyspace::Event,
    server::{
        Server,
        call::{Call, CommandResult},
    },
    value::Stream,
};

/// XDEL key id [id …]
pub(in crate::commands) fn xdel(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (db, key) = (call.db(), call.arg(1));
    let Some(stream) = server.keyspace.change::<Stream>(db, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    // All or nothing, if one is wrong.
    for id in call.argv.from(2) {
        parse_id(id)?;
    }
    let mut deleted = 0;
    for id in call.argv.from(2) {
        deleted += usize::from(stream.log.delete(parse_id(id)?));
    }
    call.reply.count(deleted);
    if 0 < deleted {
        server.keyspace.written_as(db, key, Event::XDEL, deleted);
    }
    Ok(())
}
