//! Command: TIME and SHUTDOWN.

use resp::OwnedArgv;

use crate::{
    client::parked::Cause,
    error::ReplyError,
    lifecycle::ShutdownOptions,
    server::{
        Server,
        call::{Call, CommandResult},
        shutdown,
    },
};

/// TIME: seconds since the epoch, and the microseconds of the present one.
pub(super) fn time(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let now_us = i64::try_from(server.clock.now_us()).unwrap_or(i64::MAX);
    call.reply.array(2);
    call.reply.bulk_integer(now_us / 1_000_000);
    call.reply.bulk_integer(now_us % 1_000_000);
    Ok(())
}

/// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]: has no answer if it succeeds.
pub(super) fn shutdown(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mut options = ShutdownOptions::default();
    let mut aborts = false;
    for word in call.argv.from(1) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match () {
            () if is("nosave") && options.save != Some(true) => options.save = Some(false),
            () if is("save") && options.save != Some(false) => options.save = Some(true),
            () if is("now") => options.now = true,
            () if is("force") => options.force = true,
            () if is("abort") => aborts = true,
            () => return Err(ReplyError::Syntax),
        }
    }
    if aborts && 2 < call.argv.count() {
        return Err(ReplyError::Syntax);
    }
    if aborts {
        if !shutdown::abort(server) {
            return Err(ReplyError::text("ERR No shutdown in progress."));
        }
        call.reply.ok();
        return Ok(());
    }
    if server.lifecycle.shutdown.is_none() {
        shutdown::prepare(server, options).map_err(|_| ReplyError::text(shutdown::REFUSED))?;
    }
    let Server { parked, clients, lifecycle, .. } = server;
    if let (Some(pending), Some(client)) = (&mut lifecycle.shutdown, clients.find(call.client)) {
        // It is answered only if the server goes on.
        pending.callers.push(call.client);
        parked.park(call.client, client, Cause::Shutdown, OwnedArgv::default());
    }
    Ok(())
}
