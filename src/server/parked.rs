//! Flow: clients whose request must wait are parked; and the cause that there is for all
//! commands: a pause. They are served when the cause is gone (`process::run_woken`).

use resp::OwnedArgv;

use crate::{
    client::{ClientId, parked::Cause, pause::Scope},
    server::Server,
};

/// Parks a client, whose request is kept.
pub fn park(server: &mut Server, id: ClientId, cause: Cause, argv: OwnedArgv) {
    let Server { parked, clients, .. } = server;
    // One that died of its own request waits for nothing.
    if let Some(client) = clients.find(id) {
        parked.park(id, client, cause, argv);
    }
}

/// Lets clients wait until a time comes, or longer if they had to already.
pub fn pause(server: &mut Server, scope: Scope, until_ms: i64) {
    let now_ms = server.now_ms();
    server.pause.begin(scope, until_ms, now_ms);
    settle_pause(server);
}

/// Ends the pause.
pub fn unpause(server: &mut Server) {
    server.pause.end();
    settle_pause(server);
}

/// Ends the pause if its time has come.
#[inline]
pub fn end_pause_in_time(server: &mut Server) {
    if server.pause.is_over(server.now_ms()) {
        unpause(server);
    }
}

/// Lets writes wait because the server is about to end, or no longer.
pub fn pause_for_end(server: &mut Server, is_ending: bool) {
    server.pause.is_ending = is_ending;
    settle_pause(server);
}

fn settle_pause(server: &mut Server) {
    let Server { pause, parked, clients, keyspace, .. } = server;
    keyspace.keeps_expired = pause.scope().is_some();
    if pause.scope().is_none() {
        parked.wake_all(clients, Cause::Paused);
    }
}
