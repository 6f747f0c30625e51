//! Flow: commands that wait for keys: parked when they find nothing, run again when a key has
//! something for them, answered when their time is up.
//!
//! What a command waits for may come in any way: pushed, renamed, moved, restored, swapped in.
//! So it is not looked at how: a change marks the key (`notify`), and when the unit of whoever
//! has changed it is over, what the key holds then decides. The parked command runs as a unit of
//! its own, through the gate, as if it had just come; what its client has sent since is left for
//! the end of the turn.

use std::time::Duration;

use resp::OwnedArgv;

use crate::{
    blocking::{KeyWait, Wanted},
    client::{Client, ClientId, ReplyMode, parked::Cause},
    server::{Server, process},
    value::Value,
};

const UNBLOCKED: &[u8] = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// How a wait ends without what was waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// As if its time were up.
    Timeout,
    /// With an error, on a client's order.
    Unblocked,
}

/// Parks a client whose command has found nothing.
pub fn park(server: &mut Server, id: ClientId, wait: KeyWait, argv: OwnedArgv, took_us: u64) {
    let Server { parked, clients, blocking, .. } = server;
    let Some(client) = clients.find(id) else { return };
    let ticket = parked.park(id, client, Cause::Keys, argv);
    blocking.add(ticket, id, &wait);
    if let Some(parked) = &mut client.parked {
        (parked.wait, parked.took_us) = (Some(wait), took_us);
    }
}

/// Serves all keys that were marked, and those that are marked by that.
#[inline]
pub fn serve_ready(server: &mut Server) {
    if server.blocking.has_ready() && !server.blocking.is_serving {
        serve_keys(server);
    }
}

#[cold]
fn serve_keys(server: &mut Server) {
    server.blocking.is_serving = true;
    while let Some((db, key)) = server.blocking.pop_ready() {
        serve_key(server, db, &key);
    }
    server.blocking.is_serving = false;
}

fn serve_key(server: &mut Server, db: usize, key: &[u8]) {
    // Who begins to wait again meanwhile is not met a second time.
    let last = server.parked.last_ticket();
    let mut after = 0;
    server.keyspace.now_ms = server.now_ms();
    loop {
        let held = server.keyspace.peek(db, key).and_then(|record| held(record.value()));
        let Some((ticket, id)) = server.blocking.next((db, key), held, (after, last)) else {
            return;
        };
        after = ticket;
        process::serve(server, id);
    }
}

fn held(value: Option<&Value>) -> Option<Wanted> {
    match value? {
        Value::List(_) => Some(Wanted::List),
        Value::Zset(_) => Some(Wanted::Zset),
        Value::Stream(_) => Some(Wanted::Stream),
        Value::Text(_) | Value::Set(_) | Value::Hash(_) => None,
    }
}

/// Answers those whose time is up, and has the loop woken for who is next.
#[inline]
pub fn end_in_time(server: &mut Server) {
    if server.blocking.next_deadline().is_some() {
        end_late(server);
    }
}

#[cold]
fn end_late(server: &mut Server) {
    let now_ms = server.now_ms();
    while let Some(id) = server.blocking.late(now_ms) {
        end(server, id, End::Timeout);
    }
    let Some(next_ms) = server.blocking.next_deadline() else { return };
    let delay_ms = u64::try_from(next_ms - now_ms).unwrap_or(0);
    // The cron wakes the loop often enough for who waits longer.
    let is_soon = delay_ms < u64::from(1000 / server.lifecycle.hz.max(1));
    if is_soon && server.blocking.alarm_ms.is_none_or(|alarm_ms| next_ms < alarm_ms) {
        server.blocking.alarm_ms = Some(next_ms);
        server.events.after(Duration::from_millis(delay_ms), alarm);
    }
}

/// The loop was woken, which is all: deadlines are looked at before each sleep.
fn alarm(server: &mut Server) -> Option<Duration> {
    server.blocking.alarm_ms = None;
    None
}

/// Ends a client's wait before its time; says whether it waited.
pub fn unblock(server: &mut Server, number: i64, end_: End) -> bool {
    let is_meant = |client: &Client| i64::try_from(client.number).is_ok_and(|it| it == number);
    let found = server.clients.iter().find(|(_, client)| is_meant(client)).map(|(id, _)| id);
    found.is_some_and(|id| end(server, id, end_))
}

fn end(server: &mut Server, id: ClientId, end: End) -> bool {
    let Server { parked, clients, blocking, stats, commands, .. } = server;
    let Some(client) = clients.find_even_closing(id) else { return false };
    let Some(waiting) = &mut client.parked else { return false };
    let Some(wait) = waiting.wait.take() else { return false };
    blocking.remove(waiting.ticket(), &wait);
    let took_us = waiting.took_us;
    waiting.argv = OwnedArgv::default();
    parked.wake(id, client);
    if let Some(command) = client.last_command {
        stats.commands += 1;
        commands.ran(command, took_us, end == End::Unblocked);
    }
    let mode = client.frame.as_ref().map_or(ReplyMode::On, |frame| frame.session.reply_mode);
    if mode == ReplyMode::On {
        clients.push(id, |reply| match end {
            End::Timeout => reply.null_array(),
            End::Unblocked => reply.error(UNBLOCKED),
        });
    }
    if end == End::Unblocked {
        stats.count_error(UNBLOCKED);
    }
    true
}

/// A client is being freed: it waits no more.
pub fn forget(server: &mut Server, client: &mut Client) {
    if let Some(parked) = &mut client.parked
        && let Some(wait) = parked.wait.take()
    {
        server.blocking.remove(parked.ticket(), &wait);
    }
}
