//! Flow: the one way a command runs, outermost or nested (`call`).

use crate::{
    commands,
    server::{
        Server,
        call::{Call, Origin, Repeats},
        notify, observe, tracking,
    },
};

/// Runs one command and accounts for it.
pub fn execute(server: &mut Server, call: &mut Call<'_>) {
    let command = call.command;
    server.keyspace.begin_call(!call.session.no_touch);
    server.keyspace.events.interest = notify::interest(server);
    let (dirty_before, db) = (server.keyspace.dirty, call.db());
    let began_us = server.clock.monotonic_us();
    let mark = call.reply.mark();
    let outcome = commands::handler(command)(server, call);
    if let Err(error) = &outcome {
        call.reply.truncate(mark);
        let text = error.to_bytes();
        call.reply.error(&text);
        server.stats.count_error(&text);
    }
    // Expired keys were deleted before the command changed anything: so for replicas.
    notify::carry_out(server, Some(call.client));
    if server.tracking.tracker_count() != 0 && command.spec().is_read() {
        tracking::remember(server, call.client, command, call.argv);
    }
    if server.propagation.is_wanted() {
        let has_changed = server.keyspace.dirty != dirty_before;
        let is_repeated = match call.repeats {
            Repeats::IfChanged => has_changed && command.spec().is_write(),
            Repeats::Always => true,
            Repeats::Said => false,
        };
        if is_repeated {
            server.propagation.command(db, call.argv.iter());
        }
    }
    // One look at the clock ends this command and begins the next.
    server.clock.tick();
    let took_us = server.clock.monotonic_us() - began_us;
    if call.origin == Origin::Client {
        server.stats.commands_us += took_us;
    }
    call.took_us = took_us + call.retry.map_or(0, |retry| retry.took_us);
    observe::ran(server, call, took_us);
    // One that waits has not run yet: it counts when it has.
    if call.wait.is_some() {
        return;
    }
    // After it has run: INFO does not count itself.
    server.stats.commands += 1;
    server.commands.ran(command, call.took_us, outcome.is_err());
    if server.config.logging.latency_tracking {
        server.commands.track(command, call.took_us);
    }
}
