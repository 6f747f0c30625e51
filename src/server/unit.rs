//! Flow: an execution unit: an outermost call and what must follow it.
//!
//! Time stands still within a unit. When it ends, what it has changed goes to those who
//! repeat it, as one transaction.

use crate::{
    command::flags::Flags,
    server::{Server, call::Call, execute::execute},
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
        let before = server.history_bytes();
        if is_loose {
            server.propagation.end_loose_unit();
        } else {
            server.propagation.end_unit();
        }
        let after = server.history_bytes();
        if before != after
            && let Some(client) = server.clients.find(id)
        {
            client.written_at = after;
        }
    }
}
