//! Flow: from the socket to the query buffer.

use std::io;

use ae::{Fd, Mask};
use base::split;
use net::{Connection, Received, ssl};
use resp::Query;
use sys::log;

use crate::{
    client::{Client, ClientId, Frame},
    server::{Datum, Server, output, process},
};

/// Of what a client has sent too much of, this much is logged.
const LOGGED_BYTES_MAX: usize = 64;
/// Of a long argument so much is read in a turn.
const ARGUMENT_BYTES_PER_TURN: usize = 1 << 20;

/// Serves a client's file event.
pub fn ready(server: &mut Server, fd: Fd, datum: Datum, mask: Mask) {
    let Datum::Client(id) = datum else { return };
    if mask.meets(Mask::WRITE) {
        output::send(server, id);
    }
    if mask.meets(Mask::READ) {
        read(server, fd, id);
    }
}

/// One read a turn: whoever sends more than it takes is not drained, so stays due. Two, if the
/// first one has brought the head of a long argument, the rest of which may well be there.
fn read(server: &mut Server, fd: Fd, id: ClientId) {
    if read_once(server, fd, id) {
        process::run_arrivals(server);
        let frame = server.clients.find(id).and_then(|client| client.frame.as_ref());
        if frame.is_some_and(|frame| frame.query.awaits_big()) {
            read_once(server, fd, id);
        }
    }
}

/// Says whether there is more to be read.
fn read_once(server: &mut Server, fd: Fd, id: ClientId) -> bool {
    let now_ms = server.now_ms();
    let Some(client) = server.clients.find(id) else { return false };
    let is_replica = client.link().is_some();
    let Client { wire: Some((_, connection)), frame: Some(frame), active_ms, last_command, .. } =
        client
    else {
        // Lent: this is a nested turn, and its own command runs. The kernel keeps the data.
        return false;
    };
    frame.query.borrow_buffer(|| server.arrivals.lend_buffer());
    server.stats.reads += 1;
    match receive(connection, &mut frame.query) {
        Ok(Received { bytes: 0, is_drained: false }) => {
            server.arrivals.keep_buffer(frame.query.return_buffer());
            if log::is_wanted(log::Level::Verbose) {
                log::verbose!("Client closed connection {}", server.describe_client(id));
            }
            if is_replica {
                // It is told more without end, and hears none of it.
                server.clients.close(id);
                return false;
            }
            // It may have closed one direction only: what it asked for it is still sent.
            server.clients.close_after_reply(id);
        }
        Err(error) => {
            server.arrivals.keep_buffer(frame.query.return_buffer());
            log::verbose!("Reading from client: {error}");
            server.clients.close(id);
        }
        Ok(Received { bytes, is_drained }) => {
            *active_ms = now_ms;
            server.stats.input_bytes += bytes as u64;
            if is_drained {
                server.events.drained(fd, Mask::READ);
            }
            let is_first = last_command.is_none();
            if is_first && is_tls_at_plain_door(connection, frame) {
                log::notice!("TLS at a plaintext port: closing {}", server.describe_client(id));
                server.clients.close(id);
                return false;
            }
            // Whole arguments of a request that has yet to come whole are no part of it.
            if server.config.limits.client_query_buffer_limit < frame.query.unparsed_bytes() {
                close_over_limit(server, id);
                return false;
            }
            process::arrived(server, id);
            return !is_drained;
        }
    }
    false
}

/// Reads once, or on and on while all of it belongs to one long argument.
fn receive(connection: &mut Connection, query: &mut Query) -> io::Result<Received> {
    let mut received = connection.read_into(query.space())?;
    while query.awaits_big() && !received.is_drained && received.bytes < ARGUMENT_BYTES_PER_TURN {
        // An end or an error is met again in the next turn.
        let Ok(more) = connection.read_into(query.space()) else { break };
        received.is_drained = more.is_drained;
        received.bytes += more.bytes;
        if more.bytes == 0 {
            break;
        }
    }
    Ok(received)
}

/// Whether one who has asked for nothing yet begins a TLS handshake at a door that
/// speaks plaintext.
fn is_tls_at_plain_door(connection: &Connection, frame: &Frame) -> bool {
    !connection.is_ssl() && ssl::looks_like_tls(frame.query.unread())
}

/// Ends a client that has sent more than may wait to be carried out.
fn close_over_limit(server: &mut Server, id: ClientId) {
    let frame = server.clients.peek(id).and_then(|client| client.frame.as_ref());
    let first = frame.map_or(&[][..], |frame| frame.query.unread());
    let first = split::repr(&first[..first.len().min(LOGGED_BYTES_MAX)]);
    log::warning!(
        "Closing client that reached max query buffer length: {} (qbuf initial bytes: {})",
        server.describe_client(id),
        String::from_utf8_lossy(&first),
    );
    server.stats.query_limit_disconnections += 1;
    server.clients.close(id);
}
