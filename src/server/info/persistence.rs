//! Flow: INFO persistence.

use super::{Field, field};
use crate::{persist::child::Child, server::Server};

pub(super) fn persistence(server: &Server) -> Vec<Field> {
    let snapshots = &server.snapshots;
    let child = server.children.running();
    let now_s = server.clock.now_s();
    let reported_us = child.and_then(|child| child.reported_us);
    let cow_age_s = reported_us
        .map_or(0, |at_us| server.clock.monotonic_us().saturating_sub(at_us) / 1_000_000);
    let loaded = snapshots.load_stats();
    let mut fields = vec![
        field("loading", i32::from(server.is_loading())),
        field("async_loading", 0),
        field("current_cow_peak", server.children.peak_bytes),
        field("current_cow_size", child.map_or(0, |child| child.cow_bytes)),
        field("current_cow_size_age", cow_age_s),
        field("current_fork_perc", format!("{:.2}", child.map_or(0.0, Child::percent))),
        field("current_save_keys_processed", child.map_or(0, |child| child.keys)),
        field("current_save_keys_total", child.map_or(0, |child| child.keys_total)),
        field("rdb_changes_since_last_save", server.keyspace.dirty),
        field("rdb_bgsave_in_progress", i32::from(child.is_some())),
        field("rdb_last_save_time", snapshots.last_save_s),
        field(
            "rdb_last_bgsave_status",
            if snapshots.has_background_save_failed { "err" } else { "ok" },
        ),
        field("rdb_last_bgsave_time_sec", or_never(snapshots.background.took_s)),
        field(
            "rdb_current_bgsave_time_sec",
            or_never(child.map(|child| now_s.saturating_sub(child.started_s))),
        ),
        field("rdb_saves", snapshots.saves),
        field("rdb_last_cow_size", snapshots.background.cow_bytes),
        field("rdb_last_load_keys_expired", loaded.keys_expired),
        field("rdb_last_load_keys_loaded", loaded.keys_loaded),
        field("aof_enabled", 0),
        field("aof_rewrite_in_progress", 0),
        field("aof_rewrite_scheduled", 0),
        field("aof_last_rewrite_time_sec", -1),
        field("aof_current_rewrite_time_sec", -1),
        field("aof_last_bgrewrite_status", "ok"),
        field("aof_rewrites", 0),
        field("aof_rewrites_consecutive_failures", 0),
        field("aof_last_write_status", "ok"),
        field("aof_last_cow_size", 0),
        field("module_fork_in_progress", 0),
        field("module_fork_last_cow_size", 0),
    ];
    if let Some(loading) = &snapshots.loading {
        fields.extend([
            field("loading_start_time", loading.started_s),
            field("loading_total_bytes", loading.total_bytes),
            field("loading_rdb_used_mem", loading.loader.aux().used_bytes),
            field("loading_loaded_bytes", loaded.bytes),
            field("loading_loaded_perc", format!("{:.2}", loading.percent())),
            field("loading_eta_seconds", loading.seconds_left(server.clock.now_s())),
        ]);
    }
    fields
}

/// Seconds, or -1 for what has not been.
fn or_never(seconds: Option<u64>) -> i64 {
    seconds.map_or(-1, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
}
