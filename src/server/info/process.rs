//! Flow: INFO server, clients, replication, cpu, ssl, cluster.

use sys::{
    process::{self, CpuTime, Whose},
    supervised::Supervisor,
};

use super::{Field, field};
use crate::{keyspace, server::Server, version};

pub(super) fn server(server: &Server) -> Vec<Field> {
    let now_s = server.clock.now_s();
    let uptime_s = now_s.saturating_sub(server.lifecycle.started_s);
    let config = &server.config;
    let port = if config.network.port != 0 { config.network.port } else { config.network.tls_port };
    let file = config
        .start
        .file
        .as_ref()
        .map_or_else(String::new, |file| file.as_path().display().to_string());
    let lru_clock = keyspace::lru_clock(server.now_ms());
    let supervisor = match server.lifecycle.supervisor {
        Some(Supervisor::Systemd) => "systemd",
        Some(Supervisor::Upstart) => "upstart",
        None => "no",
    };
    let mut fields = vec![
        field("redis_version", version::VERSION),
        field("redis_git_sha1", version::GIT_SHA1),
        field("redis_git_dirty", version::GIT_DIRTY),
        field("redis_build_id", version::BUILD_ID),
        field("redis_mode", "standalone"),
        field("os", &server.lifecycle.os),
        field("arch_bits", usize::BITS),
        field("monotonic_clock", "POSIX clock_gettime"),
        field("multiplexing_api", "epoll"),
        field("atomicvar_api", "rust-core"),
        field("gcc_version", "0.0.0"),
        field("process_id", std::process::id()),
        field("process_supervised", supervisor),
        field("run_id", &server.lifecycle.run_id),
        field("tcp_port", port),
        field("server_time_usec", server.clock.now_us()),
        field("uptime_in_seconds", uptime_s),
        field("uptime_in_days", uptime_s / 86_400),
        field("hz", server.lifecycle.hz),
        field("configured_hz", config.general.hz),
        field("lru_clock", lru_clock),
        field("executable", &server.lifecycle.executable),
        field("config_file", file),
        field("io_threads_active", 0),
    ];
    fields.extend(listeners(server));
    // From here on those that Redis 7.2 has not.
    fields.push(field("server_name", version::SERVER_NAME));
    fields.push(field("redis_ssl_version", version::SSL_VERSION));
    fields
}

/// One line a kind of door: `listener0:name=tcp,bind=127.0.0.1,port=6379`.
fn listeners(server: &Server) -> Vec<Field> {
    let mut kinds = Vec::new();
    for door in server.doors.iter().flatten() {
        if !kinds.contains(&door.kind) {
            kinds.push(door.kind);
        }
    }
    let network = &server.config.network;
    let lines = kinds.iter().enumerate().map(|(at, kind)| {
        let of_kind = server.doors.iter().flatten().find(|door| door.kind == *kind);
        let port = of_kind.map_or(0, |door| door.listener.port());
        let value = if port == 0 {
            format!("name={},bind={}", kind.name(), String::from_utf8_lossy(&network.unixsocket))
        } else {
            let bind: String = network
                .bind
                .iter()
                .map(|address| format!("bind={},", String::from_utf8_lossy(address)))
                .collect();
            format!("name={},{bind}port={port}", kind.name())
        };
        (format!("listener{at}"), value)
    });
    lines.collect()
}

pub(super) fn clients(server: &Server) -> Vec<Field> {
    let count = server.clients.iter().filter(|(_, client)| !client.is_negotiating).count();
    let (input, output) = server.stats.recent_buffers();
    vec![
        field("connected_clients", count),
        field("cluster_connections", 0),
        field("maxclients", server.config.limits.maxclients),
        field("client_recent_max_input_buffer", input),
        field("client_recent_max_output_buffer", output),
        field("blocked_clients", server.parked.waiting_count()),
        field("tracking_clients", server.tracking.tracker_count()),
        field("clients_in_timeout_table", server.blocking.deadline_count()),
        field("total_blocking_keys", server.blocking.key_count()),
        field("total_blocking_keys_on_nokey", server.blocking.end_key_count()),
    ]
}

pub(super) fn cpu(_: &Server) -> Vec<Field> {
    let mut fields = Vec::new();
    for (suffix, whose) in
        [("", Whose::Process), ("_children", Whose::Children), ("_main_thread", Whose::Thread)]
    {
        let CpuTime { user, system } = process::cpu_time(whose);
        fields.push((format!("used_cpu_sys{suffix}"), format!("{:.6}", system.as_secs_f64())));
        fields.push((format!("used_cpu_user{suffix}"), format!("{:.6}", user.as_secs_f64())));
    }
    fields
}

pub(super) fn ssl(server: &Server) -> Vec<Field> {
    server.ssl.info(server.clock.now_s())
}

pub(super) fn cluster(_: &Server) -> Vec<Field> {
    vec![field("cluster_enabled", 0)]
}
