//! Flow: keys that are due go by themselves, each in a unit of its own.

use crate::{
    keyspace::Cycle,
    latency::Event,
    server::{Server, notify, process},
};

/// Deletes keys that are due, and lets others repeat it, one by one.
pub fn cycle(server: &mut Server, cycle: Cycle) {
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
    process::serve_ready(server);
}
