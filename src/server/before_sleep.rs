//! Flow: both ends of a sleep: what a turn has left to do, and what comes first after it.
//! The only place that frees clients.

use std::{io, time::Duration};

use ae::Hooks;
use net::ssl::HANDSHAKE_BUDGET;

use crate::{
    keyspace::Cycle,
    server::{
        Server, blocked, evict, evict_clients::evict_clients, expire, load, output, parked,
        process, replicas, tracking, waits,
    },
};

/// What handshakes get of a turn at most, however long it was.
const HANDSHAKE_BUDGET_MAX: Duration = Duration::from_millis(20);

/// Runs the server until it has decided to exit; returns the exit code.
pub fn run(server: &mut Server) -> io::Result<i32> {
    loop {
        ae::turn(server, &Hooks { before_sleep, after_sleep })?;
        process::run_arrivals(server);
        load::go_on(server);
        if let Some(code) = server.lifecycle.exit_code {
            output::send_last(server);
            return Ok(code);
        }
    }
}

/// Does what a turn has left to do.
pub fn before_sleep(server: &mut Server) {
    parked::end_pause_in_time(server);
    waits::serve(server);
    blocked::end_in_time(server);
    process::serve_ready(server);
    process::run_woken(server);
    tracking::broadcast(server);
    replicas::feed(server);
    output::send_all(server);
    // After those who are clients already; and within a budget, so that they wait for no more.
    // Where serving them takes long, newcomers get as much: else a busy server lets few in.
    if server.ssl.can_step() {
        server.clock.update();
        let served = server.turn_took().min(HANDSHAKE_BUDGET_MAX);
        net::step_handshakes(server, served.max(HANDSHAKE_BUDGET));
    }
    if server.lifecycle.expires_actively && !server.is_loading() {
        expire::cycle(server, Cycle::Fast);
    }
    evict::go_on(server);
    replicas::feed(server);
    tracking::broadcast(server);
    // What handshakes have led to: refusals, and requests that came with the last flight.
    output::send_all(server);
    output::send_later(server);
    evict_clients(server);
    free_finished(server);
    server.turn_ended();
}

/// Looks at the time before anybody is served.
pub fn after_sleep(server: &mut Server) {
    server.clock.update();
    server.turn_began();
}

/// Frees the clients that are over.
pub fn free_finished(server: &mut Server) {
    while let Some(id) = server.clients.pop_finished() {
        let Some(mut client) = server.clients.free(id) else { continue };
        server.watches.unwatch(id, &mut client.watched);
        server.pubsub.unsubscribe_all(id, &mut client.subscriptions);
        server.monitors.remove(id);
        replicas::freed(server, id, &client);
        waits::forget(server, id);
        blocked::forget(server, &mut client);
        server.parked.forget(&mut client);
        if let Some(tracker) = &client.tracker {
            tracking::forget(server, id, tracker);
        }
        if let Some((fd, mut connection)) = client.wire.take() {
            server.events.remove(fd, connection.stream());
            connection.close();
            if server.children.running().is_some() {
                // The child has the socket, too: closed here alone, it would stay open.
                connection.stream().shut_down();
            }
        }
    }
}
