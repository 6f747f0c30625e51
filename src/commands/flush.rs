//! Command: FLUSHDB and FLUSHALL.

use crate::{
    error::ReplyError,
    server::{
        Server, bgsave,
        call::{Call, CommandResult},
        flush::{self, Freed, Which},
    },
};

/// FLUSHDB [ASYNC | SYNC]
pub(super) fn flushdb(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let which = Which::One(call.db());
    empty(server, call, which)
}

/// FLUSHALL [ASYNC | SYNC]
pub(super) fn flushall(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    empty(server, call, Which::All)
}

fn empty(server: &mut Server, call: &mut Call<'_>, which: Which) -> CommandResult {
    let freed = parse(server, call)?;
    let count = flush::empty(server, which, freed);
    server.keyspace.dirty += count as u64;
    if which == Which::All {
        bgsave::flushed(server);
    }
    // Others may hold what we do not.
    call.propagate_always();
    call.reply.ok();
    Ok(())
}

fn parse(server: &Server, call: &Call<'_>) -> Result<Freed, ReplyError> {
    let is_lazy = server.config.memory.lazyfree_lazy_user_flush;
    match (call.argv.count(), call.argv.get(1)) {
        (1, _) => Ok(if is_lazy { Freed::Lazily } else { Freed::AtOnce }),
        (2, Some(mode)) if mode.eq_ignore_ascii_case(b"async") => Ok(Freed::Lazily),
        (2, Some(mode)) if mode.eq_ignore_ascii_case(b"sync") => Ok(Freed::AtOnce),
        _ => Err(ReplyError::Syntax),
    }
}
