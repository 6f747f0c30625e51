//! Room: how much memory the dataset may take, and how it is given back. First the fields, then a
//! line for each.

use crate::config::{
    Change,
    choice::MaxmemoryPolicy,
    entry::{
        INT_MAX, LONG_MAX, Parameter, ULONG_MAX, choice, field, integer, memory, special, yes_no,
    },
    special,
};

/// How much memory the dataset may take, and how it is given back.
#[derive(Clone, Default)]
pub struct Memory {
    /// `maxmemory`: the memory that the dataset may use.
    pub maxmemory: u64,
    /// `maxmemory-policy`: which keys go when memory is short: `volatile-lru`, `volatile-lfu`,
    /// `volatile-random`, `volatile-ttl` (those with a time to live), `allkeys-lru`, `allkeys-lfu`,
    /// `allkeys-random`, or `noeviction` (writes are refused).
    pub maxmemory_policy: MaxmemoryPolicy,
    /// `maxmemory-samples`: how many keys are compared to find the best one to evict.
    pub maxmemory_samples: u32,
    /// `maxmemory-eviction-tenacity`: how much time eviction may take, from 0 (least latency) to
    /// 100 (no regard for it).
    pub maxmemory_eviction_tenacity: u32,
    /// `lfu-log-factor`: how many hits it takes to saturate the counter of a key's use.
    pub lfu_log_factor: u32,
    /// `lfu-decay-time`: minutes after which that counter is lowered.
    pub lfu_decay_time_min: u32,
    /// `active-expire-effort`: how hard expired keys are looked for, from 1 to 10.
    pub active_expire_effort: u32,
    /// `lazyfree-lazy-eviction`: whether evicted values are freed in the background.
    pub lazyfree_lazy_eviction: bool,
    /// `lazyfree-lazy-expire`: whether expired values are freed in the background.
    pub lazyfree_lazy_expire: bool,
    /// `lazyfree-lazy-server-del`: whether values that a command overwrites are freed in the
    /// background.
    pub lazyfree_lazy_server_del: bool,
    /// `lazyfree-lazy-user-del`: whether DEL frees in the background, as UNLINK does.
    pub lazyfree_lazy_user_del: bool,
    /// `lazyfree-lazy-user-flush`: whether FLUSHALL and FLUSHDB free in the background when they
    /// are not told.
    pub lazyfree_lazy_user_flush: bool,
    /// `activerehashing`: whether idle time is used to grow and shrink tables.
    pub activerehashing: bool,
    /// `activedefrag`: whether memory is defragmented while the server runs.
    pub activedefrag: bool,
    /// `active-defrag-ignore-bytes`: the waste below which defragmentation does not start.
    pub active_defrag_ignore_bytes: usize,
    /// `active-defrag-threshold-lower`: the percentage of waste at which it starts.
    pub active_defrag_threshold_lower: u32,
    /// `active-defrag-threshold-upper`: the percentage of waste at which it does its utmost.
    pub active_defrag_threshold_upper: u32,
    /// `active-defrag-cycle-min`: the least percentage of time that it takes.
    pub active_defrag_cycle_min: u32,
    /// `active-defrag-cycle-max`: the greatest percentage of time that it takes.
    pub active_defrag_cycle_max: u32,
    /// `active-defrag-max-scan-fields`: how many elements of a value it treats at once.
    pub active_defrag_max_scan_fields: usize,
    /// `jemalloc-bg-thread`: whether the allocator gives memory back in a thread of its own.
    pub jemalloc_bg_thread: bool,
}

impl Memory {
    /// Whether Redis would share the objects of small integers: it does not where each key is
    /// to have an access field of its own.
    pub fn shares_integers(&self) -> bool {
        let keeps_accesses = matches!(
            self.maxmemory_policy,
            MaxmemoryPolicy::AllKeysLru
                | MaxmemoryPolicy::AllKeysLfu
                | MaxmemoryPolicy::VolatileLru
                | MaxmemoryPolicy::VolatileLfu
        );
        self.maxmemory == 0 || !keeps_accesses
    }
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("maxmemory", "0", memory(0, ULONG_MAX, &field!(memory.maxmemory)))
        .change(Change::Maxmemory),
    Parameter::new("maxmemory-policy", "noeviction", choice(&field!(memory.maxmemory_policy)))
        .change(Change::AccessPolicy),
    Parameter::new(
        "maxmemory-samples",
        "5",
        integer(1, INT_MAX, &field!(memory.maxmemory_samples)),
    ),
    Parameter::new(
        "maxmemory-eviction-tenacity",
        "10",
        integer(0, 100, &field!(memory.maxmemory_eviction_tenacity)),
    ),
    Parameter::new("lfu-log-factor", "10", integer(0, INT_MAX, &field!(memory.lfu_log_factor)))
        .change(Change::AccessPolicy),
    Parameter::new("lfu-decay-time", "1", integer(0, INT_MAX, &field!(memory.lfu_decay_time_min)))
        .change(Change::AccessPolicy),
    Parameter::new(
        "active-expire-effort",
        "1",
        integer(1, 10, &field!(memory.active_expire_effort)),
    ),
    Parameter::new("lazyfree-lazy-eviction", "no", yes_no(&field!(memory.lazyfree_lazy_eviction)))
        .change(Change::LazyFree),
    Parameter::new("lazyfree-lazy-expire", "no", yes_no(&field!(memory.lazyfree_lazy_expire)))
        .change(Change::LazyFree),
    Parameter::new(
        "lazyfree-lazy-server-del",
        "no",
        yes_no(&field!(memory.lazyfree_lazy_server_del)),
    )
    .change(Change::LazyFree),
    Parameter::new("lazyfree-lazy-user-del", "no", yes_no(&field!(memory.lazyfree_lazy_user_del)))
        .change(Change::LazyFree),
    Parameter::new(
        "lazyfree-lazy-user-flush",
        "no",
        yes_no(&field!(memory.lazyfree_lazy_user_flush)),
    ),
    Parameter::new("activerehashing", "yes", yes_no(&field!(memory.activerehashing))),
    Parameter::new("activedefrag", "no", special(special::ACTIVE_DEFRAG)),
    Parameter::new(
        "active-defrag-ignore-bytes",
        "100mb",
        memory(1, LONG_MAX, &field!(memory.active_defrag_ignore_bytes)),
    ),
    Parameter::new(
        "active-defrag-threshold-lower",
        "10",
        integer(0, 1000, &field!(memory.active_defrag_threshold_lower)),
    ),
    Parameter::new(
        "active-defrag-threshold-upper",
        "100",
        integer(0, 1000, &field!(memory.active_defrag_threshold_upper)),
    ),
    Parameter::new(
        "active-defrag-cycle-min",
        "1",
        integer(1, 99, &field!(memory.active_defrag_cycle_min)),
    ),
    Parameter::new(
        "active-defrag-cycle-max",
        "25",
        integer(1, 99, &field!(memory.active_defrag_cycle_max)),
    ),
    Parameter::new(
        "active-defrag-max-scan-fields",
        "1000",
        integer(1, LONG_MAX, &field!(memory.active_defrag_max_scan_fields)),
    ),
    Parameter::new("jemalloc-bg-thread", "yes", yes_no(&field!(memory.jemalloc_bg_thread)))
        .change(Change::JemallocThread),
];
