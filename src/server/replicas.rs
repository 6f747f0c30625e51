//! Flow: replicas: what they are fed, how they come and go, and what is done every second.
//!
//! What a turn has changed goes into the backlog before the loop sleeps, or when somebody needs
//! to know how long the history is. Replicas that are online are then sent what follows their
//! place in it (`server::transfer`); for those that still get their snapshot it waits there.

use std::fs::File;

use sys::{log, process};

use crate::{
    client::{Client, ClientId, describe::replica_name},
    persist::child::Target,
    replication::replica::{Filter, Link, Replica, State, Transfer},
    server::{Server, bgsave, output, transfer},
};

/// Puts what has changed into the backlog, for all who read it.
#[inline]
pub fn feed(server: &mut Server) {
    if !server.propagation.stream().is_empty() {
        feed_stream(server);
    }
}

#[cold]
fn feed_stream(server: &mut Server) {
    let Server { propagation, replication, clients, .. } = server;
    if let Some(backlog) = &mut replication.backlog {
        backlog.append(propagation.stream());
    }
    propagation.clear_stream();
    let end = replication.offset();
    for id in &replication.replicas {
        let Some(link) = clients.find(*id).and_then(Client::link_mut) else { continue };
        link.end = end;
        if link.streams() {
            clients.wake(*id);
        }
    }
    trim(server);
    for at in 0..server.replication.replicas.len() {
        output::close_if_over_limit(server, server.replication.replicas[at]);
    }
}

/// Drops of the backlog what nobody needs.
pub fn trim(server: &mut Server) {
    let Server { replication, clients, .. } = server;
    let places = replication.replicas.iter().filter_map(|id| {
        let replica = clients.peek(*id)?.replica.as_deref()?;
        let link = replica.link.as_ref()?;
        // Who waits for a child has no place yet; who wants no commands has none at all.
        let has_place = !matches!(link.state, State::WaitsForStart | State::HasSnapshot);
        (has_place && !replica.wants_snapshot_only).then_some(link.next)
    });
    let slowest = places.min();
    if let Some(backlog) = &mut replication.backlog {
        backlog.trim(slowest);
    }
}

/// Counts the replicas that are online and have said something lately.
pub fn good_count(server: &Server) -> usize {
    let now_s = server.clock.now_s();
    let lag_max_s = u64::from(server.config.replication.min_replicas_max_lag_s);
    let links = links(server).map(|(_, _, link)| link);
    links.filter(|link| link.state == State::Online && link.lag_s(now_s) <= lag_max_s).count()
}

/// Whether writes are refused for want of good replicas.
#[inline]
pub fn are_too_few(server: &Server) -> bool {
    let config = &server.config.replication;
    0 < config.min_replicas_to_write
        && 0 < config.min_replicas_max_lag_s
        && good_count(server) < config.min_replicas_to_write as usize
}

/// Walks over the replicas, in the order in which they came.
pub fn links(server: &Server) -> impl Iterator<Item = (&Client, &Replica, &Link)> {
    server.replication.replicas.iter().filter_map(|id| {
        let client = server.clients.peek(*id).filter(|client| client.is_alive())?;
        let replica = client.replica.as_deref()?;
        Some((client, replica, replica.link.as_ref()?))
    })
}

fn name_of(server: &Server, id: ClientId) -> String {
    server.clients.peek(id).map_or_else(String::new, replica_name)
}

/// Begins a snapshot for those who wait for one, if there can be one.
pub fn start_pending(server: &mut Server) {
    if server.children.running().is_some() {
        return;
    }
    let Some((_, first, _)) = links(server).find(|(_, _, link)| waits(link)) else { return };
    let filter = first.filter;
    let now_s = server.clock.now_s();
    let waiting = || waiting_for(server, filter);
    let knows_eof = waiting().all(|(_, replica, _)| replica.knows_eof);
    let waited_s =
        waiting().map(|(_, _, link)| now_s.saturating_sub(link.waits_since_s)).max().unwrap_or(0);
    let config = &server.config.replication;
    let count_max = config.repl_diskless_sync_max_replicas as usize;
    let is_full = 0 < count_max && count_max <= waiting().count();
    let delay_s = u64::from(config.repl_diskless_sync_delay_s);
    if !config.repl_diskless_sync || is_full || delay_s <= waited_s {
        start_snapshot(server, filter, knows_eof);
    }
}

fn waits(link: &Link) -> bool {
    link.state == State::WaitsForStart
}

