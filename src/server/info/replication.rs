//! Flow: INFO replication.

use super::{Field, field};
use crate::{
    client::describe::replica_address,
    server::{Server, replicas},
};

pub(super) fn replication(server: &Server) -> Vec<Field> {
    let now_s = server.clock.now_s();
    let config = &server.config.replication;
    let replication = &server.replication;
    let offset = server.history_bytes();
    let mut fields =
        vec![field("role", "master"), field("connected_slaves", replication.replicas.len())];
    if 0 < config.min_replicas_to_write && 0 < config.min_replicas_max_lag_s {
        fields.push(field("min_slaves_good_slaves", replicas::good_count(server)));
    }
    for (at, (client, _, link)) in replicas::links(server).enumerate() {
        let Some(state) = link.state.name() else { continue };
        let (host, port) = replica_address(client);
        // It has said nothing yet as long as it loads its snapshot.
        let lag_s = if link.waits_for_snapshot() { 0 } else { link.lag_s(now_s) };
        let value =
            format!("ip={host},port={port},state={state},offset={},lag={lag_s}", link.acknowledged);
        fields.push((format!("slave{at}"), value));
    }
    let (former_id, former_end) = match &replication.former {
        Some((id, end)) => (id.clone(), i64::try_from(*end).unwrap_or(i64::MAX)),
        None => ("0".repeat(40), -1),
    };
    let backlog = replication.backlog.as_ref();
    fields.extend([
        field("master_failover_state", "no-failover"),
        field("master_replid", &replication.id),
        field("master_replid2", former_id),
        field("master_repl_offset", offset),
        field("second_repl_offset", former_end),
        field("repl_backlog_active", u8::from(backlog.is_some())),
        field("repl_backlog_size", config.repl_backlog_size),
        field("repl_backlog_first_byte_offset", backlog.map_or(0, |it| it.start() + 1)),
        field("repl_backlog_histlen", backlog.map_or(0, |it| offset - it.start())),
    ]);
    fields
}
