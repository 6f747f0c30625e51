//! Flow: commands that have run, shown to those who look at them: the slow log, the latency
//! monitor, and clients in MONITOR.
//!
//! Nobody looking costs a comparison each.

use net::Address;
use resp::Argv;

use crate::{
    client::ClientId,
    command::{CommandId, flags::Flags},
    latency::Event,
    monitor::{self, Source},
    redact,
    server::{
        Server,
        call::{Call, Origin},
    },
    slowlog::{self, Entry},
};

/// A command that somebody has had run.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Who.
    pub client: ClientId,
    /// Which.
    pub command: CommandId,
    /// With what.
    pub argv: Argv<'a>,
}

impl<'a> From<&Call<'a>> for Subject<'a> {
    fn from(call: &Call<'a>) -> Self {
        Self { client: call.client, command: call.command, argv: call.argv }
    }
}

/// Shows a command that has just run, and took `took_us` for it; one that has begun to wait is
/// slow when it has ended, and one that runs again was shown when it began.
#[inline]
pub fn ran(server: &mut Server, call: &Call<'_>, took_us: u64) {
    let logging = &server.config.logging;
    let threshold_ms = logging.latency_monitor_threshold_ms;
    if call.wait.is_none() && is_slow(server, call.took_us) {
        log_slow(server, Subject::from(call), call.took_us);
    }
    if threshold_ms != 0 {
        let is_fast = call.command.spec().has(Flags::FAST);
        let event = if is_fast { Event::FAST_COMMAND } else { Event::COMMAND };
        server.latency.note(event, took_us, threshold_ms, server.clock.now_s());
    }
    if !server.monitors.is_empty() && !server.is_loading() && call.retry.is_none() {
        let hidden = call.command.spec().flags;
        if !hidden.has_any(Flags::SKIP_MONITOR.with(Flags::ADMIN)) {
            show(server, Subject::from(call), call.db(), call.origin);
        }
    }
}

/// Whether the slow log wants to know of what took so long.
#[inline]
pub fn is_slow(server: &Server, took_us: u64) -> bool {
    // -1, which turns the log off, is the largest of all thresholds so.
    server.config.logging.slowlog_log_slower_than_us.cast_unsigned() <= took_us
}

/// Adds a command to the slow log, unless it is one that the log does not show.
#[cold]
pub fn log_slow(server: &mut Server, subject: Subject<'_>, took_us: u64) {
    let Subject { client, command, argv } = subject;
    if command.spec().has(Flags::SKIP_SLOWLOG) {
        return;
    }
    let client = server.clients.peek(client);
    let entry = Entry {
        id: 0,
        at_s: server.clock.now_s(),
        took_us,
        arguments: slowlog::cut(redact::shown(command, argv)),
        peer: client.map(|client| client.peer.clone()).unwrap_or_default(),
        name: client.and_then(|client| client.name.clone()).unwrap_or_default(),
    };
    server.slowlog.add(entry, server.config.logging.slowlog_max_len);
}

/// Shows a command to those who watch.
#[cold]
pub fn show(server: &mut Server, subject: Subject<'_>, db: usize, origin: Origin) {
    let Server { monitors, clients, clock, config, .. } = server;
    let Subject { client, command, argv } = subject;
    let client = clients.peek(client);
    let is_unix = client
        .and_then(|client| client.wire.as_ref())
        .is_some_and(|(_, wire)| matches!(wire.peer(), Address::Unix(_)));
    let source = match origin {
        Origin::Client | Origin::Exec if is_unix => Source::Unix(&config.network.unixsocket),
        Origin::Client | Origin::Exec => Source::Peer(client.map_or("", |client| &client.peer)),
    };
    let line = monitor::line(clock.now_us(), db, source, redact::shown(command, argv));
    monitors.tell(|id| clients.push(*id, |reply| reply.raw(&line)));
}
