//! Command: CONFIG: what the operator has chosen, looked at and changed.

use sys::log;

use crate::{
    commands::help,
    config::{Gate, RENEW_CERTIFICATE, SetError},
    error::ReplyError,
    server::{
        Server, apply,
        call::{Call, CommandResult},
        renew,
    },
};

/// CONFIG GET parameter [parameter …]
pub(super) fn get(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let patterns: Vec<&[u8]> = call.argv.from(2).collect();
    let found = server.config.matching(&patterns);
    call.reply.map(found.len());
    for (name, value) in &found {
        call.reply.bulk(name);
        call.reply.bulk(value);
    }
    Ok(())
}

/// CONFIG SET parameter value [parameter value …]: all or nothing.
pub(super) fn set(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let words: Vec<&[u8]> = call.argv.from(2).collect();
    // The action takes one argument or two, so it comes before pairs are counted.
    if words.iter().any(|word| word.eq_ignore_ascii_case(RENEW_CERTIFICATE.as_bytes())) {
        return renew::renew(server, call, &words);
    }
    if words.len() % 2 == 1 {
        return Err(ReplyError::Syntax);
    }
    let pairs: Vec<(&[u8], &[u8])> = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let is_local_client = server.is_local(call.client);
    let gate = Gate { is_local_client, is_loading: server.is_loading() };
    let outcome = server.config.set(&pairs, gate).and_then(|undo| apply::apply(server, undo));
    outcome.map_err(|error| match error {
        SetError::Loading => ReplyError::Loading,
        error => ReplyError::Bytes(format!("ERR {error}").into_bytes()),
    })?;
    call.reply.ok();
    Ok(())
}

/// CONFIG REWRITE
pub(super) fn rewrite(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if server.config.start.file.is_none() {
        return Err(ReplyError::text("ERR The server is running without a config file"));
    }
    server.config.rewrite().map_err(|error| {
        log::warning!("CONFIG REWRITE failed: {error}");
        ReplyError::Bytes(format!("ERR Rewriting config file: {error}").into_bytes())
    })?;
    log::notice!("CONFIG REWRITE executed with success.");
    call.reply.ok();
    Ok(())
}

/// CONFIG RESETSTAT
pub(super) fn resetstat(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    server.stats.reset();
    server.commands.stats.reset();
    server.snapshots.saves = 0;
    (server.children.forks, server.children.last_fork_us) = (0, 0);
    server.bio.reset_freed();
    let keyspace = &mut server.keyspace;
    (keyspace.hits, keyspace.misses) = (0, 0);
    keyspace.expiry.reset();
    keyspace.eviction.reset();
    call.reply.ok();
    Ok(())
}

/// CONFIG HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "GET <pattern>",
            "    Return the parameters that match the glob <pattern>, and their values.",
            "SET <directive> <value>",
            "    Set the configuration <directive> to <value>.",
            "RESETSTAT",
            "    Reset the counters that the INFO command shows.",
            "REWRITE",
            "    Rewrite the configuration file.",
        ],
    );
    Ok(())
}
