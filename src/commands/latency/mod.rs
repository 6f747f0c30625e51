//! Command: LATENCY: what kept everybody waiting, and how long commands take.

mod doctor;

use resp::Reply;

use crate::{
    command::{CommandId, stats::distribution},
    commands::help,
    error::ReplyError,
    latency::graph,
    server::{
        Server,
        call::{Call, CommandResult},
    },
};

/// Where the words of a subcommand begin.
const FIRST_ARGUMENT: usize = 2;

/// LATENCY DOCTOR
pub(super) fn doctor(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let text = doctor::report(server);
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// LATENCY GRAPH event
pub(super) fn graph(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let name = call.arg(FIRST_ARGUMENT);
    let unknown = || ReplyError::quoting("ERR No samples available for event '", name, "'");
    let row = server.latency.find(name).ok_or_else(unknown)?;
    call.reply.verbatim("txt", &graph::draw(row, server.clock.now_s()));
    Ok(())
}

/// LATENCY HISTORY event: its samples, oldest first.
pub(super) fn history(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let Some(row) = server.latency.find(call.arg(FIRST_ARGUMENT)) else {
        call.reply.array(0);
        return Ok(());
    };
    call.reply.array(row.samples().count());
    for sample in row.samples() {
        call.reply.array(2);
        call.reply.integer(i64::try_from(sample.at_s).unwrap_or(i64::MAX));
        call.reply.integer(sample.took_ms.into());
    }
    Ok(())
}

/// LATENCY LATEST: of each event the newest sample and the worst ever.
pub(super) fn latest(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let rows = server.latency.rows();
    call.reply.array(rows.len());
    for row in rows {
        let last = row.last();
        call.reply.array(4);
        call.reply.bulk(row.event().name().as_bytes());
        call.reply.integer(i64::try_from(last.at_s).unwrap_or(i64::MAX));
        call.reply.integer(last.took_ms.into());
        call.reply.integer(row.worst_ms().into());
    }
    Ok(())
}

/// LATENCY RESET [event …]
pub(super) fn reset(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let names = call.argv.from(FIRST_ARGUMENT);
    let count = if names.len() == 0 {
        server.latency.reset_all()
    } else {
        names.filter(|name| server.latency.reset(name)).count()
    };
    call.reply.count(count);
    Ok(())
}

/// LATENCY HISTOGRAM [command …]: of each command that was measured how many calls took no
/// more than so many microseconds. A container stands for its subcommands.
pub(super) fn histogram(server: &mut Server, call: &mut Call<'_>) -> CommandResult {
    let names = &server.commands.names;
    let asked: Vec<CommandId> = if call.argv.count() == FIRST_ARGUMENT {
        names.commands().collect()
    } else {
        let words = call.argv.from(FIRST_ARGUMENT);
        words.filter_map(|name| names.find_full(name)).collect()
    };
    let map = call.reply.deferred();
    let mut count = 0;
    for command in asked {
        for id in std::iter::once(command).chain(command.spec().subcommands()) {
            count += usize::from(reply_distribution(server, call.reply, id));
        }
    }
    call.reply.close_map(map, count);
    Ok(())
}

/// Writes what is known of one command; says whether that is anything.
fn reply_distribution(server: &Server, reply: &mut Reply, id: CommandId) -> bool {
    let Some(histogram) = server.commands.stats.latency(id) else { return false };
    let buckets = distribution(histogram);
    reply.bulk(id.spec().full_name.as_bytes());
    reply.map(2);
    reply.bulk(b"calls");
    reply.integer(i64::try_from(histogram.len()).unwrap_or(i64::MAX));
    reply.bulk(b"histogram_usec");
    reply.map(buckets.len());
    for (usec, calls) in buckets {
        reply.integer(i64::try_from(usec).unwrap_or(i64::MAX));
        reply.integer(i64::try_from(calls).unwrap_or(i64::MAX));
    }
    true
}

/// LATENCY HELP
pub(super) fn help(_: &mut Server, call: &mut Call<'_>) -> CommandResult {
    help::reply(
        call,
        &[
            "DOCTOR",
            "    Return what the samples say, and what may help, in words.",
            "GRAPH <event>",
            "    Return the samples of <event> as a drawing of characters.",
            "HISTOGRAM [<command> ...]",
            "    Return how many calls of the named commands, or of every command that was",
            "    measured, took no more than so many microseconds.",
            "HISTORY <event>",
            "    Return the samples of <event>, each with its time.",
            "LATEST",
            "    Return the newest and the worst sample of every event.",
            "RESET [<event> ...]",
            "    Remove the samples of the named events, or of every event.",
        ],
    );
    Ok(())
}
