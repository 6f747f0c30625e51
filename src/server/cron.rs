//! Flow: what is done every so often (`serverCron`): `hz` times a second, or less often.

use std::time::Duration;

use sys::log;

use crate::{
    client::{Client, ClientId, Kind, reply_buffer::Resized},
    keyspace::Cycle,
    server::{
        Server, accept, bgsave, children, expire, output, reap, replicas, shutdown, tracking,
    },
};

/// Clients looked at in one run, at least.
const CLIENTS_MIN: usize = 5;
/// With more clients than this for one run, `dynamic-hz` runs more often.
const CLIENTS_PER_RUN: usize = 200;
const HZ_MAX: u32 = 500;
const REHASH_BUDGET: Duration = Duration::from_millis(1);
/// How long a client is idle before it gives back what it can.
const IDLE_MS: i64 = 2000;
/// How long a client that goes may take nothing of what it is still to be sent.
const LINGER_MS: i64 = 60_000;
/// Instantaneous figures are sampled so often.
const SAMPLE_MS: u64 = 100;

/// Runs, and says when to come again.
pub fn cron(server: &mut Server) -> Option<Duration> {
    server.clock.update();
    let hz = hz(server);
    server.lifecycle.hz = hz;
    let period = Duration::from_millis(u64::from(1000 / hz));
    server.watchdog.feed();
    shutdown::look_at_signals(server);
    shutdown::go_on(server);
    if server.lifecycle.is_cron_paused {
        return Some(period);
    }
    server.lifecycle.cron_count += 1;
    if every_ms(server, SAMPLE_MS) {
        server.stats.sample(server.clock.monotonic_us() / 1000);
    }
    if server.children.running().is_some() {
        reap::reap(server);
    }
    bgsave::look(server);
    look_after_clients(server, hz);
    if !server.is_loading() {
        look_after_keys(server, hz);
    }
    tracking::limit(server);
    net::expire_handshakes(server);
    accept::wake_doors(server);
    if every_ms(server, 1000) {
        children::hear(server);
        replicas::cron(server);
        let now_s = server.clock.now_s();
        if let Err(error) = server.ssl.tick(now_s) {
            log::warning!("Cannot make keys for TLS session tickets: {error}");
        }
    }
    if every_ms(server, 5000) && log::is_wanted(log::Level::Verbose) {
        log_figures(server);
    }
    let took_us = server.clock.read_monotonic_us() - server.clock.monotonic_us();
    server.stats.cron_us += took_us;
    Some(period)
}

/// With many clients the cron comes more often, so that it looks at few at a time.
fn hz(server: &Server) -> u32 {
    let mut hz = server.config.general.hz;
    if server.config.general.dynamic_hz {
        while hz < HZ_MAX && CLIENTS_PER_RUN < server.clients.count() / hz as usize {
            hz = (hz * 2).min(HZ_MAX);
        }
    }
    hz
}

fn every_ms(server: &Server, ms: u64) -> bool {
    let run_ms = u64::from(1000 / server.lifecycle.hz);
    ms <= run_ms || server.lifecycle.cron_count.is_multiple_of(ms / run_ms)
}

fn look_after_clients(server: &mut Server, hz: u32) {
    let slots = server.clients.slot_count();
    let count = (slots / hz as usize).max(CLIENTS_MIN).min(slots);
    for _ in 0..count {
        let at = server.lifecycle.next_client % slots;
        server.lifecycle.next_client = at + 1;
        if let Some(id) = server.clients.at(at) {
            look_after(server, id);
        }
    }
}

fn look_after(server: &mut Server, id: ClientId) {
    let (now_ms, now_s) = (server.now_ms(), server.clock.now_s());
    let timeout_ms = i64::from(server.config.network.timeout_s) * 1000;
    let Some(client) = server.clients.find_even_closing(id) else { return };
    let idle_ms = now_ms - client.active_ms;
    if !client.is_alive() {
        if LINGER_MS < idle_ms || 0 < timeout_ms && timeout_ms < idle_ms {
            server.clients.give_up(id);
        }
        return output::close_if_over_limit(server, id);
    }
    if 0 < timeout_ms && timeout_ms < idle_ms && may_time_out(client) {
        log::verbose!("Closing idle client");
        return server.clients.close(id);
    }
    let (input_bytes, output_bytes) = client.settle_buffers();
    if IDLE_MS < idle_ms {
        client.release_idle();
    }
    let resized = client.settle_reply_buffer(server.lifecycle.reply_buffers, now_ms);
    server.stats.reply_buffer_shrinks += u64::from(resized == Resized::Shrunk);
    server.stats.reply_buffer_expands += u64::from(resized == Resized::Grown);
    server.clients.note_usage(id);
    server.stats.note_buffers(input_bytes, output_bytes, now_s);
    output::close_if_over_limit(server, id);
}

/// Whether it is a client that should have asked for something: one who negotiates has its own
/// time, and one who listens may be silent.
fn may_time_out(client: &Client) -> bool {
    let is_monitor = client.frame.as_ref().is_some_and(|frame| frame.session.is_monitor);
    let may_be_silent = client.is_negotiating || client.parked.is_some();
    !may_be_silent && !is_monitor && client.kind() == Kind::Normal
}

fn look_after_keys(server: &mut Server, hz: u32) {
    if server.lifecycle.expires_actively {
        expire::cycle(server, Cycle::Slow { hz });
    }
    // What a table's growth touches would be copied for a child.
    if server.config.memory.activerehashing && server.children.running().is_none() {
        server.keyspace.rehash_for(REHASH_BUDGET);
    }
}

fn log_figures(server: &Server) {
    for db in 0..server.keyspace.db_count() {
        let figures = server.keyspace.figures(db);
        if 0 < figures.keys {
            log::verbose!("DB {db}: {} keys ({} volatile).", figures.keys, figures.expires);
        }
    }
    let replicas = server.replication.replicas.len();
    log::debug!(
        "{} clients connected ({} replicas), {} bytes in use",
        server.clients.count().saturating_sub(replicas),
        replicas,
        base::memory::used_bytes()
    );
}