/// Walks over those who wait for a child and want the same of it.
fn waiting_for(
    server: &Server,
    filter: Filter,
) -> impl Iterator<Item = (&Client, &Replica, &Link)> {
    links(server).filter(move |(_, replica, link)| waits(link) && replica.filter == filter)
}

/// Begins a snapshot for all who wait for one that leaves out the same.
pub fn start_snapshot(server: &mut Server, filter: Filter, knows_eof: bool) {
    let is_diskless = server.config.replication.repl_diskless_sync || filter.excludes_anything();
    let skips_disk = is_diskless && knows_eof;
    let target = if skips_disk { "replicas sockets" } else { "disk" };
    log::notice!("Starting BGSAVE for SYNC with target: {target}");
    feed(server);
    let readers: Vec<ClientId> = waiting_ids(server, Some(filter));
    let outcome = if skips_disk {
        bgsave::start_for_replicas(server, filter, &readers)
    } else {
        bgsave::start(server)
    };
    if outcome.is_err() {
        return refuse_waiting(server);
    }
    if !skips_disk {
        let persistence = &server.config.persistence;
        server.snapshots.background.is_for_replicas =
            persistence.rdb_del_sync_files && persistence.save.is_empty();
    }
    let offset = server.replication.offset();
    for id in readers {
        begin_full(server, id, offset);
    }
}

fn waiting_ids(server: &Server, filter: Option<Filter>) -> Vec<ClientId> {
    let replicas = server.replication.replicas.iter().copied();
    let is_meant = |id: &ClientId| {
        let client = server.clients.peek(*id).filter(|client| client.is_alive());
        let Some(replica) = client.and_then(|client| client.replica.as_deref()) else {
            return false;
        };
        replica.link.as_ref().is_some_and(waits) && filter.is_none_or(|it| it == replica.filter)
    };
    replicas.filter(is_meant).collect()
}

fn refuse_waiting(server: &mut Server) {
    log::warning!("BGSAVE for replication failed");
    for id in waiting_ids(server, None) {
        detach(server, id);
        let text = b"ERR BGSAVE failed, replication can't continue";
        server.clients.push(id, |reply| reply.error(text));
        server.clients.close_after_reply(id);
    }
}

/// Tells a replica that a snapshot comes, which stands at a place of the stream.
pub fn begin_full(server: &mut Server, id: ClientId, offset: u64) {
    // Who begins to read knows of no database.
    server.propagation.forget_selected();
    let end = server.replication.offset();
    let Some(link) = server.clients.find(id).and_then(Client::link_mut) else { return };
    (link.state, link.next, link.snapshot_at) = (State::WaitsForEnd, offset, offset);
    link.end = end;
    if !link.is_old {
        let line = format!("+FULLRESYNC {} {offset}\r\n", server.replication.id);
        server.clients.push(id, |reply| reply.raw(line.as_bytes()));
    }
}

/// A child has ended: those for whom it was made go on, or must go.
pub fn snapshot_ended(server: &mut Server, target: Target, is_good: bool) {
    for id in server.replication.replicas.clone() {
        let link = server.clients.find(id).and_then(Client::link_mut);
        if !link.is_some_and(|link| link.state == State::WaitsForEnd) {
            continue;
        }
        if !is_good {
            log::warning!("SYNC failed. BGSAVE child returned an error");
            server.clients.close(id);
            continue;
        }
        match target {
            Target::Replicas => {
                log::notice!(
                    "Streamed RDB transfer with replica {} succeeded (socket). Waiting for \
                     REPLCONF ACK from replica to enable streaming",
                    name_of(server, id)
                );
                transfer::put_online(server, id, true);
            }
            Target::Disk => send_file(server, id),
        }
    }
}

fn send_file(server: &mut Server, id: ClientId) {
    let path = crate::server::save::file_name(server);
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (left, file) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let error = process::describe(&error);
            log::warning!("SYNC failed. Can't open/stat DB after BGSAVE: {error}");
            return server.clients.close(id);
        }
    };
    let Some(link) = server.clients.find(id).and_then(Client::link_mut) else { return };
    link.state = State::ReceivesFile;
    let piece = format!("${left}\r\n").into_bytes();
    link.transfer = Some(Transfer { file, piece, sent: 0, left });
    server.clients.wake(id);
}

/// A replica has said how far it is.
pub fn acknowledged(server: &mut Server, id: ClientId) {
    server.replication.waits.has_news = true;
    let Some(link) = server.clients.find(id).and_then(Client::link_mut) else { return };
    if link.state == State::Online && link.starts_on_ack {
        link.starts_on_ack = false;
        server.clients.wake(id);
    }
}

