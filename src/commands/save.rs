//! Command: SAVE and LASTSAVE.

use crate::{
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
        save::save_to_disk,
    },
};

/// SAVE: what goes wrong stands in the log.
pub(super) fn save(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    server.snapshots.saves += 1;
    save_to_disk(server).map_err(|_| ReplyError::text("ERR"))?;
    call.reply.ok();
    Ok(())
}

/// LASTSAVE
pub(super) fn lastsave(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.integer(i64::try_from(server.snapshots.last_save_s).unwrap_or(i64::MAX));
    Ok(())
}
