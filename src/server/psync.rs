//! Flow: SYNC and PSYNC: a client becomes a replica.
//!
//! It goes on where it was if its history is ours, or one that ours continues, and the backlog
//! reaches back so far. Otherwise it gets a snapshot: that of a child at work if this one writes
//! to disk for others who want the same of it, or of one that is made for it, after a while in
//! which more may come.

use sys::log;

use crate::{
    client::{Client, ClientId, describe::replica_name},
    config::Config,
    error::ReplyError,
    persist::child::Target,
    replication::replica::{Filter, Link, State},
    server::{
        Server,
        call::{Call, CommandResult},
        replicas,
    },
};

/// What a replica has of a history: its name, and how far it is, as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// `?` if it has none.
    pub id: &'a [u8],
    /// The place of the first byte that it has not, counted from 1.
    pub from: i64,
}

/// Carries SYNC out, which has no past, or PSYNC, which may.
pub fn sync(server: &mut Server, call: &mut Call<'_>, past: Option<Past<'_>>) -> CommandResult {
    let id = call.client;
    replicas::feed(server);
    if let Some(past) = past {
        if go_on(server, id, past) {
            call.session.is_replica = true;
            server.stats.partial_syncs += 1;
            return Ok(());
        }
        if past.id.first() != Some(&b'?') {
            server.stats.refused_partial_syncs += 1;
        }
    }
    server.stats.full_syncs += 1;
    call.session.is_replica = true;
    attach(server, id, State::WaitsForStart, 0);
    if let Some(link) = server.clients.find(id).and_then(Client::link_mut) {
        link.is_old = past.is_none();
    }
    begin_history(server);
    choose_snapshot(server, id);
    Ok(())
}

/// Says why a client cannot become a replica now, if so.
pub fn check(server: &Server, call: &Call<'_>) -> Result<(), ReplyError> {
    let Some(client) = server.clients.peek(call.client) else { return Ok(()) };
    if !call.reply.is_empty() || 0 < client.pending_output_bytes() {
        return Err(ReplyError::text("ERR SYNC and PSYNC are invalid with pending output"));
    }
    let replica = client.replica.as_deref();
    if replica.is_some_and(|it| it.filter.excludes_anything() && !it.knows_eof) {
        return Err(ReplyError::text("ERR Filtered replica requires EOF capability"));
    }
    Ok(())
}

/// Lets a replica go on with the stream; says whether that is possible.
fn go_on(server: &mut Server, id: ClientId, past: Past<'_>) -> bool {
    let Some(client) = server.clients.peek(id) else { return false };
    let name = replica_name(client);
    let replication = &server.replication;
    let is_ours = past.id.eq_ignore_ascii_case(replication.id.as_bytes());
    let former = replication.former.as_ref().filter(|(id, _)| past.id == id.as_bytes());
    let reaches_former =
        former.is_some_and(|(_, end)| u64::try_from(past.from).is_ok_and(|from| from <= *end));
    if !is_ours && !reaches_former {
        log_other_history(past, server, &name);
        return false;
    }
    // Places count from 0 here, and from 1 on the wire.
    let place = past.from.checked_sub(1).and_then(|place| u64::try_from(place).ok());
    let backlog = replication.backlog.as_ref();
    let place = place.filter(|place| backlog.is_some_and(|backlog| backlog.reaches(*place)));
    let Some(place) = place else {
        log::notice!(
            "Unable to partial resync with replica {name} for lack of backlog (Replica request \
             was: {}).",
            past.from
        );
        if i128::from(replication.offset()) < i128::from(past.from) {
            log::warning!(
                "Warning: replica {name} tried to PSYNC with an offset that is greater than the \
                 master replication offset."
            );
        }
        return false;
    };
    let bytes = replication.offset() - place;
    attach(server, id, State::Online, place);
    let knows_psync2 = server.clients.peek(id).and_then(|client| client.replica.as_deref());
    let line = match knows_psync2.is_some_and(|replica| replica.knows_psync2) {
        true => format!("+CONTINUE {}\r\n", server.replication.id),
        false => "+CONTINUE\r\n".to_owned(),
    };
    server.clients.push(id, |reply| reply.raw(line.as_bytes()));
    log::notice!(
        "Partial resynchronization request from {name} accepted. Sending {bytes} bytes of backlog \
         starting from offset {}.",
        past.from
    );
    true
}

