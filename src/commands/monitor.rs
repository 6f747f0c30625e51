//! Command: MONITOR: lets a client watch all commands go by.

use crate::{
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult, Origin},
    },
};

/// MONITOR
pub(super) fn monitor(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if call.origin != Origin::Client {
        return Err(ReplyError::text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // Who watches already is told nothing at all, nor is a replica.
    if call.session.is_monitor || call.session.is_replica {
        return Ok(());
    }
    call.session.is_monitor = true;
    server.monitors.add(call.client);
    call.reply.ok();
    Ok(())
}
