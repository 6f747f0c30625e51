//! Flow: what memory is used for: INFO memory, MEMORY STATS and MEMORY DOCTOR show the same
//! figures.

use base::{
    memory::{Figures, figures},
    number::bytes_to_human,
};
use sys::process;

use super::{Field, field};
use crate::{
    config::{Choice, MaxmemoryPolicy},
    server::{Server, evict},
};

/// The memory of a server.
pub struct MemoryReport {
    /// In live blocks.
    pub used: usize,
    /// The most that was ever.
    pub peak: usize,
    /// When the server had started.
    pub startup: usize,
    /// Of the process, as the system counts it.
    pub rss: usize,
    /// What the allocator says of itself.
    pub allocator: Figures,
    /// Kept of the stream for replicas that come back.
    pub backlog: usize,
    /// Libraries of functions.
    pub functions: usize,
    /// Kept of the stream beyond that, for replicas that are slow.
    pub replicas: usize,
    /// Buffers and state of clients that are no replicas.
    pub clients: usize,
    /// Clients that are no replicas.
    pub client_count: usize,
    /// Replicas.
    pub replica_count: usize,
    /// The tables of each database that holds keys.
    pub dbs: Vec<DbTables>,
}

/// The tables of one database.
pub struct DbTables {
    /// Which.
    pub db: usize,
    /// How many keys it holds.
    pub keys: usize,
    /// The bytes of the table that finds them.
    pub main: usize,
    /// The bytes of the table that finds those that expire.
    pub expires: usize,
}

impl MemoryReport {
    /// Counts everything.
    pub fn new(server: &Server) -> Self {
        let keyspace = &server.keyspace;
        let tables = |db: usize| {
            let (main, expires) = keyspace.table_bytes(db);
            DbTables { db, keys: keyspace.len(db), main, expires }
        };
        let stream = evict::stream_bytes(server);
        let backlog = match server.replication.replicas.is_empty() {
            true => stream,
            false => stream.min(evict::backlog_bytes(server)),
        };
        let is_replica = |id| server.replication.replicas.contains(&id);
        let clients = server.clients.iter().filter(|(id, _)| !is_replica(*id));
        Self {
            used: base::memory::used_bytes(),
            peak: base::memory::peak_bytes(),
            startup: server.lifecycle.startup_memory_bytes,
            rss: usize::try_from(process::resident_bytes()).unwrap_or(usize::MAX),
            allocator: figures(),
            backlog,
            functions: server.functions.bytes(),
            replicas: stream - backlog,
            clients: clients.map(|(_, client)| client.memory_bytes()).sum(),
            client_count: server.clients.count().saturating_sub(server.replication.replicas.len()),
            replica_count: server.replication.replicas.len(),
            dbs: (0..keyspace.db_count()).map(tables).filter(|db| 0 < db.keys).collect(),
        }
    }

    /// Counts the bytes that are not data.
    pub fn overhead(&self) -> usize {
        let tables = self.dbs.iter().map(|db| db.main + db.expires);
        let talk = self.backlog + self.replicas + self.clients;
        self.startup + talk + self.functions + tables.sum::<usize>()
    }

    /// Counts the bytes that are data.
    pub fn dataset(&self) -> usize {
        self.used.saturating_sub(self.overhead())
    }

    /// Returns which share of what the start did not need is data, in percent.
    pub fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.since_startup())
    }

    /// Returns which share of the peak is used, in percent.
    pub fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }

    /// Counts the keys.
    pub fn keys(&self) -> usize {
        self.dbs.iter().map(|db| db.keys).sum()
    }

    /// Returns what a key takes, everything that is there for keys included.
    pub fn bytes_per_key(&self) -> usize {
        self.since_startup().checked_div(self.keys()).unwrap_or(0)
    }

    fn since_startup(&self) -> usize {
        self.used.saturating_sub(self.startup).max(1)
    }

    /// Compares the allocator's pages with its blocks.
    pub fn allocator_fragmentation(&self) -> Excess {
        Excess::of(self.allocator.active, self.allocator.allocated)
    }

    /// Compares the memory that the allocator has with what it uses.
    pub fn allocator_rss(&self) -> Excess {
        Excess::of(self.allocator.resident, self.allocator.active)
    }

    /// Compares the memory of the process with the allocator's.
    pub fn rss_overhead(&self) -> Excess {
        Excess::of(self.rss, self.allocator.resident)
    }

    /// Compares the memory of the process with what is used.
    pub fn fragmentation(&self) -> Excess {
        Excess::of(self.rss, self.used)
    }
}

