//! Room: replicas, their primary and the link between them. First the fields, then a line for each.

use crate::config::{
    Change,
    choice::{PropagationErrorBehavior, ReplDisklessLoad},
    entry::{
        INT_MAX, LONG_MAX, Parameter, choice, field, integer, memory, secret, special, text, yes_no,
    },
    special::{self, ReplicaOf},
};

/// Replicas, their primary and the link between them.
#[derive(Clone, Default)]
pub struct Replication {
    /// `replicaof`: the primary that this server copies: host and port.
    pub replicaof: Option<ReplicaOf>,
    /// `masteruser`: the user as which a replica presents itself to its primary.
    pub masteruser: Vec<u8>,
    /// `masterauth`: the password with which it does.
    pub masterauth: Vec<u8>,
    /// `replica-serve-stale-data`: whether a replica answers from old data while the link is down.
    pub replica_serve_stale_data: bool,
    /// `replica-read-only`: whether a replica refuses writes of clients.
    pub replica_read_only: bool,
    /// `replica-priority`: the order in which Sentinel promotes, smallest first.
    pub replica_priority: u32,
    /// `replica-announced`: whether Sentinel shows this replica to clients.
    pub replica_announced: bool,
    /// `replica-announce-ip`: the address that a replica gives its primary.
    pub replica_announce_ip: Vec<u8>,
    /// `replica-announce-port`: the port that a replica gives its primary.
    pub replica_announce_port: u16,
    /// `replica-ignore-maxmemory`: whether a replica leaves eviction to its primary.
    pub replica_ignore_maxmemory: bool,
    /// `replica-ignore-disk-write-errors`: whether a replica that cannot persist goes on rather
    /// than stopping.
    pub replica_ignore_disk_write_errors: bool,
    /// `replica-lazy-flush`: whether a replica frees its old dataset in the background before
    /// loading.
    pub replica_lazy_flush: bool,
    /// `repl-ping-replica-period`: seconds between two pings to replicas.
    pub repl_ping_replica_period_s: u32,
    /// `repl-timeout`: seconds of silence after which either side gives the link up.
    pub repl_timeout_s: u32,
    /// `repl-disable-tcp-nodelay`: whether small packets to replicas are gathered, which saves
    /// bandwidth and costs time.
    pub repl_disable_tcp_nodelay: bool,
    /// `repl-diskless-sync`: whether a full copy goes straight to the sockets.
    pub repl_diskless_sync: bool,
    /// `repl-diskless-sync-delay`: seconds to wait for more replicas before such a copy starts.
    pub repl_diskless_sync_delay_s: u32,
    /// `repl-diskless-sync-max-replicas`: how many replicas end that wait early.
    pub repl_diskless_sync_max_replicas: u32,
    /// `repl-diskless-load`: whether a replica loads straight from the socket: `disabled`,
    /// `on-empty-db` or `swapdb`.
    pub repl_diskless_load: ReplDisklessLoad,
    /// `repl-backlog-size`: how much of the stream is kept for replicas that were away.
    pub repl_backlog_size: u64,
    /// `repl-backlog-ttl`: seconds without replicas after which it is given up.
    pub repl_backlog_ttl_s: u64,
    /// `min-replicas-to-write`: how many good replicas there must be for writes to be taken.
    pub min_replicas_to_write: u32,
    /// `min-replicas-max-lag`: seconds since its last word up to which a replica is good.
    pub min_replicas_max_lag_s: u32,
    /// `propagation-error-behavior`: what an error in a propagated command does: `ignore`, `panic`
    /// or `panic-on-replicas`.
    pub propagation_error_behavior: PropagationErrorBehavior,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("replicaof", "", special(special::REPLICA_OF))
        .alias("slaveof")
        .immutable()
        .words(),
    Parameter::new("masteruser", "", text(&field!(replication.masteruser))).sensitive(),
    Parameter::new("masterauth", "", secret(&field!(replication.masterauth))).sensitive(),
    Parameter::new(
        "replica-serve-stale-data",
        "yes",
        yes_no(&field!(replication.replica_serve_stale_data)),
    )
    .alias("slave-serve-stale-data"),
    Parameter::new("replica-read-only", "yes", yes_no(&field!(replication.replica_read_only)))
        .alias("slave-read-only"),
    Parameter::new(
        "replica-priority",
        "100",
        integer(0, INT_MAX, &field!(replication.replica_priority)),
    )
    .alias("slave-priority"),
    Parameter::new("replica-announced", "yes", yes_no(&field!(replication.replica_announced))),
    Parameter::new("replica-announce-ip", "", text(&field!(replication.replica_announce_ip)))
        .alias("slave-announce-ip"),
    Parameter::new(
        "replica-announce-port",
        "0",
        integer(0, 65535, &field!(replication.replica_announce_port)),
    )
    .alias("slave-announce-port"),
    Parameter::new(
        "replica-ignore-maxmemory",
        "yes",
        yes_no(&field!(replication.replica_ignore_maxmemory)),
    )
    .alias("slave-ignore-maxmemory"),
    Parameter::new(
        "replica-ignore-disk-write-errors",
        "no",
        yes_no(&field!(replication.replica_ignore_disk_write_errors)),
    ),
    Parameter::new("replica-lazy-flush", "no", yes_no(&field!(replication.replica_lazy_flush)))
        .alias("slave-lazy-flush"),
    Parameter::new(
        "repl-ping-replica-period",
        "10",
        integer(1, INT_MAX, &field!(replication.repl_ping_replica_period_s)),
    )
    .alias("repl-ping-slave-period"),
    Parameter::new("repl-timeout", "60", integer(1, INT_MAX, &field!(replication.repl_timeout_s))),
    Parameter::new(
        "repl-disable-tcp-nodelay",
        "no",
        yes_no(&field!(replication.repl_disable_tcp_nodelay)),
    ),
    Parameter::new("repl-diskless-sync", "yes", yes_no(&field!(replication.repl_diskless_sync))),
    Parameter::new(
        "repl-diskless-sync-delay",
        "5",
        integer(0, INT_MAX, &field!(replication.repl_diskless_sync_delay_s)),
    ),
    Parameter::new(
        "repl-diskless-sync-max-replicas",
        "0",
        integer(0, INT_MAX, &field!(replication.repl_diskless_sync_max_replicas)),
    ),
    Parameter::new(
        "repl-diskless-load",
        "disabled",
        choice(&field!(replication.repl_diskless_load)),
    )
    .denied_while_loading(),
    Parameter::new(
        "repl-backlog-size",
        "1mb",
        memory(1, LONG_MAX, &field!(replication.repl_backlog_size)),
    )
    .change(Change::BacklogSize),
    Parameter::new(
        "repl-backlog-ttl",
        "3600",
        integer(0, LONG_MAX, &field!(replication.repl_backlog_ttl_s)),
    ),
    Parameter::new(
        "min-replicas-to-write",
        "0",
        integer(0, INT_MAX, &field!(replication.min_replicas_to_write)),
    )
    .alias("min-slaves-to-write")
    .change(Change::GoodReplicas),
    Parameter::new(
        "min-replicas-max-lag",
        "10",
        integer(0, INT_MAX, &field!(replication.min_replicas_max_lag_s)),
    )
    .alias("min-slaves-max-lag")
    .change(Change::GoodReplicas),
    Parameter::new(
        "propagation-error-behavior",
        "ignore",
        choice(&field!(replication.propagation_error_behavior)),
    ),
];
