//! Flow: from reply buffers to sockets: all of a turn's replies in one write a client.

use std::io::ErrorKind;

use ae::Mask;
use sys::log;

use crate::{
    client::{ClientId, Frame, Kind, Session, describe::describe, limit_of, usage::Talk},
    config::OutputLimit,
    server::{Server, transfer},
};

/// So much may wait for anybody, whatever the limits say: a short reply is no reason to go.
const FREE_BYTES: usize = 16 * 1024;
/// Who has not authenticated is told little, and need not be told more.
const UNAUTHENTICATED_BYTES_MAX: u64 = 17 * 1024;

/// How the log calls it, as Redis does: when something was added to what waits.
const CLOSED_AT_ONCE: &str = "scheduled to be closed ASAP";
/// And when that was found out later.
const CLOSED_IN_TIME: &str = "closed";

/// Sends to everybody who was told something in this turn.
pub fn send_all(server: &mut Server) {
    while let Some(id) = server.clients.pop_with_output() {
        send_unless_stuck(server, id);
    }
}

/// Sends to those whose turn it is among those who can wait, and has the loop go on without a
/// sleep for the others.
pub fn send_later(server: &mut Server) {
    if !server.clients.turn_ends(server.stats.commands) {
        return;
    }
    while let Some(id) = server.clients.pop_later() {
        send_unless_stuck(server, id);
    }
    if server.clients.has_later() {
        server.events.stay_awake();
    }
}

/// Sends to all who wait, as the server ends.
pub fn send_last(server: &mut Server) {
    server.clients.hurry();
    while let Some(id) = server.clients.pop_later() {
        send_unless_stuck(server, id);
    }
}

/// Whose socket is full is served by its file event when there is room again.
fn send_unless_stuck(server: &mut Server, id: ClientId) {
    if server.clients.find(id).is_some_and(|client| client.is_stuck()) {
        close_if_over(server, id, None, CLOSED_AT_ONCE);
    } else {
        send(server, id);
    }
}

/// Sends what a client can take, and waits for room only if it cannot take all.
pub fn send(server: &mut Server, id: ClientId) {
    let now_ms = server.now_ms();
    let client = server.clients.find_even_closing(id).filter(|client| !client.is_over());
    let Some(client) = client else { return };
    if client.is_output_cut() {
        return close_if_over(server, id, None, CLOSED_AT_ONCE);
    }
    if client.link().is_some() {
        if transfer::send(server, id) {
            close_if_over_limit(server, id);
        }
        return;
    }
    let (sent, outcome) = client.send();
    let Some((fd, _)) = client.wire else { return };
    server.stats.output_bytes += sent as u64;
    server.stats.writes += 1;
    if 0 < sent {
        client.active_ms = now_ms;
    }
    // Who is closing is read from no more, and must not stay due for it.
    let is_alive = client.is_alive();
    let reads = if is_alive { Mask::READ } else { Mask::NONE };
    match outcome {
        Ok(()) => {
            server.events.want(fd, reads);
            if !is_alive {
                server.clients.give_up(id);
            }
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            server.events.drained(fd, Mask::WRITE);
            server.events.want(fd, reads | Mask::WRITE);
            close_if_over(server, id, None, CLOSED_AT_ONCE);
        }
        Err(error) => {
            log::verbose!("Error writing to client: {error}");
            server.clients.give_up(id);
        }
    }
    server.clients.note_usage(id);
}

/// Ends a client for which more waits than its class may have. It is sent none of it.
pub fn close_if_over_limit(server: &mut Server, id: ClientId) {
    close_if_over(server, id, None, CLOSED_IN_TIME);
}

/// Does the same for one for whom something was just added to what waits.
pub fn close_told_if_over_limit(server: &mut Server, id: ClientId) {
    close_if_over(server, id, None, CLOSED_AT_ONCE);
}

/// Does the same for one whose request has just run, and whose frame is lent for that.
#[inline]
pub fn close_caller_if_over_limit(server: &mut Server, id: ClientId, frame: &Frame) {
    // What others push meanwhile is looked at when it is sent.
    let output = frame.reply.output();
    if FREE_BYTES <= output.pending_bytes() || output.is_cut() {
        close_if_over(server, id, Some(frame), CLOSED_AT_ONCE);
    }
}

/// Returns what may wait for a client.
fn limit(server: &Server, kind: Kind, session: &Session) -> OutputLimit {
    let mut limit = limit_of(&server.config.limits.client_output_buffer_limit, kind);
    let limited = |bytes: u64, max: u64| if bytes == 0 { max } else { bytes.min(max) };
    if server.requires_auth(session) {
        limit.hard_bytes = limited(limit.hard_bytes, UNAUTHENTICATED_BYTES_MAX);
    }
    if kind == Kind::Replica && limit.hard_bytes != 0 {
        // All replicas share the backlog, which is there anyhow.
        let backlog_bytes = server.config.replication.repl_backlog_size;
        limit.hard_bytes = limit.hard_bytes.max(backlog_bytes);
    }
    limit
}

/// Lets what a client is told be dropped as soon as it is certain that the client will be
/// closed for it, so that one long reply does not take all the memory.
#[inline]
pub fn set_cut(server: &mut Server, id: ClientId) {
    let limits = &server.config.limits.client_output_buffer_limit;
    let Some(client) = server.clients.find_even_closing(id) else { return };
    let hard_bytes = match client.kind() {
        // A command may make one of the other while its replies are written.
        Kind::Normal | Kind::PubSub => match (limits.normal.hard_bytes, limits.pubsub.hard_bytes) {
            (0, _) | (_, 0) => 0,
            (normal, pubsub) => normal.max(pubsub).max(FREE_BYTES as u64),
        },
        Kind::Master | Kind::Replica => 0,
    };
    client.cut_output_at(usize::try_from(hard_bytes).unwrap_or(usize::MAX));
}

/// Applies limits that were changed.
pub fn set_cuts(server: &mut Server) {
    let ids: Vec<ClientId> = server.clients.iter().map(|(id, _)| id).collect();
    ids.into_iter().for_each(|id| set_cut(server, id));
}

fn close_if_over(server: &mut Server, id: ClientId, lent: Option<&Frame>, what: &str) {
    let now_ms = server.now_ms();
    let client = server.clients.peek(id).filter(|client| !client.is_over());
    let Some(client) = client else { return };
    let Some(frame) = lent.or(client.frame.as_deref()) else { return };
    let limit = limit(server, client.kind(), &frame.session);
    let lent_output = lent.map(|frame| frame.reply.output());
    let is_cut = client.is_output_cut() || lent_output.is_some_and(|output| output.is_cut());
    let lent_bytes = lent_output.map_or(0, |output| output.pending_bytes());
    let stream_bytes = client.link().map_or(0, |link| link.waiting_bytes());
    let bytes = match client.pending_output_bytes() + lent_bytes + stream_bytes {
        ..FREE_BYTES => 0,
        bytes => bytes,
    };
    let Some(client) = server.clients.find_even_closing(id) else { return };
    if !client.output.is_over(bytes, &limit, now_ms) && !is_cut {
        return;
    }
    let talk = lent.or(client.frame.as_deref()).map(Talk::from);
    let text = talk.map_or_else(Vec::new, |talk| describe(client, &talk, now_ms));
    let text = String::from_utf8_lossy(&text);
    log::warning!("Client {text} {what} for overcoming of output buffer limits.");
    server.stats.output_limit_disconnections += 1;
    server.clients.give_up(id);
}
