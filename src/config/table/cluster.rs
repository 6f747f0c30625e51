//! Room: the cluster and its bus. First the fields, then a line for each.

use crate::config::{
    Change, check,
    choice::EndpointType,
    entry::{
        Empty, INT_MAX, LONG_MAX, Parameter, ULONG_MAX, any_text, checked_text, choice, field,
        integer, memory, text, yes_no,
    },
};

/// The cluster and its bus.
#[derive(Clone, Default)]
pub struct Cluster {
    /// `cluster-enabled`: whether this server is a node of a cluster.
    pub cluster_enabled: bool,
    /// `cluster-config-file`: the file in which the node keeps what it knows of the cluster.
    pub cluster_config_file: Vec<u8>,
    /// `cluster-port`: the port of the bus.
    pub cluster_port: u16,
    /// `cluster-node-timeout`: milliseconds after which a node that cannot be reached counts as
    /// failing.
    pub cluster_node_timeout_ms: u64,
    /// `cluster-ping-interval`: milliseconds between two pings of a link; for tests.
    pub cluster_ping_interval_ms: u64,
    /// `cluster-replica-validity-factor`: how many timeouts a replica may have been cut off and
    /// still stand for election.
    pub cluster_replica_validity_factor: u32,
    /// `cluster-replica-no-failover`: whether this replica never starts a failover by itself.
    pub cluster_replica_no_failover: bool,
    /// `cluster-migration-barrier`: how many replicas a primary must keep for another to move to a
    /// primary without one.
    pub cluster_migration_barrier: u32,
    /// `cluster-allow-replica-migration`: whether replicas move so at all.
    pub cluster_allow_replica_migration: bool,
    /// `cluster-require-full-coverage`: whether the cluster stops answering when a slot has no
    /// node.
    pub cluster_require_full_coverage: bool,
    /// `cluster-allow-reads-when-down`: whether reads are answered all the same while it is down.
    pub cluster_allow_reads_when_down: bool,
    /// `cluster-allow-pubsubshard-when-down`: whether sharded Pub/Sub works while it is down.
    pub cluster_allow_pubsubshard_when_down: bool,
    /// `cluster-link-sendbuf-limit`: how much may wait on one link of the bus before it is closed.
    pub cluster_link_sendbuf_limit: u64,
    /// `cluster-announce-ip`: the address that the node tells others.
    pub cluster_announce_ip: Vec<u8>,
    /// `cluster-announce-hostname`: the host name that the node tells others.
    pub cluster_announce_hostname: Vec<u8>,
    /// `cluster-announce-human-nodename`: the name by which logs call the node.
    pub cluster_announce_human_nodename: Vec<u8>,
    /// `cluster-announce-port`: the data port that the node tells others.
    pub cluster_announce_port: u16,
    /// `cluster-announce-tls-port`: the TLS port that the node tells others.
    pub cluster_announce_tls_port: u16,
    /// `cluster-announce-bus-port`: the bus port that the node tells others.
    pub cluster_announce_bus_port: u16,
    /// `cluster-preferred-endpoint-type`: how redirections name a node: `ip`, `hostname` or
    /// `unknown-endpoint`.
    pub cluster_preferred_endpoint_type: EndpointType,
}

pub(super) static PARAMETERS: &[Parameter] = &[
    Parameter::new("cluster-enabled", "no", yes_no(&field!(cluster.cluster_enabled))).immutable(),
    Parameter::new(
        "cluster-config-file",
        "nodes.conf",
        any_text(&field!(cluster.cluster_config_file)),
    )
    .immutable(),
    Parameter::new("cluster-port", "0", integer(0, 65535, &field!(cluster.cluster_port)))
        .immutable(),
    Parameter::new(
        "cluster-node-timeout",
        "15000",
        integer(0, LONG_MAX, &field!(cluster.cluster_node_timeout_ms)),
    ),
    Parameter::new(
        "cluster-ping-interval",
        "0",
        integer(0, LONG_MAX, &field!(cluster.cluster_ping_interval_ms)),
    )
    .hidden(),
    Parameter::new(
        "cluster-replica-validity-factor",
        "10",
        integer(0, INT_MAX, &field!(cluster.cluster_replica_validity_factor)),
    )
    .alias("cluster-slave-validity-factor"),
    Parameter::new(
        "cluster-replica-no-failover",
        "no",
        yes_no(&field!(cluster.cluster_replica_no_failover)),
    )
    .alias("cluster-slave-no-failover")
    .change(Change::ClusterFlags),
    Parameter::new(
        "cluster-migration-barrier",
        "1",
        integer(0, INT_MAX, &field!(cluster.cluster_migration_barrier)),
    ),
    Parameter::new(
        "cluster-allow-replica-migration",
        "yes",
        yes_no(&field!(cluster.cluster_allow_replica_migration)),
    ),
    Parameter::new(
        "cluster-require-full-coverage",
        "yes",
        yes_no(&field!(cluster.cluster_require_full_coverage)),
    ),
    Parameter::new(
        "cluster-allow-reads-when-down",
        "no",
        yes_no(&field!(cluster.cluster_allow_reads_when_down)),
    ),
    Parameter::new(
        "cluster-allow-pubsubshard-when-down",
        "yes",
        yes_no(&field!(cluster.cluster_allow_pubsubshard_when_down)),
    ),
    Parameter::new(
        "cluster-link-sendbuf-limit",
        "0",
        memory(0, ULONG_MAX, &field!(cluster.cluster_link_sendbuf_limit)),
    ),
    Parameter::new("cluster-announce-ip", "", text(&field!(cluster.cluster_announce_ip)))
        .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-announce-hostname",
        "",
        checked_text(&field!(cluster.cluster_announce_hostname), Empty::Unset, check::hostname),
    )
    .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-announce-human-nodename",
        "",
        checked_text(
            &field!(cluster.cluster_announce_human_nodename),
            Empty::Unset,
            check::node_name,
        ),
    )
    .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-announce-port",
        "0",
        integer(0, 65535, &field!(cluster.cluster_announce_port)),
    )
    .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-announce-tls-port",
        "0",
        integer(0, 65535, &field!(cluster.cluster_announce_tls_port)),
    )
    .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-announce-bus-port",
        "0",
        integer(0, 65535, &field!(cluster.cluster_announce_bus_port)),
    )
    .change(Change::ClusterAnnounce),
    Parameter::new(
        "cluster-preferred-endpoint-type",
        "ip",
        choice(&field!(cluster.cluster_preferred_endpoint_type)),
    ),
];
