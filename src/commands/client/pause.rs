//! Command: CLIENT PAUSE, UNPAUSE and UNBLOCK: who waits, and until when.

use base::number::parse_i64;

use crate::{
    client::pause::Scope,
    error::ReplyError,
    server::{
        Server,
        blocked::{self, End},
        call::{Call, CommandResult},
        parked, waits,
    },
};

/// CLIENT PAUSE timeout [WRITE | ALL]
pub(in crate::commands) fn pause(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let scope = match call.argv.get(3) {
        _ if 4 < call.argv.count() => return Err(subcommand_error(call)),
        None => Scope::All,
        Some(mode) if mode.eq_ignore_ascii_case(b"all") => Scope::All,
        Some(mode) if mode.eq_ignore_ascii_case(b"write") => Scope::Writes,
        Some(_) => return Err(ReplyError::text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let until_ms = parse_timeout(call.arg(2), server.keyspace.now_ms)?;
    parked::pause(server, scope, until_ms);
    call.reply.ok();
    Ok(())
}

/// Returns when a timeout ends; 0 for none.
fn parse_timeout(text: &[u8], now_ms: i64) -> Result<i64, ReplyError> {
    let timeout_ms =
        parse_i64(text).ok_or(ReplyError::text("ERR timeout is not an integer or out of range"))?;
    match timeout_ms {
        ..0 => Err(ReplyError::text("ERR timeout is negative")),
        0 => Ok(0),
        _ => timeout_ms.checked_add(now_ms).ok_or(ReplyError::text("ERR timeout is out of range")),
    }
}

/// CLIENT UNPAUSE
pub(in crate::commands) fn unpause(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    parked::unpause(server);
    call.reply.ok();
    Ok(())
}

/// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]: of commands that wait by themselves; a pause is
/// not for one client to leave.
pub(in crate::commands) fn unblock(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if 4 < call.argv.count() {
        return Err(subcommand_error(call));
    }
    let reasons: [&[u8]; 2] = [b"timeout", b"error"];
    let reason = call.argv.get(3);
    if reason.is_some_and(|given| !reasons.iter().any(|known| given.eq_ignore_ascii_case(known))) {
        let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
        return Err(ReplyError::text(text));
    }
    let number = parse_i64(call.arg(2)).ok_or(ReplyError::NotInteger)?;
    let with_error = reason.is_some_and(|given| given.eq_ignore_ascii_case(b"error"));
    let end = if with_error { End::Unblocked } else { End::Timeout };
    let is_unblocked =
        waits::unblock(server, number, with_error) || blocked::unblock(server, number, end);
    call.reply.integer(i64::from(is_unblocked));
    Ok(())
}

/// Returns the error for more arguments than a subcommand has a form for.
fn subcommand_error(call: &Call<'_>) -> ReplyError {
    let text = "ERR unknown subcommand or wrong number of arguments for '";
    ReplyError::quoting(text, call.arg(1), "'. Try CLIENT HELP.")
}
