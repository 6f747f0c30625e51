//! Flow: INFO memory.

use base::{memory::figures, number::bytes_to_human};
use sys::process;

use super::{Field, field};
use crate::{config::MaxmemoryPolicy, server::Server};

/// The memory of a server, as INFO and, one day, MEMORY STATS show it.
pub(super) struct Overhead {
    /// Buffers and state of clients.
    pub clients_bytes: usize,
    /// Tables that find keys.
    pub tables_bytes: usize,
}

/// Counts what is not data.
pub(super) fn overhead(server: &Server) -> Overhead {
    let clients_bytes = server.clients.iter().map(|(_, client)| client.memory_bytes()).sum();
    let tables = (0..server.keyspace.db_count()).map(|db| server.keyspace.table_bytes(db));
    Overhead { clients_bytes, tables_bytes: tables.map(|(keys, volatile)| keys + volatile).sum() }
}

pub(super) fn memory(server: &Server) -> Vec<Field> {
    let used = base::memory::used_bytes();
    let peak = base::memory::peak_bytes();
    let startup = server.lifecycle.startup_memory_bytes;
    let Overhead { clients_bytes, tables_bytes } = overhead(server);
    let overhead = startup + clients_bytes + tables_bytes;
    let dataset = used.saturating_sub(overhead);
    let allocator = figures();
    let rss = usize::try_from(process::resident_bytes()).unwrap_or(usize::MAX);
    let total = usize::try_from(process::machine_bytes()).unwrap_or(usize::MAX);
    let human = |bytes: usize| bytes_to_human(bytes as u64);
    let percent = |part: usize, whole: usize| {
        let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
        format!("{share:.2}%")
    };
    let ratio = |a: usize, b: usize| format!("{:.2}", a as f64 / b.max(1) as f64);
    let signed = |a: usize, b: usize| a as i64 - b as i64;
    let maxmemory = server.config.memory.maxmemory;
    vec![
        field("used_memory", used),
        field("used_memory_human", human(used)),
        field("used_memory_rss", rss),
        field("used_memory_rss_human", human(rss)),
        field("used_memory_peak", peak),
        field("used_memory_peak_human", human(peak)),
        field("used_memory_peak_perc", percent(used, peak)),
        field("used_memory_overhead", overhead),
        field("used_memory_startup", startup),
        field("used_memory_dataset", dataset),
        field("used_memory_dataset_perc", percent(dataset, used.saturating_sub(startup))),
        field("allocator_allocated", allocator.allocated),
        field("allocator_active", allocator.active),
        field("allocator_resident", allocator.resident),
        field("total_system_memory", total),
        field("total_system_memory_human", human(total)),
        field("used_memory_lua", 0),
        field("used_memory_vm_eval", 0),
        field("used_memory_lua_human", human(0)),
        field("used_memory_scripts_eval", 0),
        field("number_of_cached_scripts", 0),
        field("number_of_functions", 0),
        field("number_of_libraries", 0),
        field("used_memory_vm_functions", 0),
        field("used_memory_vm_total", 0),
        field("used_memory_vm_total_human", human(0)),
        field("used_memory_functions", 0),
        field("used_memory_scripts", 0),
        field("used_memory_scripts_human", human(0)),
        field("maxmemory", maxmemory),
        field("maxmemory_human", bytes_to_human(maxmemory)),
        field("maxmemory_policy", policy_name(server)),
        field("allocator_frag_ratio", ratio(allocator.active, allocator.allocated)),
        field("allocator_frag_bytes", signed(allocator.active, allocator.allocated)),
        field("allocator_rss_ratio", ratio(allocator.resident, allocator.active)),
        field("allocator_rss_bytes", signed(allocator.resident, allocator.active)),
        field("rss_overhead_ratio", ratio(rss, allocator.resident)),
        field("rss_overhead_bytes", signed(rss, allocator.resident)),
        field("mem_fragmentation_ratio", ratio(rss, used)),
        field("mem_fragmentation_bytes", signed(rss, used)),
        field("mem_not_counted_for_evict", 0),
        field("mem_replication_backlog", 0),
        field("mem_total_replication_buffers", 0),
        field("mem_clients_slaves", 0),
        field("mem_clients_normal", clients_bytes),
        field("mem_cluster_links", 0),
        field("mem_aof_buffer", 0),
        field("mem_allocator", "jemalloc-5.3.0"),
        field("active_defrag_running", 0),
        field("lazyfree_pending_objects", server.bio.pending_count()),
        field("lazyfreed_objects", server.bio.freed_count()),
    ]
}

fn policy_name(server: &Server) -> &'static str {
    use crate::config::Choice;
    let policy: MaxmemoryPolicy = server.config.memory.maxmemory_policy;
    policy.name()
}