/// Forgets that a client is a replica.
fn detach(server: &mut Server, id: ClientId) {
    server.replication.replicas.retain(|replica| *replica != id);
    if let Some(client) = server.clients.find_even_closing(id)
        && let Some(replica) = &mut client.replica
    {
        replica.link = None;
    }
    if server.replication.replicas.is_empty() {
        server.replication.alone_since_s = server.clock.now_s();
    }
    transfer::forget_reader(server, id);
}

/// A client is being freed: if it was a replica, nothing waits for it any more.
pub fn freed(server: &mut Server, id: ClientId, client: &Client) {
    if client.link().is_none() {
        return;
    }
    log::notice!("Connection with replica {} lost.", replica_name(client));
    detach(server, id);
    trim(server);
}

/// Does what is done every second.
pub fn cron(server: &mut Server) {
    let config = &server.config.replication;
    let ping_period_s = u64::from(config.repl_ping_replica_period_s.max(1));
    server.replication.cron_count += 1;
    let has_replicas = !server.replication.replicas.is_empty();
    if has_replicas && server.replication.cron_count.is_multiple_of(ping_period_s) {
        server.propagation.out_of_unit(&[b"PING"]);
        feed(server);
    }
    for id in server.replication.replicas.clone() {
        look_after(server, id);
    }
    close_old_backlog(server);
    start_pending(server);
    remove_sync_file(server);
}

/// Keeps one who waits from giving up, and gives up one that is silent.
fn look_after(server: &mut Server, id: ClientId) {
    let now_s = server.clock.now_s();
    let timeout_s = u64::from(server.config.replication.repl_timeout_s);
    let is_relayed = server.children.writes_for(Target::Replicas);
    let Some(client) = server.clients.find(id) else { return };
    let name = replica_name(client);
    let Some(link) = client.link_mut() else { return };
    match link.state {
        State::WaitsForStart => {
            server.clients.push(id, |reply| reply.raw(b"\n"));
        }
        State::WaitsForEnd if !is_relayed => {
            server.clients.push(id, |reply| reply.raw(b"\n"));
        }
        State::WaitsForEnd => {
            let is_stuck =
                link.stuck_since_s.is_some_and(|at_s| timeout_s < now_s.saturating_sub(at_s));
            if is_stuck {
                log::warning!("Disconnecting timedout replica (full sync): {name}");
                server.clients.close(id);
            }
        }
        State::Online if !link.is_old && timeout_s < link.lag_s(now_s) => {
            log::warning!("Disconnecting timedout replica (streaming sync): {name}");
            server.clients.close(id);
        }
        State::Online | State::ReceivesFile | State::HasSnapshot => {}
    }
}

/// Without replicas for long, nobody will come back for the backlog.
fn close_old_backlog(server: &mut Server) {
    let ttl_s = server.config.replication.repl_backlog_ttl_s;
    let alone_s = server.clock.now_s().saturating_sub(server.replication.alone_since_s);
    let is_old = server.replication.backlog.is_some()
        && server.replication.replicas.is_empty()
        && 0 < ttl_s
        && ttl_s < alone_s;
    if is_old {
        feed(server);
        // Nobody counts from here on: who would go on with this history would miss some of it.
        server.replication.begin_history();
        server.replication.close_backlog();
        server.propagation.has_replicas = false;
        log::notice!("Replication backlog freed after {ttl_s} seconds without connected replicas.");
    }
}

/// Removes a file that was made for replicas alone, where nothing is to be kept on disk.
fn remove_sync_file(server: &mut Server) {
    let persistence = &server.config.persistence;
    if !persistence.rdb_del_sync_files {
        server.snapshots.background.is_for_replicas = false;
    }
    if !server.snapshots.background.is_for_replicas || !persistence.save.is_empty() {
        return;
    }
    if links(server).any(|(_, _, link)| link.waits_for_snapshot()) {
        return;
    }
    server.snapshots.background.is_for_replicas = false;
    if std::fs::remove_file(crate::server::save::file_name(server)).is_ok() {
        log::notice!("Removing the RDB file used to feed replicas in a persistence-less instance");
    }
}

/// Changes how much of the stream is kept.
pub fn resize_backlog(server: &mut Server) {
    let bytes = server.config.replication.repl_backlog_size;
    if let Some(backlog) = &mut server.replication.backlog {
        backlog.keep(bytes);
    }
    trim(server);
}
