//! Command: SAVE, BGSAVE, LASTSAVE.

use crate::{
    error::ReplyError,
    server::{
        Server, bgsave,
        call::{Call, CommandResult, Origin},
        save::save_to_disk,
    },
};

const IN_PROGRESS: ReplyError = ReplyError::text("ERR Background save already in progress");

/// SAVE: what goes wrong stands in the log.
pub(super) fn save(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if server.children.running().is_some() {
        return Err(IN_PROGRESS);
    }
    server.snapshots.saves += 1;
    save_to_disk(server).map_err(|_| ReplyError::text("ERR"))?;
    call.reply.ok();
    Ok(())
}

/// BGSAVE [SCHEDULE]: what goes wrong stands in the log.
pub(super) fn bgsave(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    match (call.argv.count(), call.argv.get(1)) {
        (1, _) => {}
        (2, Some(word)) if word.eq_ignore_ascii_case(b"schedule") => {}
        _ => return Err(ReplyError::Syntax),
    }
    if server.children.running().is_some() {
        return Err(IN_PROGRESS);
    }
    if call.origin == Origin::Exec {
        // A snapshot shows all of a transaction or nothing.
        server.snapshots.background.is_scheduled = true;
        call.reply.simple("Background saving scheduled");
        return Ok(());
    }
    bgsave::start(server).map_err(|_| ReplyError::text("ERR"))?;
    call.reply.simple("Background saving started");
    Ok(())
}

/// LASTSAVE
pub(super) fn lastsave(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.integer(i64::try_from(server.snapshots.last_save_s).unwrap_or(i64::MAX));
    Ok(())
}
