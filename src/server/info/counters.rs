//! Flow: INFO stats, commandstats, latencystats, errorstats, keyspace.

use hdrhistogram::Histogram;

use super::{Field, field};
use crate::{
    command::{CommandId, CommandStats},
    pubsub::Topic,
    server::Server,
};

pub(super) fn stats(server: &Server) -> Vec<Field> {
    let (stats, keyspace) = (&server.stats, &server.keyspace);
    let expiry = &keyspace.expiry;
    let (exceeded, exceeded_in_all) = keyspace.eviction.exceeded();
    let kbps = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    vec![
        field("total_connections_received", stats.connections),
        field("total_commands_processed", stats.commands),
        field("instantaneous_ops_per_sec", stats.instantaneous_commands.per_second()),
        field("total_net_input_bytes", stats.input_bytes),
        field("total_net_output_bytes", stats.output_bytes),
        field("total_net_repl_input_bytes", 0),
        field("total_net_repl_output_bytes", stats.replica_output_bytes),
        field("instantaneous_input_kbps", kbps(stats.instantaneous_input.per_second())),
        field("instantaneous_output_kbps", kbps(stats.instantaneous_output.per_second())),
        field("instantaneous_input_repl_kbps", "0.00"),
        field(
            "instantaneous_output_repl_kbps",
            kbps(stats.instantaneous_replica_output.per_second()),
        ),
        field("rejected_connections", stats.rejected_connections),
        field("sync_full", stats.full_syncs),
        field("sync_partial_ok", stats.partial_syncs),
        field("sync_partial_err", stats.refused_partial_syncs),
        field("expired_keys", expiry.expired_keys),
        field("expired_stale_perc", format!("{:.2}", expiry.stale_percent)),
        field("expired_time_cap_reached_count", expiry.time_cap_reached),
        field("expire_cycle_cpu_milliseconds", expiry.cycle_time.as_millis()),
        field("evicted_keys", keyspace.eviction.evicted_keys),
        field("evicted_clients", stats.evicted_clients),
        field("total_eviction_exceeded_time", exceeded_in_all.as_millis()),
        field("current_eviction_exceeded_time", exceeded.as_millis()),
        field("keyspace_hits", keyspace.hits),
        field("keyspace_misses", keyspace.misses),
        field("pubsub_channels", server.pubsub.topic_count(Topic::Channel)),
        field("pubsub_patterns", server.pubsub.topic_count(Topic::Pattern)),
        field("pubsubshard_channels", server.pubsub.topic_count(Topic::ShardChannel)),
        field("latest_fork_usec", server.children.last_fork_us),
        field("total_forks", server.children.forks),
        field("migrate_cached_sockets", 0),
        field("slave_expires_tracked_keys", 0),
        field("active_defrag_hits", 0),
        field("active_defrag_misses", 0),
        field("active_defrag_key_hits", 0),
        field("active_defrag_key_misses", 0),
        field("total_active_defrag_time", 0),
        field("current_active_defrag_time", 0),
        field("tracking_total_keys", server.tracking.key_count()),
        field("tracking_total_items", server.tracking.reader_count()),
        field("tracking_total_prefixes", server.tracking.prefixes.count()),
        field("unexpected_error_replies", 0),
        field("total_error_replies", stats.error_replies),
        field("dump_payload_sanitizations", stats.examined_payloads),
        field("total_reads_processed", stats.reads),
        field("total_writes_processed", stats.writes),
        field("io_threaded_reads_processed", 0),
        field("io_threaded_writes_processed", 0),
        field("reply_buffer_shrinks", stats.reply_buffer_shrinks),
        field("reply_buffer_expands", stats.reply_buffer_expands),
        field("eventloop_cycles", stats.turns),
        field("eventloop_duration_sum", stats.turns_us),
        field("eventloop_duration_cmd_sum", stats.commands_us),
        field("instantaneous_eventloop_cycles_per_sec", stats.instantaneous_turns.per_second()),
        field("instantaneous_eventloop_duration_usec", stats.mean_turn_us()),
        field("acl_access_denied_auth", stats.access_denied_auth),
        field("acl_access_denied_cmd", 0),
        field("acl_access_denied_key", 0),
        field("acl_access_denied_channel", 0),
        // From here on those that Redis 7.2 has not.
        field("client_query_buffer_limit_disconnections", stats.query_limit_disconnections),
        field("client_output_buffer_limit_disconnections", stats.output_limit_disconnections),
    ]
}

pub(super) fn commands(server: &Server) -> Vec<Field> {
    let used = server.commands.stats.used();
    let line = |(command, stats): (CommandId, CommandStats)| {
        let value = format!(
            "calls={},usec={},usec_per_call={:.2},rejected_calls={},failed_calls={}",
            stats.calls,
            stats.usec,
            stats.usec_per_call(),
            stats.rejected,
            stats.failed
        );
        (format!("cmdstat_{}", command.spec().full_name), value)
    };
    used.map(line).collect()
}

/// `p50=1.003,p99=…` in microseconds, of the commands that were measured.
pub(super) fn latencies(server: &Server) -> Vec<Field> {
    let logging = &server.config.logging;
    let percentiles = &logging.latency_tracking_info_percentiles;
    let line = |(command, histogram): (CommandId, &Histogram<u64>)| {
        let percentile = |wanted: &f64| {
            let name = format!("{wanted:.6}");
            let name = name.trim_end_matches('0').trim_end_matches('.');
            let value_ns = histogram.value_at_percentile(*wanted);
            format!("p{name}={:.3}", value_ns as f64 / 1000.0)
        };
        let values: Vec<String> = percentiles.iter().map(percentile).collect();
        (format!("latency_percentiles_usec_{}", command.spec().full_name), values.join(","))
    };
    let latencies = server.commands.stats.latencies().filter(|_| logging.latency_tracking);
    latencies.map(line).collect()
}

pub(super) fn errors(server: &Server) -> Vec<Field> {
    let line = |(kind, count): (&[u8], u64)| {
        (format!("errorstat_{}", safe(kind)), format!("count={count}"))
    };
    server.stats.errors().map(line).collect()
}

/// Replaces what a reader of INFO would take for the end of a name.
fn safe(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(['#', ':', '\n', '\r'], "_")
}

/// Measures of the loop that are shown only to who asks for them by this section's name.
pub(super) fn debug(server: &Server) -> Vec<Field> {
    let stats = &server.stats;
    vec![
        field("eventloop_duration_aof_sum", 0),
        field("eventloop_duration_cron_sum", stats.cron_us),
        field("eventloop_duration_max", stats.turn_us_max),
        field("eventloop_cmd_per_cycle_max", stats.turn_commands_max),
    ]
}

pub(super) fn keyspace(server: &Server) -> Vec<Field> {
    let mut fields = Vec::new();
    for db in 0..server.keyspace.db_count() {
        let figures = server.keyspace.figures(db);
        if 0 < figures.keys {
            let value = format!(
                "keys={},expires={},avg_ttl={}",
                figures.keys, figures.expires, figures.avg_ttl_ms
            );
            fields.push((format!("db{db}"), value));
        }
    }
    fields
}
