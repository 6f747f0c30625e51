//! Command: DEBUG RELOAD, DIGEST, DIGEST-VALUE: whether data survives a snapshot.

use sys::log;

use crate::{
    error::ReplyError,
    keyspace::Digest,
    server::{
        Server,
        call::{Call, CommandResult},
        flush::{self, Freed, Which},
        load::{self, Duplicates},
        save::save_to_disk,
    },
};

/// DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]
pub(super) fn reload(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let (mut duplicates, mut flushes, mut saves) = (Duplicates::Refuse, true, true);
    for word in call.argv.from(2) {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match () {
            () if is("merge") => duplicates = Duplicates::Replace,
            () if is("noflush") => flushes = false,
            () if is("nosave") => saves = false,
            () => {
                return Err(ReplyError::text(
                    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
                ));
            }
        }
    }
    // What is being loaded is half of the data: it must not be saved, nor go on over the other.
    if server.is_loading() {
        return Err(ReplyError::Loading);
    }
    if saves {
        save_to_disk(server).map_err(|_| ReplyError::text("ERR"))?;
    }
    if flushes {
        flush::empty(server, Which::All, Freed::AtOnce);
        server.functions.clear();
    }
    load::reload(server, duplicates).map_err(|_| {
        ReplyError::text("ERR Error trying to load the RDB dump, check server logs.")
    })?;
    log::notice!("DB reloaded by DEBUG RELOAD");
    call.reply.ok();
    Ok(())
}

/// DEBUG DIGEST
pub(super) fn digest(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    reply(call, server.keyspace.digest());
    Ok(())
}

/// DEBUG DIGEST-VALUE [key …]: zeros for a key that is not there.
pub(super) fn digest_value(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let db = call.db();
    call.reply.array(call.argv.count() - 2);
    for key in call.argv.from(2) {
        let digest = server.keyspace.digest_of(db, key).unwrap_or_default();
        reply(call, digest);
    }
    Ok(())
}

fn reply(call: &mut Call<'_>, digest: Digest) {
    let digits = digest.to_hex();
    call.reply.simple(str::from_utf8(&digits).expect("digits are ASCII"));
}
