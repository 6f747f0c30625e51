//! Command: MEMORY: what keys cost.

use base::number::parse_i64;

use crate::{
    commands::help,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Elements of a value that are looked at.
const SAMPLES_DEFAULT: usize = 5;

/// MEMORY USAGE key [SAMPLES count]
pub(super) fn usage(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let mut samples = SAMPLES_DEFAULT;
    let mut words = call.argv.from(3);
    while let Some(word) = words.next() {
        if !word.eq_ignore_ascii_case(b"samples") {
            return Err(ReplyError::Syntax);
        }
        let count = parse_i64(words.next().ok_or(ReplyError::Syntax)?);
        samples = usize::try_from(count.ok_or(ReplyError::NotInteger)?)
            .map_err(|_| ReplyError::Syntax)?;
    }
    match server.keyspace.memory_usage(call.db(), call.arg(2), samples) {
        Some(bytes) => call.reply.count(bytes),
        None => call.reply.null(),
    }
    Ok(())
}

/// MEMORY HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "USAGE <key> [SAMPLES <count>]",
            "    Return the bytes that <key> and its value take. Nested values are sampled up to",
            "    <count> times (default: 5, 0 means all).",
        ],
    );
    Ok(())
}