fn log_other_history(past: Past<'_>, server: &Server, name: &str) {
    if past.id.first() == Some(&b'?') {
        return log::notice!("Full resync requested by replica {name}");
    }
    let replication = &server.replication;
    let asked = String::from_utf8_lossy(past.id);
    match &replication.former {
        Some((id, end)) if past.id == id.as_bytes() => log::notice!(
            "Partial resynchronization not accepted: Requested offset for second ID was {}, but \
             I can reply up to {end}",
            past.from
        ),
        former => log::notice!(
            "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for \
             '{asked}', my replication IDs are '{}' and '{}')",
            replication.id,
            former.as_ref().map_or_else(|| "0".repeat(40), |(id, _)| id.clone())
        ),
    }
}

fn attach(server: &mut Server, id: ClientId, state: State, next: u64) {
    let now_s = server.clock.now_s();
    let gathers = server.config.replication.repl_disable_tcp_nodelay;
    let Some(client) = server.clients.find(id) else { return };
    let end = server.replication.offset();
    let link = Link { end, ..Link::new(state, next, now_s) };
    client.replica.get_or_insert_default().link = Some(link);
    if gathers
        && state == State::WaitsForStart
        && let Some((_, connection)) = &mut client.wire
    {
        // It works as well if it fails.
        let _ = connection.stream().set_nodelay(false);
    }
    server.replication.replicas.push(id);
}

/// The first replica begins a history of its own: nobody has counted before it.
fn begin_history(server: &mut Server) {
    if server.replication.backlog.is_some() {
        return;
    }
    let kept_bytes = server.config.replication.repl_backlog_size;
    server.replication.begin_history();
    server.replication.open_backlog(kept_bytes);
    server.propagation.has_replicas = true;
    log::notice!(
        "Replication backlog created, my new replication IDs are '{}' and '{}'",
        server.replication.id,
        "0".repeat(40)
    );
}

/// Finds out which child writes the snapshot for a replica, and makes it if it can.
fn choose_snapshot(server: &mut Server, id: ClientId) {
    let Some(child) = server.children.running() else {
        let (filter, knows_eof) = wishes(server, id);
        if is_delayed(&server.config, knows_eof) {
            return log::notice!("Delay next BGSAVE for diskless SYNC");
        }
        return replicas::start_snapshot(server, filter, knows_eof);
    };
    match child.target {
        Target::Replicas => {
            log::notice!("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC")
        }
        Target::Disk => match place_of_like(server, id) {
            Some(place) => {
                replicas::begin_full(server, id, place);
                log::notice!("Waiting for end of BGSAVE for SYNC");
            }
            None => log::notice!(
                "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC"
            ),
        },
    }
}

fn wishes(server: &Server, id: ClientId) -> (Filter, bool) {
    let replica = server.clients.peek(id).and_then(|client| client.replica.as_deref());
    replica.map_or_else(Default::default, |replica| (replica.filter, replica.knows_eof))
}

fn is_delayed(config: &Config, knows_eof: bool) -> bool {
    let replication = &config.replication;
    replication.repl_diskless_sync && knows_eof && 0 < replication.repl_diskless_sync_delay_s
}

/// Returns where the snapshot stands that is being written to disk for another replica, if it
/// would do for this one: it knows all that the other does, and wants the same.
fn place_of_like(server: &Server, id: ClientId) -> Option<u64> {
    let mine = server.clients.peek(id)?.replica.as_deref()?;
    let mut links = replicas::links(server);
    let (_, other, link) = links.find(|(_, other, link)| {
        link.state == State::WaitsForEnd && (!other.wants_snapshot_only || mine.wants_snapshot_only)
    })?;
    let knows_enough =
        (mine.knows_eof || !other.knows_eof) && (mine.knows_psync2 || !other.knows_psync2);
    (knows_enough && mine.filter == other.filter).then_some(link.snapshot_at)
}
