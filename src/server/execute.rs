//! Flow: the one way a command runs, outermost or nested (`call`).

use crate::{
    commands,
    server::{Server, call::Call},
};

/// Runs one command and accounts for it.
pub fn execute(server: &mut Server, mut call: Call<'_>) {
    let command = call.command;
    let now_ms = server.now_ms();
    server.keyspace.begin_call(now_ms, !call.session.no_touch);
    server.stats.commands += 1;
    let mark = call.reply.mark();
    let outcome = commands::handler(command)(server, &mut call);
    if let Err(error) = &outcome {
        call.reply.truncate(mark);
        let text = error.to_bytes();
        call.reply.error(&text);
        server.stats.count_error(&text);
    }
    // One look at the clock ends this command and begins the next.
    let began_us = server.clock.monotonic_us();
    server.clock.tick();
    let took_us = server.clock.monotonic_us() - began_us;
    server.stats.commands_us += took_us;
    server.commands.ran(command, took_us, outcome.is_err());
    if server.config.logging.latency_tracking {
        server.commands.track(command, took_us);
    }
}
