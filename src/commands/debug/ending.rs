//! Command: DEBUG OOM, LEAK, RESTART and CRASH-AND-RECOVER: how a server may come to harm.

use std::time::Duration;

use base::number::parse_i64;
use sys::log;

use crate::{
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
        restart::{self, Restart},
    },
};

/// More than any machine has.
const BYTES: usize = usize::MAX / 4;

/// DEBUG OOM: asks for more memory than there is, where that ends the server.
pub(super) fn out_of_memory() -> ! {
    let outcome = Vec::<u8>::new().try_reserve_exact(BYTES);
    assert!(outcome.is_err(), "no machine has so much memory");
    log::warning!("Out Of Memory allocating {BYTES} bytes!");
    panic!("Redis aborting for OUT OF MEMORY. Allocating {BYTES} bytes!")
}

/// DEBUG LEAK text: memory that is never given back.
pub(super) fn leak(call: &mut Call<'_>) {
    call.arg(2).to_vec().leak();
    call.reply.ok();
}

/// DEBUG RESTART [milliseconds], DEBUG CRASH-AND-RECOVER [milliseconds]
pub(super) fn restart(server: &mut Server, call: &mut Call<'_>, how: Restart) -> CommandResult {
    let delay_ms = match call.argv.get(2) {
        Some(text) => parse_i64(text).ok_or(ReplyError::NotInteger)?,
        None => 0,
    };
    let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or(0));
    if let Err(error) = restart::restart(server, how, delay) {
        log::warning!("Can't restart: {error}");
    }
    Err(ReplyError::text("ERR failed to restart the server. Check server logs."))
}
