//! Flow: commands that wait for keys: parked when they find nothing, answered when their time is
//! up. They run again when a key has something for them (`process::serve_ready`).

use std::time::Duration;

use resp::OwnedArgv;

use crate::{
    blocking::KeyWait,
    client::{Client, ClientId, ReplyMode, parked::Cause},
    server::Server,
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
