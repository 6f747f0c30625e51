//! Command: INFO.

use crate::server::{
    Server,
    call::{Call, CommandResult},
    info,
};

/// INFO [section …]
pub(super) fn info(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let wanted: Vec<&[u8]> = call.argv.from(1).collect();
    let text = info::info(server, &wanted);
    call.reply.verbatim("txt", &text);
    Ok(())
}