/// By how much something takes more memory than it might.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Excess {
    /// How many times as much.
    pub ratio: f64,
    /// How many bytes more.
    pub bytes: i64,
}

impl Excess {
    fn of(takes: usize, might: usize) -> Self {
        Self { ratio: takes as f64 / might.max(1) as f64, bytes: takes as i64 - might as i64 }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

pub(super) fn memory(server: &Server) -> Vec<Field> {
    let report = MemoryReport::new(server);
    let MemoryReport { used, peak, startup, rss, allocator, clients, .. } = report;
    let (overhead, dataset) = (report.overhead(), report.dataset());
    let total = usize::try_from(process::machine_bytes()).unwrap_or(usize::MAX);
    let human = |bytes: usize| bytes_to_human(bytes as u64);
    let percent = |share: f64| format!("{share:.2}%");
    let ratio = |excess: Excess| format!("{:.2}", excess.ratio);
    let maxmemory = server.config.memory.maxmemory;
    vec![
        field("used_memory", used),
        field("used_memory_human", human(used)),
        field("used_memory_rss", rss),
        field("used_memory_rss_human", human(rss)),
        field("used_memory_peak", peak),
        field("used_memory_peak_human", human(peak)),
        field("used_memory_peak_perc", percent(report.peak_percent())),
        field("used_memory_overhead", overhead),
        field("used_memory_startup", startup),
        field("used_memory_dataset", dataset),
        field("used_memory_dataset_perc", percent(report.dataset_percent())),
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
        field("number_of_libraries", server.functions.count()),
        field("used_memory_vm_functions", 0),
        field("used_memory_vm_total", 0),
        field("used_memory_vm_total_human", human(0)),
        field("used_memory_functions", report.functions),
        field("used_memory_scripts", report.functions),
        field("used_memory_scripts_human", human(report.functions)),
        field("maxmemory", maxmemory),
        field("maxmemory_human", bytes_to_human(maxmemory)),
        field("maxmemory_policy", policy_name(server)),
        field("allocator_frag_ratio", ratio(report.allocator_fragmentation())),
        field("allocator_frag_bytes", report.allocator_fragmentation().bytes),
        field("allocator_rss_ratio", ratio(report.allocator_rss())),
        field("allocator_rss_bytes", report.allocator_rss().bytes),
        field("rss_overhead_ratio", ratio(report.rss_overhead())),
        field("rss_overhead_bytes", report.rss_overhead().bytes),
        field("mem_fragmentation_ratio", ratio(report.fragmentation())),
        field("mem_fragmentation_bytes", report.fragmentation().bytes),
        field("mem_not_counted_for_evict", evict::uncounted_bytes(server)),
        field("mem_replication_backlog", report.backlog),
        field("mem_total_replication_buffers", report.backlog + report.replicas),
        field("mem_clients_slaves", report.replicas),
        field("mem_clients_normal", clients),
        field("mem_cluster_links", 0),
        field("mem_aof_buffer", 0),
        field("mem_allocator", "jemalloc-5.3.0"),
        field("active_defrag_running", 0),
        field("lazyfree_pending_objects", server.bio.pending_count()),
        field("lazyfreed_objects", server.bio.freed_count()),
    ]
}

fn policy_name(server: &Server) -> &'static str {
    let policy: MaxmemoryPolicy = server.config.memory.maxmemory_policy;
    policy.name()
}
