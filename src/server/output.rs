//! Flow: from reply buffers to sockets: all of a turn's replies in one write a client.

use std::io::ErrorKind;

use ae::Mask;
use sys::log;

use crate::{
    client::{
        Client, ClientId, Frame,
        describe::{Kind, Talk, describe},
    },
    config::OutputLimit,
    server::{Server, transfer},
};

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
        close_if_over_limit(server, id);
    } else {
        send(server, id);
    }
}

/// Sends what a client can take, and waits for room only if it cannot take all.
pub fn send(server: &mut Server, id: ClientId) {
    let now_ms = server.now_ms();
    let client = server.clients.find_even_closing(id).filter(|client| !client.is_over());
    let Some(client) = client else { return };
    if client.link().is_some() {
        return transfer::send(server, id);
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
            close_if_over_limit(server, id);
        }
        Err(error) => {
            log::verbose!("Error writing to client: {error}");
            server.clients.give_up(id);
        }
    }
}

/// Ends a client for which more waits than its class may have. It is sent none of it.
pub fn close_if_over_limit(server: &mut Server, id: ClientId) {
    close_if_over(server, id, None);
}

/// Does the same for one whose request has just run, and whose frame is lent for that.
pub fn close_caller_if_over_limit(server: &mut Server, id: ClientId, frame: &Frame) {
    close_if_over(server, id, Some(frame));
}

fn close_if_over(server: &mut Server, id: ClientId, lent: Option<&Frame>) {
    let limit = limit(server, id);
    if limit == OutputLimit::default() {
        return;
    }
    let stream_end = server.replication.offset();
    let now_ms = server.now_ms();
    let client = server.clients.find_even_closing(id).filter(|client| !client.is_over());
    let Some(client) = client else { return };
    let lent_bytes = lent.map_or(0, |frame| frame.reply.output().pending_bytes());
    let stream_bytes = client.link().map_or(0, |link| link.waiting_bytes(stream_end));
    let bytes = client.pending_output_bytes() + lent_bytes + stream_bytes;
    if client.output.is_over(bytes, &limit, now_ms) {
        let talk = lent.or(client.frame.as_deref()).map(Talk::from);
        let text = talk.map_or_else(Vec::new, |talk| describe(client, &talk, now_ms));
        let text = String::from_utf8_lossy(&text);
        log::warning!("Client {text} closed for overcoming of output buffer limits.");
        server.stats.output_limit_disconnections += 1;
        server.clients.give_up(id);
    }
}

/// Returns what may wait for a client of this kind.
fn limit(server: &Server, id: ClientId) -> OutputLimit {
    let limits = &server.config.limits.client_output_buffer_limit;
    let kind = server.clients.peek(id).map_or(Kind::Normal, Client::kind);
    let mut limit = *limits.of(kind);
    if kind == Kind::Replica {
        let backlog_bytes = server.config.replication.repl_backlog_size;
        // What is kept in any case waits for nobody in particular.
        for bytes in [&mut limit.hard_bytes, &mut limit.soft_bytes] {
            if 0 < *bytes {
                *bytes = backlog_bytes.max(*bytes);
            }
        }
    }
    limit
}
