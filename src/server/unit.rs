//! Flow: an execution unit: an outermost call and what must follow it.
//!
//! Time stands still within a unit. When it ends, what it has changed goes to those who
//! repeat it, as one transaction.

use crate::{
    keyspace::Cycle,
    server::{Server, call::Call, execute::execute, notify},
};

/// Runs a client's command, with the calls that it makes in turn, and what must follow.
#[inline]
pub fn run(server: &mut Server, call: Call<'_>) {
    server.keyspace.now_ms = server.now_ms();
    execute(server, call);
    server.propagation.end_unit();
}

/// Deletes keys that are due, and lets others repeat it, one by one.
pub fn expire_cycle(server: &mut Server, cycle: Cycle) {
    let effort = server.config.memory.active_expire_effort;
    let now_ms = server.now_ms();
    server.keyspace.events.interest = notify::interest(server);
    server.keyspace.expire_cycle(cycle, effort, now_ms);
    notify::carry_out(server, None);
    server.propagation.end_loose_unit();
}
