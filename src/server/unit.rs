//! Flow: an execution unit: an outermost call and what must follow it.
//!
//! Time stands still within a unit. When it ends, what it has changed goes to those who
//! repeat it, as one transaction.

use crate::{
    command::flags::Flags,
    keyspace::Cycle,
    latency::Event,
    server::{Server, call::Call, execute::execute, notify},
};

/// Runs a client's command, with the calls that it makes in turn, and what must follow.
#[inline]
pub fn run(server: &mut Server, call: Call<'_>) {
    let reads_any = call.command.spec().has(Flags::TOUCHES_ARBITRARY_KEYS);
    server.keyspace.now_ms = server.now_ms();
    execute(server, call);
    if reads_any {
        // All that it may have to repeat are keys that were due: each for itself.
        server.propagation.end_loose_unit();
    } else {
        server.propagation.end_unit();
    }
}

/// Deletes keys that are due, and lets others repeat it, one by one.
pub fn expire_cycle(server: &mut Server, cycle: Cycle) {
    if server.keyspace.keeps_expired {
        return;
    }
    let effort = server.config.memory.active_expire_effort;
    let now_ms = server.now_ms();
    server.keyspace.events.interest = notify::interest(server);
    let before = server.keyspace.expiry.cycle_time;
    server.keyspace.expire_cycle(cycle, effort, now_ms);
    let took = server.keyspace.expiry.cycle_time.saturating_sub(before);
    server.note_latency(Event::EXPIRE_CYCLE, took);
    notify::carry_out(server, None);
    server.propagation.end_loose_unit();
}
