//! Command: SLOWLOG: the commands that took long.

use base::number::parse_i64;

use crate::{
    commands::help,
    error::ReplyError,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Entries that GET returns unless it is told how many.
const COUNT: i64 = 10;
/// The parts of an entry.
const PARTS: usize = 6;

/// SLOWLOG GET [count]: newest first; -1 is all.
pub(super) fn get(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    if 3 < call.argv.count() {
        let text = "ERR unknown subcommand or wrong number of arguments for '";
        return Err(ReplyError::quoting(text, call.arg(1), "'. Try SLOWLOG HELP."));
    }
    let wanted = call.argv.get(2).map_or(Some(COUNT), parse_i64).filter(|count| -1 <= *count);
    let wanted =
        wanted.ok_or(ReplyError::text("ERR count should be greater than or equal to -1"))?;
    let kept = server.slowlog.count();
    // Only -1 is no count, and means all.
    let count = usize::try_from(wanted).map_or(kept, |wanted| wanted.min(kept));
    call.reply.array(count);
    for entry in server.slowlog.entries().take(count) {
        call.reply.array(PARTS);
        call.reply.integer(i64::try_from(entry.id).unwrap_or(i64::MAX));
        call.reply.integer(i64::try_from(entry.at_s).unwrap_or(i64::MAX));
        call.reply.integer(i64::try_from(entry.took_us).unwrap_or(i64::MAX));
        call.reply.array(entry.arguments.len());
        entry.arguments.iter().for_each(|argument| call.reply.bulk(argument));
        call.reply.bulk(entry.peer.as_bytes());
        call.reply.bulk(&entry.name);
    }
    Ok(())
}

/// SLOWLOG LEN
pub(super) fn len(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    call.reply.count(server.slowlog.count());
    Ok(())
}

/// SLOWLOG RESET
pub(super) fn reset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    server.slowlog.reset();
    call.reply.ok();
    Ok(())
}

/// SLOWLOG HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "GET [<count>]",
            "    Return the newest <count> entries (default: 10, -1 means all). An entry has six",
            "    parts: its number, when the command had run, how many microseconds it took, its",
            "    arguments, the address of its client, the name of its client.",
            "LEN",
            "    Return how many entries there are.",
            "RESET",
            "    Remove all entries.",
        ],
    );
    Ok(())
}
