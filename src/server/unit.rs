//! Flow: an execution unit: an outermost call and what must follow it.
//!
//! Time stands still within a unit. When it ends, what it has changed goes to those who
//! repeat it, as one transaction.

use crate::{
    command::flags::Flags,
    keyspace::Cycle,
    latency::Event,
    server::{Server, blocked, call::Call, execute::execute, notify, replicas},
};

/// Runs a client's command, with the calls that it makes in turn, and what must follow.
#[inline]
pub fn run(server: &mut Server, call: &mut Call<'_>) {
    server.keyspace.now_ms = server.now_ms();
    // What expires under one that walks over keys has nothing to do with each other.
    let is_loose = call.command.spec().has(Flags::TOUCHES_ARBITRARY_KEYS);
    let id = call.client;
    execute(server, call);
    if server.propagation.is_wanted() {
        let before = replicas::offset(server);
        if is_loose {
            server.propagation.end_loose_unit();
        } else {
            server.propagation.end_unit();
        }
        let after = replicas::offset(server);
        if before != after
            && let Some(client) = server.clients.find(id)
        {
            client.written_at = after;
        }
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
    blocked::serve_ready(server);
}
